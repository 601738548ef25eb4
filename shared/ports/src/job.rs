//! Typed job payloads, and the lanes in which they run.

use crate::{
    message::Outgoing,
    store::{NewJob, Priority},
};
use domain::{
    Digest, Micros,
    id::{ApprovalId, CollectionId, DocumentId, JobId, MemberId, RunId, SessionId, TeamId},
    knowledge::{Revision, Segment},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Lanes: which class of worker takes a job.
pub mod lane {
    /// Quick ones for which a person waits.
    pub const FRONT: &str = "front";
    /// What arrived from Telegram: only a process that knows the bot can read it.
    pub const FRONT_TELEGRAM: &str = "front:telegram";
    /// Copies of cards, to those who have to see them elsewhere.
    pub const CIRCULATE: &str = "circulate";
    /// What follows from a surface that could not be heard.
    pub const OUTAGE: &str = "outage";
    /// Messages out.
    pub const SEND: &str = "send";
    /// Steps of runs.
    pub const RUN: &str = "run";
    /// Reading documents, and keeping the index in few segments.
    pub const INGEST: &str = "ingest";
    /// What needs a workspace or a sandbox, left by a process that has none: steps of runs, PDFs, looks at local tool servers.
    pub const SANDBOX: &str = "sandbox";
    /// What is due by time.
    pub const TICK: &str = "tick";
    pub const ALL: [&str; 9] = [
        FRONT,
        FRONT_TELEGRAM,
        CIRCULATE,
        OUTAGE,
        SEND,
        RUN,
        INGEST,
        SANDBOX,
        TICK,
    ];

    /// Messages to one terminal session.
    #[must_use]
    pub fn of_terminal(session: &domain::id::SessionId) -> String {
        format!("send:{session}")
    }
}

/// A payload with its place in the queue.
pub trait Work: Serialize + DeserializeOwned {
    /// The handler's name.
    const NAME: &'static str;
    const LANE: &'static str;
    const PRIORITY: Priority = Priority::Normal;
    /// The lane of this one; the type's own, unless it can only be done in one place.
    fn lane(&self) -> String {
        Self::LANE.to_owned()
    }
    /// Jobs of one key follow each other.
    fn serial(&self) -> Option<String>;
}

/// Moves a run on, until it is parked, over, or the time for one step is up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RunStep {
    pub run: RunId,
    /// The next call needs the session's files or the sandbox.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub workspace: bool,
}

impl Work for RunStep {
    const NAME: &'static str = "run";
    const LANE: &'static str = lane::RUN;
    fn lane(&self) -> String {
        let lane = match self.workspace {
            true => lane::SANDBOX,
            false => lane::RUN,
        };
        lane.to_owned()
    }
    fn serial(&self) -> Option<String> {
        Some(run_serial(&self.run))
    }
}

/// The serial key of a run's steps, which is what a cancel signals.
#[must_use]
pub fn run_serial(run: &RunId) -> String {
    format!("run:{run}")
}

/// Something that arrived at a front door, as it arrived.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Received {
    /// `telegram`, `terminal`.
    pub surface: String,
    /// The conversation that it belongs to; its updates are handled in order.
    pub session: SessionId,
    /// The surface's own JSON, unchanged.
    pub raw: String,
    pub received_at: Micros,
    /// Left by a process without a sandbox to one that has it. Then `raw` is what the former made of it, on which no surface is needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sandbox: bool,
}

impl Work for Received {
    const NAME: &'static str = "update";
    const LANE: &'static str = lane::FRONT;
    const PRIORITY: Priority = Priority::High;
    fn lane(&self) -> String {
        match self.surface.as_str() {
            _ if self.sandbox => lane::SANDBOX.to_owned(),
            "telegram" => lane::FRONT_TELEGRAM.to_owned(),
            _ => Self::LANE.to_owned(),
        }
    }
    fn serial(&self) -> Option<String> {
        // Who writes on need not wait for a worker.
        let way = if self.sandbox { "left" } else { "in" };
        Some(format!("{way}:{}", self.session))
    }
}

impl Work for Outgoing {
    const NAME: &'static str = "send";
    const LANE: &'static str = lane::SEND;
    /// A terminal's messages can only be printed by the process that has the terminal: its lane is its own.
    fn lane(&self) -> String {
        if self.to.as_str().starts_with("terminal:") {
            return lane::of_terminal(&self.to);
        }
        Self::LANE.to_owned()
    }
    fn serial(&self) -> Option<String> {
        // A toast answers a tap within seconds: it must not wait behind a long queue, and its order says nothing.
        match self.body {
            crate::message::Body::Toast { .. } => None,
            _ => Some(format!("out:{}", self.to)),
        }
    }
}

/// The copies of a card are sent to those who have to see it elsewhere, or brought up to date where they are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Circulate {
    pub approval: ApprovalId,
}

impl Work for Circulate {
    const NAME: &'static str = "circulate";
    const LANE: &'static str = lane::CIRCULATE;
    const PRIORITY: Priority = Priority::High;
    fn serial(&self) -> Option<String> {
        Some(format!("card:{}", self.approval))
    }
}

/// A surface could not be heard for longer than it keeps what people do there: cards that wait on it say so.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Outage {
    /// `telegram`.
    pub surface: String,
    pub from: Micros,
    pub to: Micros,
}

impl Work for Outage {
    const NAME: &'static str = "outage";
    const LANE: &'static str = lane::OUTAGE;
    fn serial(&self) -> Option<String> {
        Some(format!("outage:{}", self.surface))
    }
}

/// Work on what can be found.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Ingest {
    /// A document's newest content is read, and can be found from then on.
    Read(ReadDocument),
    /// Few segments in place of many.
    Merge { collection: CollectionId },
    /// What nobody can come to any more is deleted.
    Clear(Clear),
    /// A collection is no more: its documents and its index are deleted.
    Empty { collection: CollectionId },
    /// A file that waited for a yes is deleted, if it does no more: the offer's name, and the blob.
    Forget { pin: String, blob: Digest },
}

/// What no record names any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Clear {
    /// Of the segments; none when that is gone too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Contents>,
}

/// The blobs of one content of a document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Contents {
    pub of: Revision,
    pub source: Digest,
    /// None before it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Digest>,
}

/// One content of one document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ReadDocument {
    pub document: DocumentId,
    /// Of the document when this came; where it is another one by now, that one's job does the work.
    pub revision: u32,
    /// The blob with the bytes as they came.
    pub source: Digest,
    /// It is nobody else's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    pub bytes: u64,
    pub by: MemberId,
    /// Where somebody waits to hear what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell: Option<SessionId>,
    /// Only a process with a sandbox can read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sandbox: bool,
}

impl Work for Ingest {
    const NAME: &'static str = "ingest";
    const LANE: &'static str = lane::INGEST;
    const PRIORITY: Priority = Priority::Low;
    fn lane(&self) -> String {
        let lane = match self {
            Self::Read(read) if read.sandbox => lane::SANDBOX,
            _ => lane::INGEST,
        };
        lane.to_owned()
    }
    fn serial(&self) -> Option<String> {
        Some(match self {
            Self::Read(read) => format!("document:{}", read.document),
            Self::Merge { collection } => format!("merge:{collection}"),
            // There is no order in deleting.
            Self::Clear(_) | Self::Forget { .. } => return None,
            Self::Empty { collection } => format!("empty:{collection}"),
        })
    }
}

/// What is due, overdue or expired; it enqueues its own next time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Tick {}

impl Work for Tick {
    const NAME: &'static str = "tick";
    const LANE: &'static str = lane::TICK;
    const PRIORITY: Priority = Priority::Low;
    fn serial(&self) -> Option<String> {
        Some("tick".to_owned())
    }
}

/// # Errors
/// When the payload has no JSON form.
pub fn new_job<W: Work>(
    team: &TeamId,
    id: String,
    work: &W,
    due: Micros,
) -> Result<NewJob, serde_json::Error> {
    Ok(NewJob {
        id: JobId::new(id),
        team: team.clone(),
        name: W::NAME.to_owned(),
        lane: work.lane(),
        serial: work.serial(),
        priority: W::PRIORITY,
        payload: serde_json::to_string(work)?,
        due,
    })
}
