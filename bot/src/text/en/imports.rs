//! Sentences about an agent's file that somebody sent.

use domain::agent::Agent;
use handlers::agents::Import;

pub const IMPORT: &str = "Import";
pub const DO_NOT_IMPORT: &str = "Don’t";
pub const IMPORTED: &str = "Imported.";
pub const NOT_IMPORTED: &str = "Not imported.";
pub const MODEL: &str = "Model";
pub const PRESET: &str = "Preset";
pub const SKILLS: &str = "Skills";
pub const ALLOWED: &str = "Allowed";
pub const ASKS: &str = "Asks";
pub const DENIED: &str = "Denied";
pub const OFFER_OVER: &str =
    "That card was answered already, or is older than a day: send the file again.";

#[must_use]
pub fn import(import: &Import) -> String {
    let name = &import.agent.name;
    match import.before {
        None => format!("Make the agent {name} from this file?"),
        Some(_) => format!("Change the agent {name} to what this file says?"),
    }
}

#[must_use]
pub fn imported(agent: &Agent, was_there: bool) -> String {
    let name = &agent.name;
    match was_there {
        false => format!("The agent {name} was made. /agent {name} chooses it for this chat."),
        true => format!(
            "The agent {name} is as the file says (version {}). /agent undo {name} takes that back.",
            agent.version
        ),
    }
}

#[must_use]
pub fn is_so_already(agent: &Agent) -> String {
    format!("The agent {} is as this file says already.", agent.name)
}

#[must_use]
pub fn another_agent(name: &str) -> String {
    format!("The agent {name} was changed since that card: send the file again.")
}
