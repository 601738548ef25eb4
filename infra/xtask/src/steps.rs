//! Steps of a command, run one after another and remembered: each says what it does and why before it starts, and
//! the summary at the end names what passed, what failed and what was left out. One failure anywhere makes the
//! whole command fail.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// What has been done so far.
pub struct Steps {
    color: bool,
    done: Vec<Done>,
}

struct Done {
    title: String,
    took: Duration,
    outcome: Outcome,
}

#[derive(PartialEq)]
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl Steps {
    /// In color on a terminal; never where `CI` or `NO_COLOR` is set.
    pub fn new() -> Self {
        let plain = ["CI", "NO_COLOR"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        Self {
            color: !plain && std::io::stdout().is_terminal(),
            done: Vec::new(),
        }
    }

    /// Runs `command` with its output shown, stdin closed. True if it exited with 0.
    pub fn run(&mut self, title: &str, why: &str, command: &mut Command) -> bool {
        self.announce(title, why);
        println!("  {} {}", self.paint("2", "$"), show(command));
        let color = if self.color { "always" } else { "never" };
        command.env("CARGO_TERM_COLOR", color).stdin(Stdio::null());
        let start = Instant::now();
        let outcome = match command.status() {
            Ok(status) if status.success() => Outcome::Passed,
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("cannot start: {error}")),
        };
        let passed = outcome == Outcome::Passed;
        self.push(title, start.elapsed(), outcome);
        passed
    }

    /// Records that nothing had to be done.
    pub fn pass(&mut self, title: &str, note: &str) {
        println!("{} {title}: {note}", self.paint("32", "✓"));
        self.push(title, Duration::ZERO, Outcome::Passed);
    }

    /// Records what was left out and what to do about it.
    pub fn skip(&mut self, title: &str, reason: &str) {
        println!("{} {title}: {reason}", self.paint("33", "–"));
        self.push(title, Duration::ZERO, Outcome::Skipped(reason.to_owned()));
    }

    /// Records a failure that is not a command's.
    pub fn fail(&mut self, title: &str, reason: &str) {
        println!("{} {title}: {reason}", self.paint("31", "✗"));
        self.push(title, Duration::ZERO, Outcome::Failed(reason.to_owned()));
    }

    /// Prints the summary. Success only if no step failed.
    pub fn summary(&self) -> ExitCode {
        if !self.done.is_empty() {
            print!("\n{}", self.render());
        }
        if self.has_failed() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn has_failed(&self) -> bool {
        self.done
            .iter()
            .any(|step| matches!(step.outcome, Outcome::Failed(_)))
    }

    fn render(&self) -> String {
        let mut text = String::new();
        for Done {
            title,
            took,
            outcome,
        } in &self.done
        {
            let (sign, note) = match outcome {
                Outcome::Passed => (self.paint("32", "passed "), String::new()),
                Outcome::Failed(reason) => (self.paint("31", "FAILED "), format!("  ({reason})")),
                Outcome::Skipped(reason) => (self.paint("33", "skipped"), format!("  ({reason})")),
            };
            let seconds = took.as_secs_f64();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {sign} {seconds:>7.1} s  {title}{note}");
        }
        let verdict = if self.has_failed() {
            self.paint("31", "FAILED")
        } else {
            self.paint("32", "everything passed")
        };
        let skipped: Vec<&str> = self
            .done
            .iter()
            .filter(|step| matches!(step.outcome, Outcome::Skipped(_)))
            .map(|step| step.title.as_str())
            .collect();
        let skipped = match skipped.is_empty() {
            true => String::new(),
            false => format!("; NOT checked: {}", skipped.join(", ")),
        };
        let _ = writeln!(text, "{verdict}{skipped}");
        text
    }

    fn announce(&self, title: &str, why: &str) {
        println!(
            "\n{} {}: {why}",
            self.paint("36", "▸"),
            self.paint("1", title)
        );
    }

    fn push(&mut self, title: &str, took: Duration, outcome: Outcome) {
        self.done.push(Done {
            title: title.to_owned(),
            took,
            outcome,
        });
    }

    fn paint(&self, code: &str, text: &str) -> String {
        match self.color {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// The command as one would type it; for reading, not for a shell.
fn show(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Steps {
        Steps {
            color: false,
            done: Vec::new(),
        }
    }

    #[test]
    fn one_failure_fails_the_whole_and_is_named() {
        let mut steps = steps();
        assert!(steps.run("good", "because", &mut Command::new("true")));
        assert!(!steps.has_failed());
        assert!(!steps.run("bad", "because", &mut Command::new("false")));
        steps.pass("later", "fine");
        assert!(steps.has_failed());
        assert!(steps.render().contains("FAILED"));
        assert!(steps.render().contains("exit status: 1"));
    }

    #[test]
    fn a_command_that_does_not_exist_is_a_failure() {
        let mut steps = steps();
        assert!(!steps.run("gone", "because", &mut Command::new("/nonexistent/x")));
        assert!(steps.render().contains("cannot start"));
    }

    #[test]
    fn what_was_skipped_is_named_and_does_not_fail() {
        let mut steps = steps();
        steps.skip("bubblewrap", "no root");
        assert!(!steps.has_failed());
        assert!(steps.render().ends_with("NOT checked: bubblewrap\n"));
    }
}
