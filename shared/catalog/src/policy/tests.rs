//! Every policy by example: a command line and the verdict it must get. Lines that look harmless and are not matter most.

use super::*;
use domain::{
    id::{AgentId, MemberId},
    permission::{Access, Rules, Subject},
    shell,
};

const ALL: [&str; 4] = ["ask-first", "read-only", "development", "full-access"];

fn verdict(preset: &str, accesses: &[Access]) -> domain::permission::Verdict {
    let presets = policies().unwrap_or_else(|e| panic!("{e}"));
    let preset = presets.iter().find(|p| p.name == preset).unwrap();
    let rules = Rules::new(preset.rules.iter().cloned());
    let who = Subject {
        agent: AgentId::from("a"),
        member: MemberId::from("m"),
    };
    rules.judge(accesses, &who, preset.otherwise)
}

/// Checks lines against verdicts in the order of `ALL`: `a` allow, `?` ask, `x` deny.
fn table(rows: &[(&str, &str)]) {
    for (expected, line) in rows {
        let effects: String = ALL
            .iter()
            .map(|preset| letter(verdict(preset, &shell::accesses(line)).effect))
            .collect();
        assert_eq!(effects, *expected, "{line}");
    }
}

fn letter(effect: Effect) -> char {
    match effect {
        Effect::Allow => 'a',
        Effect::Ask => '?',
        Effect::Deny => 'x',
    }
}

#[test]
fn harmless_lines_run_everywhere() {
    table(&[
        ("aaaa", "ls"),
        ("aaaa", "ls -la src *.txt"),
        ("aaaa", "/bin/ls"),
        ("aaaa", "\"ls\""),
        ("aaaa", "l\\s"),
        ("aaaa", "cat README.md | head -20 | wc -l"),
        ("aaaa", "cat < notes.md"),
        ("aaaa", "grep -rn 'a|b; rm x' src || echo none"),
        ("aaaa", "rg -n foo src"),
        ("aaaa", "find . -name '*.rs' -not -path './target/*'"),
        ("aaaa", "sort -u -k2 names | uniq -c"),
        ("aaaa", "git status --short && git log --oneline -5"),
        ("aaaa", "git --no-pager diff HEAD~1 -- src/lib.rs"),
        ("aaaa", "git show HEAD@{1}:a.rs"),
        ("aaaa", "for f in a b; do echo \"$f\"; done"),
        ("aaaa", "if [ -f a ]; then cat a; else echo 'no a'; fi"),
        ("aaaa", "n=5; head -n $n a"),
        ("aaaa", "ls 2>/dev/null >&2"),
        ("aaaa", "cat <<'E'\n$(rm x)\nE"),
        ("aaaa", "sh -c 'ls; pwd'"),
        ("aaaa", "ls | xargs -n1 wc -l"),
        ("aaaa", "env LANG=C sort a"),
        ("aaaa", "timeout 5 du -sh ."),
        ("aaaa", "date +%F; date -u; uname -a; true"),
        ("aaaa", "cd src && ls # rm x"),
        ("aaaa", "set -euo pipefail; ls"),
        ("aaaa", "! test -d a"),
        ("aaaa", "command -v cargo"),
        ("aaaa", "echo a > /dev/null"),
    ]);
}

#[test]
fn what_hides_behind_something_harmless_is_seen() {
    table(&[
        ("?x?a", "ls; rm -rf /"),
        ("?x?a", "ls && rm x"),
        ("?x?a", "true || rm x"),
        ("?x?a", "ls & rm x"),
        ("?x?a", "ls | rm x"),
        ("?x?a", "ls\nrm x"),
        ("?x?a", "ls #\nrm x"),
        ("?x?a", "ls # \\\nrm x"),
        ("?x?a", "ls $(rm x)"),
        ("?x?a", "ls `rm x`"),
        ("?x?a", "ls \"${x:-$(rm x)}\""),
        ("?x?a", "cat <(rm x)"),
        ("?x?a", "echo a > >(rm x)"),
        ("?x?a", "cat <<E\n$(rm x)\nE"),
        ("?x?a", "cat <<< $(rm x)"),
        ("?x?a", "x=$(rm x)"),
        ("?x?a", "(ls; (rm x))"),
        ("?x?a", "( ( rm x ) )"),
        ("?x?a", "{ ls; rm x; }"),
        ("?x?a", "if ls; then rm x; fi"),
        ("?x?a", "case a in a) rm x;; esac"),
        ("?x?a", "while true; do rm x; done"),
        ("?x?a", "ls() { rm x; }; ls"),
        ("?x?a", "sh -c \"ls; rm x\""),
        ("?x?a", "bash -c 'sh -c \"rm x\"'"),
        ("?x?a", "env rm x"),
        ("?x?a", "env LANG=C nice -n 3 nohup rm x"),
        ("?x?a", "command rm x"),
        ("?x?a", "exec rm x"),
        ("?x?a", "time rm x"),
        ("?x?a", "ls | xargs rm"),
        ("?x?a", "ls | xargs -I{} sh -c 'rm {}'"),
        ("?x?a", "echo -delete | xargs find ."),
        ("?x?a", "ls\\\n; rm x"),
        ("?x?a", "./ls"),
        ("?x?a", "/tmp/ls"),
        ("?x?a", "$'ls'"),
        ("?x?a", "$LS"),
        ("?x?a", "l?"),
        ("?x?a", "{rm,x}"),
        ("?x?a", "eval ls"),
        ("?x?a", "curl x | sh"),
        ("?x?a", "echo 'rm x' | bash"),
        ("?x?a", "((rm x))"),
        ("?x?a", "echo $((a[$(rm x)]))"),
        ("?x?a", "test -v 'a[$(rm x)]'"),
        ("?x?a", "printf -v 'a[$(rm x)]' b"),
        ("?x?a", "echo >&'$(rm x)'"),
        ("?x?a", "echo $'a\\'; rm x; #'"),
        ("?x?a", "echo a &> f rm x"),
        ("?x?a", "ls 'unclosed"),
        ("?x?a", "ls\0rm x"),
        ("?x?a", "alias ls=rm\nls x"),
        ("?x?a", "trap 'rm x' EXIT; ls"),
    ]);
}

#[test]
fn options_and_settings_that_write_or_start_programs_ask() {
    table(&[
        ("?x?a", "find . -delete"),
        ("?x?a", "find . -exec rm {} \\;"),
        ("?x?a", "find . -exec ls {} +"),
        ("?x?a", "find . -fprintf out x"),
        ("?x?a", "find . $X"),
        ("?x?a", "find *"),
        ("?x?a", "find . -{delete,print}"),
        ("?x?a", "find . -del\\ete"),
        ("?x?a", "sort -o out a"),
        ("?x?a", "sort -uoout a"),
        ("?x?a", "sort --outp=out a"),
        ("?x?a", "sort --compress-program=rm a"),
        ("?x?a", "uniq a b"),
        ("?x?a", "rg --pre rm x"),
        ("?x?a", "date -s 2020-01-01"),
        ("?x?a", "git -c core.pager=x log"),
        ("?x?a", "git -C /elsewhere status"),
        ("?x?a", "git log --output=x"),
        ("?x?a", "git diff --ext-diff"),
        ("?x?a", "git diff --ou x"),
        ("?x?a", "git grep -Orm x"),
        ("?x?a", "git branch -D main"),
        ("?x?a", "PATH=. ls"),
        ("?x?a", "GIT_EXTERNAL_DIFF=rm git diff"),
        ("?x?a", "LD_PRELOAD=./x.so ls"),
        ("?x?a", "PATH=.; ls"),
        ("?x?a", "for PATH in .; do ls; done"),
        ("?x?a", "env -S 'rm x' ls"),
        ("?x?a", "sed -i s/a/b/ x"),
        ("?x?a", "awk 'BEGIN{system(\"rm x\")}'"),
        ("?x?a", "python3 -c 'import os'"),
        ("?x?a", "chmod +x a"),
        ("?x?a", "mv a b"),
        ("?x?a", "git push"),
        ("?x?a", "npm install x"),
        ("?x?a", "curl https://example.org"),
    ]);
}

#[test]
fn development_writes_and_builds_in_the_workspace() {
    table(&[
        ("?xaa", "cargo test -p domain 2>&1 | tail -5"),
        ("?xaa", "cargo fmt && cargo clippy --all-targets"),
        ("?xaa", "npm run build"),
        ("?xaa", "python3 -m pytest -q"),
        ("?xaa", "make -j4 test"),
        ("?xaa", "go test ./..."),
        ("?xaa", "mkdir -p a/b && touch a/b/c"),
        ("?xaa", "git add -A && git commit -m 'what it does'"),
        ("?xaa", "echo x > out.txt"),
        ("?x?a", "cat a >> ./b/../b.txt"),
        ("?x?a", "echo x > .git/hooks/pre-commit"),
        ("?x?a", "echo x > ./sub/.git/config"),
        ("?x?a", "cd .git && echo x > config"),
        ("?x?a", "echo KEY=1 > .env.local"),
        ("?x?a", "echo x > certs/server.pem"),
        ("?x?a", "echo x > /etc/passwd"),
        ("?x?a", "echo x > ../outside"),
        ("?x?a", "echo x > ~/.bashrc"),
        ("?x?a", "echo x > $F"),
        ("?x?a", "touch .git/index.lock"),
        ("?x?a", "git commit --amend -m x"),
        ("?x?a", "git commit -anm x"),
        ("?x?a", "cargo --config a=b test"),
        ("?x?a", "cargo test --config build.rustc-wrapper='x'"),
        ("?x?a", "go test -exec rm ./..."),
        ("?x?a", "cargo publish"),
        ("?x?a", "RUSTC_WRAPPER=x cargo build"),
        ("?xaa", "RUST_BACKTRACE=1 cargo test"),
    ]);
}

#[test]
fn more_rights_are_denied() {
    table(&[
        ("?xxx", "sudo ls"),
        ("?xxx", "ls; /usr/bin/sudo -n rm x"),
        ("?xxx", "env sudo ls"),
        ("?xxx", "sh -c 'su -c ls'"),
        ("?xxa", "mount /dev/sda1 /mnt"),
        ("?xxa", "chroot . ls"),
    ]);
}

#[test]
fn resources_besides_the_shell() {
    let rows = [
        ("aaaa", Access::FileRead("src/lib.rs".into())),
        ("?x?a", Access::FileRead("../secret".into())),
        ("?xaa", Access::FileWrite("src/lib.rs".into())),
        ("?x?a", Access::FileWrite(".git/config".into())),
        ("?x?a", Access::Host("example.org".into())),
        ("aaaa", Access::Tool("ask_person".into())),
        ("?x?a", Access::Tool("send_mail".into())),
        ("?x??", Access::Spend("images".into())),
        ("?x??", Access::SelfChange("agents/coder".into())),
    ];
    for (expected, access) in rows {
        let effects: String = ALL
            .iter()
            .map(|p| letter(verdict(p, std::slice::from_ref(&access)).effect))
            .collect();
        assert_eq!(effects, expected, "{access}");
    }
    let spend = verdict("full-access", &[Access::Spend("images".into())]);
    assert_eq!(
        (spend.approvers, spend.rule),
        (Some(Role::Owner), Some(RuleId::from("full-access-2")))
    );
}

#[test]
fn rules_have_their_own_ids_and_reasons() {
    for preset in policies().unwrap() {
        let mut ids: Vec<&str> = preset.rules.iter().map(|rule| rule.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), preset.rules.len(), "{}", preset.name);
        assert!(
            preset
                .rules
                .iter()
                .all(|rule| rule.note.ends_with('.') && rule.check().is_ok()),
            "{}",
            preset.name
        );
    }
    let because = verdict("development", &shell::accesses("ls")).because;
    assert_eq!(because, "rule ask-first-4: allow shell_exec “ls *”");
}

#[test]
fn a_wrong_file_is_named_with_its_rule() {
    let read = |text: &str| read("policies/x.yaml", text, &[]).unwrap_err().to_string();
    let file = |otherwise: &str, rule: &str| {
        format!(
            "name: x\ndescription: d\notherwise: {otherwise}\ngroups:\n  - why: w\n    rules: [{rule}]\n"
        )
    };
    assert!(
        read(&file("ask", "permit x"))
            .starts_with("policies/x.yaml: the rule “permit x” is wrong: ")
    );
    assert!(read(&file("allow", "allow *")).contains("ask or deny"));
    assert!(read(&format!("{}extends: y\n", file("ask", "allow *"))).contains("extends y"));
    assert!(read(&format!("{}more: y\n", file("ask", "allow *"))).starts_with("policies/x.yaml: "));
}
