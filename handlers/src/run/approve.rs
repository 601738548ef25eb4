//! The card: an approval made from a call, and parking on it.

use super::{Step, log::Tail};
use crate::{
    HandlerError, batch, circulate,
    keep::{fit, keep, size, tell},
    tool::Preview,
};
use domain::{
    approval::{Approval, ApprovalStatus, Question, Shown},
    id::{ApprovalId, CallId, RuleId},
    member::{Member, Role},
    message::Message,
    permission::{NewRule, Rule},
    run::{Actor, CallState, Event, ParkedOn},
};
use ports::{
    Blobs, blob, job,
    present::Notice,
    progress::Doing,
    repo::{self, Stored},
    store::Op,
};
use std::time::Duration;

/// Bytes of the model's own words on a card.
const WHY: usize = 1200;
/// Bytes of what will happen that an approval keeps whole; presenters show its beginning and hang the whole on the card as a file.
const WHAT: usize = 6000;
/// Bytes of the beginning of what is longer than that: so few that no presenter has to cut it once more.
const BEGINNING: usize = 1000;
/// Bytes of a diff on a card.
const DIFF: usize = 2500;
/// UTF-16 units of the rules that one “Always” adds: a card shows all of them, or none is offered.
const RULES: usize = 300;

impl Step<'_> {
    /// Makes the card. It is committed, with the message that carries it, when the run parks (or before the next effect).
    pub(super) async fn ask_approval(
        &mut self,
        call: &CallId,
        question: Question,
    ) -> Result<bool, HandlerError> {
        let preview = match question {
            Question::Unknown => self.preview_of_begun(call).await?,
            Question::Budget => {
                let error = "a card about money is about no call".to_owned();
                return Err(HandlerError::Fail(error));
            }
            Question::Call if self.resumes(call) => self.preview_of_begun(call).await?,
            Question::Call => match self.previews.remove(call) {
                Some(preview) => preview,
                None => match self.preview(call).await? {
                    Ok(preview) => preview,
                    // The world changed since the call was judged: judge it again, which finds the same error.
                    Err(_) => return self.judge(call).await,
                },
            },
        };
        let mut approval = self.approval(call, question, preview).await?;
        let home = &self.ports.home;
        let mut ops = match self.card_to_edit(call, question).await? {
            None => {
                let mut ops = vec![repo::create(&home.team, &approval)?];
                let approval = approval.clone();
                ops.extend(self.notify(&Notice::ApprovalAsked { approval }).await?);
                ops
            }
            Some(card) => {
                let version = card.version;
                (approval.id, approval.change) = (card.value.id, card.value.change);
                (approval.sent, approval.unreachable) = (card.value.sent, card.value.unreachable);
                self.edit_card(Stored {
                    value: approval.clone(),
                    version,
                })
                .await?
            }
        };
        let event = Event::ApprovalAsked {
            call: call.clone(),
            approval: approval.id.clone(),
            digest: approval.digest.clone(),
        };
        ops.extend(circulate::due(home, &approval).await?);
        self.asked += 1;
        self.log.with(ops);
        self.log.note(self.log.agent(), event)?;
        Ok(true)
    }

    async fn approval(
        &self,
        call: &CallId,
        question: Question,
        preview: Preview,
    ) -> Result<Approval, HandlerError> {
        let home = &self.ports.home;
        let state = self.state();
        let judged = self.verdict(call).await?;
        let gone = || HandlerError::Fail(format!("call {call} is gone"));
        let call = state.call(call).ok_or_else(gone)?;
        let digest = self.subject(&call.call.id, preview.before)?.digest()?;
        let shown = Shown {
            why: self.why().await?,
            because: judged.verdict.because.clone(),
            tainted_by: state.taint.clone(),
            ..on_card(&*home.blobs, preview.shown, preview.attachment).await?
        };
        let is_call = question == Question::Call;
        let rules = if is_call { judged.always } else { Vec::new() };
        let always = offered(home, rules);
        let expiry = judged.verdict.expires_after_s;
        let expiry = expiry.map_or(self.ports.approval_expiry, Duration::from_secs);
        let said = judged.verdict.escalate_after_s;
        let escalate_after_s = said.or(circulate::escalation(home).await?);
        let requester = self.requester().await?;
        let requester_name = requester.map(|member| member.name).unwrap_or_default();
        Ok(Approval {
            id: ApprovalId::new(home.chance.id()),
            run: self.log.run.clone(),
            session: state.session.clone(),
            agent: state.agent.id.clone(),
            agent_name: state.agent.name.clone(),
            requester: state.requester.clone(),
            requester_name,
            call: call.call.clone(),
            question,
            digest,
            shown,
            change: None,
            repeats: is_call && call.resumes,
            budget: None,
            standing: false,
            always,
            approvers: judged.verdict.approvers.unwrap_or(Role::Operator),
            persons: judged.verdict.persons.unwrap_or(1),
            votes: Vec::new(),
            sent: Vec::new(),
            unreachable: Vec::new(),
            escalate_after_s,
            reminded_at: None,
            status: ApprovalStatus::Pending,
            asked_at: home.now(),
            expires_at: home.now().plus(expiry),
            decided_by: None,
            decided_for: None,
            decided_at: None,
            reason: String::new(),
        })
    }

    /// The model's own words before the call.
    async fn why(&self) -> Result<String, HandlerError> {
        let said = self
            .state()
            .messages
            .iter()
            .rev()
            .find_map(|message| match message {
                Message::Assistant { text, .. } => Some(text),
                _ => None,
            });
        let Some(said) = said else {
            return Ok(String::new());
        };
        let text = blob::text(&*self.ports.home.blobs, said).await?;
        Ok(fit(text.trim(), WHY).to_owned())
    }

    pub(super) async fn park(&mut self, on: ParkedOn) -> Result<bool, HandlerError> {
        self.report(Doing::Waiting);
        let parked = Some((Actor::System, Event::Parked { on }));
        let tail = Tail::Park(self.together().await?, None);
        Ok(!self.log.commit(parked, tail).await?)
    }

    /// Where this step asked several questions: the message by which they are answered together.
    async fn together(&self) -> Result<Vec<Op>, HandlerError> {
        let waits = |call: &&CallState| !call.finished && !call.running && call.decided.is_none();
        let asked = self.state().calls.iter().filter(waits);
        let items: Vec<batch::Item> = asked
            .filter_map(|call| call.asked.clone())
            .map(|(id, digest)| (id, Some(digest)))
            .collect();
        if self.asked < 2 || items.len() < 2 {
            return Ok(Vec::new());
        }
        let notice = Notice::SeveralAsked {
            run: self.log.run.clone(),
            calls: items.len(),
            list: batch::remember(self.log.home(), &items).await?,
        };
        self.notify(&notice).await
    }

    /// The messages that tell a fact in the run's session, as operations.
    pub(super) async fn notify(&self, notice: &Notice) -> Result<Vec<Op>, HandlerError> {
        let member = self.requester().await?;
        let zone = member.map(|member| member.zone).unwrap_or_default();
        tell(&self.ports.home, &self.state().session, notice, &zone).await
    }

    pub(super) async fn requester(&self) -> Result<Option<Member>, HandlerError> {
        let (home, id) = (&self.ports.home, &self.state().requester);
        let member = repo::get::<Member>(&*home.store, &home.team, id.as_str()).await?;
        Ok(member.map(|member| member.value))
    }
}

/// The messages that tell a fact somewhere, as operations.
///
/// # Errors
/// When a message has no JSON form.
pub fn messages(
    home: &crate::Home,
    to: &domain::id::SessionId,
    notice: &Notice,
    zone: &str,
) -> Result<Vec<Op>, HandlerError> {
    let outgoing = home.presenter.present(to, notice, home.now(), zone);
    outgoing
        .iter()
        .map(|message| {
            Ok(Op::Enqueue(job::new_job(
                &home.team,
                home.chance.id(),
                message,
                home.now(),
            )?))
        })
        .collect()
}

/// What fits on a card. The attachment is the whole diff, where the card has its beginning; or what will happen, where even the
/// record can't hold it.
async fn on_card(
    blobs: &dyn Blobs,
    mut shown: Shown,
    diff: Option<String>,
) -> Result<Shown, HandlerError> {
    let mut whole = diff;
    if size(&shown.what) > WHAT {
        let diff = whole.take().unwrap_or_default();
        whole = Some(format!("{}\n\n{diff}", shown.what).trim_end().to_owned());
        shown.what = format!("{}…", fit(&shown.what, BEGINNING));
    }
    if let Some(whole) = whole {
        shown.attachment = Some(keep(blobs, whole).await?);
    }
    shown.diff = fit(&shown.diff, DIFF).to_owned();
    shown.rollback = fit(&shown.rollback, 500).to_owned();
    Ok(shown)
}

/// What “Always” would add; nothing, where it would be more than a card shows. Wherever somebody decides, this is all that they
/// can add.
fn offered(home: &crate::Home, rules: Vec<NewRule>) -> Vec<Rule> {
    let rule = |rule: NewRule| rule.into_rule(RuleId::new(home.chance.id()), None, home.now());
    let rules: Vec<Rule> = rules.into_iter().map(rule).collect();
    let fits = rules.iter().map(length).sum::<usize>() <= RULES;
    if fits { rules } else { Vec::new() }
}

/// UTF-16 units of a rule in a list on a card, where odd characters are spelled out.
fn length(rule: &Rule) -> usize {
    let units = |c: char| match c {
        ' '..='~' => 1,
        c if c.is_alphanumeric() => c.len_utf16(),
        _ => 10,
    };
    rule.to_string().chars().map(units).sum::<usize>() + 2
}
