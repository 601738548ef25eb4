//! How long a decision of the rule engine takes, by the number of rules. Rules are of all kinds in equal parts, a tenth of them of another agent;
//! what is decided about are calls such as agents make, most of which no rule or one rule speaks about.

use anyhow::Result;
use domain::{
    Micros,
    id::{AgentId, MemberId, RuleId},
    permission::{Access, Effect, Matcher, NewRule, Resource, Rule, Rules, Scope, Subject},
    shell,
};
use std::{hint::black_box, time::Instant};

use super::measure::{print_table, row};

const ROUNDS: usize = 2_000;

pub fn measure() -> Result<()> {
    let mut rows = vec![row(["", "median us", "p99 us", "first decisions us"])];
    let calls: Vec<Vec<Access>> = vec![
        shell::accesses("git status --short"),
        shell::accesses("cargo test -p domain | tail -n 20 && rm -rf target/tmp"),
        vec![Access::FileWrite(
            "src/module_77/deep/down/lib.rs".to_owned(),
        )],
        vec![Access::FileRead("../elsewhere/notes.md".to_owned())],
        vec![Access::Tool("mcp:server-42/read_file".to_owned())],
        vec![Access::Host("api.example.org".to_owned())],
    ];
    let who = Subject {
        agent: AgentId::new("coder"),
        member: MemberId::new("ann"),
    };
    for count in [10_usize, 100, 1_000] {
        let rules: Vec<Rule> = (0..count).map(rule).collect();
        let rules = Rules::new(rules);
        let began = Instant::now();
        for call in &calls {
            black_box(rules.judge(call, &who, Effect::Ask));
        }
        let first = began.elapsed().as_secs_f64() * 1e6;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            for call in &calls {
                let began = Instant::now();
                black_box(rules.judge(black_box(call), &who, Effect::Ask));
                times.push(began.elapsed().as_secs_f64() * 1e6);
            }
        }
        times.sort_by(f64::total_cmp);
        let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied();
        let shown = |part| format!("{:.1}", at(part).unwrap_or_default());
        rows.push(row([
            &format!("{count} rules"),
            &shown(0.5),
            &shown(0.99),
            &format!("{first:.0}"),
        ]));
    }
    println!(
        "{} calls, {ROUNDS} rounds{}",
        calls.len(),
        if cfg!(debug_assertions) {
            ", not optimised"
        } else {
            ""
        }
    );
    print_table(&rows);
    Ok(())
}

fn rule(number: usize) -> Rule {
    let (resource, matcher) = match number % 5 {
        0 => (
            Resource::ShellExec,
            Matcher::Command(format!("tool-{number} sub-{number} *")),
        ),
        1 => (
            Resource::FileWrite,
            Matcher::Path(format!("src/module_{number}/**/*.rs")),
        ),
        2 => (
            Resource::FileRead,
            Matcher::Path(format!("**/part_{number}/*.md")),
        ),
        3 => (
            Resource::ApiCall,
            Matcher::Tool(format!("mcp:server-{number}/*")),
        ),
        _ => (
            Resource::Network,
            Matcher::Host(format!("*.host-{number}.example.org")),
        ),
    };
    let effect = [Effect::Allow, Effect::Ask, Effect::Deny][number % 3];
    let scope = match number % 10 {
        9 => Scope::Agent(AgentId::new("another")),
        _ => Scope::Team,
    };
    let rule = NewRule {
        effect,
        resource,
        matcher,
        scope,
        except: Vec::new(),
        approvers: None,
        expires_after_s: None,
        persons: None,
        escalate_after_s: None,
        note: String::new(),
    };
    rule.into_rule(RuleId::new(format!("rule-{number:04}")), None, Micros(0))
}
