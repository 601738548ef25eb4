//! Files for one command, and a command without a workspace.

use super::{Place, text};
use crate::contract::Outcome;
use ports::sandbox::{Cancel, Ended, Exec, Limits};
use std::path::PathBuf;

impl Place<'_> {
    pub async fn gives_files_to_one_command(&self) -> Outcome {
        let command = "cd \"$INPUTS\" && cat a.txt b/c.txt; echo changed >> a.txt";
        let files = [("a.txt", "one\n"), ("b/c.txt", "two\n")];
        let file = |(path, text): (&str, &str)| (path.to_owned(), text.as_bytes().into());
        let exec = Exec {
            workspace: PathBuf::new(),
            files: files.map(file).to_vec(),
            ..self.exec(command, Limits::default())
        };
        for _ in 0..2 {
            // What a command does to them is gone with it.
            let result = self.sandbox.run(exec.clone(), Cancel::default()).await?;
            let said = text(&result);
            assert!(said.starts_with("one\ntwo\n"), "{said}");
        }
        let none = self.run("cat \"$INPUTS/a.txt\" 2>/dev/null").await?;
        assert_ne!(none.ended, Ended::Exit(0), "they were for another command");
        let exec = Exec {
            workspace: PathBuf::new(),
            ..self.exec("ls -A; echo x > new && ls -A", Limits::default())
        };
        let result = self.sandbox.run(exec, Cancel::default()).await?;
        assert_eq!(
            (result.ended, text(&result).as_str()),
            (Ended::Exit(0), "new\n")
        );
        Ok(())
    }
}
