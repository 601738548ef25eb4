//! What a person may describe as a server.

use super::NewServer;
use domain::mcp::{self, Reach};
use ports::secrets;

/// Bytes of a command line or an address.
const COMMAND: usize = 4096;
/// Directories and secrets of one server.
const GRANTS: usize = 16;

/// # Errors
/// A sentence: what is wrong, and how to write it.
pub fn check(new: &NewServer) -> Result<(), String> {
    mcp::check_name(&new.name)?;
    match &new.reach {
        Reach::Stdio {
            command, readable, ..
        } => {
            if command.trim().is_empty() || command.len() > COMMAND || command.contains('\0') {
                return Err(format!(
                    "The command that starts it has 1 to {COMMAND} bytes."
                ));
            }
            if readable.len() > GRANTS {
                return Err(format!("At most {GRANTS} directories can be granted."));
            }
            readable
                .iter()
                .try_for_each(|path| mcp::check_readable(path))?;
        }
        Reach::Http { url } => {
            let known = url.starts_with("https://") || url.starts_with("http://");
            let plain = !url.contains(char::is_whitespace) && url.len() <= COMMAND;
            // What stands before an @ is a password, which belongs into a secret.
            let place = url.split_once("//").map_or("", |(_, rest)| rest);
            let authority = place.split(['/', '?', '#']).next().unwrap_or_default();
            if !known || !plain || authority.is_empty() || authority.contains('@') {
                return Err(format!(
                    "“{url}” is not a server’s address: write https://host/path, and keys as secrets."
                ));
            }
        }
    }
    if new.secrets.len() > GRANTS {
        return Err(format!("At most {GRANTS} secrets can be given to it."));
    }
    for (place, name) in &new.secrets {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !(1..=64).contains(&place.len()) || !place.chars().all(fits) {
            return Err(format!(
                "“{place}” is no variable’s or header’s name: write VARIABLE=SECRET."
            ));
        }
        secrets::check_name(name).map_err(|error| format!("“{name}”: {error}."))?;
    }
    Ok(())
}
