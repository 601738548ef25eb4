use super::*;
use crate::text::card as card_text;
use domain::{
    Digest, MicroUsd,
    approval::{Approval, ApprovalStatus, Question, Shown},
    budget::{self, Ask, Part},
    card::Card,
    id::{ApprovalId, RunId},
    member::Role,
    permission::{Effect, Matcher, Resource, Rule, Scope},
    run::Limit,
    tool::ToolCall,
};
use ports::{Problem, message::Body};
use proptest::prelude::*;
use std::time::Duration;

const NOW: Micros = Micros(1_795_255_380_000_000); // 2026-11-21T10:03:00Z

fn approval(tool: &str, shown: Shown) -> Approval {
    Approval {
        id: ApprovalId::new("0199aabbccddeeff0011223344556677"),
        run: RunId::new("r"),
        session: "telegram:7".into(),
        agent: "coder".into(),
        agent_name: "coder".to_owned(),
        requester: "telegram:7".into(),
        requester_name: String::new(),
        call: ToolCall {
            id: "c1".into(),
            name: tool.to_owned(),
            arguments: serde_json::json!({}),
            malformed: None,
        },
        question: Question::Call,
        digest: Digest::of_bytes("x"),
        shown,
        change: None,
        repeats: false,
        budget: None,
        standing: false,
        always: Vec::new(),
        approvers: Role::Operator,
        persons: 1,
        votes: Vec::new(),
        sent: Vec::new(),
        unreachable: Vec::new(),
        escalate_after_s: None,
        reminded_at: None,
        status: ApprovalStatus::Pending,
        asked_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        decided_by: None,
        decided_for: None,
        decided_at: None,
        reason: String::new(),
    }
}

fn command() -> Approval {
    let shown = Shown {
        what: "git push origin main".to_owned(),
        why: "The fix is done.\nImpact: none at all".to_owned(),
        impact: "Sends commits to origin".to_owned(),
        rollback: "Push the old commit again".to_owned(),
        because: "no rule speaks about “git push origin main”".to_owned(),
        tainted_by: vec!["web: example.org".to_owned()],
        ..Shown::default()
    };
    let rule = Rule {
        id: "r1".into(),
        effect: Effect::Allow,
        resource: Resource::ShellExec,
        matcher: Matcher::Command("git push origin main".to_owned()),
        scope: Scope::Agent("coder".into()),
        except: Vec::new(),
        approvers: None,
        expires_after_s: None,
        persons: None,
        escalate_after_s: None,
        note: String::new(),
        created_by: None,
        created_at: NOW,
    };
    Approval {
        always: vec![rule],
        ..approval("run_command", shown)
    }
}

/// Each message as a person sees it, buttons with their data.
fn shown(messages: &[Outgoing]) -> String {
    messages
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join("\n=====\n")
}

fn one(message: &Outgoing) -> String {
    let rings = if message.rings { "🔔" } else { "🔕" };
    match &message.body {
        Body::Text { text, actions } => {
            let text = format!("{rings} {}\n{}", text.text, buttons(actions));
            text.trim_end().to_owned()
        }
        Body::Card { card } => format!("{rings} {}", with_buttons(card)),
        Body::EditCard { tag, card } => format!("edit {tag}\n{}", with_buttons(card)),
        Body::File {
            name,
            content,
            caption,
        } => format!("{rings} file {name} ({} bytes) {caption}", content.bytes()),
        other => format!("{other:?}"),
    }
}

fn with_buttons(card: &Card) -> String {
    format!("{}\n{}", card_text(card).text, buttons(&card.actions))
        .trim_end()
        .to_owned()
}

fn buttons(actions: &[Vec<Action>]) -> String {
    let rows = actions.iter().map(|row| {
        let row = row
            .iter()
            .map(|action| format!("[{} → {}]", action.label, action.data));
        row.collect::<Vec<_>>().join(" ")
    });
    let rows: Vec<String> = rows.collect();
    rows.join("\n")
}

fn present(notice: &Notice) -> Vec<Outgoing> {
    English.present(&"telegram:7".into(), notice, NOW, "Europe/Berlin")
}

fn ended(outcome: Outcome, answer: Option<&str>) -> Vec<Outgoing> {
    present(&Notice::RunEnded {
        run: RunId::new("r"),
        agent: "coder".to_owned(),
        outcome,
        answer: answer.map(Content::inline),
        cited: Vec::new(),
        took: Duration::from_secs(12),
        cost: MicroUsd(20_000),
        steps: 3,
    })
}

#[test]
fn a_command_card() {
    insta::assert_snapshot!(shown(&present(&Notice::ApprovalAsked { approval: command() })), @r#"
    🔔 coder wants to run a command

    Agent: coder
    Tool: run_command

    git push origin main

    Why (coder’s own words): “The fix is done. Impact: none at all”

    Impact: Sends commits to origin
    Rollback: Push the old commit again
    Because: no rule speaks about “git push origin main”
    Asked after reading: web: example.org
    Expires: 22 Nov 11:03 CET (24 h left)
    Always would add: allow shell_exec “git push origin main” for agent coder
    [Approve → ok:0199aabbccddeeff0011223344556677:2d711642] [Deny → no:0199aabbccddeeff0011223344556677:2d711642]
    [Modify → modify:0199aabbccddeeff0011223344556677:2d711642] [Always → always:0199aabbccddeeff0011223344556677:2d711642] [Details → details:0199aabbccddeeff0011223344556677]
    "#);
}

#[test]
fn a_card_shows_what_is_planned_and_the_word_for_it() {
    let shown_plan = Shown {
        plan: "show plan.out".to_owned(),
        capability: "deploy".to_owned(),
        diff: "1 to add\n".to_owned(),
        ..command().shown
    };
    let approval = approval("run_command", shown_plan);
    insta::assert_snapshot!(shown(&present(&Notice::ApprovalAsked { approval })), @r#"
    🔔 coder wants to run a command

    Agent: coder
    Tool: run_command

    git push origin main

    Capability: deploy (/approve deploy)
    Plan: show plan.out

    1 to add

    Why (coder’s own words): “The fix is done. Impact: none at all”

    Impact: Sends commits to origin
    Rollback: Push the old commit again
    Because: no rule speaks about “git push origin main”
    Asked after reading: web: example.org
    Expires: 22 Nov 11:03 CET (24 h left)
    [Approve → ok:0199aabbccddeeff0011223344556677:2d711642] [Deny → no:0199aabbccddeeff0011223344556677:2d711642]
    [Modify → modify:0199aabbccddeeff0011223344556677:2d711642] [Details → details:0199aabbccddeeff0011223344556677]
    "#);
}

#[test]
fn a_long_diff_hangs_on_the_card() {
    let lines: String = (0..200)
        .map(|n| format!("+line number {n} of the new text\n"))
        .collect();
    let shown_ = Shown {
        what: "edit_file src/lib.rs".to_owned(),
        diff: lines.clone(),
        attachment: Some(Content::inline(lines)),
        ..Shown::default()
    };
    let messages = present(&Notice::ApprovalAsked {
        approval: approval("edit_file", shown_),
    });
    let text = shown(&messages);
    let (beginning, end) = (&text[..160], &text[text.find("… ").unwrap()..]);
    insta::assert_snapshot!(format!("{beginning}\n[…]\n{end}"), @r#"
    🔔 coder wants to change a file

    Agent: coder
    Tool: edit_file

    edit_file src/lib.rs

    +line number 0 of the new text
    +line number 1 of the new text
    +line numbe
    […]
    … 87 more lines, in the file

    Why (coder’s own words): it gave no reason

    Expires: 22 Nov 11:03 CET (24 h left)
    [Approve → ok:0199aabbccddeeff0011223344556677:2d711642] [Deny → no:0199aabbccddeeff0011223344556677:2d711642]
    [Modify → modify:0199aabbccddeeff0011223344556677:2d711642] [Details → details:0199aabbccddeeff0011223344556677]
    =====
    🔕 file change.diff (6490 bytes) The whole of what approval 556677 is about.
    "#);
}

/// Names and bytes of the files on a card, and the card's text.
fn hangs_on(tool: &str, shown: Shown) -> (Vec<(String, u64)>, String) {
    let messages = present(&Notice::ApprovalAsked {
        approval: approval(tool, shown),
    });
    let Body::Card { card } = &messages[0].body else {
        panic!("no card first")
    };
    let file = |message: &Outgoing| match &message.body {
        Body::File { name, content, .. } => (name.clone(), content.bytes()),
        other => panic!("{other:?}"),
    };
    (
        messages[1..].iter().map(file).collect(),
        card_text(card).text,
    )
}

#[test]
fn a_file_hangs_once_on_the_card_named_by_what_it_is() {
    let file = |name: &str, bytes| vec![(name.to_owned(), bytes)];
    // Longer than a card, not than the record.
    let long = Shown {
        what: "echo words ".repeat(200),
        ..Shown::default()
    };
    let (files, _) = hangs_on("run_command", long);
    assert_eq!(files, file("command.sh", 2200));

    // Longer than the record: its beginning, and the whole in a file or in the blob store.
    let whole = "echo words ".repeat(2000);
    let beginning = format!("{}…", &whole[..1000]);
    let stored = Content::Stored {
        blob: Digest::of_bytes(&whole),
        bytes: 22_000,
        head: whole[..512].to_owned(),
    };
    for attachment in [Content::inline(&whole), stored] {
        let very_long = Shown {
            what: beginning.clone(),
            attachment: Some(attachment),
            ..Shown::default()
        };
        let (files, card) = hangs_on("run_command", very_long.clone());
        assert_eq!(files, file("command.sh", 22_000));
        assert!(card.contains(crate::text::en::MORE.trim()), "{card}");
        let details = details(&"telegram:7".into(), &approval("run_command", very_long));
        assert!(shown(&details).contains("file command.sh (22000 bytes)"));
    }

    let arguments = format!("{{\"text\": \"{}\"}}", "a".repeat(9000));
    let other = Shown {
        what: format!("{}…", &arguments[..1000]),
        attachment: Some(Content::inline(&arguments)),
        ..Shown::default()
    };
    let bytes = arguments.len() as u64;
    assert_eq!(
        hangs_on("send_mail", other).0,
        file("arguments.json", bytes)
    );
}

#[test]
fn a_long_path_and_a_long_change_are_two_files() {
    let diff = "+a line of the new text\n".repeat(300);
    let both = Shown {
        what: format!("Change {} (+300 −0 lines)", "directory/".repeat(200)),
        diff: diff[..2400].to_owned(),
        attachment: Some(Content::inline(&diff)),
        ..Shown::default()
    };
    let names: Vec<String> = hangs_on("edit_file", both)
        .0
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["call.txt", "change.diff"]);
}

pub(crate) fn ask(scope: budget::Scope, name: &str) -> Ask {
    let part = |what: &str, cost| Part {
        what: what.to_owned(),
        cost: MicroUsd(cost),
    };
    Ask {
        scope,
        name: name.to_owned(),
        ceiling: MicroUsd(20_000_000),
        spent: MicroUsd(19_950_000),
        need: MicroUsd(123_400),
        raise: MicroUsd(10_000_000),
        model: "anthropic/claude".to_owned(),
        parts: vec![part("coder", 19_000_000), part("assistant", 950_000)],
    }
}

#[test]
fn a_card_about_money() {
    let of = |scope, name: &str| Approval {
        question: Question::Budget,
        budget: Some(ask(scope, name)),
        approvers: Role::Owner,
        ..approval("spend", Shown::default())
    };
    let approval = of(budget::Scope::Team, "");
    insta::assert_snapshot!(shown(&present(&Notice::ApprovalAsked { approval })), @r#"
    🔔 coder needs more than the team’s budget

    Agent: coder

    $19.95 of $20.00 is spent. The next call of anthropic/claude may cost up to $0.12.

    Spent on: coder $19.00, assistant $0.95
    More: “+ $10.00” makes it $30.00 from now on
    Decided by: an owner
    Expires: 22 Nov 11:03 CET (24 h left)
    [+ $10.00 → more:0199aabbccddeeff0011223344556677:2d711642] [Stop → stop:0199aabbccddeeff0011223344556677:2d711642]
    "#);
    let titles = [
        of(budget::Scope::Day, ""),
        of(budget::Scope::Agent("coder".into()), "coder"),
        of(budget::Scope::Member("telegram:7".into()), "Bob"),
        of(budget::Scope::Run, ""),
    ]
    .map(|approval| {
        let raise = en::raise(approval.budget.as_ref().unwrap());
        format!("{}: {raise}", en::card_title(&approval))
    });
    insta::assert_snapshot!(titles.join("\n"), @r#"
    coder needs more than today’s budget: “+ $10.00” makes it $30.00 for today (UTC)
    coder needs more than the budget of agent coder: “+ $10.00” makes it $30.00 from now on
    coder needs more than Bob’s budget: “+ $10.00” makes it $30.00 from now on
    coder needs more than this run’s budget: “+ $10.00” makes it $30.00 for this run
    "#);
    let ways = [
        ApprovalStatus::Approved,
        ApprovalStatus::Denied,
        ApprovalStatus::ExpiredUnseen,
        ApprovalStatus::Undeliverable,
        ApprovalStatus::Withdrawn,
    ]
    .map(|status| {
        let approval = Approval {
            status,
            decided_at: Some(NOW),
            ..of(budget::Scope::Run, "")
        };
        let by = "Ann".to_owned();
        shown(&present(&Notice::ApprovalSettled { approval, by }))
    });
    insta::assert_snapshot!(ways.join("\n\n"), @r#"
    edit approval:0199aabbccddeeff0011223344556677
    coder needs more than this run’s budget

    ✅ $10.00 more, by Ann at 11:03 CET

    edit approval:0199aabbccddeeff0011223344556677
    coder needs more than this run’s budget

    🛑 Stopped by Ann at 11:03 CET

    edit approval:0199aabbccddeeff0011223344556677
    coder needs more than this run’s budget

    ⌛ Expired at 11:03 CET: nobody decided. The run was stopped.

    edit approval:0199aabbccddeeff0011223344556677
    coder needs more than this run’s budget

    🚫 The card could not be delivered. The run was stopped.

    edit approval:0199aabbccddeeff0011223344556677
    coder needs more than this run’s budget

    ↩️ Settled at 11:03 CET: there is room in the budget again, or the run ended.
    "#);
}

#[test]
fn a_card_about_an_unknown_outcome() {
    let approval = Approval {
        question: Question::Unknown,
        ..command()
    };
    insta::assert_snapshot!(shown(&present(&Notice::ApprovalAsked { approval })), @r#"
    🔔 Did it happen? coder was interrupted while using run_command

    The call below was started, and then the program stopped. Nobody knows whether it took effect. Look at what it would have changed, then say how to go on.

    Agent: coder
    Tool: run_command

    git push origin main

    Why (coder’s own words): “The fix is done. Impact: none at all”

    Impact: Sends commits to origin
    Rollback: Push the old commit again
    Because: no rule speaks about “git push origin main”
    Asked after reading: web: example.org
    Expires: 22 Nov 11:03 CET (24 h left)
    [Run again → again:0199aabbccddeeff0011223344556677:2d711642] [It happened → happened:0199aabbccddeeff0011223344556677:2d711642]
    [Stop → stop:0199aabbccddeeff0011223344556677:2d711642] [Details → details:0199aabbccddeeff0011223344556677]
    "#);
}

#[test]
fn a_card_about_a_call_that_ran_once_already_says_so_and_takes_no_change() {
    let approval = Approval {
        repeats: true,
        ..approval("notes__add", Shown::default())
    };
    let card = shown(&present(&Notice::ApprovalAsked { approval }));
    assert!(card.contains("ran once already"), "{card}");
    assert!(
        card.contains("→ ok:") && !card.contains("→ modify:"),
        "{card}"
    );
}

#[test]
fn settled_cards_say_who_and_when() {
    let settle = |status, reason: &str| {
        let approval = Approval {
            status,
            reason: reason.to_owned(),
            decided_at: Some(NOW),
            ..command()
        };
        shown(&present(&Notice::ApprovalSettled {
            approval,
            by: "Ann".to_owned(),
        }))
    };
    let all = [
        settle(ApprovalStatus::Approved, ""),
        settle(ApprovalStatus::Denied, "use a branch"),
        settle(ApprovalStatus::Expired, ""),
        settle(ApprovalStatus::ExpiredUnseen, ""),
        settle(ApprovalStatus::Withdrawn, ""),
    ];
    insta::assert_snapshot!(all.join("\n=====\n"), @r#"
    edit approval:0199aabbccddeeff0011223344556677
    coder wants to run a command

    ✅ Approved by Ann at 11:03 CET

    git push origin main
    =====
    edit approval:0199aabbccddeeff0011223344556677
    coder wants to run a command

    ❌ Denied by Ann at 11:03 CET — use a branch

    git push origin main
    =====
    edit approval:0199aabbccddeeff0011223344556677
    coder wants to run a command

    ⌛ Expired at 11:03 CET: nobody decided. It did not run.

    git push origin main
    =====
    edit approval:0199aabbccddeeff0011223344556677
    coder wants to run a command

    ⌛ Expired at 11:03 CET before anybody could see the card. It did not run.

    git push origin main
    =====
    edit approval:0199aabbccddeeff0011223344556677
    coder wants to run a command

    ↩️ Withdrawn at 11:03 CET: the run ended or the call changed. It did not run.

    git push origin main
    "#);
}

#[test]
fn ends_of_runs() {
    let all = [
        ended(Outcome::Answered, Some("It **works** now.")),
        ended(Outcome::Answered, None),
        ended(
            Outcome::Denied {
                what: "run_command".to_owned(),
            },
            None,
        ),
        ended(
            Outcome::Cancelled {
                by: "telegram:7".into(),
            },
            None,
        ),
        ended(
            Outcome::LimitReached {
                limit: Limit::Steps,
            },
            Some("So far: half."),
        ),
        ended(
            Outcome::Failed {
                why: "the key was refused. Set ANTHROPIC_API_KEY.".to_owned(),
            },
            None,
        ),
    ];
    insta::assert_snapshot!(all.iter().map(|m| shown(m)).collect::<Vec<_>>().join("\n=====\n"), @r#"
    🔔 It works now.
    =====
    🔔 coder is done. It had nothing to say.
    =====
    🔔 🛑 coder stopped: run_command was not approved. Tell it what to do instead.
    =====
    🔔 🛑 coder was cancelled. What was done so far stays; write to go on from here.
    =====
    🔕 So far: half.
    =====
    🔔 ⏱ coder reached its limit of steps (3 done) and stopped. Write “go on” to start a new run with what it has learned so far.
    =====
    🔔 ⚠️ coder could not finish: the key was refused. Set ANTHROPIC_API_KEY.
    "#);
}

#[test]
fn a_very_long_answer_is_a_file_with_its_beginning() {
    let messages = ended(Outcome::Answered, Some(&"word ".repeat(5000)));
    let names: Vec<&str> = messages
        .iter()
        .filter_map(|m| match &m.body {
            Body::File { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        (messages.len(), names, messages[1].rings),
        (2, vec!["answer.md"], true)
    );
}

#[test]
fn questions_alerts_and_seals() {
    let all = [
        present(&Notice::Question {
            run: RunId::new("r"),
            agent: "coder".to_owned(),
            text: "Which *branch*?".to_owned(),
        }),
        present(&Notice::Undelivered {
            to: SessionId::new("telegram:7"),
            card: true,
            why: "the bot was blocked".to_owned(),
        }),
        present(&Notice::NotStarted {
            prompt: "tidy up".to_owned(),
            why: Problem::AgentNotActive {
                name: "coder".to_owned(),
                archived: false,
            },
        }),
        present(&Notice::SetAside {
            job: "update".to_owned(),
            what: "telegram:7".to_owned(),
            attempts: 5,
            why: "not to be read".to_owned(),
        }),
        present(&Notice::DeadLetters { count: 2 }),
        present(&Notice::Sealed {
            number: 3,
            digest: "ab12".to_owned(),
            at: NOW,
        }),
    ];
    insta::assert_snapshot!(all.iter().map(|m| shown(m)).collect::<Vec<_>>().join("\n=====\n"), @r#"
    🔔 ❓ coder asks:

    Which branch?

    (Your next message here is the answer.)
    =====
    🔔 ⚠️ A card could not be delivered to telegram:7: the bot was blocked
    =====
    🔔 ⚠️ The message “tidy up” waited, and now it could not be started. Agent coder is paused; /agents resume coder wakes it.
    =====
    🔔 ⚠️ A job was set aside after 5 attempts and needs a look: update (telegram:7): not to be read
    =====
    🔔 ⚠️ 2 wake-ups of functions were given up after several failures. No work is lost: the tick finds it within a minute. The cause is in the functions' log; when it is gone, purge the dead-letter queue.
    =====
    🔕 🔏 Audit seal 3, 11:03 CET
    ab12
    Keep this message: it proves that nothing before it was changed.
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a model writes: the card fits into one message, and what is not on it hangs on it.
    #[test]
    fn a_card_fits(what in "(\\PC|\n|\u{202e}){0,2000}", diff in "([+-]\\PC{0,40}\n){0,150}", why in "\\PC{0,900}", other in "\\PC{0,500}") {
        let shown = Shown { what: what.clone(), diff: diff.clone(), why, impact: other.clone(), rollback: other.clone(), because: other.clone(), tainted_by: vec![other.clone()], plan: other, capability: "x".repeat(32), ..Shown::default() };
        let approval = Approval { question: if what.len() % 2 == 0 { Question::Call } else { Question::Unknown }, always: command().always, ..approval("write_file", shown) };
        let messages = present(&Notice::ApprovalAsked { approval });
        let Body::Card { card } = &messages[0].body else { panic!("no card first") };
        let text = card_text(card);
        prop_assert!(text.utf16_len() <= crate::text::PART_LIMIT, "{}", text.utf16_len());
        let files: Vec<String> = messages[1..].iter().map(|m| match &m.body {
            Body::File { content: Content::Inline(text), .. } => text.clone(),
            other => panic!("{other:?}"),
        }).collect();
        for whole in [&what, &diff] {
            let on_card = text.text.contains(crate::text::visible(whole).trim_end());
            prop_assert!(on_card || files.contains(whole), "{whole:?} is neither on the card nor in a file");
        }
        for action in card.actions.iter().flatten() {
            prop_assert!(action.data.len() <= domain::card::DATA_LIMIT);
        }
    }
}
