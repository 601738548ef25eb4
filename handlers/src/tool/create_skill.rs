//! `create_skill`: an agent writes a skill, or another content of one. Its checks and tests come first, in an empty sandbox; what fails there
//! asks nobody. Then an owner sees all of it, always: the system changes itself only by a change that a person approved.

use super::{Preview, Tool, ToolContext, ToolError, ToolOutput, spec};
use crate::{
    CommandError, Problem, commit_with, members,
    skills::{self, checks},
};
use domain::{
    Digest,
    approval::{Approval, Shown},
    content,
    member::Member,
    permission::Access,
    skill::{Package, SkillStatus},
    tool::{ToolClass, ToolSpec},
};
use ports::repo;
use serde_json::{Value, json};

pub struct CreateSkill;

/// Bytes of the diff that stand on the card; the whole hangs on it as a file when there is more.
const DIFF: usize = 1800;
/// Findings that stand on the card.
const FINDINGS: usize = 8;

fn package(arguments: &Value) -> Result<Package, ToolError> {
    let wrong = |why: String| ToolError::Arguments(format!("that is no skill: {why}"));
    let Some(files) = arguments.get("files").and_then(Value::as_object) else {
        return Err(wrong("“files” is an object of paths and texts".to_owned()));
    };
    let mut all = Vec::with_capacity(files.len());
    for (path, text) in files {
        let text = text
            .as_str()
            .ok_or_else(|| wrong(format!("{path} is no text")))?;
        all.push((path.clone(), text.as_bytes().to_vec()));
    }
    let package = Package::read(all).map_err(|error| wrong(error.to_string()))?;
    if catalog::skill(&package.front.name).is_some() {
        return Err(wrong(format!(
            "“{}” is the name of a built-in one",
            package.front.name
        )));
    }
    let is_test = |path: &String| path.starts_with("tests/") && path.ends_with(".json");
    if !package.scripts.is_empty() && !package.files.keys().any(is_test) {
        let why =
            "its scripts need tests: tests/NAME.json with {\"script\", \"input\", \"output\"}";
        return Err(wrong(why.to_owned()));
    }
    Ok(package)
}

#[async_trait::async_trait]
impl Tool for CreateSkill {
    fn spec(&self) -> ToolSpec {
        let properties = [(
            "files",
            "object",
            "Paths and texts: SKILL.md (front matter with name and description, then instructions); scripts/NAME.py, .js or .sh, each with \
             scripts/NAME.schema.json ({description, input, output, reads_only}, JSON Schemas); tests/NAME.json for the scripts.",
        )];
        spec(
            "create_skill",
            "Writes down how something is done, as a skill for later tasks, when a person wants that. Its tests run first, then an owner decides.",
            &properties,
            1,
            ToolClass::Idempotent,
        )
    }

    fn accesses(&self, arguments: &Value) -> Result<Vec<Access>, ToolError> {
        let name = package(arguments)?.front.name;
        Ok(vec![Access::SelfChange(format!("skill:{name}"))])
    }

    async fn preview(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<Preview, ToolError> {
        let package = package(arguments)?;
        let content = (&package, "an agent");
        let proposal = skills::propose(at.home, content, Some(at.place()?.sandbox)).await?;
        let failures = checks::failures(&proposal.findings);
        if !failures.is_empty() {
            let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
            let said = format!(
                "nothing was asked, because it does not pass: {}",
                failures.join("; ")
            );
            return Err(ToolError::Arguments(said));
        }
        let diff = skills::changes(at.home, proposal.former.as_ref(), &package).await?;
        let found = proposal
            .findings
            .iter()
            .take(FINDINGS)
            .map(ToString::to_string);
        let found: Vec<String> = found.collect();
        let name = &proposal.name;
        let verb = match proposal.former {
            None => "Add",
            Some(_) => "Change",
        };
        let shown = Shown {
            what: format!(
                "{verb} the skill {name} (content {}) and give it to {}: {}",
                proposal.pin(),
                at.caller.agent,
                proposal.description
            ),
            diff: content::prefix(&diff, DIFF).to_owned(),
            impact: format!(
                "{} files, {} scripts, for later tasks. Found: {}.",
                proposal.files.len(),
                proposal.scripts.len(),
                if found.is_empty() {
                    "nothing".to_owned()
                } else {
                    found.join("; ")
                }
            ),
            rollback: format!(
                "/skill remove {name}, or /skill disable {name} {}.",
                at.caller.agent
            ),
            ..Shown::default()
        };
        let former = proposal
            .former
            .map(|former| (former.version, former.current.digest));
        let before =
            Digest::of(&former).map_err(|error| ToolError::Arguments(error.to_string()))?;
        Ok(Preview {
            before,
            shown,
            attachment: (diff.len() > DIFF).then_some(diff),
        })
    }

    async fn perform(
        &self,
        at: &ToolContext<'_>,
        arguments: &Value,
    ) -> Result<ToolOutput, ToolError> {
        let package = package(arguments)?;
        let by = decided_by(at).await?;
        let findings = checks::check(&package, Some(at.place()?.sandbox)).await;
        let source = format!("agent:{}", at.caller.agent);
        let agreed = (source.as_str(), findings.as_slice());
        if !is_there(at, &package).await? {
            commit_with(at.home, || skills::install(at.home, &by, &package, agreed)).await?;
        }
        let given = (package.front.name.as_str(), at.caller.agent.as_str());
        commit_with(at.home, || skills::enable(at.home, &by, given)).await?;
        Ok(ToolOutput {
            text: format!(
                "The skill {} is there from the next task on.",
                package.front.name
            ),
            ok: true,
            taint: None,
            sources: Vec::new(),
        })
    }

    async fn is_done(&self, at: &ToolContext<'_>, arguments: &Value) -> Result<bool, ToolError> {
        is_there(at, &package(arguments)?).await
    }

    fn samples(&self) -> Vec<Value> {
        let text = "---\nname: example\ndescription: An example.\n---\nDo it.\n";
        vec![json!({"files": {"SKILL.md": text}})]
    }
}

/// Whether exactly this content is installed.
async fn is_there(at: &ToolContext<'_>, package: &Package) -> Result<bool, ToolError> {
    match skills::find(at.home, &package.front.name).await {
        Ok(found) => Ok(found.digest == package.digest
            && found
                .record
                .is_some_and(|record| record.status == SkillStatus::Active)),
        Err(CommandError::Problem(Problem::NotFound { .. })) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Who said yes to this call: the change is theirs.
async fn decided_by(at: &ToolContext<'_>) -> Result<Member, ToolError> {
    let nobody = || ToolError::Home("nobody agreed to this".to_owned());
    let home = at.home;
    let id = at.caller.approval.ok_or_else(nobody)?;
    let card = repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?;
    let by = card
        .and_then(|card| card.value.decided_by)
        .ok_or_else(nobody)?;
    members::find(home, &by).await?.ok_or_else(nobody)
}
