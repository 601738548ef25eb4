//! The hidden command that runs inside the sandbox: a PDF in, JSON out. Whoever started it sets limits and reads what it prints.

use super::Failure;
use std::{io::Write, path::PathBuf};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    file: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let bytes = std::fs::read(&arguments.file).map_err(|error| {
        Failure::new(format!(
            "{} cannot be read: {error}.",
            arguments.file.display()
        ))
    })?;
    // In a thread with room for trees that are deeper than those of honest files.
    let parsing = std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(move || extract_pdf::parse(bytes));
    let answer = parsing.ok().and_then(|parsing| parsing.join().ok());
    let Some(answer) = answer else {
        return Err(Failure::new("The PDF’s reader died."));
    };
    let json = serde_json::to_vec(&answer)?;
    let written = std::io::stdout().write_all(&json);
    written.map_err(|error| Failure::new(format!("Nobody takes the answer: {error}.")))?;
    Ok(0)
}
