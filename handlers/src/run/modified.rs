//! Calls that a person changed: judged like any other, and always asked about. A change that can't be done is taken back.

use super::{Step, end, large, log::Tail};
use crate::{HandlerError, keep::fit};
use domain::{
    approval::{Approval, ApprovalStatus, Change, Question},
    id::{ApprovalId, CallId},
    message::Message,
    permission::Effect,
    run::{Actor, Event, State},
};
use ports::{
    Blobs,
    blob::BlobError,
    present::Notice,
    repo::{self, Stored},
    store::Op,
};
use serde_json::Value;

/// Bytes of the arguments that a model is told.
const TOLD: usize = 2000;
/// Attempts when others write to the run's journal meanwhile.
const ATTEMPTS: u32 = 8;

impl Step<'_> {
    /// After a changed call was refused: the change is taken back, or where that is done already (what the agent proposed is
    /// forbidden meanwhile too), the card is withdrawn. `false`: nobody changed this call.
    pub(super) async fn refused_change(
        &mut self,
        call: &CallId,
        why: &str,
    ) -> Result<bool, HandlerError> {
        let Some(state) = self.state().call(call) else {
            return Ok(false);
        };
        let Some(id) = state.modified.clone() else {
            return Ok(false);
        };
        let Some(former) = state.former.clone() else {
            self.commit_with(&id, None).await?;
            return Ok(false);
        };
        let Some(card) = self.card(&id).await? else {
            return Ok(false);
        };
        let back = Event::CallModified {
            call: call.clone(),
            approval: id.clone(),
            was: card.value.digest,
            arguments: former,
        };
        self.log.note(Actor::System, back)?;
        self.commit_with(&id, Some(why)).await?;
        Ok(true)
    }

    /// Commits what was noted with the message that tells why a change is not made, or with the end of the card.
    async fn commit_with(
        &mut self,
        id: &ApprovalId,
        why: Option<&str>,
    ) -> Result<(), HandlerError> {
        for _ in 0..ATTEMPTS {
            let Some(card) = self.card(id).await? else {
                break;
            };
            let ops: Vec<Op> = match why {
                _ if card.value.status != ApprovalStatus::Pending => Vec::new(),
                None => end::withdraw_one(self.log.home(), card, "").await?,
                Some(why) => {
                    let (approval, why) = (card.value, why.to_owned());
                    self.notify(&Notice::ChangeRefused { approval, why })
                        .await?
                }
            };
            self.log.with(ops);
            if self.log.commit(None, Tail::Hold).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) async fn card(
        &self,
        id: &ApprovalId,
    ) -> Result<Option<Stored<Approval>>, HandlerError> {
        let home = self.log.home();
        Ok(repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?)
    }

    /// The card that shows the changed call instead of what it was, if it still waits.
    pub(super) async fn card_to_edit(
        &self,
        call: &CallId,
        question: Question,
    ) -> Result<Option<Stored<Approval>>, HandlerError> {
        let modified = self
            .state()
            .call(call)
            .and_then(|call| call.modified.clone());
        let (Some(id), Question::Call) = (modified, question) else {
            return Ok(None);
        };
        let card = self.card(&id).await?;
        let mut card = card.filter(|card| card.value.status == ApprovalStatus::Pending);
        if let Some(card) = &mut card {
            let change = card
                .value
                .change
                .take()
                .filter(|_| is_changed(self.state(), call));
            card.value.change = change.map(|change| Change {
                judged: true,
                ..change
            });
        }
        Ok(card)
    }

    /// The card as it is now, wherever it was sent.
    pub(super) async fn edit_card(&self, card: Stored<Approval>) -> Result<Vec<Op>, HandlerError> {
        let home = self.log.home();
        let mut ops = vec![repo::update(&home.team, &card)?];
        let approval = card.value;
        let notice = Notice::CallModified { approval };
        ops.extend(self.notify(&notice).await?);
        Ok(ops)
    }

    /// A person's own words are no rule: what they changed is asked about even where a rule would let it happen.
    pub(super) fn asks_for_changed(&self, call: &CallId, judged: &mut super::judge::Judged) {
        let modified = self
            .state()
            .call(call)
            .is_some_and(|call| call.modified.is_some());
        if modified && judged.verdict.effect == Effect::Allow {
            judged.verdict.effect = Effect::Ask;
            judged.verdict.because = format!("a person changed it; {}", judged.verdict.because);
            judged.always.clear();
        }
    }
}

/// Whether the call is another one than the model proposed.
fn is_changed(state: &State, call: &CallId) -> bool {
    let now = state.call(call).map(|call| &call.call.arguments);
    now != proposed(state, call)
}

fn proposed<'a>(state: &'a State, call: &CallId) -> Option<&'a Value> {
    let mut messages = state.messages.iter().rev();
    let calls = messages.find_map(|message| match message {
        Message::Assistant { calls, .. } => Some(calls),
        _ => None,
    })?;
    let call = calls.iter().find(|known| known.id == *call);
    call.map(|call| &call.arguments)
}

/// What the model is told before the result of a call that is not the one it proposed.
///
/// # Errors
/// The blob store's.
pub(super) async fn told_of_change(
    blobs: &dyn Blobs,
    state: &State,
    call: &CallId,
) -> Result<String, BlobError> {
    let modified = state.call(call).filter(|call| call.modified.is_some());
    let Some(modified) = modified.filter(|_| is_changed(state, call)) else {
        return Ok(String::new());
    };
    let arguments = large::fetch(blobs, modified.call.arguments.clone()).await?;
    let arguments = arguments.to_string();
    let told = fit(&arguments, TOLD);
    let more = if told.len() < arguments.len() {
        "…"
    } else {
        ""
    };
    Ok(format!(
        "[A person changed this call before they decided about it. Its arguments were: {told}{more}]\n"
    ))
}
