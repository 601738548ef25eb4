//! A decision on an approval: the record, the run's journal, the next step, the audit and the edited card, in one commit.

mod who;

pub(crate) use who::{current, unchanged};

use crate::{
    CommandError, Draft, HandlerError, Home, Problem, ask, audit, budgets, circulate,
    keep::{fit, tell},
    rules, run,
};
use domain::{
    agent::{Agent, AgentStatus},
    approval::{self, Approval, ApprovalStatus, Choice, Voter},
    id::{ApprovalId, MemberId, SessionId},
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

/// What was decided. The approval is pending still where it takes more persons.
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
    let Stored { mut value, version } = card(home, id).await?;
    let (who, mut ops) = who::voter(home, member, &mut value, choice, shown).await?;
    if choice.is_yes() {
        let happened = *choice == Choice::Happened;
        if !happened {
            may_run(home, &value).await?;
        }
        if !value.count(&who, happened, home.now()) {
            let stored = Stored {
                value: value.clone(),
                version,
            };
            ops.extend(voted(home, stored, &who).await?);
            let (approval, added) = (value, Vec::new());
            return Ok(Draft::new(ops, Decision { approval, added }));
        }
    }
    let (status, decided) = outcome(&value, choice);
    value.status = status;
    value.decided_by = Some(member.id.clone());
    value.decided_for = who.instead_of.map(|(absent, _)| absent);
    value.decided_at = Some(home.now());
    if let Choice::Deny { reason } = choice {
        value.reason = fit(reason.trim(), REASON).to_owned();
    }
    let added = match choice {
        Choice::Always => signed(home, member, &value),
        _ => Vec::new(),
    };
    value.standing = !added.is_empty();
    let by = Actor::Member(member.id.clone());
    let stored = Stored {
        value: value.clone(),
        version,
    };
    ops.extend(settle(home, stored, decided, by, &member.name).await?);
    if *choice == Choice::Raise {
        ops.extend(budgets::raised(home, member, &value).await?);
    }
    ops.extend(add(home, member, id, &added).await?);
    let approval = value;
    Ok(Draft::new(ops, Decision { approval, added }))
}

/// # Errors
/// [`Problem::NotFound`].
pub(crate) async fn card(home: &Home, id: &ApprovalId) -> Result<Stored<Approval>, CommandError> {
    let stored = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
    let (what, name) = ("approval", id.to_string());
    Ok(stored.ok_or(Problem::NotFound { what, name })?)
}

/// The operations by which the rules come to be.
async fn add(
    home: &Home,
    member: &Member,
    from: &ApprovalId,
    added: &[Rule],
) -> Result<Vec<Op>, CommandError> {
    let added = added.iter().cloned().map(rules::Written::added).collect();
    rules::write(home, &Actor::Member(member.id.clone()), added, Some(from)).await
}

/// A yes that is not the last one: the card says so wherever it is, and goes on waiting.
async fn voted(
    home: &Home,
    stored: Stored<Approval>,
    who: &Voter,
) -> Result<Vec<Op>, CommandError> {
    let approval = &stored.value;
    let mut detail = json!({
        "run": approval.run, "call": approval.call.id, "digest": approval.digest,
        "yes": approval.votes.len(), "of": approval.persons,
    });
    if let Some((absent, _)) = &who.instead_of {
        detail["for"] = json!(absent.id);
    }
    let by = Actor::Member(who.by.id.clone());
    let deed = audit::deed("approval.voted", by, &approval.id, detail);
    let mut ops = vec![repo::update(&home.team, &stored)?];
    ops.extend(audit::append(home, &run::stream(&approval.run), vec![deed]).await?);
    let notice = Notice::ApprovalChanged {
        approval: approval.clone(),
    };
    ops.extend(show(home, approval, &notice).await?);
    Ok(ops)
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

fn outcome(approval: &Approval, choice: &Choice) -> (ApprovalStatus, Decided) {
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
        Choice::Raise => {
            let amount = approval.raise();
            (ApprovalStatus::Approved, Decided::Raised { amount })
        }
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

/// The budget that the card is about has room again.
///
/// # Errors
/// What the store answers.
pub async fn freed(home: &Home, stored: Stored<Approval>) -> Result<Vec<Op>, CommandError> {
    let Stored { mut value, version } = stored;
    value.status = ApprovalStatus::Withdrawn;
    value.decided_at = Some(home.now());
    let stored = Stored { value, version };
    settle(home, stored, Decided::Freed, Actor::System, "").await
}

/// The card can't arrive at a place. Where it can't arrive anywhere, and is about to be sent to nobody else, nobody can decide it.
///
/// # Errors
/// What the store answers.
pub async fn undeliverable(
    home: &Home,
    stored: Stored<Approval>,
    place: &SessionId,
) -> Result<Vec<Op>, CommandError> {
    let Stored { mut value, version } = stored;
    // A place that the session was not at when it was asked is where the session is now.
    let known = value.places().find(|known| *known == place);
    let place = known.unwrap_or(&value.session).clone();
    if !value.lose(&place) || circulate::reaches_more(home, &value).await? {
        return Ok(vec![repo::update(&home.team, &Stored { value, version })?]);
    }
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
    let mut detail = json!({"run": approval.run, "call": approval.call.id, "digest": approval.digest, "as": how});
    if let Some(absent) = &approval.decided_for {
        detail["for"] = json!(absent.id);
    }
    if let Decided::Raised { amount } = &decided {
        detail["amount"] = json!(amount);
    }
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
    let notice = settled(approval, name.to_owned());
    ops.extend(show(home, approval, &notice).await?);
    Ok(ops)
}

/// The card is edited in the session now, and by a job of its own where else it was sent.
pub(crate) async fn show(
    home: &Home,
    approval: &Approval,
    notice: &Notice,
) -> Result<Vec<Op>, CommandError> {
    let zone = zone(home, &approval.requester).await?;
    let told = tell(home, &approval.session, notice, &zone).await;
    let mut ops = told.map_err(presented)?;
    ops.extend(circulate::again(home, approval)?);
    Ok(ops)
}

pub(crate) fn presented(error: HandlerError) -> CommandError {
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
    let mut stored = card(home, id).await?;
    if stored.value.status != ApprovalStatus::Denied
        || stored.value.decided_by.as_ref() != Some(&member.id)
    {
        return Err(Problem::Decision(approval::Refusal::Settled(stored.value.status)).into());
    }
    stored.value.reason = fit(reason.trim(), REASON).to_owned();
    let value = stored.value.clone();
    Ok(Draft::new(vec![repo::update(&home.team, &stored)?], value))
}
