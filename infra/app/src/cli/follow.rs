//! Following one run from a command: what it does, its cards and questions on stderr, until it is over or nobody wants to wait.
//!
//! The store is watched, not the messages: somebody may decide the same card in Telegram, and the run may be worked on by
//! another process.

use super::{
    Failure, approvals,
    choice::{choice, choices},
    output::word,
};
use crate::compose::Local;
use bot::text::en::{self, elicited};
use domain::{
    approval::{Approval, ApprovalStatus, Choice},
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
            Some(Awaited::Answer) => self.answer(&line).await,
            None => Ok(()),
        }
    }

    async fn decide(&self, approval: &Approval, choice: Choice) -> Result<(), Failure> {
        let (home, owner) = (&self.local.home, &self.local.owner);
        let shown = Some(approval.digest.short());
        let decided = commit_with(home, async || {
            decide::decide(home, owner, &approval.id, &choice, shown).await
        });
        if let Some(decision) = unless_told(decided.await)? {
            eprintln!("{}.", word(&decision.approval.status));
        }
        Ok(())
    }

    async fn answer(&mut self, line: &str) -> Result<(), Failure> {
        let (home, owner) = (&self.local.home, &self.local.owner);
        let answered = commit_with(home, async || {
            ask::to_run(home, owner, (&self.session, &self.run), line).await
        });
        if unless_told(answered.await)?.is_none() {
            self.awaited = Some(Awaited::Answer);
        }
        Ok(())
    }
}

/// What does not fit, and that somebody or the time was first, is said, and the run goes on with that.
fn unless_told<T>(done: Result<T, CommandError>) -> Result<Option<T>, Failure> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error @ CommandError::Problem(_)) => {
            eprintln!("{}", Failure::from(error).text);
            Ok(None)
        }
        Err(error) => Err(error.into()),
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
