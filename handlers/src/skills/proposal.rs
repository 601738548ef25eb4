//! What a person is shown before they agree to a skill: facts. The yes is bound to the digest in it.

use super::{checks, record};
use crate::{CommandError, Home};
use domain::{
    Digest,
    skill::{FileRef, Finding, Kind, Package, Skill, SkillStatus},
};
use ports::Sandbox;
use similar::TextDiff;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug)]
pub struct Proposal {
    pub name: String,
    pub description: String,
    pub kind: Kind,
    pub digest: Digest,
    /// Paths and bytes.
    pub files: Vec<(String, u64)>,
    /// Paths of those that run.
    pub scripts: Vec<String>,
    pub servers: Vec<String>,
    pub license: String,
    pub source: String,
    pub findings: Vec<Finding>,
    /// The team's skill of this name.
    pub former: Option<Skill>,
    /// Of all text files, against the former content.
    pub diff: String,
}

impl Proposal {
    /// So much of the digest as a button or a person has to repeat: 80 bits, which nobody hits by trying.
    #[must_use]
    pub fn pin(&self) -> &str {
        pin(&self.digest)
    }

    /// The team has exactly this content.
    #[must_use]
    pub fn is_there(&self) -> bool {
        let active = |skill: &&Skill| skill.status == SkillStatus::Active;
        let former = self.former.as_ref().filter(active);
        former.is_some_and(|former| former.current.digest == self.digest)
    }
}

/// As [`Proposal::pin`].
#[must_use]
pub fn pin(digest: &Digest) -> &str {
    digest.as_str().get(..20).unwrap_or(digest.as_str())
}

/// Looks into a skill that somebody may install.
///
/// # Errors
/// What the store answers.
pub async fn propose(
    home: &Home,
    (package, source): (&Package, &str),
    sandbox: Option<&dyn Sandbox>,
) -> Result<Proposal, CommandError> {
    let front = &package.front;
    let former = record(home, &front.name).await?.map(|stored| stored.value);
    let file = |(path, bytes): (&String, &Vec<u8>)| (path.clone(), bytes.len() as u64);
    let scripts = package.scripts.values().map(|script| script.path.clone());
    let servers = front.servers().into_iter().map(str::to_owned);
    Ok(Proposal {
        name: front.name.clone(),
        description: front.description.trim().to_owned(),
        kind: package.kind(),
        digest: package.digest.clone(),
        files: package.files.iter().map(file).collect(),
        scripts: scripts.collect(),
        servers: servers.collect(),
        license: front.license.clone(),
        source: source.to_owned(),
        findings: checks::check(package, sandbox).await,
        diff: match &former {
            Some(_) => changes(home, former.as_ref(), package).await?,
            None => String::new(),
        },
        former,
    })
}

/// Every text file as it was and as it would be; all of it where nothing was.
///
/// # Errors
/// What the blob store answers.
pub async fn changes(
    home: &Home,
    former: Option<&Skill>,
    package: &Package,
) -> Result<String, CommandError> {
    let mut out = String::new();
    let known = former.map_or(&[][..], |former| &former.current.files);
    for file in known {
        let before = text(home, Some(&file.blob)).await?;
        let after = package.files.get(&file.path);
        let after = after.map_or(String::new(), |bytes| {
            String::from_utf8_lossy(bytes).into_owned()
        });
        out.push_str(&one(&file.path, &before, &after));
    }
    let is_new = |path: &str| known.iter().all(|file| file.path != path);
    for (path, bytes) in package.files.iter().filter(|(path, _)| is_new(path)) {
        out.push_str(&one(path, "", &String::from_utf8_lossy(bytes)));
    }
    Ok(out)
}

/// As [`changes`], of two contents that were agreed to.
pub(super) async fn between(
    home: &Home,
    before: &[FileRef],
    after: &[FileRef],
) -> Result<String, CommandError> {
    let mut files: BTreeMap<&str, [Option<&Digest>; 2]> = BTreeMap::new();
    for (side, refs) in [before, after].into_iter().enumerate() {
        for file in refs {
            files.entry(&file.path).or_default()[side] = Some(&file.blob);
        }
    }
    let mut out = String::new();
    for (path, [before, after]) in files {
        if before != after {
            out.push_str(&one(
                path,
                &text(home, before).await?,
                &text(home, after).await?,
            ));
        }
    }
    Ok(out)
}

async fn text(home: &Home, blob: Option<&Digest>) -> Result<String, CommandError> {
    let Some(blob) = blob else {
        return Ok(String::new());
    };
    let bytes = home.blobs.get(blob).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file's change, as every other diff on a card.
fn one(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}
