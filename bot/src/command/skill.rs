//! `/skill`: one skill shown, installed, removed, given to an agent and taken from it.
//!
//! Installing takes two steps: a card shows the content, and the yes to it repeats the content's digest, by a button or typed. The
//! content is fetched again for the yes; another one gets another card.

use super::{
    Command, Ctx, Reply, full_diff,
    history::{self, Of},
};
use crate::{
    present,
    text::{Builder, en},
};
use domain::{
    card::{Action, Block, Card, DATA_LIMIT, Style},
    content::prefix,
    rich_text::MarkStyle,
};
use handlers::{
    CommandError, Problem, agents, offers,
    skills::{self, Proposal},
};
use ports::{
    message::Body,
    shelf::{Fetched, ShelfError},
    store::Op,
};

pub struct Skill;

/// The verbs of the buttons.
const YES: &str = "skill";
const NO: &str = "noskill";
/// Bytes of a diff on a card, and lines of findings and files.
const DIFF: usize = 1500;
const LINES: usize = 12;

#[async_trait::async_trait]
impl Command for Skill {
    fn name(&self) -> &'static str {
        "skill"
    }
    fn description(&self) -> &'static str {
        "Show, install or remove a skill, or give it to an agent"
    }
    fn usage(&self) -> &'static str {
        "show NAME | install NAME | remove NAME | enable NAME AGENT | disable NAME AGENT | history NAME | undo NAME"
    }
    async fn run(&self, ctx: &Ctx<'_>) -> Result<Reply, CommandError> {
        let words: Vec<&str> = ctx.args.split_whitespace().collect();
        match *words.as_slice() {
            ["show", name] => show(ctx, name).await,
            ["install", name] => propose(ctx, name).await,
            ["install", name, pin] => agree(ctx, name, pin).await,
            ["remove", name] => {
                let draft = skills::remove(ctx.home, ctx.member, name).await?;
                let (skill, had) = &draft.fact;
                Ok(ctx.say(&en::removed(&skill.name, had)).with(draft.ops))
            }
            ["enable", name, agent] => {
                let draft = skills::enable(ctx.home, ctx.member, (name, agent)).await?;
                Ok(ctx
                    .say(&en::enabled(name, &draft.fact.name))
                    .with(draft.ops))
            }
            ["disable", name, agent] => {
                let draft = skills::disable(ctx.home, ctx.member, (name, agent)).await?;
                Ok(ctx
                    .say(&en::disabled(name, &draft.fact.name))
                    .with(draft.ops))
            }
            ["history", name] => {
                let past = skills::history(ctx.home, name).await?;
                let of = Of {
                    words: "skills",
                    hint: &en::undo_hint("skill", name),
                };
                Ok(history::reply(ctx, &of, &past))
            }
            ["undo", name] => {
                let draft = skills::undo(ctx.home, ctx.member, name).await?;
                let said = en::taken_back(name, draft.fact);
                Ok(ctx.say(&said).with(draft.ops))
            }
            _ => Ok(super::usage(ctx, self)),
        }
    }
}

async fn show(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let skill = skills::find(ctx.home, name).await?;
    let package = skills::package(ctx.home, name).await?;
    let agents = agents::list(ctx.home, false).await?;
    let has = |agent: &&domain::agent::Agent| agent.skills.contains(&skill.name);
    let having: Vec<&str> = agents
        .iter()
        .filter(has)
        .map(|agent| agent.name.as_str())
        .collect();
    let files: Vec<&str> = package.files.keys().map(String::as_str).collect();
    let mut out = Builder::default();
    out.marked(&skill.name, MarkStyle::Bold).push(&format!(
        " ({}, {})\n{}\n\n",
        en::kind(skill.kind),
        en::source(&skill),
        skill.description
    ));
    let fields = [
        (en::CONTENT, skill.digest.short().to_owned()),
        (en::FILES, files.join(", ")),
        (en::LICENSE, package.front.license.clone()),
        (en::HAVE_IT, having.join(", ")),
        (en::USED, en::stats(&skills::stats(ctx.home, name).await?)),
    ];
    for (label, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        out.marked(&format!("{label}:"), MarkStyle::Bold)
            .push(&format!(" {value}\n"));
    }
    out.push("\n")
        .marked(&package.body, MarkStyle::Pre(String::new()));
    Ok(ctx.show(&out.build()))
}

async fn fetched(ctx: &Ctx<'_>, name: &str) -> Result<Fetched, CommandError> {
    skills::configures(ctx.member)?;
    ctx.shelf.fetch(name).await.map_err(|error| match error {
        ShelfError::Missing(name) if !name.contains('/') => Problem::NotFound {
            what: "skill",
            name,
        }
        .into(),
        error => Problem::Invalid(en::shelf(&error)).into(),
    })
}

/// The card. It is made again for each attempt to commit, which changes nothing about it.
async fn propose(ctx: &Ctx<'_>, name: &str) -> Result<Reply, CommandError> {
    let fetched = fetched(ctx, name).await?;
    Ok(shown(ctx, &proposed(ctx, &fetched).await?))
}

/// A file came: the card, where it is a skill; none where it is something else.
pub(crate) async fn came(
    ctx: &Ctx<'_>,
    file: &str,
    bytes: &[u8],
) -> Result<Option<Reply>, CommandError> {
    if !ctx.shelf.is_skill(file, bytes) {
        return Ok(None);
    }
    skills::configures(ctx.member)?;
    let fetched = sent(ctx, file, bytes).await?;
    let proposal = proposed(ctx, &fetched).await?;
    let reply = shown(ctx, &proposal);
    if proposal.is_there() {
        return Ok(Some(reply));
    }
    let kept = offers::keep(ctx.home, proposal.pin(), (file, bytes)).await?;
    Ok(Some(reply.with(kept)))
}

async fn sent(ctx: &Ctx<'_>, file: &str, bytes: &[u8]) -> Result<Fetched, Problem> {
    let package = ctx.shelf.unpack(file, bytes).await;
    Ok(Fetched {
        package: package.map_err(|error| Problem::Invalid(en::shelf(&error)))?,
        source: en::sent_file(file),
    })
}

async fn proposed(
    ctx: &Ctx<'_>,
    Fetched { package, source }: &Fetched,
) -> Result<Proposal, CommandError> {
    skills::propose(ctx.home, (package, source), ctx.sandbox).await
}

fn shown(ctx: &Ctx<'_>, proposal: &Proposal) -> Reply {
    if proposal.is_there() {
        return ctx.say(&en::there_already(&proposal.name));
    }
    let mut message = present::outgoing(
        &ctx.inbound.session,
        Body::Card {
            card: card(proposal),
        },
    );
    message.tag = Some(tag(&proposal.name, proposal.pin()));
    let mut messages = vec![message];
    messages.extend(full_diff(ctx, &proposal.diff, DIFF));
    Reply {
        ops: Vec::new(),
        messages,
    }
}

fn tag(name: &str, pin: &str) -> String {
    format!("skill:{name}:{pin}")
}

fn card(proposal: &Proposal) -> Card {
    let data = |verb: &str| format!("{verb}:{}:{}", proposal.name, proposal.pin());
    let button = |label: &str, verb: &str, style: Style| Action {
        label: label.to_owned(),
        data: data(verb),
        style,
    };
    let mut blocks = facts(proposal);
    let mut actions = Vec::new();
    match data(NO).len() <= DATA_LIMIT {
        true => actions.push(vec![
            button(en::INSTALL, YES, Style::Good),
            button(en::DO_NOT_INSTALL, NO, Style::Danger),
        ]),
        false => blocks.push(Block::Text {
            text: en::how_to_agree(proposal),
        }),
    }
    Card {
        title: en::install(proposal),
        blocks,
        actions,
    }
}

fn facts(proposal: &Proposal) -> Vec<Block> {
    let files = proposal
        .files
        .iter()
        .map(|(path, bytes)| format!("{path} ({bytes} bytes)"));
    let findings: Vec<String> = proposal.findings.iter().map(ToString::to_string).collect();
    let found = match findings.is_empty() {
        true => en::NO_FINDINGS.to_owned(),
        false => lines(findings),
    };
    let fields = [
        (en::CONTENT, proposal.pin().to_owned()),
        (en::FROM, proposal.source.clone()),
        (en::LICENSE, proposal.license.clone()),
        (en::CAN, en::can(proposal)),
        (en::FILES, lines(files.collect())),
        (en::FINDINGS, found),
    ];
    let mut blocks = vec![Block::Text {
        text: proposal.description.clone(),
    }];
    let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
    blocks.extend(said.map(|(label, value)| Block::Field {
        label: label.to_owned(),
        value,
    }));
    if !proposal.diff.is_empty() {
        blocks.push(Block::Code {
            language: "diff".to_owned(),
            text: prefix(&proposal.diff, DIFF).to_owned(),
        });
    }
    blocks
}

/// Below their label, as many as a card takes.
fn lines(lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(LINES);
    let shown = lines.into_iter().take(LINES).collect::<Vec<_>>().join("\n");
    match more {
        0 => format!("\n{shown}"),
        more => format!("\n{shown}\n… {more} more"),
    }
}

/// The yes to a content: it is installed if it still is the one.
pub(crate) async fn agree(ctx: &Ctx<'_>, name: &str, pin: &str) -> Result<Reply, CommandError> {
    let (fetched, ops) = agreed(ctx, name, pin).await?;
    let Fetched { package, source } = &fetched;
    if pin.is_empty() || skills::pin(&package.digest) != pin {
        return Err(Problem::Invalid(en::another_content(name)).into());
    }
    let proposal = proposed(ctx, &fetched).await?;
    let agreed = (source.as_str(), proposal.findings.as_slice());
    let draft = skills::install(ctx.home, ctx.member, package, agreed).await?;
    let reply = settled(ctx, name, pin, &en::installed(name));
    Ok(reply.with(draft.ops).with(ops))
}

/// The content that a card was about: of a file that was sent, else of the shelf.
async fn agreed(ctx: &Ctx<'_>, name: &str, pin: &str) -> Result<(Fetched, Vec<Op>), CommandError> {
    skills::configures(ctx.member)?;
    if let Some(offer) = offers::find(ctx.home, pin).await? {
        let fetched = sent(ctx, &offer.name, &offer.bytes).await?;
        return Ok((fetched, offer.settled));
    }
    match fetched(ctx, name).await {
        // No card of the shelf's either: it was a file's, and is over.
        Err(CommandError::Problem(Problem::NotFound { .. })) => {
            Err(Problem::Invalid(en::OFFER_OVER.to_owned()).into())
        }
        fetched => Ok((fetched?, Vec::new())),
    }
}

/// The no.
pub(crate) async fn decline(ctx: &Ctx<'_>, name: &str, pin: &str) -> Result<Reply, CommandError> {
    skills::configures(ctx.member)?;
    let ops = offers::decline(ctx.home, pin).await?;
    Ok(settled(ctx, name, pin, en::NOT_INSTALLED).with(ops))
}

/// The card, when nothing is left to decide.
fn settled(ctx: &Ctx<'_>, name: &str, pin: &str, title: &str) -> Reply {
    let card = Card {
        title: title.to_owned(),
        ..Card::default()
    };
    let tag = tag(name, pin);
    let body = Body::EditCard { tag, card };
    Reply {
        ops: Vec::new(),
        messages: vec![present::outgoing(&ctx.inbound.session, body)],
    }
}
