//! The order of effects, what patterns fit, and the laws that hold for any rules.

mod laws;

use super::*;
use crate::shell;
use proptest::prelude::*;

fn rule(id: &str, text: &str) -> Rule {
    parse_rule(text)
        .unwrap_or_else(|e| panic!("{text}: {e}"))
        .into_rule(RuleId::from(id), None, Micros(0))
}

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts
        .iter()
        .enumerate()
        .map(|(i, text)| rule(&format!("r{i}"), text))
        .collect()
}

fn who() -> Subject {
    Subject {
        agent: AgentId::from("coder"),
        member: MemberId::from("telegram:1"),
    }
}

fn judged<'a>(
    accesses: &[Access],
    rules: impl IntoIterator<Item = &'a Rule>,
    who: &Subject,
) -> Verdict {
    Rules::new(rules.into_iter().cloned()).judge(accesses, who, Effect::Ask)
}

fn always_for(
    accesses: &[Access],
    rules: &[Rule],
    who: &Subject,
    scope: &Scope,
) -> Option<Vec<NewRule>> {
    narrowest(accesses, &Rules::new(rules.iter().cloned()), who, scope)
}

fn effect(texts: &[&str], accesses: &[Access]) -> Effect {
    judged(accesses, &rules(texts), &who()).effect
}

fn line(texts: &[&str], line: &str) -> Effect {
    effect(texts, &shell::accesses(line))
}

fn write(path: &str) -> Access {
    Access::FileWrite(path.to_owned())
}

#[test]
fn the_strongest_rule_wins_and_none_asks() {
    use Effect::{Allow, Ask, Deny};
    assert_eq!(line(&[], "ls"), Ask);
    assert_eq!(line(&["allow shell_exec ls *"], "ls -l"), Allow);
    assert_eq!(
        line(&["allow shell_exec ls *", "ask shell_exec ls -l"], "ls -l"),
        Ask
    );
    assert_eq!(
        line(
            &[
                "allow shell_exec ls -l",
                "deny shell_exec ls *",
                "ask shell_exec *"
            ],
            "ls -l"
        ),
        Deny
    );
    assert_eq!(line(&["allow *"], "eval x"), Allow);
    assert_eq!(line(&["allow shell_exec *"], "eval x"), Allow);
    assert_eq!(line(&["allow shell_exec eval *"], "eval x"), Ask);
    assert_eq!(line(&["allow *", "deny shell_exec *"], "eval x"), Deny);
    assert_eq!(
        line(&["allow *", "deny shell_exec rm *"], "sh -c 'ls; rm x'"),
        Deny
    );
    assert_eq!(effect(&["allow *"], &[]), Ask);
    assert_eq!(
        Rules::default().judge(&[write("a")], &who(), Deny).effect,
        Deny
    );
    assert_eq!(
        Rules::default().judge(&[write("a")], &who(), Allow).effect,
        Ask
    );
    assert_eq!(Rules::default().judge(&[], &who(), Deny).effect, Ask);
}

#[test]
fn a_verdict_names_its_rule() {
    let rules = rules(&["allow shell_exec git status *", "ask shell_exec git push *"]);
    let say = |line: &str| judged(&shell::accesses(line), &rules, &who());
    assert_eq!(
        say("git status").because,
        "rule r0: allow shell_exec “git status *”"
    );
    assert_eq!(
        say("git status; git push -f").because,
        "rule r1: ask shell_exec “git push *” (about “git push -f”)"
    );
    assert_eq!(
        say("git status; curl x").because,
        "no rule speaks about “curl x”"
    );
    assert_eq!(say("git status; curl x").rule, None);
}

#[test]
fn command_patterns_fit_words_and_not_prefixes() {
    let fits = |pattern: &str, command: &str| {
        line(&[&format!("allow shell_exec {pattern}")], command) == Effect::Allow
    };
    for (pattern, command) in [
        ("ls", "ls"),
        ("ls *", "ls"),
        ("ls *", "ls -l $X"),
        ("ls -*", "ls -la"),
        ("npm run *", "npm run 'a b'"),
        ("ls *", "/bin/ls x"),
        ("/opt/x *", "/opt/x y"),
        ("echo '*'", "echo '*'"),
        ("echo a\\ b", "echo 'a b'"),
        ("git commit -m *", "git commit -m x"),
    ] {
        assert!(fits(pattern, command), "{pattern} should fit {command}");
    }
    for (pattern, command) in [
        ("ls", "ls -l"),
        ("ls *", "lsof"),
        ("ls -l", "ls $X"),
        ("ls -* x", "ls $X x"),
        ("git status *", "git -c a=b status"),
        ("ls *", "./ls"),
        ("ls *", "/tmp/bin/ls"),
        ("ls *", "/usr/bin/../../tmp/ls"),
        ("echo '*'", "echo x"),
        ("npm run *", "npm"),
        ("ls * x", "ls a b x"),
    ] {
        assert!(
            !fits(pattern, command),
            "{pattern} should not fit {command}"
        );
    }
}

#[test]
fn a_deny_speaks_as_soon_as_it_could_fit() {
    for command in [
        "rm x",
        "/bin/rm x",
        "/tmp/rm x",
        "./rm",
        "sudo rm",
        "env rm x",
        "find . -exec rm {} +",
        "ls | xargs rm",
    ] {
        assert_eq!(
            line(&["allow *", "deny shell_exec rm *"], command),
            Effect::Deny,
            "{command}"
        );
    }
    assert_eq!(
        line(&["allow *", "deny shell_exec git push *"], "git $X"),
        Effect::Deny
    );
    assert_eq!(
        line(
            &["allow *", "deny shell_exec git push --force"],
            "git push $X"
        ),
        Effect::Deny
    );
    assert_eq!(
        line(
            &["allow *", "deny shell_exec git push --force"],
            "git push origin"
        ),
        Effect::Allow
    );
}

#[test]
fn exceptions_take_an_allow_away_and_cannot_be_evaded() {
    let find = ["allow shell_exec find * except -delete -exec* -fprint*"];
    assert_eq!(line(&find, "find . -name '*.rs'"), Effect::Allow);
    for command in [
        "find . -delete",
        "find . -execdir ls ';'",
        "find . $X",
        "find *",
        "find . -{delete,print}",
        "find . \"-delete\"",
    ] {
        assert_eq!(line(&find, command), Effect::Ask, "{command}");
    }
    let deny = ["allow *", "deny shell_exec git * except status"];
    assert_eq!(line(&deny, "git status"), Effect::Allow);
    assert_eq!(line(&deny, "git $X"), Effect::Deny);
}

#[test]
fn paths_stay_in_the_workspace() {
    let allow = ["allow file_write ** except .git/** **/.env*"];
    for (path, expected) in [
        ("src/a.rs", Effect::Allow),
        ("./src//a.rs", Effect::Allow),
        (".git/config", Effect::Ask),
        ("./.git/config", Effect::Ask),
        ("a/.env.local", Effect::Ask),
        (".env", Effect::Ask),
        ("/etc/passwd", Effect::Ask),
        ("../x", Effect::Ask),
        ("a/../x", Effect::Ask),
        ("~/x", Effect::Ask),
    ] {
        assert_eq!(effect(&allow, &[write(path)]), expected, "{path}");
    }
    assert_eq!(
        effect(&["allow file_write"], &[write("/etc/passwd")]),
        Effect::Ask
    );
    assert_eq!(effect(&["allow *"], &[write("/etc/passwd")]), Effect::Allow);
    assert_eq!(
        effect(
            &["allow *", "deny file_write .git/**"],
            &[write("/w/.git/config")]
        ),
        Effect::Deny
    );
    assert_eq!(
        effect(
            &["allow *", "deny file_write .git/**"],
            &[write("a/../.git/config")]
        ),
        Effect::Deny
    );
    assert_eq!(
        effect(&["allow file_write src/*"], &[write("src/a/b")]),
        Effect::Ask
    );
    assert_eq!(
        effect(
            &["allow file_write src/*"],
            &[Access::FileRead("src/a".into())]
        ),
        Effect::Ask
    );
}

#[test]
fn hosts_and_tools_match_by_name() {
    let host = |pattern: &str, host: &str| {
        effect(
            &[&format!("allow network {pattern}")],
            &[Access::Host(host.into())],
        )
    };
    assert_eq!(host("example.org", "Example.ORG."), Effect::Allow);
    assert_eq!(host("*.example.org", "a.b.example.org"), Effect::Allow);
    assert_eq!(host("*.example.org", "example.org"), Effect::Ask);
    assert_eq!(host("*.example.org", "badexample.org"), Effect::Ask);
    assert_eq!(
        effect(
            &["allow api_call search_*"],
            &[Access::Tool("search_web".into())]
        ),
        Effect::Allow
    );
    assert_eq!(
        effect(&["allow *", "ask spend"], &[Access::Spend("images".into())]),
        Effect::Ask
    );
}

#[test]
fn a_rule_speaks_only_in_its_scope() {
    assert_eq!(
        line(&["allow shell_exec ls * for agent coder"], "ls"),
        Effect::Allow
    );
    assert_eq!(
        line(&["allow shell_exec ls * for agent other"], "ls"),
        Effect::Ask
    );
    assert_eq!(
        line(&["allow shell_exec ls * for member telegram:1"], "ls"),
        Effect::Allow
    );
    assert_eq!(
        line(
            &["deny shell_exec ls * for member telegram:2", "allow *"],
            "ls"
        ),
        Effect::Allow
    );
}

#[test]
fn a_broken_rule_never_helps() {
    let broken = |effect| Rule {
        effect,
        matcher: Matcher::Path("a[".into()),
        ..rule("b", "allow file_write x")
    };
    let (allow, deny, all) = (
        broken(Effect::Allow),
        broken(Effect::Deny),
        rule("a", "allow *"),
    );
    assert!(allow.check().unwrap_err().contains("path pattern"));
    assert_eq!(judged(&[write("a[")], [&allow], &who()).effect, Effect::Ask);
    assert_eq!(
        judged(&[write("z")], [&deny, &all], &who()).effect,
        Effect::Deny
    );
}

#[test]
fn approvers_and_expiry_are_the_strictest() {
    let mut rules = rules(&["ask shell_exec a *", "ask shell_exec b *"]);
    rules[0].approvers = Some(Role::Viewer);
    rules[0].expires_after_s = Some(60);
    rules[1].approvers = Some(Role::Owner);
    rules[1].expires_after_s = Some(600);
    let verdict = |line: &str| judged(&shell::accesses(line), &rules, &who());
    assert_eq!(
        (verdict("a").approvers, verdict("a").expires_after_s),
        (Some(Role::Viewer), Some(60))
    );
    assert_eq!(
        (verdict("a; b").approvers, verdict("b; a").expires_after_s),
        (Some(Role::Owner), Some(60))
    );
    assert_eq!(verdict("a; c").approvers, Some(Role::Operator));
}

#[test]
fn of_several_rules_the_most_persons_and_the_soonest_escalation_hold() {
    let rules = rules(&[
        "ask shell_exec a * by 2 owners escalate 1h",
        "ask shell_exec b * by 3 operators escalate 2h",
        "ask shell_exec c *",
    ]);
    let verdict = |line: &str| judged(&shell::accesses(line), &rules, &who());
    let asked = |line: &str| {
        let verdict = verdict(line);
        (verdict.persons, verdict.approvers, verdict.escalate_after_s)
    };
    assert_eq!(asked("a"), (Some(2), Some(Role::Owner), Some(3600)));
    let strictest = (Some(3), Some(Role::Owner), Some(3600));
    assert_eq!([asked("a; b; c"), asked("c; b; a")], [strictest, strictest]);
    assert_eq!(asked("c"), (None, None, None));
}

#[test]
fn always_adds_exactly_what_was_asked() {
    let scope = Scope::Agent(AgentId::from("coder"));
    let always = |texts: &[&str], line: &str| {
        let rules = rules(texts);
        let new = always_for(&shell::accesses(line), &rules, &who(), &scope)?;
        Some(new.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        always(
            &["allow shell_exec ls *"],
            "ls; make '*' 'a b' > 'out[1].txt'"
        ),
        Some(vec![
            "allow shell_exec “make '*' 'a b'” for agent coder".to_owned(),
            "allow file_write “out[[]1[]].txt” for agent coder".to_owned(),
        ])
    );
    for line in ["make $X", "eval x", "make > /etc/x", "make *", "ls"] {
        assert_eq!(always(&["allow shell_exec ls *"], line), None, "{line}");
    }
    assert_eq!(always(&["ask shell_exec make *"], "make"), None);
    assert_eq!(always(&["deny shell_exec make *"], "make"), None);
}

#[test]
fn rules_are_read_as_people_write_them() {
    let shown = |text: &str| parse_rule(text).map(|rule| rule.to_string());
    for (typed, expected) in [
        (
            "allow shell_exec git status *",
            "allow shell_exec “git status *”",
        ),
        (
            "  deny   file_write .git/**  for agent coder",
            "deny file_write “.git/**” for agent coder",
        ),
        ("allow *", "allow *"),
        ("ask network", "ask network"),
        (
            "allow shell_exec find * except -delete -exec* for member m",
            "allow shell_exec “find *” except “-delete -exec*” for member m",
        ),
        (
            "allow shell_exec echo for sale",
            "allow shell_exec “echo for sale”",
        ),
        (
            "allow shell_exec “git status *” for agent coder",
            "allow shell_exec “git status *” for agent coder",
        ),
        (
            "allow shell_exec echo 'except' x",
            "allow shell_exec “echo 'except' x”",
        ),
        (
            "ask shell_exec git push * by owner within 2h",
            "ask shell_exec “git push *” by owner within 2h",
        ),
        (
            "ask shell_exec git push * within 120m for agent coder by operator",
            "ask shell_exec “git push *” for agent coder by operator within 2h",
        ),
        (
            "ask shell_exec find * except -delete by owner",
            "ask shell_exec “find *” except “-delete” by owner",
        ),
        ("ask spend within 86400", "ask spend within 1d"),
        (
            "ask shell_exec deploy * by 2 owners",
            "ask shell_exec “deploy *” by 2 owners",
        ),
        (
            "ask shell_exec deploy escalate 120m by two operators within 1d for agent coder",
            "ask shell_exec “deploy” for agent coder by 2 operators within 1d escalate 2h",
        ),
        (
            "ask shell_exec stand by 2 friends escalate it",
            "ask shell_exec “stand by 2 friends escalate it”",
        ),
        (
            "allow shell_exec stand by me within reason",
            "allow shell_exec “stand by me within reason”",
        ),
        (
            "ask shell_exec echo 'by' owner 'within' 2h",
            "ask shell_exec “echo 'by' owner 'within' 2h”",
        ),
        (
            "ask shell_exec “stand by owner” by owner",
            "ask shell_exec “stand by owner” by owner",
        ),
    ] {
        assert_eq!(shown(typed).as_deref(), Ok(expected), "{typed}");
    }
    for (typed, complaint) in [
        ("", "Write an effect"),
        ("permit shell_exec ls", "not an effect"),
        ("allow shell ls", "not a resource"),
        ("allow file_write /etc/x", "relative"),
        ("allow file_write ../x", "relative"),
        ("allow file_write a[", "path pattern"),
        ("allow shell_exec echo 'x", "not closed"),
        ("allow * ls", "no pattern"),
        ("allow network http://x", "host name"),
        ("allow shell_exec ls except", "After `except`"),
        ("allow shell_exec ls for agent", "not a scope"),
        ("ask shell_exec ls by viewer", "nobody who approves"),
        ("ask shell_exec ls within 59s", "no time"),
        ("ask shell_exec ls within 31d", "no time"),
        ("ask shell_exec ls within 2weeks", "no time"),
        ("ask shell_exec ls within 99999999999999999999h", "no time"),
        ("ask shell_exec ls within 999999999999999999h", "no time"),
        ("ask shell_exec ls by owner by owner", "only once"),
        (
            "ask shell_exec ls by owner loudly",
            "can't stand at the end",
        ),
        ("allow shell_exec ls by owner", "write `ask`"),
        ("allow shell_exec ls by 2 owners", "write `ask`"),
        ("deny shell_exec ls escalate 2h", "write `ask`"),
        ("ask shell_exec ls by 1 owners", "2 to 9"),
        ("ask shell_exec “ls” by 10 operators", "2 to 9"),
        ("ask shell_exec “ls” by 2 viewers", "nobody who approves"),
        ("ask shell_exec ls escalate 5s", "no time"),
        ("deny shell_exec ls within 2h", "write `ask`"),
    ] {
        assert!(
            parse_rule(typed).is_err_and(|e| e.contains(complaint)),
            "{typed}: {:?}",
            parse_rule(typed)
        );
    }
}

#[test]
fn records_keep_their_form() {
    let text = r#"{"id":"r","effect":"allow","resource":"*","match":"any","scope":"team","note":"","created_at":0}"#;
    let parsed: Rule = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    let command = r#"{"effect":"deny","resource":"shell_exec","match":{"command":"rm *"},"scope":{"agent":"a"},"note":""}"#;
    let parsed: NewRule = serde_json::from_str(command).unwrap();
    assert_eq!(serde_json::to_string(&parsed).unwrap(), command);
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let patterns = [
        "shell_exec",
        "shell_exec a",
        "shell_exec a *",
        "shell_exec a -x",
        "shell_exec * -x",
        "shell_exec b * except -x",
        "file_write",
        "file_write a",
        "file_write d/** except d/.git/**",
        "*",
    ];
    let parts = (
        0..50u8,
        prop::sample::select(vec!["allow", "ask", "deny"]),
        prop::sample::select(patterns.to_vec()),
        prop::option::of(0..3u8),
        prop::option::of(60..=30 * 24 * 3600_u64),
        prop::option::of(2..=9_u32),
    );
    parts.prop_map(|(id, effect, pattern, role, expires, persons)| {
        let mut rule = rule(&format!("r{id:02}"), &format!("{effect} {pattern}"));
        rule.approvers = role.map(|r| [Role::Viewer, Role::Operator, Role::Owner][usize::from(r)]);
        (rule.expires_after_s, rule.escalate_after_s) = (expires, expires.map(|s| s / 2 + 30));
        rule.persons = persons;
        rule
    })
}

/// Rules with ids of their own, as a store holds them.
fn some_rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(a_rule(), 0..8).prop_map(|mut rules| {
        for (i, rule) in rules.iter_mut().enumerate() {
            rule.id = RuleId::new(format!("{}-{i}", rule.id));
        }
        rules
    })
}

fn a_command() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a",
        "b",
        "-x",
        "$X",
        "'a'",
        "*",
        "y",
        "> a",
        "> d/e",
        "> d/.git/x",
        "$(a -x)",
    ]);
    (
        prop::sample::select(vec!["a", "b", "c", "/bin/a", "./b"]),
        prop::collection::vec(words, 0..4),
    )
        .prop_map(|(name, words)| format!("{name} {}", words.join(" ")))
}

proptest! {
    #[test]
    fn an_allow_never_overrules(rules in some_rules(), extra in a_rule(), command in a_command()) {
        let accesses = shell::accesses(&command);
        for access in &accesses {
            let alone = std::slice::from_ref(access);
            let before = judged(alone, &rules, &who());
            let mut more = rules.clone();
            more.push(Rule { effect: Effect::Allow, id: RuleId::from("zz"), ..extra.clone() });
            let after = judged(alone, &more, &who());
            prop_assert!(before.rule.is_none() || before.effect == after.effect, "{:?} became {:?}", before, after);
        }
    }

    #[test]
    fn a_line_is_allowed_only_if_each_of_its_commands_is(
        rules in some_rules(), first in a_command(), second in a_command(),
        connector in prop::sample::select(vec![";", "&&", "||", "|", "&", "\n", "|&", "\\\n;"]),
    ) {
        let effect = |line: &str| judged(&shell::accesses(line), &rules, &who()).effect;
        let both = effect(&format!("{first} {connector} {second}"));
        prop_assert_eq!(both, effect(&first).max(effect(&second)));
    }

    #[test]
    fn always_allows_what_it_was_offered_for(rules in some_rules(), command in a_command()) {
        let accesses = shell::accesses(&command);
        let Some(new) = always_for(&accesses, &rules, &who(), &Scope::Team) else { return Ok(()) };
        let mut more = rules.clone();
        more.extend(new.into_iter().enumerate().map(|(i, rule)| rule.into_rule(RuleId::new(format!("n{i}")), None, Micros(0))));
        prop_assert_eq!(judged(&accesses, &more, &who()).effect, Effect::Allow);
    }

    #[test]
    fn a_rule_reads_as_it_is_shown(rule in a_rule(), agent in "[a-z0-9-]{1,9}", scoped in any::<bool>()) {
        let mut rule = rule;
        if scoped {
            rule.scope = Scope::Agent(AgentId::new(agent));
        }
        let read = parse_rule(&rule.to_string()).unwrap();
        prop_assert_eq!(read.to_string(), rule.to_string());
        // Only what asks has them, and a viewer approves nothing.
        let asked = match rule.effect {
            Effect::Ask => {
                // Several persons are always of a role.
                let role = rule.approvers.or(rule.persons.map(|_| Role::Operator));
                (role.map(|role| role.max(Role::Operator)), rule.expires_after_s, rule.persons, rule.escalate_after_s)
            }
            Effect::Allow | Effect::Deny => (None, None, None, None),
        };
        prop_assert_eq!((read.approvers, read.expires_after_s, read.persons, read.escalate_after_s), asked);
        prop_assert_eq!((read.effect, read.resource), (rule.effect, rule.resource));
        prop_assert_eq!((read.matcher, read.except, read.scope), (rule.matcher, rule.except, rule.scope));
    }

    #[test]
    fn an_expiry_is_read_or_refused(text in "[0-9]{0,12}[a-zäµ ]{0,3}|\\PC{0,6}") {
        if let Ok(seconds) = parse_expiry(&text) {
            prop_assert!((60..=2_592_000).contains(&seconds), "{seconds}");
        }
    }
}
