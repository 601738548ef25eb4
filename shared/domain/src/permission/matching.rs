//! Whether one rule speaks about one access.
//!
//! What is uncertain counts against the call: an allow rule that is broken or might not fit says nothing, an ask or deny
//! rule that is broken or might fit speaks.

use super::{
    Access, Effect, Matcher, Resource, Rule,
    pattern::{self, CommandPattern, WordPattern},
};
use crate::shell::tidy_path;
use globset::{GlobBuilder, GlobMatcher};
use std::sync::OnceLock;

/// The longest pattern, in bytes.
const PATTERN_LIMIT: usize = 4096;

/// A rule whose patterns are read when it is asked for the first time, and not again.
#[derive(Debug)]
pub(super) struct Asked {
    pub rule: Rule,
    ready: OnceLock<Ready>,
}

/// What a rule's texts mean.
#[derive(Debug)]
struct Ready {
    broken: bool,
    pattern: Pattern,
    /// Exceptions as words of a command or as names, with how they were written.
    words: Vec<(WordPattern, String)>,
    /// Exceptions as globs, of rules that speak about files. None: it can't be read.
    globs: Vec<Option<GlobMatcher>>,
}

#[derive(Debug)]
enum Pattern {
    Any,
    Path(GlobMatcher),
    Command(CommandPattern),
    /// As [`tidy_host`] writes it.
    Host(String),
    Tool(WordPattern),
    /// Nobody knows what it means.
    Unreadable,
}

impl Ready {
    fn of(rule: &Rule) -> Self {
        let pattern = match &rule.matcher {
            Matcher::Any => Pattern::Any,
            Matcher::Path(glob) => compile(glob).map_or(Pattern::Unreadable, Pattern::Path),
            Matcher::Command(text) => {
                CommandPattern::parse(text).map_or(Pattern::Unreadable, Pattern::Command)
            }
            Matcher::Host(host) => Pattern::Host(tidy_host(host)),
            Matcher::Tool(name) => Pattern::Tool(pattern::word(name)),
        };
        let of_files = matches!(
            rule.resource,
            Resource::FileRead | Resource::FileWrite | Resource::Any
        );
        let globs = rule.except.iter().filter(|_| of_files);
        let words = rule.except.iter();
        Self {
            broken: rule.check().is_err(),
            pattern,
            words: words
                .map(|raw| (pattern::word(raw), tidy_host(raw)))
                .collect(),
            globs: globs.map(|glob| compile(glob).ok()).collect(),
        }
    }
}

impl Asked {
    pub fn new(rule: Rule) -> Self {
        let ready = OnceLock::new();
        Self { rule, ready }
    }

    fn ready(&self) -> &Ready {
        self.ready.get_or_init(|| Ready::of(&self.rule))
    }

    /// Whether the rule speaks about an access. Its scope is not looked at.
    pub fn speaks(&self, access: &Access) -> bool {
        if self.rule.resource != Resource::Any && self.rule.resource != access.resource() {
            return false;
        }
        match self.rule.effect {
            Effect::Allow => self.allows(access),
            Effect::Ask | Effect::Deny => self.objects(access),
        }
    }

    fn allows(&self, access: &Access) -> bool {
        let (rule, ready) = (&self.rule, self.ready());
        if ready.broken {
            return false;
        }
        let everything = rule.resource == Resource::Any
            && rule.matcher == Matcher::Any
            && rule.except.is_empty();
        match (&ready.pattern, access) {
            (Pattern::Any, Access::Opaque(_)) => rule.except.is_empty(),
            (_, Access::FileRead(path) | Access::FileWrite(path)) if outside(path) => everything,
            (Pattern::Any, _) => !ready.excepted_possibly(access),
            (Pattern::Path(glob), Access::FileRead(path) | Access::FileWrite(path)) => {
                glob.is_match(tidy_path(path)) && !ready.excepted_possibly(access)
            }
            (Pattern::Command(pattern), Access::Command(words)) => {
                pattern.certainly(words) && !ready.excepted_possibly(access)
            }
            (pattern, access) => by_name(pattern, access) && !ready.excepted_possibly(access),
        }
    }

    fn objects(&self, access: &Access) -> bool {
        let ready = self.ready();
        if ready.broken {
            return true;
        }
        let speaks = match (&ready.pattern, access) {
            (Pattern::Any, _) => true,
            (Pattern::Path(glob), Access::FileRead(path) | Access::FileWrite(path)) => {
                could_be(glob, path)
            }
            (Pattern::Command(pattern), Access::Command(words)) => pattern.possibly(words),
            (pattern, access) => by_name(pattern, access),
        };
        speaks && !ready.excepted_certainly(access)
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

fn by_name(pattern: &Pattern, access: &Access) -> bool {
    match (pattern, access) {
        (Pattern::Host(pattern), Access::Host(host)) => host_matches(pattern, host),
        (
            Pattern::Tool(pattern),
            Access::Tool(name)
            | Access::Spend(name)
            | Access::Memory(name)
            | Access::SelfChange(name),
        ) => pattern.matches(name),
        _ => false,
    }
}

fn tidy_host(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a host is the one of a tidy pattern.
fn host_matches(pattern: &str, host: &str) -> bool {
    let host = tidy_host(host);
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == pattern,
    }
}

impl Ready {
    /// Whether an exception might apply: then an allow rule is silent.
    fn excepted_possibly(&self, access: &Access) -> bool {
        let mut except = self.words.iter();
        match access {
            Access::Command(words) => except.any(|(pattern, _)| {
                words
                    .iter()
                    .skip(1)
                    .any(|word| word.as_ref().is_none_or(|word| pattern.matches(word)))
            }),
            Access::FileRead(path) | Access::FileWrite(path) => {
                let mut globs = self.globs.iter();
                globs.any(|glob| glob.as_ref().is_none_or(|glob| could_be(glob, path)))
            }
            Access::Opaque(_) => !self.words.is_empty(),
            other => except.any(|except| named(except, other)),
        }
    }

    /// Whether an exception applies for certain: only then an ask or deny rule is silent.
    fn excepted_certainly(&self, access: &Access) -> bool {
        let mut except = self.words.iter();
        match access {
            Access::Command(words) => except.any(|(pattern, _)| {
                words
                    .iter()
                    .skip(1)
                    .flatten()
                    .any(|word| pattern.matches(word))
            }),
            Access::FileRead(path) | Access::FileWrite(path) => {
                let mut globs = self.globs.iter().flatten();
                !outside(path) && globs.any(|glob| glob.is_match(tidy_path(path)))
            }
            Access::Opaque(_) => false,
            other => except.any(|except| named(except, other)),
        }
    }
}

fn named((pattern, host): &(WordPattern, String), access: &Access) -> bool {
    match access {
        Access::Host(name) => host_matches(host, name),
        Access::Tool(name)
        | Access::Spend(name)
        | Access::Memory(name)
        | Access::SelfChange(name) => pattern.matches(name),
        _ => false,
    }
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
