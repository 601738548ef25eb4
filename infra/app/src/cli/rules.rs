//! `countersign rules`: the team's permission rules.

use super::{
    Context, Failure,
    output::{table, when},
};
use domain::{
    id::short,
    member::Role,
    permission::{NewRule, Rule, parse_expiry, parse_rule},
};
use handlers::{commit_with, rules};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All rules of the team; presets have more
    List,
    /// Add a rule: allow shell_exec 'git status *'
    Add {
        /// The rule's words, as `/rules add` takes them
        #[arg(required = true)]
        words: Vec<String>,
        /// Of a rule that asks: who may say yes, operators too if not given
        #[arg(long, value_name = "ROLE")]
        approvers: Option<Approvers>,
        /// Of a rule that asks: how long its cards wait, such as 45m, 2h, 3d or seconds
        #[arg(long, value_name = "TIME", value_parser = parse_expiry)]
        expires: Option<u64>,
    },
    /// Remove a rule, by its id or the last digits of it
    Remove { id: String },
    /// Take back the latest change, or the rules that “Always” added, by the approval's id or the last digits of it
    Undo { approval: Option<String> },
    /// Every rule that came or went: who and when
    History,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Approvers {
    Owner,
    Operator,
}

impl From<Approvers> for Role {
    fn from(approvers: Approvers) -> Self {
        match approvers {
            Approvers::Owner => Self::Owner,
            Approvers::Operator => Self::Operator,
        }
    }
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let home = &local.home;
    match arguments.command {
        Command::List => {
            let rules = rules::list(home).await?;
            output.show(&rules, || list(&rules))?;
        }
        Command::Add {
            words,
            approvers,
            expires,
        } => {
            let rule = read(&words, approvers, expires).map_err(Failure::usage)?;
            let rule = commit_with(home, async || {
                rules::add(home, &local.owner, rule.clone()).await
            })
            .await?;
            output.show(&rule, || {
                format!(
                    "Rule {}: {}",
                    short(rule.id.as_str()),
                    bot::text::en::rule(&rule)
                )
            })?;
        }
        Command::Remove { id } => {
            let rule =
                commit_with(home, async || rules::remove(home, &local.owner, &id).await).await?;
            output.show(&rule, || format!("Removed: {}", bot::text::en::rule(&rule)))?;
        }
        Command::Undo { approval: None } => {
            let draft = async || rules::take_back(home, &local.owner).await;
            let (rule, came) = commit_with(home, draft).await?;
            output.show(&rule, || bot::text::en::rule_undone(&rule, came))?;
        }
        Command::History => {
            let past = rules::history(home).await?;
            let line =
                |past: &rules::Past| bot::text::en::rule_past(past, &when(past.at, home.now()));
            output.show(&past, || {
                past.iter().map(line).collect::<Vec<_>>().join("\n")
            })?;
        }
        Command::Undo {
            approval: Some(approval),
        } => {
            let draft = async || rules::undo(home, &local.owner, &approval).await;
            let undone = commit_with(home, draft).await?;
            output.show(&undone.rules, || bot::text::en::undone(&undone))?;
        }
    }
    Ok(0)
}

/// The flags say it over the words.
fn read(
    words: &[String],
    approvers: Option<Approvers>,
    expires: Option<u64>,
) -> Result<NewRule, String> {
    parse_rule(&words.join(" "))?.asking(approvers.map(Role::from), expires)
}

fn list(rules: &[Rule]) -> String {
    let rows: Vec<Vec<String>> = rules
        .iter()
        .map(|rule| {
            vec![
                short(rule.id.as_str()).to_owned(),
                bot::text::en::rule(rule),
                rule.note.clone(),
            ]
        })
        .collect();
    table(
        &["id", "rule", "note"],
        &rows,
        "The team has no rules of its own; each agent has those of its preset.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    /// The rule as it is listed; what is wrong on the command line, or with the rule.
    fn added(words: &[&str]) -> Result<String, String> {
        let words = ["rules", "add"].iter().chain(words);
        let Command::Add {
            words,
            approvers,
            expires,
        } = Line::try_parse_from(words)
            .map_err(|error| error.to_string())?
            .command
        else {
            return Err("not add".to_owned());
        };
        Ok(read(&words, approvers, expires)?.to_string())
    }

    #[test]
    fn who_approves_and_how_long_a_card_waits_is_said_in_flags_or_words() {
        let expected = Ok("ask shell_exec “git push *” by owner within 2h".to_owned());
        let rule = ["ask", "shell_exec", "git push *"];
        for more in [
            &["--approvers", "owner", "--expires", "2h"][..],
            &["--expires=7200", "--approvers=owner"],
            &["by owner", "--expires", "120m"],
            &[
                "by operator within 3d",
                "--approvers",
                "owner",
                "--expires",
                "2h",
            ],
            &["by", "owner", "within", "2h"],
        ] {
            assert_eq!(added(&[&rule, more].concat()), expected, "{more:?}");
        }
        assert_eq!(
            added(&rule),
            Ok("ask shell_exec “git push *”".to_owned()),
            "without flags nothing is said"
        );
    }

    #[test]
    fn wrong_flags_are_refused() {
        let rule = ["ask", "shell_exec", "ls"];
        for (more, complaint) in [
            (
                ["--approvers", "viewer"],
                "possible values: owner, operator",
            ),
            (["--expires", "2weeks"], "`2h` or `3d`"),
            (["--expires", "5"], "a minute at least"),
        ] {
            let error = added(&[&rule[..], &more].concat()).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
        let error = added(&["allow", "shell_exec", "ls", "--approvers", "owner"]).unwrap_err();
        assert!(error.contains("write `ask` instead of `allow`"), "{error}");
    }
}
