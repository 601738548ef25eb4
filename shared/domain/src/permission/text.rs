//! Rules as people write and read them: `allow shell_exec “find *” except “-delete -exec*” for agent coder`,
//! `ask shell_exec “git push *” by 2 owners within 2h`.
//!
//! In what people type the quotation marks may be left out. What [`Display`](std::fmt::Display) writes, [`parse_rule`]
//! reads as the same rule; id and note are not part of the text, nor who approves what is not asked.

use super::{
    Effect, Matcher, NewRule, Resource, Rule, pattern,
    terms::{self, TERMS, Terms},
};
use crate::member::Role;
use std::fmt::{Display, Formatter};

/// Reads a rule as typed after `/rules add`.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_rule(text: &str) -> Result<NewRule, String> {
    let usage = "Write an effect, a resource and a pattern: `allow shell_exec git status *`.";
    let (effect, rest) = next_word(text);
    let effect = match effect {
        "allow" => Effect::Allow,
        "ask" => Effect::Ask,
        "deny" => Effect::Deny,
        "" => return Err(usage.to_owned()),
        other => {
            return Err(format!(
                "“{other}” is not an effect; it is `allow`, `ask` or `deny`. {usage}"
            ));
        }
    };
    let (resource, rest) = next_word(rest);
    let resource = resource_named(resource).ok_or_else(|| {
        format!(
            "“{resource}” is not a resource; it is file_read, file_write, shell_exec, api_call, network, spend, memory, \
             self_change or `*` for all of them."
        )
    })?;
    let parts = parts(rest)?;
    let rule = NewRule {
        effect,
        resource,
        matcher: matcher(resource, &parts.pattern)?,
        scope: parts.terms.scope,
        except: parts.except,
        approvers: None,
        expires_after_s: None,
        persons: parts.terms.persons,
        escalate_after_s: parts.terms.escalate_after_s,
        note: String::new(),
    };
    rule.check()?;
    rule.asking(parts.terms.approvers, parts.terms.expires_after_s)
}

impl NewRule {
    /// With the lowest role that may approve, and the seconds that a card waits, where these are said.
    ///
    /// # Errors
    /// A sentence, where the rule does not ask: nobody would ever approve it.
    pub fn asking(
        mut self,
        approvers: Option<Role>,
        expires_after_s: Option<u64>,
    ) -> Result<Self, String> {
        let said = approvers.is_some()
            || expires_after_s.is_some()
            || self.persons.is_some()
            || self.escalate_after_s.is_some();
        if self.effect != Effect::Ask && said {
            return Err(format!(
                "Only what is asked is approved by somebody and waits: write `ask` instead of `{}`.",
                self.effect
            ));
        }
        self.approvers = approvers.or(self.approvers);
        self.expires_after_s = expires_after_s.or(self.expires_after_s);
        Ok(self)
    }
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn resource_named(name: &str) -> Option<Resource> {
    Some(match name {
        "file_read" => Resource::FileRead,
        "file_write" => Resource::FileWrite,
        "shell_exec" => Resource::ShellExec,
        "api_call" => Resource::ApiCall,
        "network" => Resource::Network,
        "spend" => Resource::Spend,
        "memory" => Resource::Memory,
        "self_change" => Resource::SelfChange,
        "*" => Resource::Any,
        _ => return None,
    })
}

struct Parts {
    pattern: String,
    except: Vec<String>,
    terms: Terms,
}

/// Pattern, `except …` and terms of what follows the resource.
fn parts(text: &str) -> Result<Parts, String> {
    let text = text.trim();
    let (pattern, rest) = match quoted(text) {
        Some((pattern, rest)) => (pattern.to_owned(), rest),
        None => {
            let end = keyword_at(text, true)?;
            (text[..end].trim().to_owned(), &text[end..])
        }
    };
    let (mut except, mut rest) = (Vec::new(), rest.trim());
    if let Some(after) = rest.strip_prefix("except") {
        let after = after.trim_start();
        let (words, after) = match quoted(after) {
            Some(found) => found,
            None => after.split_at(keyword_at(after, false)?),
        };
        except = pattern::raw_words(words)?
            .into_iter()
            .map(str::to_owned)
            .collect();
        if except.is_empty() {
            return Err("After `except` come the words that take a match away.".to_owned());
        }
        rest = after.trim();
    }
    Ok(Parts {
        pattern,
        except,
        terms: Terms::parse(rest)?,
    })
}

/// `“…”` at the beginning, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('“')?;
    let ends = |(at, _): &(usize, &str)| {
        let after = &inner[at + '”'.len_utf8()..];
        let next = after
            .strip_prefix(' ')
            .and_then(|after| after.split_once(' '));
        after.is_empty() || next.is_some_and(|(word, _)| word == "except" || TERMS.contains(&word))
    };
    let (at, _) = inner.match_indices('”').find(ends)?;
    Some((&inner[..at], &inner[at + '”'.len_utf8()..]))
}

/// Where the first term (or `except`) stands by itself; the end if nowhere. Quoted it is an ordinary word, and so is one
/// before a word that it can't have after it.
fn keyword_at(text: &str, except: bool) -> Result<usize, String> {
    let words = pattern::raw_words(text)?;
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let found = words.iter().enumerate().find(|(i, word)| match **word {
        "except" => except,
        _ => terms::begins(&words[*i..]),
    });
    Ok(found.map_or(text.len(), |(_, word)| place(word)))
}

fn matcher(resource: Resource, pattern: &str) -> Result<Matcher, String> {
    let text = pattern.to_owned();
    Ok(match resource {
        _ if pattern.is_empty() || pattern == "*" => Matcher::Any,
        Resource::FileRead | Resource::FileWrite => Matcher::Path(text),
        Resource::ShellExec => Matcher::Command(text),
        Resource::Network => Matcher::Host(text),
        Resource::ApiCall | Resource::Spend | Resource::Memory | Resource::SelfChange => {
            Matcher::Tool(text)
        }
        Resource::Any => {
            return Err("A rule for all resources takes no pattern: `allow *`.".to_owned());
        }
    })
}

impl Display for Resource {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FileRead => "file_read",
            Self::FileWrite => "file_write",
            Self::ShellExec => "shell_exec",
            Self::ApiCall => "api_call",
            Self::Network => "network",
            Self::Spend => "spend",
            Self::Memory => "memory",
            Self::SelfChange => "self_change",
            Self::Any => "*",
        })
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        })
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write(f, (self.effect, self.resource), &self.matcher, &self.except)?;
        let terms = Terms {
            scope: self.scope.clone(),
            approvers: self.approvers,
            persons: self.persons,
            expires_after_s: self.expires_after_s,
            escalate_after_s: self.escalate_after_s,
        };
        terms.write(f, self.effect)
    }
}

impl Display for NewRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write(f, (self.effect, self.resource), &self.matcher, &self.except)?;
        let terms = Terms {
            scope: self.scope.clone(),
            approvers: self.approvers,
            persons: self.persons,
            expires_after_s: self.expires_after_s,
            escalate_after_s: self.escalate_after_s,
        };
        terms.write(f, self.effect)
    }
}

fn write(
    f: &mut Formatter<'_>,
    (effect, resource): (Effect, Resource),
    matcher: &Matcher,
    except: &[String],
) -> std::fmt::Result {
    write!(f, "{effect} {resource}")?;
    match matcher {
        Matcher::Any => {}
        Matcher::Path(text)
        | Matcher::Command(text)
        | Matcher::Host(text)
        | Matcher::Tool(text) => write!(f, " “{text}”")?,
    }
    if !except.is_empty() {
        write!(f, " except “{}”", except.join(" "))?;
    }
    Ok(())
}
