//! Whether one rule speaks about one access.
//!
//! What is uncertain counts against the call: an allow rule that is broken or might not fit says nothing, an ask or deny
//! rule that is broken or might fit speaks.

use super::{
    Access, Effect, Matcher, Resource, Rule,
    pattern::{self, CommandPattern},
};
use crate::shell::tidy_path;
use globset::{GlobBuilder, GlobMatcher};

/// The longest pattern, in bytes; globs are compiled for each verdict.
const PATTERN_LIMIT: usize = 4096;

/// Whether a rule speaks about an access. Its scope is not looked at.
pub(super) fn speaks(rule: &Rule, access: &Access) -> bool {
    if rule.resource != Resource::Any && rule.resource != access.resource() {
        return false;
    }
    if rule.effect == Effect::Allow {
        allows(rule, access)
    } else {
        objects(rule, access)
    }
}

impl Access {
    #[must_use]
    pub fn resource(&self) -> Resource {
        match self {
            Self::FileRead(_) => Resource::FileRead,
            Self::FileWrite(_) => Resource::FileWrite,
            Self::Command(_) | Self::Opaque(_) => Resource::ShellExec,
            Self::Host(_) => Resource::Network,
            Self::Tool(_) => Resource::ApiCall,
            Self::Spend(_) => Resource::Spend,
            Self::Memory(_) => Resource::Memory,
            Self::SelfChange(_) => Resource::SelfChange,
        }
    }
}

fn allows(rule: &Rule, access: &Access) -> bool {
    if rule.check().is_err() {
        return false;
    }
    let everything =
        rule.resource == Resource::Any && rule.matcher == Matcher::Any && rule.except.is_empty();
    match (&rule.matcher, access) {
        (Matcher::Any, Access::Opaque(_)) => rule.except.is_empty(),
        (_, Access::FileRead(path) | Access::FileWrite(path)) if outside(path) => everything,
        (Matcher::Any, _) => !excepted_possibly(rule, access),
        (Matcher::Path(glob), Access::FileRead(path) | Access::FileWrite(path)) => {
            compile(glob).is_ok_and(|glob| glob.is_match(tidy_path(path)))
                && !excepted_possibly(rule, access)
        }
        (Matcher::Command(text), Access::Command(words)) => {
            CommandPattern::parse(text).is_ok_and(|pattern| pattern.certainly(words))
                && !excepted_possibly(rule, access)
        }
        (matcher, access) => by_name(matcher, access) && !excepted_possibly(rule, access),
    }
}

fn objects(rule: &Rule, access: &Access) -> bool {
    if rule.check().is_err() {
        return true;
    }
    let speaks = match (&rule.matcher, access) {
        (Matcher::Any, _) => true,
        (Matcher::Path(glob), Access::FileRead(path) | Access::FileWrite(path)) => {
            compile(glob).map_or(true, |glob| could_be(&glob, path))
        }
        (Matcher::Command(text), Access::Command(words)) => {
            CommandPattern::parse(text).map_or(true, |pattern| pattern.possibly(words))
        }
        (matcher, access) => by_name(matcher, access),
    };
    speaks && !excepted_certainly(rule, access)
}

fn by_name(matcher: &Matcher, access: &Access) -> bool {
    match (matcher, access) {
        (Matcher::Host(pattern), Access::Host(host)) => host_matches(pattern, host),
        (
            Matcher::Tool(pattern),
            Access::Tool(name)
            | Access::Spend(name)
            | Access::Memory(name)
            | Access::SelfChange(name),
        ) => pattern::word(pattern).matches(name),
        _ => false,
    }
}

fn host_matches(pattern: &str, host: &str) -> bool {
    let tidy = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    let (pattern, host) = (tidy(pattern), tidy(host));
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern,
    }
}

/// Whether an exception might apply: then an allow rule is silent.
fn excepted_possibly(rule: &Rule, access: &Access) -> bool {
    let mut except = rule.except.iter();
    match access {
        Access::Command(words) => except.any(|raw| {
            let pattern = pattern::word(raw);
            words
                .iter()
                .skip(1)
                .any(|word| word.as_ref().is_none_or(|word| pattern.matches(word)))
        }),
        Access::FileRead(path) | Access::FileWrite(path) => {
            except.any(|glob| compile(glob).map_or(true, |glob| could_be(&glob, path)))
        }
        Access::Opaque(_) => !rule.except.is_empty(),
        other => except.any(|raw| named(raw, other)),
    }
}

/// Whether an exception applies for certain: only then an ask or deny rule is silent.
fn excepted_certainly(rule: &Rule, access: &Access) -> bool {
    let mut except = rule.except.iter();
    match access {
        Access::Command(words) => except.any(|raw| {
            let pattern = pattern::word(raw);
            words
                .iter()
                .skip(1)
                .flatten()
                .any(|word| pattern.matches(word))
        }),
        Access::FileRead(path) | Access::FileWrite(path) => {
            !outside(path)
                && except.any(|glob| compile(glob).is_ok_and(|glob| glob.is_match(tidy_path(path))))
        }
        Access::Opaque(_) => false,
        other => except.any(|raw| named(raw, other)),
    }
}

fn named(raw: &str, access: &Access) -> bool {
    by_name(&Matcher::Host(raw.to_owned()), access)
        || by_name(&Matcher::Tool(raw.to_owned()), access)
}

/// A path that may lie outside of the workspace: no rule about paths allows it.
pub(super) fn outside(path: &str) -> bool {
    path.is_empty() || path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..")
}

/// Whether a path may name something that the glob means. Of one from outside nobody knows where the workspace begins in
/// it, so each of its ends counts.
fn could_be(glob: &GlobMatcher, path: &str) -> bool {
    let tidy = tidy_path(path);
    if !outside(path) {
        return glob.is_match(&tidy);
    }
    let parts: Vec<&str> = tidy.split('/').collect();
    (0..parts.len()).any(|from| glob.is_match(parts[from..].join("/")))
}

fn compile(glob: &str) -> Result<GlobMatcher, String> {
    let built = GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    built
        .map(|glob| glob.compile_matcher())
        .map_err(|e| format!("“{glob}” is not a path pattern: {}.", e.kind()))
}

pub(super) fn check(
    resource: Resource,
    matcher: &Matcher,
    except: &[String],
) -> Result<(), String> {
    let fits = match matcher {
        Matcher::Any => true,
        Matcher::Path(_) => matches!(
            resource,
            Resource::FileRead | Resource::FileWrite | Resource::Any
        ),
        Matcher::Command(_) => matches!(resource, Resource::ShellExec | Resource::Any),
        Matcher::Host(_) => matches!(resource, Resource::Network | Resource::Any),
        Matcher::Tool(_) => !matches!(
            resource,
            Resource::FileRead | Resource::FileWrite | Resource::ShellExec | Resource::Network
        ),
    };
    if !fits {
        return Err("Files take a path, shell_exec a command, network a host, and the other resources a tool's name.".to_owned());
    }
    let pattern = match matcher {
        Matcher::Any => "",
        Matcher::Path(text)
        | Matcher::Command(text)
        | Matcher::Host(text)
        | Matcher::Tool(text) => text,
    };
    if except
        .iter()
        .map(String::as_str)
        .chain([pattern])
        .any(|text| text.len() > PATTERN_LIMIT)
    {
        return Err(format!("A pattern can have at most {PATTERN_LIMIT} bytes."));
    }
    match matcher {
        Matcher::Any => Ok(()),
        Matcher::Path(glob) => check_path(glob),
        Matcher::Command(text) => CommandPattern::parse(text).map(|_| ()),
        Matcher::Host(host) => check_host(host),
        Matcher::Tool(name) => one_word(name),
    }?;
    let paths = matches!(resource, Resource::FileRead | Resource::FileWrite)
        || matches!(matcher, Matcher::Path(_));
    except.iter().try_for_each(|text| {
        if paths {
            check_path(text)
        } else {
            one_word(text)
        }
    })
}

fn check_path(glob: &str) -> Result<(), String> {
    if outside(glob) {
        return Err(format!(
            "“{glob}” must be relative to the workspace, without `..` and not empty."
        ));
    }
    compile(glob).map(|_| ())
}

fn one_word(text: &str) -> Result<(), String> {
    match pattern::raw_words(text)?.as_slice() {
        [_] => Ok(()),
        _ => Err(format!("“{text}” must be one word.")),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let fits = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c));
    if fits {
        Ok(())
    } else {
        Err(format!(
            "“{host}” is not a host name; write `example.org`, or `*.example.org` for its subdomains."
        ))
    }
}
