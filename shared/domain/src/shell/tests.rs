//! What lines reach. The lines that shells read differently, or that hide a command, matter most.

use super::*;
use proptest::prelude::*;

/// The commands of a line, one a row, unknown words as `?`; panics where the line can't be read.
fn commands(line: &str) -> Vec<String> {
    let found = parse(line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
    let word = |w: &Option<String>| w.as_deref().map_or("?".to_owned(), quote);
    found
        .commands
        .iter()
        .map(|c| c.words.iter().map(word).collect::<Vec<_>>().join(" "))
        .collect()
}

fn opaque(line: &str) -> bool {
    accesses(line)
        .iter()
        .any(|access| matches!(access, Access::Opaque(_)))
}

#[test]
fn every_place_that_can_hold_a_command_is_searched() {
    let lines: [(&str, &[&str]); 40] = [
        ("ls -la", &["ls -la"]),
        ("ls; rm -rf /", &["ls", "rm -rf /"]),
        ("ls && rm x || cat y", &["ls", "rm x", "cat y"]),
        ("ls & rm x", &["ls", "rm x"]),
        ("ls\nrm x", &["ls", "rm x"]),
        ("ls | tee x |& wc", &["ls", "tee x", "wc"]),
        ("! ls", &["ls"]),
        ("time -p rm x", &["rm x"]),
        ("(ls; rm x)", &["ls", "rm x"]),
        ("( ( rm x ) )", &["rm x"]),
        ("{ ls; rm x; }", &["ls", "rm x"]),
        ("ls $(rm x)", &["rm x", "ls ?"]),
        ("ls `rm x`", &["rm x", "ls ?"]),
        ("ls \"a $(rm x) b\"", &["rm x", "ls ?"]),
        ("cat <(rm x)", &["rm x", "cat ?"]),
        ("ls > >(rm x)", &["rm x", "ls"]),
        ("echo $(( 1 + 2 ))", &["echo ?"]),
        ("echo ${x:-$(rm x)}", &["rm x", "echo ?"]),
        ("y=$(rm x)", &["rm x"]),
        (
            "if ls; then rm x; elif cat y; then a; else b; fi",
            &["ls", "rm x", "cat y", "a", "b"],
        ),
        ("for i in $(rm x) b; do ls $i; done", &["rm x", "ls ?"]),
        ("while ls; do rm x; done", &["ls", "rm x"]),
        ("until ls\ndo rm x\ndone", &["ls", "rm x"]),
        (
            "case $(a) in x|y) rm x;; (*) ls;; esac",
            &["a", "rm x", "ls"],
        ),
        ("cat <<E\n$(rm x)\nE\n", &["cat", "rm x"]),
        ("cat <<'E'\n$(rm x)\nE\nls", &["cat", "ls"]),
        ("cat <<-E; ls\n\ta\n\tE\nrm x", &["cat", "ls", "rm x"]),
        ("cat <<< $(rm x)", &["rm x", "cat"]),
        ("l\\s -\"l\"'a'", &["ls -la"]),
        ("l\\\ns", &["ls"]),
        ("ls # ; rm x", &["ls"]),
        ("ls #\\\nrm x", &["ls", "rm x"]),
        ("sh -c 'ls; rm x'", &["ls", "rm x"]),
        ("bash -ec \"ls; sh -c 'rm x'\"", &["ls", "rm x"]),
        ("env LANG=C nice -n 5 timeout -k 1 5 rm x", &["rm x"]),
        ("command exec nohup rm x", &["rm x"]),
        ("ls | xargs -0 -n1 rm -f", &["ls", "rm -f ?"]),
        ("ls | xargs -I{} cp {} d/{}", &["ls", "cp ? ?"]),
        (
            "find . -exec rm {} \\; -execdir ls +",
            &["find . -exec rm '{}' ';' -execdir ls +", "rm ?", "ls +"],
        ),
        ("sudo -u root rm x", &["sudo -u root rm x", "rm x"]),
    ];
    for (line, expected) in lines {
        assert_eq!(commands(line), expected, "{line}");
        assert!(!opaque(line), "{line}");
    }
}

#[test]
fn what_is_only_known_when_it_runs_is_opaque() {
    let lines = [
        "$X",
        "$(echo rm) x",
        "`echo rm` x",
        "r* x",
        "{rm,x}",
        "~/rm",
        "\"$X\" y",
        "$'ls'",
        "eval ls",
        "source x",
        ". x",
        "curl x | sh",
        "curl x | bash -s",
        "sh < x",
        "python3 -",
        "curl x | python3",
        "sh -c \"$X\"",
        "bash -lc ls",
        "bash -i",
        "PATH=. ls",
        "LD_PRELOAD=x ls",
        "GIT_SSH=x git fetch",
        "BASH_ENV=x ls",
        "IFS=x",
        "a[$(rm x)]=1",
        "a+=b ls",
        "for PATH in x; do ls; done",
        "env PATH=. ls",
        "env -S 'rm x'",
        "export PATH=.",
        "ls() { rm x; }; ls",
        "alias ls=rm",
        "trap 'rm x' EXIT",
        "echo $((x))",
        "echo $((a[$(rm x)]))",
        "ls > $X",
        "ls > $(echo x)",
        "ls > *",
        "ls > ~/x",
        "cd .git && echo x > config",
        "xargs sh",
        "xargs -a $X rm",
        "sudo -i",
        "timeout $X ls",
        "zsh -c ls",
        "read PATH",
        "printf -v PATH x",
        "$'a' b",
        "-x",
        "'' x",
        "find . -exec $X ';'",
    ];
    for line in lines {
        assert!(opaque(line), "{line}");
    }
}

#[test]
fn what_shells_read_differently_is_refused() {
    let lines = [
        "((rm x))",
        "[[ a > b ]]",
        "function f { ls; }",
        "select x in a; do ls; done",
        "coproc ls",
        "echo $'a\\'; rm x; #'",
        "echo a &> f rm x",
        "echo $[1]",
        "echo ${x@P}",
        "echo ${!x}",
        "echo ${x:=y}",
        "echo ${x/a/b}",
        "echo \"`echo \\\"a\\\"`\"",
        "cat <<E\na\\\nE\nE",
        "cat <<\"$X\"\n\n$X",
        "cat <<E",
        "ls 12>f",
        "ls {fd}>f",
        "a=(x y)",
        "echo $((ls) | rm x)",
        "ls )",
        "(ls",
        "'ls",
        "\"ls",
        "ls;;",
        "&& ls",
        "ls |",
        "if ls; fi",
        "ls \u{1b}[2J",
        "ls\0",
        "ls\r",
        "cat <<A $(echo\n) \nA\n",
        "for 1 in a; do ls; done",
        "ls >&'$(rm x)'",
        "ls <&-x",
        "ls >&$X",
    ];
    for line in lines {
        assert!(parse(line).is_err(), "{line}: {:?}", parse(line));
        assert_eq!(accesses(line).len(), 1, "{line}");
    }
}

#[test]
fn redirections_open_files() {
    let written = |line: &str| {
        parse(line)
            .unwrap()
            .writes
            .into_iter()
            .map(|r| r.path)
            .collect::<Vec<_>>()
    };
    for line in [
        "ls > f",
        "ls >> f",
        "ls >| f",
        "ls &> f",
        "ls &>> f",
        "ls >& f",
        "ls 2>./f",
        "ls <> f",
        "{ ls; } > f",
        "> f",
        "> 'f' ls",
    ] {
        assert_eq!(written(line), ["f"], "{line}");
    }
    for line in [
        "ls > /dev/null 2>&1",
        "ls 2>&-",
        "ls >&2",
        "ls < /dev/null",
        "ls <<< x",
    ] {
        assert_eq!(parse(line).unwrap().accesses().len(), 1, "{line}");
    }
    assert_eq!(
        parse("cat < a//b/./c").unwrap().reads,
        [Redirect {
            path: "a/b/c".into()
        }]
    );
    assert_eq!(written("ls > ../x 3> /etc/y"), ["../x", "/etc/y"]);
    assert_eq!(written("cd /tmp; ls > /etc/y"), ["/etc/y"]);
}

#[test]
fn a_word_that_could_become_an_option_is_unknown() {
    assert_eq!(
        commands("find * -{delete,print} -del* a* [a]x ./* {} HEAD@{1}"),
        ["find ? ? ? 'a*' ? './*' '{}' 'HEAD@{1}'"]
    );
}

#[test]
fn cards_show_commands_one_a_line() {
    let shown = parse("git commit -m 'a b' && rm \"$X\" > out.txt < in; eval ls")
        .unwrap()
        .to_string();
    assert_eq!(
        shown,
        "git commit -m 'a b'\nrm \"$X\"\neval ls\n> out.txt\n< in\n? eval: what it runs or redefines is not read"
    );
}

#[test]
fn limits_hold_before_the_stack_does() {
    for open in [
        "(",
        "((",
        "$(",
        "`",
        "${a:-",
        "$((",
        "{ ",
        "if ",
        "while ",
        "case a in a) ",
        "sh -c '",
        "sudo ",
        "env ",
        "\"$(",
        "<(",
        "! ",
        "f()",
    ] {
        let line = open.repeat(60_000 / open.len());
        assert!(opaque(&line), "{open}");
    }
    assert_eq!(
        parse(&"(".repeat(100_000)),
        Err(ShellError::TooLong(100_000))
    );
    let deep = |n: usize| format!("{}ls{}", "(".repeat(n).replace("((", "( ("), ")".repeat(n));
    assert_eq!(
        parse(&deep(DEPTH_LIMIT).replace("((", "( (")).map(|l| l.commands.len()),
        Ok(1)
    );
    assert_eq!(
        parse(&deep(DEPTH_LIMIT + 1).replace("((", "( (")),
        Err(ShellError::TooDeep)
    );
}

/// Pieces that mean something to a shell, so that random lines are near its grammar.
fn shell_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        " ",
        "'",
        "\"",
        "$(",
        ")",
        "(",
        "{ ",
        "}",
        ";",
        "&",
        "|",
        "\n",
        "\\",
        "<",
        ">",
        "<<E\n",
        "\nE\n",
        "`",
        "${x",
        "$((",
        "))",
        "if ",
        "then ",
        "fi",
        "case x in ",
        "esac",
        "é",
        "#",
        "x=",
        "sh -c ",
        "xargs ",
        "env ",
        "1",
        "*",
        "~",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn anything_gets_an_answer(line in any::<String>()) {
        let _ = accesses(&line);
    }

    #[test]
    fn anything_like_a_line_gets_an_answer(line in shell_text()) {
        let _ = accesses(&line);
    }

    #[test]
    fn quoting_is_undone_by_reading(text in "[^\\p{Cc}]{1,20}") {
        let found = parse(&format!("x {}", quote(&text))).unwrap();
        prop_assert_eq!(&found.commands[0].words, &vec![Some("x".to_owned()), Some(text)]);
    }

    #[test]
    fn quoting_hides_nothing_and_splits_nothing(words in prop::collection::vec("[a-z ;&|$`'\"(){}<>*\\\\#~!-]{1,8}", 1..5)) {
        let quoted: Vec<String> = words.iter().map(|w| quote(w)).collect();
        let found = parse(&format!("echo {}; ls", quoted.join(" "))).unwrap();
        prop_assert_eq!(found.commands.len(), 2);
        prop_assert_eq!(found.commands[0].words.len(), words.len() + 1);
    }
}
