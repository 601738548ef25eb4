//! A decision on an approval: the record, the run's journal, the next step, the audit and the edited card, in one commit.

use crate::{
    CommandError, Draft, HandlerError, Home, Problem, ask, audit,
    keep::{fit, tell},
    run,
};
use domain::{
    agent::{Agent, AgentStatus},
    approval::{self, Approval, ApprovalStatus, Choice, Voter},
    id::{ApprovalId, MemberId},
    member::Member,
    permission::Rule,
    run::{Actor, Decided, Entry, Event},
};
use ports::{
    present::Notice,
    repo::{self, Stored},
    store::Op,
};
use serde_json::json;

/// Bytes of a reason.
const REASON: usize = 2000;

/// What was decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    pub approval: Approval,
    /// The rules that `Always` added.
    pub added: Vec<Rule>,
}

/// A person's choice. `shown` is the digest's beginning on the card that was tapped.
///
/// # Errors
/// [`Problem::Decision`] with why not, [`Problem::NotFound`], [`Problem::AgentNotActive`] where the agent is archived.
pub async fn decide(
    home: &Home,
    member: &Member,
    id: &ApprovalId,
    choice: &Choice,
    shown: Option<&str>,
) -> Result<Draft<Decision>, CommandError> {
    let not_found = || Problem::NotFound {
        what: "approval",
        name: id.to_string(),
    };
    let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str())
        .await?
        .ok_or_else(not_found)?;
    approval::check(&stored.value, choice, &Voter::of(member), shown, home.now())
        .map_err(Problem::Decision)?;
    if matches!(choice, Choice::Approve | Choice::Always | Choice::RunAgain) {
        may_run(home, &stored.value).await?;
    }
    let (status, decided) = outcome(choice);
    let Stored { mut value, version } = stored;
    value.status = status;
    value.decided_by = Some(member.id.clone());
    value.decided_at = Some(home.now());
    if let Choice::Deny { reason } = choice {
        value.reason = fit(reason.trim(), REASON).to_owned();
    }
    let added = match choice {
        Choice::Always => signed(home, member, &value),
        _ => Vec::new(),
    };
    let by = Actor::Member(member.id.clone());
    let stored = Stored {
        value: value.clone(),
        version,
    };
    let mut ops = settle(home, stored, decided, by, &member.name).await?;
    for rule in &added {
        ops.push(repo::create(&home.team, rule)?);
    }
    if !added.is_empty() {
        let deeds = added.iter().map(|rule| {
            audit::deed(
                "rule.added",
                format!("member:{}", member.id),
                &rule.id,
                json!({"rule": rule.to_string(), "from": id}),
            )
        });
        ops.extend(audit::append(home, "team", deeds.collect()).await?);
    }
    let approval = value;
    Ok(Draft::new(ops, Decision { approval, added }))
}

/// Nothing of an archived agent runs: who says yes is told so, instead of seeing the call refused.
async fn may_run(home: &Home, approval: &Approval) -> Result<(), CommandError> {
    let agent = repo::get::<Agent>(&*home.store, &home.team, approval.agent.as_str()).await?;
    if agent.is_some_and(|agent| agent.value.status != AgentStatus::Archived) {
        return Ok(());
    }
    let (name, archived) = (approval.agent_name.clone(), true);
    Err(Problem::AgentNotActive { name, archived }.into())
}

/// The rules that the card offered, as this person's.
fn signed(home: &Home, member: &Member, approval: &Approval) -> Vec<Rule> {
    let from = domain::id::short(approval.id.as_str());
    let mut rules = approval.always.clone();
    for rule in &mut rules {
        rule.created_by = Some(member.id.clone());
        rule.created_at = home.now();
        rule.note = format!("Always, from approval {from}");
    }
    rules
}

fn outcome(choice: &Choice) -> (ApprovalStatus, Decided) {
    match choice {
        Choice::Approve | Choice::Always => (ApprovalStatus::Approved, Decided::Approved),
        Choice::Deny { reason } => (
            ApprovalStatus::Denied,
            Decided::Denied {
                reason: fit(reason.trim(), REASON).to_owned(),
            },
        ),
        Choice::RunAgain => (ApprovalStatus::Approved, Decided::RunAgain),
        Choice::Happened => (ApprovalStatus::Approved, Decided::Happened),
        Choice::Stop => (ApprovalStatus::Denied, Decided::Stop),
    }
}

/// The time decided: nobody did before `expires_at`.
///
/// # Errors
/// What the store answers.
pub async fn expire(
    home: &Home,
    stored: Stored<Approval>,
    seen: bool,
) -> Result<Vec<Op>, CommandError> {
    let Stored { mut value, version } = stored;
    value.status = if seen {
        ApprovalStatus::Expired
    } else {
        ApprovalStatus::ExpiredUnseen
    };
    value.decided_at = Some(home.now());
    settle(
        home,
        Stored { value, version },
        Decided::Expired { seen },
        Actor::System,
        "",
    )
    .await
}

/// The card can't arrive anywhere.
///
/// # Errors
/// What the store answers.
pub async fn undeliverable(home: &Home, stored: Stored<Approval>) -> Result<Vec<Op>, CommandError> {
    let Stored { mut value, version } = stored;
    value.status = ApprovalStatus::Undeliverable;
    value.decided_at = Some(home.now());
    settle(
        home,
        Stored { value, version },
        Decided::Undeliverable,
        Actor::System,
        "",
    )
    .await
}

async fn settle(
    home: &Home,
    stored: Stored<Approval>,
    decided: Decided,
    by: Actor,
    name: &str,
) -> Result<Vec<Op>, CommandError> {
    let approval = &stored.value;
    let action = match approval.status {
        ApprovalStatus::Approved => "approval.approved",
        ApprovalStatus::Denied => "approval.denied",
        ApprovalStatus::Expired => "approval.expired",
        ApprovalStatus::ExpiredUnseen => "approval.expired_unseen",
        ApprovalStatus::Undeliverable => "approval.undeliverable",
        ApprovalStatus::Pending | ApprovalStatus::Withdrawn => "approval.withdrawn",
    };
    // Without the reason: the audit keeps no texts.
    let how = serde_json::to_value(&decided)?["as"].clone();
    let detail = json!({"run": approval.run, "call": approval.call.id, "digest": approval.digest, "as": how});
    let deed = audit::deed(action, &by, &approval.id, detail);
    let event = Event::ApprovalDecided {
        call: approval.call.id.clone(),
        approval: approval.id.clone(),
        decided,
    };
    let entry = Entry {
        v: 1,
        at: home.now(),
        actor: by,
        event,
    };
    let journal = repo::runs::journal(&home.team, &approval.run);
    let mut ops = vec![
        repo::update(&home.team, &stored)?,
        Op::Append {
            at: home.store.head(&journal).await?,
            journal,
            entries: vec![domain::canonical_json(&entry)?],
        },
        ask::wake(home, &approval.run)?,
    ];
    ops.extend(audit::append(home, &run::stream(&approval.run), vec![deed]).await?);
    let zone = zone(home, &approval.requester).await?;
    let notice = settled(approval, name.to_owned());
    let told = tell(home, &approval.session, &notice, &zone).await;
    ops.extend(told.map_err(presented)?);
    Ok(ops)
}

fn presented(error: HandlerError) -> CommandError {
    CommandError::Problem(Problem::Invalid(error.to_string()))
}

async fn zone(home: &Home, member: &MemberId) -> Result<String, CommandError> {
    let member = repo::get::<Member>(&*home.store, &home.team, member.as_str()).await?;
    Ok(member.map(|member| member.value.zone).unwrap_or_default())
}

/// The fact that a card is settled; `by` is the person's name, empty when it was nobody.
#[must_use]
pub fn settled(approval: &Approval, by: String) -> Notice {
    Notice::ApprovalSettled {
        approval: approval.clone(),
        by,
    }
}

/// A reason given after the denial, by replying to the card: kept with the approval; the model sees it if it has not gone on yet.
///
/// # Errors
/// [`Problem`]s: not found, not the one who denied.
pub async fn add_reason(
    home: &Home,
    member: &Member,
    id: &ApprovalId,
    reason: &str,
) -> Result<Draft<Approval>, CommandError> {
    let not_found = || Problem::NotFound {
        what: "approval",
        name: id.to_string(),
    };
    let mut stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str())
        .await?
        .ok_or_else(not_found)?;
    if stored.value.status != ApprovalStatus::Denied
        || stored.value.decided_by.as_ref() != Some(&member.id)
    {
        return Err(Problem::Decision(approval::Refusal::Settled(stored.value.status)).into());
    }
    stored.value.reason = fit(reason.trim(), REASON).to_owned();
    let value = stored.value.clone();
    Ok(Draft::new(vec![repo::update(&home.team, &stored)?], value))
}
