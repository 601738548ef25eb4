//! A person changes what a call would do: the journal says who and to what, the card can't be decided until the run has judged
//! the changed call and edited the card. Whoever changed it still has to approve what they then see.

use crate::{
    CommandError, Draft, Home, Problem, ask, audit, decide,
    keep::fit,
    run::{self, large},
    tool::{Tools, arguments},
};
use domain::{
    Digest,
    approval::{self, Approval, Change, Voter},
    id::ApprovalId,
    member::Member,
    run::{Actor, Entry, Event},
};
use ports::{
    repo::{self, Stored},
    store::Op,
};
use serde_json::{Value, json};

/// Bytes of what the agent proposed that stay on a changed card.
const WAS: usize = 300;
/// Bytes of the new arguments as a person writes them.
const EDIT: usize = 256 * 1024;

/// What a person edits.
#[derive(Clone, PartialEq, Debug)]
pub struct Form {
    pub approval: Approval,
    /// The argument that a plain text stands for; none where only JSON will do.
    pub field: Option<&'static str>,
    /// The text as it is, or the arguments as JSON.
    pub now: String,
}

/// The call as it is, for who wants to change it.
///
/// # Errors
/// [`Problem::Decision`] with why it can't be changed (by this member, any more), [`Problem::NotFound`].
pub async fn form(
    home: &Home,
    tools: &Tools,
    member: &Member,
    id: &ApprovalId,
    shown: Option<&str>,
) -> Result<Form, CommandError> {
    let approval = changeable(home, member, id, shown).await?.0.value;
    let arguments = large::fetch(&*home.blobs, approval.call.arguments.clone()).await?;
    let tools = tools.of(home, &approval.agent).await?;
    let tool = tools.get(&approval.call.name);
    let field = tool.and_then(|tool| tool.text_argument());
    let text = field.and_then(|field| arguments.get(field)?.as_str());
    let now = match text {
        Some(text) => text.to_owned(),
        None => serde_json::to_string_pretty(&arguments)?,
    };
    Ok(Form {
        approval,
        field,
        now,
    })
}

/// Changes the call of a card that waits. `text` is a JSON object with all arguments, or the new text of the one that
/// [`Form::field`] names. `shown` is the digest's beginning on the card that the person saw.
///
/// # Errors
/// As [`form`]; [`Problem::Invalid`] for arguments that the tool does not have, [`Problem::TooLarge`].
pub async fn modify(
    home: &Home,
    tools: &Tools,
    member: &Member,
    id: &ApprovalId,
    (text, shown): (&str, Option<&str>),
) -> Result<Draft<Approval>, CommandError> {
    let (stored, may) = changeable(home, member, id, shown).await?;
    let Stored { mut value, version } = stored;
    if text.len() > EDIT {
        return Err(Problem::TooLarge {
            what: "change",
            bytes: text.len() as u64,
            limit: EDIT as u64,
        }
        .into());
    }
    let before = large::fetch(&*home.blobs, value.call.arguments.clone()).await?;
    let tools = tools.of(home, &value.agent).await?;
    let new = edited(&tools, &value.call.name, &before, text).map_err(Problem::Invalid)?;
    if new == before {
        return Err(Problem::Invalid("That is what the call says already.".to_owned()).into());
    }
    let mut call = value.call.clone();
    call.arguments = new;
    large::keep(&*home.blobs, std::slice::from_mut(&mut call)).await?;
    if let Some(why) = call.malformed {
        return Err(Problem::Invalid(format!("{why}.")).into());
    }
    value.change = Some(Change {
        by: member.name.clone(),
        author: Some(member.id.clone()),
        was: value.change.take().map_or_else(
            || fit(&value.shown.what, WAS).to_owned(),
            |change| change.was,
        ),
        judged: false,
    });
    let mut ops = journalled(home, member, &value, call.arguments).await?;
    let approval = value.clone();
    ops.extend([repo::update(&home.team, &Stored { value, version })?, may]);
    Ok(Draft::new(ops, approval))
}

/// The card, and the operation that holds as long as the member may change it.
async fn changeable(
    home: &Home,
    member: &Member,
    id: &ApprovalId,
    shown: Option<&str>,
) -> Result<(Stored<Approval>, Op), CommandError> {
    let stored = decide::card(home, id).await?;
    let member = decide::current(home, member, &stored.value).await?;
    approval::may_change(&stored.value, &Voter::of(&member.value), shown, home.now())
        .map_err(Problem::Decision)?;
    Ok((stored, decide::unchanged(home, &member)))
}

/// The arguments that a person's text means.
fn edited(tools: &Tools, name: &str, before: &Value, text: &str) -> Result<Value, String> {
    let Some(tool) = tools.get(name) else {
        return Err(format!(
            "There is no tool “{name}” any more; deny the call."
        ));
    };
    let mut new = match (serde_json::from_str::<Value>(text), tool.text_argument()) {
        (Ok(object @ Value::Object(_)), _) => object,
        (_, Some(field)) => {
            let mut new = before.clone();
            new[field] = Value::String(text.to_owned());
            new
        }
        (Err(error), None) => {
            return Err(format!(
                "That is not JSON ({error}). Write all arguments as an object: {before}"
            ));
        }
        (Ok(_), None) => {
            return Err(format!("Write all arguments as an object: {before}"));
        }
    };
    arguments::check(&tool.spec().schema, &mut new)?;
    tool.accesses(&new).map_err(|error| error.to_string())?;
    Ok(new)
}

async fn journalled(
    home: &Home,
    member: &Member,
    approval: &Approval,
    arguments: Value,
) -> Result<Vec<Op>, CommandError> {
    let actor = Actor::Member(member.id.clone());
    let detail = json!({
        "approval": approval.id,
        "was": approval.digest,
        "arguments": Digest::of(&arguments)?,
    });
    let deed = audit::deed("call.modified", &actor, &approval.call.id, detail);
    let entry = Entry {
        v: 1,
        at: home.now(),
        actor,
        event: Event::CallModified {
            call: approval.call.id.clone(),
            approval: approval.id.clone(),
            was: approval.digest.clone(),
            arguments,
        },
    };
    let journal = repo::runs::journal(&home.team, &approval.run);
    let mut ops = vec![
        Op::Append {
            at: home.store.head(&journal).await?,
            journal,
            entries: vec![domain::canonical_json(&entry)?],
        },
        ask::wake(home, &approval.run)?,
    ];
    ops.extend(audit::append(home, &run::stream(&approval.run), vec![deed]).await?);
    Ok(ops)
}
