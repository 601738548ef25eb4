//! Skills that are there from the start, as folders by the open SKILL.md standard. An agent has those that it was given.

use domain::skill::{BadSkill, Package};
use std::sync::LazyLock;

/// A folder's files, each with its path in the folder.
macro_rules! folder {
    ($name:literal: $($path:literal),+) => {
        &[$(($path, include_str!(concat!("../skills/", $name, "/", $path)))),+]
    };
}

type Folder = &'static [(&'static str, &'static str)];

const FOLDERS: [Folder; 10] = [
    folder!("admin": "SKILL.md"),
    folder!("deploy": "SKILL.md"),
    folder!("diagnose": "SKILL.md"),
    folder!("engineering": "SKILL.md"),
    folder!("infrastructure": "SKILL.md"),
    folder!("keyword-research": "SKILL.md", "scripts/rank.py", "scripts/rank.schema.json", "tests/gap.json"),
    folder!("memory": "SKILL.md"),
    folder!("planning": "SKILL.md"),
    folder!("project": "SKILL.md"),
    folder!(
        "ralph-loop": "SKILL.md", "scripts/count.py", "scripts/count.schema.json", "tests/done.json", "tests/first.json",
        "tests/last.json"
    ),
];

/// A folder that is wrong can only come from a wrong build; a test reads each.
static SKILLS: LazyLock<Vec<Package>> = LazyLock::new(|| {
    FOLDERS
        .iter()
        .filter_map(|folder| read(folder).ok())
        .collect()
});

/// All of the catalog, by name.
#[must_use]
pub fn skills() -> &'static [Package] {
    &SKILLS
}

/// One of the catalog.
#[must_use]
pub fn skill(name: &str) -> Option<&'static Package> {
    skills().iter().find(|skill| skill.front.name == name)
}

fn read(folder: Folder) -> Result<Package, BadSkill> {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    Package::read(folder.iter().map(owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::skill::{Severity, scan};

    #[test]
    fn every_folder_is_a_skill_with_nothing_to_worry_about() {
        let mut names = Vec::new();
        for folder in FOLDERS {
            let skill = read(folder).unwrap();
            let found = scan(&skill);
            assert!(
                found
                    .iter()
                    .all(|finding| finding.severity > Severity::High),
                "{}: {found:?}",
                skill.front.name
            );
            assert!(!skill.body.is_empty());
            names.push(skill.front.name);
        }
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(skills().len(), FOLDERS.len());
    }
}
