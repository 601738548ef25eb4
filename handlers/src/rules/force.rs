//! All rules that hold for an agent now.

use crate::Home;
use catalog::Preset;
use domain::{
    agent::Agent,
    permission::{self, Access, Effect, Rule, Subject, Verdict},
};
use ports::store::StoreError;

/// The rules of its preset, its own and the team's.
pub struct InForce<'a> {
    preset: Option<&'a Preset>,
    own: &'a [Rule],
    team: Vec<Rule>,
}

impl<'a> InForce<'a> {
    /// # Errors
    /// What the store answers.
    pub async fn of(
        home: &Home,
        agent: &'a Agent,
        presets: &'a [Preset],
    ) -> Result<Self, StoreError> {
        let name = &agent.permissions.preset;
        Ok(Self {
            preset: presets.iter().find(|preset| preset.name == *name),
            own: &agent.permissions.rules,
            team: super::list(home).await?,
        })
    }

    /// In no order that means anything.
    #[must_use]
    pub fn rules(&self) -> Vec<&Rule> {
        let preset = self.preset.iter().flat_map(|preset| &preset.rules);
        preset.chain(self.own).chain(&self.team).collect()
    }

    /// What they say about a call that would touch this.
    #[must_use]
    pub fn judge(&self, accesses: &[Access], who: &Subject) -> Verdict {
        let otherwise = self.preset.map_or(Effect::Ask, |preset| preset.otherwise);
        permission::judge(accesses, &self.rules(), who, otherwise)
    }
}
