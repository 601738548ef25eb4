//! Commands that start other commands, and commands whose effect cannot be read from their words.
//!
//! A wrapper that only passes on (`env`, `nice`, `timeout`, …) is looked through and does not count itself; one that gives
//! more rights or does work of its own (`sudo`, `find`) counts too. Wrappers with options unknown here are opaque.

use super::{
    ShellLine, assign,
    options::{Options, Parsed},
    reach::{Arg, command as reach_command, record, script},
};

/// Builtins that run text, or change what later names mean.
const RUNS_TEXT: [&str; 19] = [
    "eval",
    "source",
    ".",
    "trap",
    "alias",
    "unalias",
    "hash",
    "enable",
    "let",
    "mapfile",
    "readarray",
    "bind",
    "complete",
    "compgen",
    "compopt",
    "fc",
    "coproc",
    "shopt",
    "unset",
];
const DECLARES: [&str; 5] = ["export", "declare", "typeset", "local", "readonly"];
const INTERPRETERS: [&str; 10] = [
    "python", "pypy", "perl", "ruby", "node", "nodejs", "php", "lua", "tclsh", "deno",
];

/// Adds `args`, whose first word is the command `name`, and what it starts.
pub(super) fn command(name: &str, args: &[Arg], depth: usize, out: &mut ShellLine) {
    match name {
        "sh" | "bash" | "dash" | "ash" => shell(args, depth, out),
        "ksh" | "zsh" | "fish" | "csh" | "tcsh" => {
            opaque(args, "another shell's language is not read", out)
        }
        "find" => find(args, depth, out),
        "xargs" => xargs(args, depth, out),
        "env" => env(args, depth, out),
        "sudo" | "doas" => sudo(args, depth, out),
        "busybox" | "toybox" => {
            record(args, out);
            reach_command(&args[1..], depth + 1, out);
        }
        "command" if args.get(1).is_some_and(|arg| arg.is("-v") || arg.is("-V")) => {
            record(args, out)
        }
        "read" | "getopts" => assigning(args, out),
        "printf"
            if args
                .iter()
                .any(|arg| arg.text.as_ref().is_some_and(|text| text.starts_with("-v"))) =>
        {
            assigning(args, out)
        }
        _ if RUNS_TEXT.contains(&name) => {
            opaque(args, "what it runs or redefines is not read", out)
        }
        _ if DECLARES.contains(&name) => declares(args, out),
        _ if INTERPRETERS
            .contains(&name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')) =>
        {
            interpreter(args, out)
        }
        _ => match passes_on(name) {
            Some(options) => pass_on(name, &options, args, depth, out),
            None => record(args, out),
        },
    }
}

fn opaque(args: &[Arg], why: &str, out: &mut ShellLine) {
    record(args, out);
    let name = args.first().map_or("", |arg| arg.source.as_str());
    out.opaque.push(format!("{name}: {why}"));
}

/// Wrappers that are nothing but the command after them.
fn passes_on(name: &str) -> Option<Options> {
    let none = Options {
        flags: "",
        values: "",
        long_flags: &[],
        long_values: &[],
    };
    Some(match name {
        "command" | "time" => Options { flags: "p", ..none },
        "exec" | "builtin" | "nohup" => none,
        "nice" => Options {
            values: "n",
            long_values: &["adjustment"],
            ..none
        },
        "setsid" => Options {
            flags: "cfw",
            long_flags: &["ctty", "fork", "wait"],
            ..none
        },
        "stdbuf" => Options {
            values: "ioe",
            long_values: &["input", "output", "error"],
            ..none
        },
        "ionice" => Options {
            flags: "t",
            values: "cn",
            long_values: &["class", "classdata"],
            ..none
        },
        "timeout" => Options {
            flags: "v",
            values: "ks",
            long_flags: &["preserve-status", "foreground", "verbose"],
            long_values: &["kill-after", "signal"],
        },
        _ => return None,
    })
}

fn pass_on(name: &str, options: &Options, args: &[Arg], depth: usize, out: &mut ShellLine) {
    let Some(Parsed { rest, .. }) = options.parse(&args[1..]) else {
        return opaque(args, "its options are not understood", out);
    };
    let rest = match rest.split_first() {
        Some((duration, after)) if name == "timeout" => {
            if duration.text.is_none() {
                return opaque(args, "its first word is only known when it runs", out);
            }
            after
        }
        _ => rest,
    };
    reach_command(rest, depth + 1, out);
}

/// `sh -c script`, `sh file`, or `sh` with a script from its input.
fn shell(args: &[Arg], depth: usize, out: &mut ShellLine) {
    let (mut from_text, mut rest) = (false, &args[1..]);
    while let Some((arg, after)) = rest.split_first() {
        let Some(text) = &arg.text else {
            return opaque(args, "what it runs is only known when it runs", out);
        };
        if text == "--" {
            rest = after;
            break;
        }
        if !text.starts_with(['-', '+']) {
            break;
        }
        if !text.starts_with('-')
            || text.len() < 2
            || !text[1..].chars().all(|c| "ceuxfvn".contains(c))
        {
            return opaque(args, "its options are not understood", out);
        }
        from_text |= text.contains('c');
        rest = after;
    }
    match rest.first() {
        Some(Arg {
            text: Some(text),
            verbatim: true,
            ..
        }) if from_text => {
            if let Err(error) = script(text, depth + 1, out) {
                opaque(args, &error.to_string(), out);
            }
        }
        Some(Arg {
            text: Some(file),
            verbatim: true,
            ..
        }) if !from_text && !file.starts_with("/dev/") && !file.starts_with("/proc/") => {
            record(args, out);
        }
        Some(_) => opaque(args, "what it runs is only known when it runs", out),
        None => opaque(args, "it runs what it reads from its input", out),
    }
}

fn interpreter(args: &[Arg], out: &mut ShellLine) {
    let rest = &args[1..];
    let from_input = |arg: &Arg| arg.is("-") || arg.is("/dev/stdin") || arg.is("/dev/fd/0");
    let said = |arg: &Arg| {
        let text = arg.text.as_deref().unwrap_or("");
        !text.starts_with('-')
            || ["-c", "-e", "-m", "-p", "-r", "-v", "-V", "-h"].contains(&text)
            || text.starts_with("--")
    };
    if rest.iter().any(from_input) || !rest.iter().any(said) {
        return opaque(args, "it runs what it reads from its input", out);
    }
    record(args, out);
}

/// `find` counts with all its words, and so does each command that it runs.
fn find(args: &[Arg], depth: usize, out: &mut ShellLine) {
    record(args, out);
    let mut rest = &args[1..];
    while let Some((arg, after)) = rest.split_first() {
        rest = after;
        if ["-exec", "-execdir", "-ok", "-okdir"]
            .iter()
            .any(|action| arg.is(action))
        {
            let ends =
                |i: usize| rest[i].is(";") || (rest[i].is("+") && i > 0 && rest[i - 1].is("{}"));
            let end = (0..rest.len()).find(|i| ends(*i)).unwrap_or(rest.len());
            let started: Vec<Arg> = rest[..end].iter().map(|arg| filled_in(arg, "{}")).collect();
            reach_command(&started, depth + 1, out);
            rest = &rest[end..];
        }
    }
}

/// A word in which the wrapper puts a name in the place of `mark`.
fn filled_in(arg: &Arg, mark: &str) -> Arg {
    match &arg.text {
        Some(text) if text.contains(mark) => Arg::unknown(&arg.source),
        _ => arg.clone(),
    }
}

/// The command gets further words from the input, or in the place of `-I`'s mark.
fn xargs(args: &[Arg], depth: usize, out: &mut ShellLine) {
    let options = Options {
        flags: "0rtpxo",
        values: "InPLsdaE",
        long_flags: &["null", "no-run-if-empty", "verbose", "exit"],
        long_values: &[
            "max-args",
            "max-procs",
            "max-chars",
            "delimiter",
            "arg-file",
        ],
    };
    let Some(Parsed { values, rest }) = options.parse(&args[1..]) else {
        return opaque(args, "its options are not understood", out);
    };
    let mark = values
        .iter()
        .rev()
        .find(|(option, _)| option == "I")
        .map(|(_, mark)| mark.as_str());
    if mark == Some("") {
        return opaque(args, "its options are not understood", out);
    }
    let mut started: Vec<Arg> = match (rest, mark) {
        ([], _) => vec![Arg {
            text: Some("echo".to_owned()),
            source: "echo".to_owned(),
            verbatim: true,
        }],
        (words, Some(mark)) => words.iter().map(|arg| filled_in(arg, mark)).collect(),
        (words, None) => words.to_vec(),
    };
    if mark.is_none() || rest.is_empty() {
        started.push(Arg::unknown("…"));
    }
    reach_command(&started, depth + 1, out);
}

fn env(args: &[Arg], depth: usize, out: &mut ShellLine) {
    let options = Options {
        flags: "i0v",
        values: "u",
        long_flags: &["ignore-environment", "null", "debug"],
        long_values: &["unset"],
    };
    let Some(Parsed { rest, .. }) = options.parse(&args[1..]) else {
        return opaque(args, "its options are not understood", out);
    };
    let rest = match rest.split_first() {
        Some((dash, after)) if dash.is("-") => after,
        _ => rest,
    };
    let rest = settings(rest, out);
    if rest.is_empty() {
        record(args, out)
    } else {
        reach_command(rest, depth + 1, out)
    }
}

/// Passes over `NAME=value` words.
fn settings<'a>(mut rest: &'a [Arg], out: &mut ShellLine) -> &'a [Arg] {
    while let Some((arg, after)) = rest.split_first() {
        let Some((name, _)) = arg.source.split_once('=') else {
            break;
        };
        if !assign::harmless_for_a_command(name) {
            out.opaque
                .push(format!("setting {name} can change what commands do"));
        }
        rest = after;
    }
    rest
}

fn sudo(args: &[Arg], depth: usize, out: &mut ShellLine) {
    record(args, out);
    let options = Options {
        flags: "EnHSkbPA",
        values: "ughpCrtTU",
        long_flags: &["preserve-env", "non-interactive", "set-home", "stdin"],
        long_values: &["user", "group", "prompt"],
    };
    match options.parse(&args[1..]) {
        Some(Parsed { rest, .. }) => {
            let rest = settings(rest, out);
            reach_command(rest, depth + 1, out);
        }
        None => out
            .opaque
            .push("sudo: its options are not understood".to_owned()),
    }
}

/// `export NAME=value` and the like.
fn declares(args: &[Arg], out: &mut ShellLine) {
    let harmless = |arg: &Arg| {
        arg.text.is_some()
            && assign::harmless_for_a_command(arg.source.split('=').next().unwrap_or(""))
    };
    if args[1..].iter().all(harmless) {
        record(args, out)
    } else {
        opaque(args, "it can change what commands do", out)
    }
}

/// `read name`: the names that it sets.
fn assigning(args: &[Arg], out: &mut ShellLine) {
    let harmless = |arg: &Arg| {
        arg.text.as_deref().is_some_and(|text| {
            text == "-r" || (assign::is_name(text) && assign::harmless_in_the_shell(text))
        })
    };
    if args[1..].iter().all(harmless) {
        record(args, out)
    } else {
        opaque(args, "it can change what commands do", out)
    }
}
