//! A git bundle: git itself reads it, in the sandbox, and makes a zip of its newest commit.

use crate::ARCHIVE;
use ports::{
    Sandbox,
    sandbox::{Cancel, Ended, Exec, Limits},
};
use std::path::PathBuf;

const COMMAND: &str = "git clone -q --bare \"$INPUTS/skill.bundle\" \"$TMPDIR/repository\" && \
     git -C \"$TMPDIR/repository\" archive --format=zip HEAD";

/// By how git begins one.
pub fn is(bytes: &[u8]) -> bool {
    [&b"# v2 git bundle\n"[..], b"# v3 git bundle\n"]
        .iter()
        .any(|head| bytes.starts_with(head))
}

pub async fn archived(bundle: Vec<u8>, sandbox: Option<&dyn Sandbox>) -> Result<Vec<u8>, String> {
    let sandbox =
        sandbox.ok_or("is a git bundle, which is read in a sandbox, and there is none here")?;
    let exec = Exec {
        command: COMMAND.to_owned(),
        workspace: PathBuf::new(),
        files: vec![("skill.bundle".to_owned(), bundle.into())],
        read_only: true,
        limits: Limits {
            output: ARCHIVE,
            ..Limits::default()
        },
    };
    let result = sandbox.run(exec, Cancel::default()).await;
    let result = result.map_err(|error| format!("can’t be read: {error}"))?;
    match result.ended {
        Ended::Exit(0) if result.output_bytes == result.output.len() as u64 => Ok(result.output),
        Ended::Exit(0) => Err("has too much in it".to_owned()),
        _ => {
            let said = String::from_utf8_lossy(&result.output);
            let last = said.lines().last().unwrap_or_default().to_owned();
            Err(format!("can’t be read by git: {last}"))
        }
    }
}
