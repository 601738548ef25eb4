//! Every setting there is, one line each: its name in the file, its environment variables, and what it is for. A new setting
//! adds its line here and its field in [`super::Config`]; `doctor` and the check for misspelt keys read this table.

/// A setting.
#[derive(Debug)]
pub struct Key {
    /// In the file; a dot means a section: `telegram.bot_token` is `bot_token` in `[telegram]`.
    pub path: &'static str,
    /// The variables that set it; the first that is set and not empty wins, over the file.
    pub variables: &'static [&'static str],
    /// Never shown, only whether it is set.
    pub secret: bool,
    /// What it is for, in a few words.
    pub about: &'static str,
}

const fn plain(path: &'static str, variables: &'static [&'static str], about: &'static str) -> Key {
    Key {
        path,
        variables,
        secret: false,
        about,
    }
}

const fn secret(
    path: &'static str,
    variables: &'static [&'static str],
    about: &'static str,
) -> Key {
    Key {
        path,
        variables,
        secret: true,
        about,
    }
}

/// In the order in which people meet them.
pub static KEYS: &[Key] = &[
    plain("version", &[], "format of the file, 1"),
    plain("home", &["COUNTERSIGN_HOME"], "data directory"),
    plain(
        "database_url",
        &["COUNTERSIGN_DATABASE_URL"],
        "SQLite file (a path or sqlite://path), or a PostgreSQL server: postgres://user:password@host/database",
    ),
    plain(
        "public_url",
        &["COUNTERSIGN_PUBLIC_URL"],
        "https address under which Telegram reaches the webhook; without it: long polling",
    ),
    plain(
        "listen",
        &["COUNTERSIGN_LISTEN"],
        "address of webhook, /healthz and /metrics",
    ),
    plain(
        "model",
        &["COUNTERSIGN_MODEL"],
        "provider/model for agents that name none",
    ),
    plain(
        "model_fast",
        &["COUNTERSIGN_MODEL_FAST"],
        "provider/model that `tier/fast` stands for; without it: that of `model`",
    ),
    plain(
        "model_strong",
        &["COUNTERSIGN_MODEL_STRONG"],
        "provider/model that `tier/strong` stands for; without it: that of `model`",
    ),
    plain(
        "sandbox",
        &["COUNTERSIGN_SANDBOX"],
        "auto, bubblewrap, landlock or off (commands are refused)",
    ),
    plain(
        "workers",
        &["COUNTERSIGN_WORKERS"],
        "runs that work at the same time",
    ),
    secret(
        "audit_key",
        &["COUNTERSIGN_AUDIT_KEY"],
        "key of the audit's seals; made in the data directory if not set",
    ),
    secret(
        "secrets_key",
        &["COUNTERSIGN_SECRETS_KEY"],
        "opens the file of `countersign secrets`",
    ),
    plain(
        "log",
        &["COUNTERSIGN_LOG", "RUST_LOG"],
        "log level or filter: warn, info, app=debug",
    ),
    secret(
        "telegram.bot_token",
        &["TELEGRAM_BOT_TOKEN"],
        "from @BotFather",
    ),
    plain(
        "telegram.api_url",
        &["TELEGRAM_API_URL"],
        "a self-hosted Bot API server",
    ),
    plain(
        "telegram.paced",
        &["TELEGRAM_PACED"],
        "whether messages are kept below Telegram's rates, or sent as fast as it takes them",
    ),
    secret(
        "anthropic.api_key",
        &["ANTHROPIC_API_KEY"],
        "Anthropic's key",
    ),
    plain("anthropic.base_url", &["ANTHROPIC_BASE_URL"], "its address"),
    secret("openai.api_key", &["OPENAI_API_KEY"], "OpenAI's key"),
    plain(
        "openai.base_url",
        &["OPENAI_BASE_URL"],
        "its address, or that of llama.cpp, vLLM, …",
    ),
    secret(
        "openrouter.api_key",
        &["OPENROUTER_API_KEY"],
        "OpenRouter's key",
    ),
    plain("ollama.host", &["OLLAMA_HOST"], "a local Ollama"),
    plain(
        "limits.steps",
        &["COUNTERSIGN_MAX_STEPS"],
        "model calls of a run",
    ),
    plain(
        "limits.tokens",
        &["COUNTERSIGN_MAX_TOKENS"],
        "tokens of a run",
    ),
    plain(
        "limits.cost_usd",
        &["COUNTERSIGN_MAX_COST_USD"],
        "US dollars of a run",
    ),
    plain(
        "limits.wall_s",
        &["COUNTERSIGN_MAX_WALL_S"],
        "seconds of work of a run, waiting apart",
    ),
    plain(
        "limits.approval_s",
        &["COUNTERSIGN_APPROVAL_S"],
        "seconds until a card expires",
    ),
    plain(
        "limits.shutdown_s",
        &["COUNTERSIGN_SHUTDOWN_S"],
        "seconds that work under way gets to finish when the process is asked to stop",
    ),
    plain(
        "limits.pdf_s",
        &["COUNTERSIGN_PDF_S"],
        "seconds that reading one PDF may take",
    ),
    plain(
        "aws.bucket",
        &["COUNTERSIGN_BUCKET"],
        "S3 bucket of what is too large for DynamoDB",
    ),
    plain(
        "aws.queues",
        &["COUNTERSIGN_QUEUES"],
        "SQS queues that wake functions and workers: lane=url,lane=url",
    ),
    plain(
        "aws.dead_letters",
        &["COUNTERSIGN_DEAD_LETTERS"],
        "SQS queue of wake-ups that no function takes",
    ),
    plain(
        "aws.role",
        &["COUNTERSIGN_ROLE"],
        "what a cloud function does: update, send, run, circulate, outage or tick",
    ),
    plain(
        "aws.endpoint_url",
        &["AWS_ENDPOINT_URL"],
        "an emulator of AWS",
    ),
];

/// The known key that `wrong` most likely meant, unless all are far off.
#[must_use]
pub fn nearest(wrong: &str) -> Option<&'static str> {
    let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    KEYS.iter()
        // Somebody may have left out the section.
        .map(|key| {
            (
                distance(wrong, key.path).min(distance(wrong, last(key.path)) + 1),
                key.path,
            )
        })
        .min()
        .filter(|(distance, path)| *distance <= path.len().div_ceil(2))
        .map(|(_, path)| path)
}

/// Letters to add, remove or replace to make one out of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in a.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != *other);
            line.push(replaced.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above.last().copied().unwrap_or_default()
}
