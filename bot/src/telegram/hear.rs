//! Whether a text is for this bot, in a place where others talk too.

pub struct Heard {
    /// Without the bot's name.
    pub text: String,
    pub to_me: bool,
    pub to_another: bool,
}

/// `/help@me` is for this bot, `/help@other` is not; a command without a name is for every bot in the group.
pub fn hear(text: &str, me: &str) -> Heard {
    let trimmed = text.trim();
    if let Some(command) = trimmed.strip_prefix('/') {
        let end = command.find(char::is_whitespace).unwrap_or(command.len());
        let (word, args) = command.split_at(end);
        return match word.split_once('@') {
            None => Heard {
                text: trimmed.to_owned(),
                to_me: true,
                to_another: false,
            },
            Some((name, bot)) if bot.eq_ignore_ascii_case(me) => Heard {
                text: format!("/{name}{args}"),
                to_me: true,
                to_another: false,
            },
            Some(_) => Heard {
                text: trimmed.to_owned(),
                to_me: false,
                to_another: true,
            },
        };
    }
    let mention = format!("@{me}");
    let is_mention = |word: &str| {
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@' && c != '_')
            .eq_ignore_ascii_case(&mention)
    };
    let to_me = trimmed.split_whitespace().any(is_mention);
    // A name at the beginning only addresses; within a sentence it is part of it.
    let first = trimmed
        .split_whitespace()
        .next()
        .filter(|word| is_mention(word));
    let text = first.map_or(trimmed, |word| {
        trimmed.strip_prefix(word).unwrap_or(trimmed).trim_start()
    });
    Heard {
        text: text.to_owned(),
        to_me,
        to_another: false,
    }
}
