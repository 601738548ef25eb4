//! What a process has as its stdin, stdout and stderr.

use rustix::{
    fd::OwnedFd,
    pipe::{PipeFlags, pipe_with},
};
use std::{
    io,
    process::{Command, Stdio},
};

/// A command's stdout and stderr both go to `output`, and it reads nothing. A server that is talked to has pipes of its own, whose
/// other ends are the answer: what it reads and what it says; only its stderr goes to `output`.
///
/// # Errors
/// When the system has no pipe left.
pub fn pipes(
    command: &mut Command,
    output: OwnedFd,
    talked_to: bool,
) -> io::Result<Option<(OwnedFd, OwnedFd)>> {
    if !talked_to {
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        return Ok(None);
    }
    let (stdin_out, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, stdout_in) = pipe_with(PipeFlags::CLOEXEC)?;
    command.stdin(stdin_out).stdout(stdout_in).stderr(output);
    Ok(Some((stdin, stdout)))
}
