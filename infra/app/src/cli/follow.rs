//! Following one run from a command: what it does, its cards and questions on stderr, until it is over or nobody wants to wait.
//!
//! The store is watched, not the messages: somebody may decide the same card in Telegram, and the run may be worked on by
//! another process.

use super::{Failure, approvals, output::word};
use crate::compose::Local;
use bot::text::en::{self, elicited};
use domain::{
    approval::{Approval, ApprovalStatus, Choice, Question},
    id::{ApprovalId, CallId, RunId, SessionId, short},
    run::{Event, Outcome, RunSummary, State},
    session::{Expects, Session},
};
use handlers::{CommandError, ask, cancel, commit_with, decide, queries, run};
use ports::{
    Progress, blob,
    message::{Messenger, Outgoing, SendError, Sent},
    progress::{Doing, Report},
    repo,
};
use std::{
    collections::HashSet,
    io::{BufRead, IsTerminal},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// Between two looks at the store, when nothing rings.
const LOOK: Duration = Duration::from_millis(300);

/// How the following ended.
pub enum End {
    Over {
        run: RunSummary,
        outcome: Option<Outcome>,
        answer: Option<String>,
        /// Nobody agreed to the last call that needed it.
        refused: bool,
    },
    /// The time to wait is over; the run stays parked.
    Waiting {
        run: RunSummary,
        approvals: Vec<Approval>,
    },
}

/// The way out of the command's session: every message only rings, since the follower reads the store. That it was "sent" is
/// true all the same: the follower shows it.
#[derive(Default)]
pub struct Ring(pub Arc<Notify>);

#[async_trait::async_trait]
impl Messenger for Ring {
    async fn send(
        &self,
        message: &Outgoing,
        _: Option<&Sent>,
        _: bool,
    ) -> Result<Option<Sent>, SendError> {
        self.0.notify_one();
        Ok(message.tag.as_ref().map(|tag| Sent {
            message: tag.clone(),
        }))
    }
}

/// One line per tool that is used, for a person who waits.
pub struct Lines {
    pub shown: bool,
}

impl Progress for Lines {
    fn report(&self, report: Report) {
        if let (true, Doing::Using { tool, what }) = (self.shown, &report.doing) {
            eprintln!(
                "  → {} {}",
                bot::text::one_line(tool),
                bot::text::one_line(what)
            );
        }
    }
}

/// Whether a person sits here who can be asked.
pub fn interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Lines of stdin, read by a thread of its own: a read cannot be given up.
pub fn lines() -> mpsc::UnboundedReceiver<String> {
    let (send, receive) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

/// What the next line is an answer to.
enum Awaited {
    Decision(Box<Approval>),
    Answer,
}

pub struct Follower {
    pub local: Local,
    pub session: SessionId,
    pub run: RunId,
    pub bell: Arc<Notify>,
    /// There when a person can be asked.
    pub lines: Option<mpsc::UnboundedReceiver<String>>,
    /// Leave when something waited for a person this long. Work takes the time that it takes.
    pub wait: Option<Duration>,
    waiting_since: Option<Instant>,
    shown: HashSet<ApprovalId>,
    asked: HashSet<(CallId, usize)>,
    awaited: Option<Awaited>,
}

impl Follower {
    pub fn new(local: Local, session: SessionId, run: RunId, bell: Arc<Notify>) -> Self {
        Self {
            local,
            session,
            run,
            bell,
            lines: None,
            wait: None,
            waiting_since: None,
            shown: HashSet::new(),
            asked: HashSet::new(),
            awaited: None,
        }
    }

    /// Until the run is over or the time is up. `stop` cancels the run.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn follow(mut self, stop: CancellationToken) -> Result<End, Failure> {
        let mut cancelled = false;
        loop {
            let run = queries::run(&self.local.home, self.run.as_str()).await?;
            if run.status.is_over() {
                let (outcome, answer) = ending(&self.local, &self.run).await?;
                let refused = self.refused().await?;
                return Ok(End::Over {
                    run,
                    outcome,
                    answer,
                    refused,
                });
            }
            let approvals = self.pending().await?;
            self.show(&approvals).await?;
            let asks = self.show_question().await?;
            if self.waited(asks || !approvals.is_empty()) {
                return Ok(End::Waiting { run, approvals });
            }
            tokio::select! {
                () = self.bell.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                line = next_line(&mut self.lines), if self.awaited.is_some() => self.take(line).await?,
                () = stop.cancelled(), if !cancelled => {
                    cancelled = true;
                    self.cancel().await?;
                }
            }
        }
    }

    /// Whether the time to wait is over.
    fn waited(&mut self, waits: bool) -> bool {
        if !waits {
            self.waiting_since = None;
            return false;
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        self.wait.is_some_and(|wait| since.elapsed() >= wait)
    }

    async fn cancel(&self) -> Result<(), Failure> {
        let (home, owner) = (&self.local.home, &self.local.owner);
        match commit_with(home, async || cancel::cancel(home, owner, &self.run).await).await {
            // It was over just then.
            Ok(_) | Err(CommandError::Problem(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// All of this run, the first asked at the front.
    async fn approvals(&self) -> Result<Vec<Approval>, Failure> {
        let home = &self.local.home;
        let query = repo::by::<Approval>(&home.team, "by_run", self.run.as_str());
        let all = repo::collect::<Approval>(&*home.store, query).await?;
        Ok(all.into_iter().map(|stored| stored.value).collect())
    }

    async fn pending(&self) -> Result<Vec<Approval>, Failure> {
        let mut approvals = self.approvals().await?;
        approvals.retain(|approval| approval.status == ApprovalStatus::Pending);
        Ok(approvals)
    }

    async fn refused(&self) -> Result<bool, Failure> {
        let approvals = self.approvals().await?;
        let last = approvals
            .iter()
            .rfind(|approval| approval.status != ApprovalStatus::Withdrawn);
        Ok(last.is_some_and(|last| last.status != ApprovalStatus::Approved))
    }

    /// Cards that were not shown yet; at a terminal one after the other, each when the one before is decided.
    async fn show(&mut self, pending: &[Approval]) -> Result<(), Failure> {
        if let Some(Awaited::Decision(open)) = &self.awaited {
            if pending.iter().any(|approval| approval.id == open.id) {
                return Ok(());
            }
            eprintln!("(decided elsewhere)");
            self.awaited = None;
        }
        for approval in pending {
            if !self.shown.insert(approval.id.clone()) {
                continue;
            }
            eprintln!("\n{}\n", approvals::card(&self.local, approval).await?);
            let id = approval.handle();
            if self.lines.is_some() {
                eprintln!("{}", choices(approval));
                self.awaited = Some(Awaited::Decision(Box::new(approval.clone())));
                return Ok(());
            }
            eprintln!(
                "Waiting for a decision: countersign approvals approve {id}   or: countersign approvals deny {id} [reason]"
            );
        }
        Ok(())
    }

    /// Shows the question that the run waits with; answers whether there is one.
    async fn show_question(&mut self) -> Result<bool, Failure> {
        let home = &self.local.home;
        let session = repo::get::<Session>(&*home.store, &home.team, self.session.as_str()).await?;
        let Some(Expects::Answer { run, call }) = session.and_then(|session| session.value.expects)
        else {
            return Ok(false);
        };
        if run != self.run {
            return Ok(false);
        }
        let entries = queries::journal(home, &run).await?;
        let state = State::fold(&entries)
            .map_err(|error| Failure::new(format!("The run's journal cannot be read: {error}.")))?;
        let of_call = state.call(&call);
        // A server may ask again in the call that it is told the answer in.
        let answers = of_call.map_or(0, |call| call.answers.len());
        if !self.asked.insert((call.clone(), answers)) {
            return Ok(true);
        }
        let asks = run::question_of(home, &run, &state, &call).await;
        let asks = asks.map_err(CommandError::from)?;
        match asks.as_ref().and_then(elicited) {
            Some(asks) => eprintln!("\n{asks}"),
            None => {
                let question = of_call.and_then(|call| call.call.text("question"));
                let question = question.unwrap_or("(see the run's journal)");
                eprintln!("\n{} {question}", en::asks(&state.agent.name));
            }
        }
        if self.lines.is_some() {
            self.awaited = Some(Awaited::Answer);
        } else {
            eprintln!(
                "Waiting for an answer: countersign runs answer {} \"…\"",
                short(run.as_str())
            );
        }
        Ok(true)
    }

    async fn take(&mut self, line: Option<String>) -> Result<(), Failure> {
        // Nobody sits here any more; others can still decide.
        let Some(line) = line else {
            self.lines = None;
            self.awaited = None;
            return Ok(());
        };
        match self.awaited.take() {
            Some(Awaited::Decision(approval)) => match choice(&approval, line.trim()) {
                Some(choice) => self.decide(&approval, choice).await,
                None => {
                    eprintln!("{}", choices(&approval));
                    self.awaited = Some(Awaited::Decision(approval));
                    Ok(())
                }
            },
            Some(Awaited::Answer) if line.trim().is_empty() => {
                self.awaited = Some(Awaited::Answer);
                Ok(())
            }
            Some(Awaited::Answer) => {
                let (home, owner) = (&self.local.home, &self.local.owner);
                commit_with(home, async || {
                    ask::to_run(home, owner, (&self.session, &self.run), &line).await
                })
                .await?;
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn decide(&self, approval: &Approval, choice: Choice) -> Result<(), Failure> {
        let (home, owner) = (&self.local.home, &self.local.owner);
        let shown = Some(approval.digest.short());
        match commit_with(home, async || {
            decide::decide(home, owner, &approval.id, &choice, shown).await
        })
        .await
        {
            Ok(decision) => eprintln!("{}.", word(&decision.approval.status)),
            // Somebody or the time was first: it is said, and the run goes on with that.
            Err(error @ CommandError::Problem(_)) => {
                eprintln!("{}", Failure::from(error).text)
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// How a run ended, and what the agent said in the end.
pub async fn ending(
    local: &Local,
    run: &RunId,
) -> Result<(Option<Outcome>, Option<String>), Failure> {
    let home = &local.home;
    let entries = queries::journal(home, run).await?;
    let Some(Event::Finished { outcome, answer }) = entries.last().map(|entry| &entry.event) else {
        return Ok((None, None));
    };
    let Some(answer) = answer else {
        return Ok((Some(outcome.clone()), None));
    };
    let text = blob::text(&*home.blobs, answer).await;
    let text =
        text.map_err(|error| Failure::new(format!("The answer cannot be read: {error}.")))?;
    Ok((Some(outcome.clone()), Some(text)))
}

async fn next_line(lines: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

fn choices(approval: &Approval) -> String {
    match (approval.question, approval.always.is_empty()) {
        (Question::Call, true) => "Approve? y, or n with a reason:".to_owned(),
        (Question::Call, false) => "Approve? y, a (always), or n with a reason:".to_owned(),
        (Question::Unknown, _) => {
            "Did it happen? y (go on), again (run it again), or n (stop):".to_owned()
        }
        (Question::Budget, _) => format!("{} more? y, or n (stop):", approval.raise()),
    }
}

/// What a typed line means; `None` for anything that is not clearly one of the choices.
fn choice(approval: &Approval, line: &str) -> Option<Choice> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (approval.question, word.to_lowercase().as_str()) {
        (Question::Call, "y" | "yes" | "approve") if rest.is_empty() => Some(Choice::Approve),
        (Question::Call, "a" | "always") if rest.is_empty() && !approval.always.is_empty() => {
            Some(Choice::Always)
        }
        (Question::Call, "n" | "no" | "deny") => Some(Choice::Deny {
            reason: rest.trim().to_owned(),
        }),
        (Question::Unknown, "y" | "yes") if rest.is_empty() => Some(Choice::Happened),
        (Question::Unknown, "again") if rest.is_empty() => Some(Choice::RunAgain),
        (Question::Budget, "y" | "yes" | "+") if rest.is_empty() => Some(Choice::Raise),
        (Question::Unknown | Question::Budget, "n" | "no" | "stop") if rest.is_empty() => {
            Some(Choice::Stop)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(question: Question, always: bool) -> Approval {
        let rule = domain::permission::parse_rule("allow shell_exec ls")
            .unwrap()
            .into_rule("r".into(), None, domain::Micros(0));
        let always = if always { vec![rule] } else { Vec::new() };
        let value = serde_json::json!({
            "id": "a", "run": "r", "session": "s", "agent": "x", "agent_name": "x", "requester": "m",
            "call": {"id": "c", "name": "run_command", "arguments": {}}, "question": question,
            "digest": domain::Digest::of_bytes("d"), "shown": {}, "always": always, "approvers": "operator",
            "status": "pending", "asked_at": 0, "expires_at": 1,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        let call = approval(Question::Call, false);
        assert_eq!(choice(&call, "Y"), Some(Choice::Approve));
        for line in ["", "yes please", "ok", "a", "always", "again"] {
            assert_eq!(choice(&call, line), None, "{line}");
        }
        let reason = "not on a friday".to_owned();
        assert_eq!(
            choice(&call, "n not on a friday"),
            Some(Choice::Deny { reason })
        );
        assert_eq!(
            choice(&approval(Question::Call, true), "a"),
            Some(Choice::Always)
        );
    }

    #[test]
    fn an_interrupted_call_has_its_own_choices() {
        let unknown = approval(Question::Unknown, true);
        assert_eq!(choice(&unknown, "y"), Some(Choice::Happened));
        assert_eq!(choice(&unknown, "again"), Some(Choice::RunAgain));
        assert_eq!(choice(&unknown, "n"), Some(Choice::Stop));
        assert_eq!(choice(&unknown, "a"), None);
    }
}
