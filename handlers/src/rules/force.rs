//! All rules that hold for an agent now.

use crate::Home;
use catalog::Preset;
use domain::{
    agent::Agent,
    permission::{Access, Effect, Rule, Rules, Subject, Verdict},
};
use ports::store::StoreError;
use std::sync::{Arc, Mutex, PoisonError};

/// The rules of its preset, its own and the team's.
pub struct InForce {
    otherwise: Effect,
    rules: Arc<Rules>,
}

impl InForce {
    /// # Errors
    /// What the store answers.
    pub async fn of(home: &Home, agent: &Agent, presets: &[Preset]) -> Result<Self, StoreError> {
        let name = &agent.permissions.preset;
        let preset = presets.iter().find(|preset| preset.name == *name);
        let mut rules: Vec<Rule> = super::list(home).await?;
        rules.extend(agent.permissions.rules.iter().cloned());
        rules.extend(
            preset
                .into_iter()
                .flat_map(|preset| preset.rules.iter().cloned()),
        );
        Ok(Self {
            otherwise: preset.map_or(Effect::Ask, |preset| preset.otherwise),
            rules: read(rules),
        })
    }

    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What they say about a call that would touch this.
    #[must_use]
    pub fn judge(&self, accesses: &[Access], who: &Subject) -> Verdict {
        self.rules.judge(accesses, who, self.otherwise)
    }
}

/// Rules as their texts are, with what they mean.
type Read = (Vec<Rule>, Arc<Rules>);

/// Lists of rules that a process remembers having read: as many as agents that work at a time.
const REMEMBERED: usize = 16;
/// The latest last.
static READ: Mutex<Vec<Read>> = Mutex::new(Vec::new());

/// What rules mean depends on their texts alone, and finding it out takes much longer than asking them.
fn read(rules: Vec<Rule>) -> Arc<Rules> {
    let mut known = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(at) = known.iter().position(|(texts, _)| *texts == rules) {
        let latest = known.remove(at);
        let meaning = latest.1.clone();
        known.push(latest);
        return meaning;
    }
    if known.len() >= REMEMBERED {
        known.remove(0);
    }
    let meaning = Arc::new(Rules::new(rules.iter().cloned()));
    known.push((rules, meaning.clone()));
    meaning
}
