//! Laws of the rules, for any rules and anything that a call may touch: deny wins, order means nothing, who is narrower allows no more.

use super::*;
use proptest::strategy::ValueTree;

/// Anything that a call may touch.
fn accesses() -> impl Strategy<Value = Vec<Access>> {
    let path = prop::sample::select(vec![
        "a", "ab", "d/e", "./d//e", "d/.git/x", "d/f/e", "/d/e", "../a", "~/a", "x/../d/e", "",
    ]);
    let name = prop::sample::select(vec!["a", "ab", "a.b.c", "x.a.b.c", "b.c", "search_web"]);
    let one = prop_oneof![
        4 => a_command().prop_map(|line| shell::accesses(&line)),
        2 => path.prop_map(|path| vec![write(path), Access::FileRead(path.into())]),
        2 => name.prop_map(|name| {
            let name = || name.to_owned();
            vec![Access::Host(name()), Access::Tool(name()), Access::Spend(name())]
        }),
        1 => Just(vec![Access::Opaque("eval".into())]),
        1 => Just(vec![Access::Memory("a".into()), Access::SelfChange("a".into())]),
    ];
    prop::collection::vec(one, 0..3).prop_map(|accesses| accesses.concat())
}

/// Patterns, each with some that are narrower: they fit nothing that it doesn't.
const NARROWER: &[(&str, &[&str])] = &[
    (
        "*",
        &[
            "file_write",
            "file_read **",
            "shell_exec",
            "shell_exec a *",
            "network",
            "api_call a",
            "* except a",
        ],
    ),
    (
        "shell_exec",
        &["shell_exec a", "shell_exec a *", "shell_exec except -x"],
    ),
    (
        "file_write",
        &["file_write d/**", "file_write a", "file_write except d/**"],
    ),
    (
        "file_write **",
        &[
            "file_write d/*",
            "file_write **/e",
            "file_write ** except d/.git/**",
        ],
    ),
    (
        "file_write d/**",
        &[
            "file_write d/*",
            "file_write d/e",
            "file_write d/** except d/e",
            "file_write d/* except a",
        ],
    ),
    (
        "network",
        &["network *.b.c", "network b.c", "network except a.b.c"],
    ),
    (
        "network *.b.c",
        &[
            "network a.b.c",
            "network *.a.b.c",
            "network *.b.c except a.b.c",
        ],
    ),
    ("api_call", &["api_call a*", "api_call search_*"]),
    (
        "api_call a*",
        &["api_call a", "api_call ab", "api_call a*b"],
    ),
];

/// A command's pattern, and one that fits less: each of its words may be said more exactly, the last `*` too, or left out.
fn narrower_command() -> impl Strategy<Value = (String, String)> {
    let word = |words: &[&'static str]| {
        let more_exactly = any::<prop::sample::Index>();
        (
            prop::sample::select(words.to_vec()),
            more_exactly,
            any::<bool>(),
        )
    };
    let name = word(&["a", "b", "*", "a*"]);
    let words = prop::collection::vec(word(&["a", "b", "*", "-*", "-x", "a*"]), 0..3);
    let end = prop::option::of(prop::sample::select(vec![
        "",
        " *",
        " a",
        " -x *",
        " -*",
        " * *",
        " * except -x",
    ]));
    (name, words, end).prop_map(|(name, mut words, end)| {
        words.insert(0, name);
        let narrow = |word: &str, pick: &prop::sample::Index| {
            let fewer: &[&str] = match word {
                "*" => &["a", "-x", "a*", "*b", "-*"],
                "-*" => &["-x", "-xy", "-*y"],
                "a*" => &["a", "ab", "a*b"],
                _ => return word.to_owned(),
            };
            (*pick.get(fewer)).to_owned()
        };
        // A `*` at the end would fit any further words, so it comes from `end` alone.
        let wide: Vec<&str> = words.iter().map(|(word, ..)| *word).collect();
        let exact = words.iter().map(|(word, pick, now)| match now {
            true => narrow(word, pick),
            false => (*word).to_owned(),
        });
        let (wide, exact) = (wide.join(" "), exact.collect::<Vec<_>>().join(" "));
        match end {
            None => (
                format!("shell_exec {wide} '*'"),
                format!("shell_exec {exact} '*'"),
            ),
            // The same for its own last word: it would be the end.
            Some("") if exact.ends_with('*') => (
                format!("shell_exec {wide} *"),
                format!("shell_exec {exact} *"),
            ),
            Some(end) => (
                format!("shell_exec {wide} *"),
                format!("shell_exec {exact}{end}"),
            ),
        }
    })
}

/// A rule's resource and pattern, and narrower ones.
fn narrower() -> impl Strategy<Value = (String, String)> {
    let listed = (prop::sample::select(NARROWER), any::<prop::sample::Index>())
        .prop_map(|((wide, narrow), pick)| ((*wide).to_owned(), (*pick.get(narrow)).to_owned()));
    let scoped = prop::sample::select(vec!["", "", " for agent coder", " for agent other"]);
    (prop_oneof![listed, narrower_command()], scoped)
        .prop_map(|((wide, narrow), scope)| (wide, narrow + scope))
}

fn with(rules: &[Rule], extra: &Rule) -> Vec<Rule> {
    let mut more = rules.to_vec();
    more.push(Rule {
        id: RuleId::from("zz"),
        ..extra.clone()
    });
    more
}

fn verdict(accesses: &[Access], rules: &[Rule], otherwise: Effect) -> Verdict {
    Rules::new(rules.iter().cloned()).judge(accesses, &who(), otherwise)
}

const OTHERWISE: [Effect; 2] = [Effect::Ask, Effect::Deny];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter(
        accesses in accesses(),
        (rules, turned) in some_rules().prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
    ) {
        for otherwise in OTHERWISE {
            prop_assert_eq!(verdict(&accesses, &rules, otherwise), verdict(&accesses, &turned, otherwise));
        }
        let mut turned = accesses.clone();
        turned.reverse();
        let of = |accesses: &[Access]| {
            let verdict = judged(accesses, &rules, &who());
            (verdict.effect, verdict.approvers, verdict.persons, verdict.expires_after_s, verdict.escalate_after_s)
        };
        prop_assert_eq!(of(&accesses), of(&turned));
    }

    /// Whatever else there is, a rule that denies when it is alone denies.
    #[test]
    fn a_deny_wins(accesses in accesses(), rules in some_rules(), (pattern, narrow) in narrower()) {
        for pattern in [pattern, narrow] {
            let deny = rule("d", &format!("deny {pattern}"));
            let alone = judged(&accesses, [&deny], &who());
            let among = judged(&accesses, &with(&rules, &deny), &who());
            prop_assert!(alone.effect != Effect::Deny || among.effect == Effect::Deny, "{pattern}: {among:?}");
        }
    }

    /// One more rule that asks or denies lets nothing through that was held.
    #[test]
    fn an_objection_never_allows(accesses in accesses(), rules in some_rules(), extra in a_rule(), deny in any::<bool>()) {
        let effect = if deny { Effect::Deny } else { Effect::Ask };
        let more = with(&rules, &Rule { effect, ..extra });
        for otherwise in OTHERWISE {
            let (before, after) = (verdict(&accesses, &rules, otherwise), verdict(&accesses, &more, otherwise));
            prop_assert!(after.effect != Effect::Allow || before.effect == Effect::Allow, "{before:?} became {after:?}");
            // Where nothing spoke and that means no, a rule that asks is a way to a yes, through a person.
            let holds = after.effect >= before.effect || (before.rule.is_none() && otherwise == Effect::Deny);
            prop_assert!(holds, "{before:?} became {after:?}");
        }
    }

    /// An allow with a narrower pattern allows no more; an ask or deny with a wider one objects to no less.
    #[test]
    fn a_narrower_rule_never_widens(accesses in accesses(), rules in some_rules(), (wide, narrow) in narrower()) {
        let effect = |effect: &str, pattern: &str| {
            let rule = rule("r", &format!("{effect} {pattern}"));
            judged(&accesses, &with(&rules, &rule), &who()).effect
        };
        let (narrowly, widely) = (effect("allow", &narrow), effect("allow", &wide));
        prop_assert!(narrowly >= widely, "allow {narrow}: {narrowly:?}; allow {wide}: {widely:?}");
        for objection in ["ask", "deny"] {
            let (narrowly, widely) = (effect(objection, &narrow), effect(objection, &wide));
            prop_assert!(narrowly <= widely, "{objection} {narrow}: {narrowly:?}; {objection} {wide}: {widely:?}");
        }
    }
}

/// The pairs are worth something only if the narrower ones fit less, and fit something.
#[test]
fn the_narrower_patterns_fit_less_and_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let touched = prop::collection::vec(accesses(), 400).new_tree(&mut runner);
    let touched = touched.unwrap().current().concat();
    let commands = prop::collection::vec(narrower_command(), 60).new_tree(&mut runner);
    let commands = commands.unwrap().current();
    // How much both allow, and how much only the wide one.
    let allowed = |wide: &str, narrow: &str| {
        let rules = [wide, narrow].map(|pattern| rule("a", &format!("allow {pattern}")));
        let [wide, narrow] = rules.map(|rule| {
            let fits = |access| judged(std::slice::from_ref(access), [&rule], &who()).effect;
            let fits = touched.iter().map(|access| fits(access) == Effect::Allow);
            fits.collect::<Vec<bool>>()
        });
        let both = narrow.iter().filter(|fits| **fits).count();
        let only_wide = wide
            .iter()
            .zip(&narrow)
            .filter(|(wide, narrow)| **wide && !**narrow);
        (both, only_wide.count())
    };
    for (wide, narrower) in NARROWER {
        for narrow in *narrower {
            let (both, only_wide) = allowed(wide, narrow);
            assert!(
                both > 0 && only_wide > 0,
                "{wide}: {narrow}: {both}, {only_wide}"
            );
        }
    }
    let fit = commands.iter().map(|(wide, narrow)| allowed(wide, narrow));
    let both_and_only_wide = fit.filter(|(both, only_wide)| *both > 0 && *only_wide > 0);
    let count = both_and_only_wide.count();
    assert!(count > 10, "{count} of {}", commands.len());
}
