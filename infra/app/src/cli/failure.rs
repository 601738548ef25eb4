//! What a command that did not succeed leaves behind: one sentence and a status.

use crate::compose::BadStart;
use domain::approval::Refusal;
use handlers::{CommandError, Problem};
use ports::{archive::ArchiveError, store::StoreError};

/// `text` says what was wrong and what to do; empty when everything was said already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub text: String,
    pub status: u8,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: 1,
        }
    }

    pub fn usage(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: 2,
        }
    }
}

impl From<BadStart> for Failure {
    fn from(error: BadStart) -> Self {
        Self::new(error.0)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(format!("The database cannot be used: {error}."))
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Store(error) => error.into(),
            ArchiveError::NotEmpty(what) => Self::new(format!(
                "There are {what} in the database already, and a backup goes into an empty one only: set COUNTERSIGN_HOME to a new directory or, with a server or a table, COUNTERSIGN_DATABASE_URL to another one."
            )),
            ArchiveError::Malformed(_) => Self::new(format!("Nothing was imported: {error}.")),
            ArchiveError::Cut(text) => Self::new(text),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("That has no JSON form: {error}."))
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Problem(problem) => Self::new(words(&problem)),
            CommandError::Store(error) => error.into(),
            other => Self::new(format!("{other}.")),
        }
    }
}

/// A problem in the command line's words: what it names is what is typed here.
fn words(problem: &Problem) -> String {
    match problem {
        Problem::NotAllowed { needed } => format!("This takes the role {needed}."),
        Problem::NotFound { what, name } => format!(
            "There is no {what} “{name}”: `countersign {what}s list` shows which there are."
        ),
        Problem::Ambiguous { what, name } => {
            format!("“{name}” fits several {what}s: type more of the id.")
        }
        Problem::Several { name, ids } => bot::text::en::several_wait(name, ids),
        Problem::Invalid(sentence) => sentence.clone(),
        Problem::TooLarge { what, bytes, limit } => {
            format!("The {what} has {bytes} bytes, at most {limit} are taken: put it into a file.")
        }
        Problem::AgentNotActive {
            name,
            archived: true,
        } => {
            format!("Agent {name} is archived: `countersign agents resume {name}` brings it back.")
        }
        Problem::AgentNotActive {
            name,
            archived: false,
        } => format!("Agent {name} is paused: `countersign agents resume {name}` lets it go on."),
        Problem::Exists { what, name } => {
            format!("There is an {what} “{name}” already: choose another name.")
        }
        Problem::QueueFull { waiting } => {
            format!("{waiting} messages wait already: let the run finish, or cancel it.")
        }
        Problem::NothingToCancel => "This run is over: there is nothing to cancel.".to_owned(),
        Problem::InviteInvalid => {
            "This invitation is unknown, used or too old: ask for a new one.".to_owned()
        }
        Problem::Decision(refusal) => refused(refusal),
        Problem::Answer(why) => bot::text::en::no_answer(why),
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Settled(status) => format!(
            "Nothing was changed: this approval is {} already.",
            super::output::word(status)
        ),
        Refusal::Expired => "Nothing was changed: the time for this approval is over.".to_owned(),
        Refusal::NotAllowed { needed } => format!("Deciding this takes the role {needed}."),
        Refusal::Changed => {
            "Nothing was changed: what this approval is about has changed; look at it again."
                .to_owned()
        }
        Refusal::NotOffered => "This approval does not offer that choice.".to_owned(),
        Refusal::OwnRequest => {
            "Who asked for the run is none of those who have to approve it: it takes others."
                .to_owned()
        }
        Refusal::OwnChange => {
            "Who changed the call is none of those who have to approve it: it takes others."
                .to_owned()
        }
        Refusal::Voted => "This yes is counted already: now it takes another person.".to_owned(),
    }
}
