//! The verdict: the strongest rule that speaks about each access, and the strongest of these for the whole call.

use super::{Access, Effect, Otherwise, Rule, Scope, Verdict, matching::speaks};
use crate::{
    id::{AgentId, MemberId},
    member::Role,
    shell::quote,
};

/// All rules that apply: the team's, the agent's own, its preset's. Their order means nothing.
#[derive(Clone, Debug, Default)]
pub struct RuleSet<'a> {
    pub rules: Vec<&'a Rule>,
    pub otherwise: Otherwise,
}

impl<'a> RuleSet<'a> {
    /// Where none of them speaks, a person is asked.
    pub fn new(rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        Self {
            rules: rules.into_iter().collect(),
            otherwise: Otherwise::Ask,
        }
    }

    #[must_use]
    pub fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }
}

/// Who acts: an agent, in a run that a member started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    pub agent: AgentId,
    pub member: MemberId,
}

/// Judges a call by everything that it would touch. A call about which nothing is known asks.
#[must_use]
pub fn judge(accesses: &[Access], rules: &RuleSet<'_>, who: &Subject) -> Verdict {
    let mut verdicts = accesses.iter().map(|access| judge_one(access, rules, who));
    let Some(first) = verdicts.next() else {
        return unspoken(
            Effect::Ask,
            "it is not known what this would touch".to_owned(),
        );
    };
    verdicts.fold(first, stronger)
}

pub(super) fn judge_one(access: &Access, rules: &RuleSet<'_>, who: &Subject) -> Verdict {
    let speaking = rules
        .rules
        .iter()
        .filter(|rule| applies(&rule.scope, who) && speaks(rule, access));
    let mut verdicts = speaking.map(|rule| said_by(rule, access));
    match (verdicts.next(), rules.otherwise) {
        (Some(first), _) => verdicts.fold(first, |a, b| {
            if a.rule <= b.rule {
                stronger(a, b)
            } else {
                stronger(b, a)
            }
        }),
        (None, Otherwise::Ask) => unspoken(Effect::Ask, format!("no rule speaks about {access}")),
        (None, Otherwise::Deny) => unspoken(
            Effect::Deny,
            format!("no rule allows {access}, and what is not allowed is denied"),
        ),
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
    }
}

fn unspoken(effect: Effect, because: String) -> Verdict {
    Verdict {
        effect,
        rule: None,
        because,
        approvers: None,
        expires_after_s: None,
    }
}

/// The stronger of two. Two that ask are one question, with the higher role and the shorter wait of both.
fn stronger(a: Verdict, b: Verdict) -> Verdict {
    if a.effect != b.effect {
        return if a.effect > b.effect { a } else { b };
    }
    let expires_after_s = match (a.expires_after_s, b.expires_after_s) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
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
