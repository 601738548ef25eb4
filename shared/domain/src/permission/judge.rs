//! The verdict: the strongest rule that speaks about each access, and the strongest of these for the whole call.

use super::{Access, Effect, Resource, Rule, Scope, Verdict, matching::Asked};
use crate::{
    id::{AgentId, MemberId},
    member::Role,
    shell::quote,
};
use std::collections::BTreeMap;

/// Who acts: an agent, in a run that a member started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    pub agent: AgentId,
    pub member: MemberId,
}

/// Rules that can be asked again and again: what their patterns mean is found out once.
#[derive(Debug, Default)]
pub struct Rules {
    by_resource: BTreeMap<Resource, Vec<Asked>>,
}

impl Rules {
    /// All that could apply (the team's, the agent's own, its preset's), in any order.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut by_resource: BTreeMap<Resource, Vec<Asked>> = BTreeMap::new();
        for rule in rules {
            let of_resource = by_resource.entry(rule.resource).or_default();
            of_resource.push(Asked::new(rule));
        }
        Self { by_resource }
    }

    /// Judges a call by everything that it would touch. Where no rule speaks, `otherwise` says whether that asks or denies (it cannot
    /// allow). A call about which nothing is known asks.
    #[must_use]
    pub fn judge(&self, accesses: &[Access], who: &Subject, otherwise: Effect) -> Verdict {
        let unspoken_of = |access: &Access| match otherwise {
            Effect::Deny => unspoken(
                Effect::Deny,
                format!("no rule allows {access}, and what is not allowed is denied"),
            ),
            Effect::Allow | Effect::Ask => {
                unspoken(Effect::Ask, format!("no rule speaks about {access}"))
            }
        };
        let verdicts = accesses.iter().map(|access| {
            self.spoken(access, who)
                .unwrap_or_else(|| unspoken_of(access))
        });
        verdicts.reduce(stronger).unwrap_or_else(|| {
            unspoken(
                Effect::Ask,
                "it is not known what this would touch".to_owned(),
            )
        })
    }

    /// What the rules say about one access; `None` when none speaks.
    pub(super) fn spoken(&self, access: &Access, who: &Subject) -> Option<Verdict> {
        let of = |resource| self.by_resource.get(&resource).into_iter().flatten();
        let mut speaking: Vec<&Rule> = of(access.resource())
            .chain(of(Resource::Any))
            .filter(|asked| applies(&asked.rule.scope, who) && asked.speaks(access))
            .map(|asked| &asked.rule)
            .collect();
        // The weaker ones say nothing beside the strongest.
        let strongest = speaking.iter().map(|rule| rule.effect).max();
        speaking.retain(|rule| Some(rule.effect) == strongest);
        // Of equally strong rules the one with the first id is named, so that the order of rules means nothing.
        speaking.sort_by(|a, b| a.id.cmp(&b.id));
        speaking
            .into_iter()
            .map(|rule| said_by(rule, access))
            .reduce(stronger)
    }
}

fn applies(scope: &Scope, who: &Subject) -> bool {
    match scope {
        Scope::Team => true,
        Scope::Agent(agent) => *agent == who.agent,
        Scope::Member(member) => *member == who.member,
    }
}

fn said_by(rule: &Rule, access: &Access) -> Verdict {
    let because = match rule.check() {
        Ok(()) => format!("rule {}: {rule}", rule.id),
        Err(problem) => format!(
            "rule {} is broken, so it speaks about everything: {problem}",
            rule.id
        ),
    };
    let because = if rule.effect == Effect::Allow {
        because
    } else {
        format!("{because} (about {access})")
    };
    let asks = rule.effect == Effect::Ask;
    Verdict {
        effect: rule.effect,
        rule: Some(rule.id.clone()),
        because,
        approvers: rule.approvers.filter(|_| asks),
        expires_after_s: rule.expires_after_s.filter(|_| asks),
        persons: rule.persons.filter(|_| asks),
        escalate_after_s: rule.escalate_after_s.filter(|_| asks),
    }
}

fn unspoken(effect: Effect, because: String) -> Verdict {
    Verdict {
        effect,
        rule: None,
        because,
        approvers: None,
        expires_after_s: None,
        persons: None,
        escalate_after_s: None,
    }
}

/// The stronger of two. Two that ask are one question, with the higher role, the more persons and the shorter waits of both.
fn stronger(a: Verdict, b: Verdict) -> Verdict {
    if a.effect != b.effect {
        return if a.effect > b.effect { a } else { b };
    }
    let shorter = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let expires_after_s = shorter(a.expires_after_s, b.expires_after_s);
    let escalate_after_s = shorter(a.escalate_after_s, b.escalate_after_s);
    let persons = a.persons.max(b.persons);
    let approvers = if a.approvers == b.approvers {
        a.approvers
    } else {
        Some(rank(&a).max(rank(&b)))
    };
    // A rule is a better reason than none.
    let reason = if a.rule.is_none() && b.rule.is_some() {
        b
    } else {
        a
    };
    Verdict {
        approvers,
        expires_after_s,
        persons,
        escalate_after_s,
        ..reason
    }
}

/// No approvers means operator, so a rule that lets viewers approve does not lower another's.
fn rank(verdict: &Verdict) -> Role {
    verdict.approvers.unwrap_or(Role::Operator)
}

/// For people: the thing itself, in quotes.
impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FileRead(path) => write!(f, "reading “{path}”"),
            Self::FileWrite(path) => write!(f, "writing “{path}”"),
            Self::Command(words) => {
                let words: Vec<String> = words
                    .iter()
                    .map(|w| w.as_deref().map_or("…".to_owned(), quote))
                    .collect();
                write!(f, "“{}”", words.join(" "))
            }
            Self::Host(host) => write!(f, "the host “{host}”"),
            Self::Tool(name) => write!(f, "the tool “{name}”"),
            Self::Spend(what) => write!(f, "spending on “{what}”"),
            Self::Memory(name) => write!(f, "the memory “{name}”"),
            Self::SelfChange(name) => write!(f, "changing “{name}”"),
            Self::Opaque(reason) => write!(f, "what can't be read ({reason})"),
        }
    }
}
