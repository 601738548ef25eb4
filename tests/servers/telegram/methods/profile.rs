//! The bot itself: who it is and its command menu.

use serde_json::{Value, json};

use crate::servers::telegram::answer::{Answer, ApiError};
use crate::servers::telegram::params::Params;
use crate::servers::telegram::state::State;

const COMMAND_LIMIT: usize = 100;
/// In characters.
const DESCRIPTION_LIMIT: usize = 256;

pub(super) fn get_me(state: &mut State, _: &Params) -> Answer {
    let mut me = state.me.json();
    for (key, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", true),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[key] = value.into();
    }
    Ok(me)
}

/// What is only said to Telegram and that no test looks at but in the recorded requests.
pub(super) fn always_true(_: &mut State, _: &Params) -> Answer {
    Ok(json!(true))
}

fn menu(params: &Params) -> String {
    let scope = params
        .values
        .get("scope")
        .cloned()
        .unwrap_or_else(|| json!({"type": "default"}));
    format!(
        "{scope} {}",
        params.text("language_code").unwrap_or_default()
    )
}

pub(super) fn set_commands(state: &mut State, params: &Params) -> Answer {
    let commands = params
        .array("commands")
        .ok_or_else(|| ApiError::bad("can't parse commands: expected an Array"))?;
    if commands.len() > COMMAND_LIMIT {
        return Err(ApiError::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    commands.iter().try_for_each(check_command)?;
    state.commands.insert(menu(params), commands.clone().into());
    Ok(json!(true))
}

fn check_command(command: &Value) -> Result<(), ApiError> {
    let name = command["command"]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches('/');
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=32).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(ApiError::bad("BOT_COMMAND_INVALID"));
    }
    match command["description"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .count()
    {
        1..=DESCRIPTION_LIMIT => Ok(()),
        _ => Err(ApiError::bad("BOT_COMMAND_DESCRIPTION_INVALID")),
    }
}

pub(super) fn get_commands(state: &mut State, params: &Params) -> Answer {
    Ok(state
        .commands
        .get(&menu(params))
        .cloned()
        .unwrap_or_else(|| json!([])))
}

pub(super) fn delete_commands(state: &mut State, params: &Params) -> Answer {
    state.commands.remove(&menu(params));
    Ok(json!(true))
}
