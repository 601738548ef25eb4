//! What the tools that change a file share: the diff that a person sees and the path that the rules see.

use super::{Preview, ToolError};
use domain::{Digest, approval::Shown, content};
use ports::{
    Workspace,
    workspace::{FileText, WorkspaceError},
};
use similar::TextDiff;

/// Bytes of a diff that go onto a card; the whole hangs on it as a file when it is longer.
const DIFF_ON_CARD: usize = 2000;

/// `./a//b` as `a/b`.
///
/// # Errors
/// What leads outside: no rule and no person has to look at it.
pub fn normal(path: &str) -> Result<String, WorkspaceError> {
    let path = path.trim();
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        let shown = content::prefix(path, 200).to_owned();
        return Err(WorkspaceError::Outside(shown));
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    Ok(match parts.is_empty() {
        true => ".".to_owned(),
        false => parts.join("/"),
    })
}

/// The file as it is; `None` when there is none.
pub async fn current(workspace: &dyn Workspace, path: &str) -> Result<Option<FileText>, ToolError> {
    match workspace.read(path).await {
        Ok(file) => Ok(Some(file)),
        Err(WorkspaceError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows a change of a file, bound to the file's content before it.
pub fn change(path: &str, before: Option<&FileText>, after: &str) -> Preview {
    let old = before.map_or("", |file| file.text.as_str());
    let diff = TextDiff::from_lines(old, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string();
    let (added, removed) = count(&diff);
    let (what, rollback) = match before {
        None => (
            format!("Create {path} ({} bytes)", after.len()),
            format!("Delete {path}."),
        ),
        Some(file) => (
            format!("Change {path} (+{added} −{removed} lines)"),
            restore(path, file),
        ),
    };
    let fits = diff.len() <= DIFF_ON_CARD;
    let shown = Shown {
        what,
        diff: content::prefix(&diff, DIFF_ON_CARD).to_owned(),
        impact: format!("One file in the workspace: +{added} −{removed} lines."),
        rollback,
        ..Shown::default()
    };
    Preview {
        before: identity(before),
        shown,
        attachment: (!fits).then_some(diff),
    }
}

/// The digest of a file's content, or of there being none.
pub fn identity(file: Option<&FileText>) -> Digest {
    file.map_or_else(|| Digest::of_bytes("absent"), |file| file.digest.clone())
}

fn restore(path: &str, file: &FileText) -> String {
    format!(
        "Write the former {} bytes of {path} back; the diff's minus lines are what goes.",
        file.text.len()
    )
}

fn count(diff: &str) -> (usize, usize) {
    let lines = || diff.lines().skip(2);
    (
        lines().filter(|line| line.starts_with('+')).count(),
        lines().filter(|line| line.starts_with('-')).count(),
    )
}
