//! The skills that a team has besides the built-in ones, by name. What one is stands in `domain::skill`.

use super::Entity;
use crate::store::Table;
use domain::skill::Skill;

pub static SKILLS: Table = Table {
    name: "skills",
    indexes: &[],
};

impl Entity for Skill {
    const TABLE: &'static Table = &SKILLS;
    fn id(&self) -> String {
        self.name.clone()
    }
}
