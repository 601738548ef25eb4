//! “Always”: the rules that would have allowed exactly what was asked about, and nothing else.

use super::{Access, Effect, Matcher, NewRule, Rules, Scope, Subject, matching::outside};
use crate::shell::quote;

/// One rule for each access about which no rule spoke. `None` where there is no such rule: something is only known when it
/// runs, lies outside of the workspace, or is asked or denied by a rule (a new allow rule would not outweigh it).
#[must_use]
pub fn narrowest(
    accesses: &[Access],
    rules: &Rules,
    who: &Subject,
    scope: &Scope,
) -> Option<Vec<NewRule>> {
    let mut new: Vec<NewRule> = Vec::new();
    for access in accesses {
        match rules.spoken(access, who).map(|verdict| verdict.effect) {
            Some(Effect::Allow) => {}
            Some(Effect::Ask | Effect::Deny) => return None,
            None => {
                let rule = exactly(access, scope)?;
                if !new.contains(&rule) {
                    new.push(rule);
                }
            }
        }
    }
    (!new.is_empty()).then_some(new)
}

fn exactly(access: &Access, scope: &Scope) -> Option<NewRule> {
    let matcher = match access {
        Access::Command(words) => {
            let words: Option<Vec<String>> = words
                .iter()
                .map(|word| word.as_deref().map(quote))
                .collect();
            Matcher::Command(words?.join(" "))
        }
        Access::FileRead(path) | Access::FileWrite(path) if !outside(path) => {
            Matcher::Path(globset::escape(path))
        }
        Access::Host(host) => Matcher::Host(host.clone()),
        Access::Tool(name)
        | Access::Spend(name)
        | Access::Memory(name)
        | Access::SelfChange(name) => Matcher::Tool(quote(name)),
        Access::FileRead(_) | Access::FileWrite(_) | Access::Opaque(_) => return None,
    };
    let rule = NewRule {
        effect: Effect::Allow,
        resource: access.resource(),
        matcher,
        scope: scope.clone(),
        except: Vec::new(),
        approvers: None,
        expires_after_s: None,
        persons: None,
        escalate_after_s: None,
        note: "Always, from a card.".to_owned(),
    };
    rule.check().ok().map(|()| rule)
}
