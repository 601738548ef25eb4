//! The front matter of SKILL.md, as the standard has it.

use super::BadSkill;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Bytes of the front matter.
const BYTES: usize = 16 * 1024;
/// Characters of fields, as the standard limits them.
const NAME: usize = 64;
const DESCRIPTION: usize = 1024;
const COMPATIBILITY: usize = 500;

/// What stands in front of the text. Fields that the standard does not know are passed over, as it wants.
#[derive(Clone, PartialEq, Deserialize, Debug)]
pub struct Front {
    /// 1 to 64 of `a-z 0-9 -`, no hyphen at an end or twice in a row.
    pub name: String,
    /// What it does and when it is used: all that an agent sees before it uses the skill.
    pub description: String,
    #[serde(default)]
    pub license: String,
    /// What it needs of its surroundings, for people.
    #[serde(default)]
    pub compatibility: String,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// For people only: rules decide what is allowed, no skill gives itself a right.
    #[serde(default, rename = "allowed-tools")]
    pub allowed_tools: Value,
}

impl Front {
    /// Servers whose tools the skill is about: `mcp-servers` in its metadata, words.
    #[must_use]
    pub fn servers(&self) -> Vec<&str> {
        let named = self.metadata.get("mcp-servers").and_then(Value::as_str);
        named
            .unwrap_or_default()
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect()
    }
}

/// The front matter, and the text after it.
pub(super) fn read(text: &str) -> Result<(Front, &str), BadSkill> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.split_inclusive('\n');
    let is_fence = |line: &str| line.trim_end() == "---";
    let first = lines.next().unwrap_or_default();
    if !is_fence(first) {
        return Err(BadSkill::NoFrontMatter);
    }
    let mut end = first.len();
    let close = lines.find(|line| {
        let close = is_fence(line);
        end += if close { 0 } else { line.len() };
        close
    });
    let Some(close) = close else {
        return Err(BadSkill::NoFrontMatter);
    };
    let front = parse(&text[first.len()..end])?;
    check(&front)?;
    Ok((front, &text[end + close.len()..]))
}

fn parse(yaml: &str) -> Result<Front, BadSkill> {
    let bad = |why: String| BadSkill::FrontMatter(why);
    if yaml.len() > BYTES {
        return Err(bad(format!("it has more than {BYTES} bytes")));
    }
    if has_alias(yaml) {
        return Err(bad(
            "it has an anchor, an alias or a tag (&, *, !), which no skill needs".to_owned(),
        ));
    }
    serde_saphyr::from_str(yaml).map_err(|error| {
        let text = error.to_string();
        bad(text.lines().next().unwrap_or_default().to_owned())
    })
}

/// Aliases let a few lines stand for gigabytes. The parser has limits of its own; this is not left to them.
fn has_alias(yaml: &str) -> bool {
    yaml.lines().any(|line| {
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        let value = value.trim_start_matches([' ', '-', '[', '{', ',']);
        value.starts_with(['&', '*', '!'])
    })
}

fn check(front: &Front) -> Result<(), BadSkill> {
    let bad = |why: &str| Err(BadSkill::FrontMatter(why.to_owned()));
    check_name(&front.name)?;
    if front.description.trim().is_empty() {
        return bad("its description is empty");
    }
    if front.description.chars().count() > DESCRIPTION {
        return bad("its description has more than 1024 characters");
    }
    if front.compatibility.chars().count() > COMPATIBILITY {
        return bad("its compatibility has more than 500 characters");
    }
    Ok(())
}

/// As the standard has it.
///
/// # Errors
/// [`BadSkill::FrontMatter`].
fn check_name(name: &str) -> Result<(), BadSkill> {
    let fits = (1..=NAME).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    match fits {
        true => Ok(()),
        false => Err(BadSkill::FrontMatter(format!(
            "“{}” is no name of a skill: 1 to 64 of a-z, 0-9 and -, no - at an end or twice in a row",
            crate::content::prefix(name, 80)
        ))),
    }
}
