//! Servers that ask a person in the middle of a call: the run parks on the question, an answer makes the call once more, and nobody waits in a
//! process.

use super::{
    dying::Moment,
    rehearsal::told,
    team::{Ended, LEASE, Team},
};
use crate::{
    Draft, Home, Problem,
    ask::{self, Press},
    cancel, commit_with,
    mcp::{self, NewServer},
    modify, rules, run, sessions, tool,
};
use domain::{
    Digest,
    approval::{Choice, Question, Refusal},
    content::INLINE_LIMIT,
    elicitation::{Choice as Chosen, Elicitation, Field, Kind, ROUNDS, Unfit},
    id::{RunId, SessionId},
    mcp::{McpServer, Reach},
    member::{Member, Role},
    permission::parse_rule,
    run::{Event, RunStatus},
};
use ports::{
    Mcp,
    mcp::{McpAnswer, McpCall, McpError, Offer},
    problem::NoAnswer,
    sandbox::Cancel,
    store::StoreError,
};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use testkit::mcp::{ScriptedMcp, tool};

const ADD: &str = r#"call: notes__add = {"text": "milk"}"#;

fn which(message: &str) -> Elicitation {
    let option = |value: &str| Chosen {
        value: value.to_owned(),
        title: value.to_owned(),
    };
    Elicitation {
        message: message.to_owned(),
        fields: vec![Field {
            name: "list".to_owned(),
            title: String::new(),
            description: String::new(),
            kind: Kind::One {
                options: ["home", "work"].map(option).to_vec(),
            },
            required: true,
            default: None,
        }],
    }
}

/// A team with a server that may ask, and asks these questions in each call.
async fn team(questions: &[&str]) -> (Team, Arc<ScriptedMcp>) {
    let mut team = Team::new().await;
    let servers = Arc::new(ScriptedMcp::default());
    servers.offer([tool("add", "Adds a note.")]);
    team.run.tools = tool::all().with_servers(servers.clone());
    let new = NewServer {
        name: "notes".to_owned(),
        reach: Reach::Http {
            url: "https://mcp.example.org/".to_owned(),
        },
        secrets: BTreeMap::new(),
        agents: Vec::new(),
    };
    let looked = team
        .does(|| mcp::add(&team.home, Some(&*servers), &team.ann, new.clone()))
        .await
        .unwrap();
    let mark = looked.mark;
    team.does(|| mcp::approve(&team.home, &team.ann, "notes", (&mark, &[])))
        .await
        .unwrap();
    team.does(|| mcp::elicitation(&team.home, &team.ann, "notes", true))
        .await
        .unwrap();
    servers.ask(questions.iter().map(|message| which(message)));
    (team, servers)
}

/// The mark of this question in the latest run's only call.
async fn mark(team: &Team, message: &str) -> Digest {
    let id = team.latest().await.id;
    let state = run::fold(&team.home, &id).await.unwrap();
    let call = &state.calls[0];
    which(message).mark(&id, &call.call.id, call.answers.len())
}

async fn presses(team: &Team, message: &str, press: Press) -> Result<(), Problem> {
    let mark = mark(team, message).await;
    taps(team, &mark, press).await
}

async fn taps(team: &Team, mark: &Digest, press: Press) -> Result<(), Problem> {
    let button = (mark.short(), press);
    team.does(|| ask::press(&team.home, &team.ann, &team.session, button))
        .await
        .map(drop)
}

fn gone() -> Result<(), Problem> {
    Err(Problem::Answer(NoAnswer::Gone))
}

fn last_told(team: &Team) -> String {
    told(team.model.requests().last().unwrap()).pop().unwrap()
}

#[tokio::test]
async fn an_answer_makes_the_call_once_more_and_goes_to_the_server_only() {
    let (team, servers) = team(&["Which list?"]).await;
    team.says(ADD).await;
    team.decides(Choice::Approve).await;
    assert_eq!(servers.called().len(), 1);
    assert!(team.talk().await.expects.is_some());
    assert!(team.transcript().contains("[notes asks] Which list?"));
    let asked = team.model.requests().len();
    let wrong = team.writes("the kitchen").await;
    let (field, takes) = ("list".to_owned(), which("").fields[0].kind.clone());
    let unfit = Unfit::Wrong { field, takes };
    assert_eq!(wrong, Err(Problem::Answer(NoAnswer::Unfit(unfit))));
    assert_eq!(servers.called().len(), 1);
    team.says("Work").await;
    assert_eq!(servers.called().len(), 2);
    assert_eq!(team.model.requests().len(), asked + 1);
    assert!(last_told(&team).ends_with(r#"add: {"text":"milk"} {"list":"work"}"#));
    let transcript = team.transcript();
    assert!(
        transcript.contains(r#"[notes is told by ann] {"list":"work"}"#),
        "{transcript}"
    );
    assert_eq!(team.cards().await, [], "the approval was enough");
    team.audit_holds().await;
    team.is_quiet();
}

#[tokio::test]
async fn a_button_answers_the_question_that_it_stands_below_and_no_other() {
    let (team, servers) = team(&["Which list?", "And when?"]).await;
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    let other = presses(&team, "And when?", Press::Option(0)).await;
    assert_eq!(other, gone());
    presses(&team, "Which list?", Press::Option(1))
        .await
        .unwrap();
    team.work().await;
    // Another question is another card; what was answered is not asked again.
    let card = mark(&team, "And when?").await;
    presses(&team, "And when?", Press::Option(0)).await.unwrap();
    team.work().await;
    assert_eq!(servers.called().len(), 3);
    assert!(last_told(&team).ends_with(r#"{"list":"work"} {"list":"home"}"#));
    let late = taps(&team, &card, Press::Option(0)).await;
    assert_eq!(late, gone());
    team.is_quiet();
}

/// A server may ask the same in another call, or once more in this one: a card's buttons answer what they stand below.
#[tokio::test]
async fn the_button_of_an_older_card_answers_no_other_call_that_asks_the_same() {
    let (team, servers) = team(&["Which list?"]).await;
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    let first = mark(&team, "Which list?").await;
    presses(&team, "Which list?", Press::Decline).await.unwrap();
    team.work().await;
    team.does(|| sessions::renew(&team.home, &team.ann, &team.session))
        .await
        .unwrap();
    team.says(&ADD.replace("milk", "tea")).await;
    let old = taps(&team, &first, Press::Option(0)).await;
    assert_eq!(old, gone());
    let words = (first.short(), "home");
    let old = reply(&team, &team.ann, words).await;
    assert_eq!(old.map(drop), gone());
    assert_eq!(servers.called().len(), 2);
    presses(&team, "Which list?", Press::Option(0))
        .await
        .unwrap();
    team.work().await;
    assert_eq!(servers.called().len(), 3);
}

/// Words as a reply to a card.
async fn reply(
    team: &Team,
    who: &Member,
    words: (&str, &str),
) -> Result<Option<ask::Asked>, Problem> {
    let said = async || {
        let draft = ask::reply(&team.home, who, &team.session, words).await?;
        Ok(match draft {
            Some(draft) => Draft::new(draft.ops, Some(draft.fact)),
            None => Draft::fact(None),
        })
    };
    team.does(said).await
}

#[tokio::test]
async fn others_in_the_chat_answer_by_a_reply_to_the_card_and_not_by_what_they_say() {
    let (team, servers) = team(&[]).await;
    let mut city = which("Which one?");
    city.fields[0].kind = Kind::Text { format: None };
    servers.ask([city.clone()]);
    team.rule("allow api_call mcp:notes/*").await;
    let bob = team.joins("bob", Role::Operator).await;
    let eve = team.joins("eve", Role::Viewer).await;
    team.says(ADD).await;
    let said = team
        .does(|| ask::ask(&team.home, &bob, &team.session, "What’s for lunch?", None))
        .await
        .unwrap();
    assert!(matches!(said, ask::Asked::Queued { .. }), "{said:?}");
    // Nor what who asked for the run says about another card: that is for the agent.
    let aside = team
        .does(|| ask::ask_aside(&team.home, &team.ann, &team.session, "Not on a Friday."))
        .await
        .unwrap();
    assert!(matches!(aside, ask::Asked::Queued { .. }), "{aside:?}");
    let run = team.latest().await.id;
    let state = run::fold(&team.home, &run).await.unwrap();
    let mark = city.mark(&run, &state.calls[0].call.id, 0);
    let needed = Role::Operator;
    let by_eve = reply(&team, &eve, (mark.short(), "Bonn")).await;
    assert_eq!(by_eve.map(drop), Err(Problem::NotAllowed { needed }));
    assert_eq!(servers.called().len(), 1);
    let by_bob = reply(&team, &bob, (mark.short(), "Bonn")).await;
    let answered = run.clone();
    assert_eq!(by_bob, Ok(Some(ask::Asked::Answered { run: answered })));
    team.work().await;
    assert_eq!(servers.called().len(), 2);
    let said = outcome_of(&team, &run).await.0;
    assert!(said.ends_with(r#"{"list":"Bonn"}"#), "{said}");
    // Where nobody waits any more, a reply is a message like others.
    let late = reply(&team, &bob, (mark.short(), "Bonn")).await;
    assert_eq!(late, Ok(None));
}

#[tokio::test]
async fn a_card_that_nobody_answers_any_more_loses_its_buttons() {
    for (how, edit) in [
        ("cancel", "edit> [notes asks no more]"),
        ("new", "edit> [notes is left by ann]"),
        ("words", r#"edit> [notes is told by ann] {"list":"work"}"#),
    ] {
        let (team, _) = team(&["Which list?"]).await;
        team.rule("allow api_call mcp:notes/*").await;
        team.says(ADD).await;
        let run = team.latest().await.id;
        let (home, ann, place) = (&team.home, &team.ann, &team.session);
        match how {
            "cancel" => drop(team.does(|| cancel::cancel(home, ann, &run)).await.unwrap()),
            "new" => drop(
                team.does(|| sessions::renew(home, ann, place))
                    .await
                    .unwrap(),
            ),
            _ => drop(team.writes("work").await.unwrap()),
        }
        team.work().await;
        let said = team.transcript();
        assert!(said.contains(edit), "{how}:\n{said}");
        team.is_quiet();
    }
}

#[tokio::test]
async fn an_answer_holds_only_as_long_as_who_gives_it_may() {
    let (team, servers) = team(&["Which list?"]).await;
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    let mark = mark(&team, "Which list?").await;
    let bob = team.joins("bob", Role::Operator).await;
    // Read before, committed after.
    let words = (mark.short(), "work");
    let draft = ask::reply(&team.home, &bob, &team.session, words).await;
    let draft = draft.unwrap().unwrap();
    team.joins("bob", Role::Viewer).await;
    let late = crate::commit(&team.home, draft.ops).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    let needed = Role::Operator;
    let anew = reply(&team, &bob, words).await;
    assert_eq!(anew.map(drop), Err(Problem::NotAllowed { needed }));
    assert_eq!(servers.called().len(), 1);
}

/// One person's answer is no second yes, and none after the time of the first one.
#[tokio::test]
async fn an_answer_is_no_yes_of_several_and_none_after_its_time() {
    for persons in [Some(2), None] {
        let (team, servers) = team(&["Which list?"]).await;
        let rule = || {
            let mut rule = parse_rule("ask api_call mcp:notes/*").unwrap();
            rule.persons = persons;
            rule.expires_after_s = Some(600);
            rule
        };
        team.does(|| rules::add(&team.home, &team.ann, rule()))
            .await
            .unwrap();
        team.says(ADD).await;
        let card = team.card().await;
        let others = [
            team.joins("bob", Role::Owner).await,
            team.joins("cid", Role::Owner).await,
        ];
        for who in others.iter().take(persons.unwrap_or(1) as usize) {
            team.choose(who, &card.id, Choice::Approve).await.unwrap();
        }
        team.work().await;
        assert_eq!(servers.called().len(), 1);
        if persons.is_none() {
            team.waits(Duration::from_secs(601)).await;
        }
        let needs = team.writes("work").await;
        assert_eq!(needs, Err(Problem::Answer(NoAnswer::NeedsYes)));
        let pressed = presses(&team, "Which list?", Press::Option(0)).await;
        assert_eq!(pressed, Err(Problem::Answer(NoAnswer::NeedsYes)));
        team.says("decline").await;
        assert!(outcome(&team).await.0.starts_with("given up"));
        assert_eq!(servers.called().len(), 1);
        team.audit_holds().await;
    }
}

#[tokio::test]
async fn an_answer_has_a_limit() {
    let (team, servers) = team(&[]).await;
    let mut city = which("Which one?");
    city.fields[0].kind = Kind::Text { format: None };
    servers.ask([city]);
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    let frame = r#"{"list":""}"#.len();
    let long = team.writes(&"x".repeat(INLINE_LIMIT - frame + 1)).await;
    let (what, limit) = ("answer", INLINE_LIMIT as u64);
    let bytes = limit + 1;
    assert_eq!(long, Err(Problem::TooLarge { what, bytes, limit }));
    assert_eq!(servers.called().len(), 1);
    team.says(&"x".repeat(INLINE_LIMIT - frame)).await;
    assert_eq!(servers.called().len(), 2);
    team.is_quiet();
}

#[tokio::test]
async fn who_declines_takes_the_call_as_it_ended() {
    for by_word in [true, false] {
        let (team, servers) = team(&["Which list?"]).await;
        team.rule("allow api_call mcp:notes/*").await;
        team.says(ADD).await;
        match by_word {
            true => drop(team.says("decline").await),
            false => {
                presses(&team, "Which list?", Press::Decline).await.unwrap();
                team.work().await;
            }
        }
        assert_eq!(servers.called().len(), 1);
        let said = last_told(&team);
        assert!(
            said.contains("given up") && said.contains("they declined"),
            "{said}"
        );
        let run = team.latest().await.id;
        let tainted = team.events(&run).await.into_iter().any(|event| {
            matches!(event, Event::CallFinished { taint: Some(source), .. } if source == "the MCP server notes")
        });
        assert!(tainted);
        team.is_quiet();
    }
}

#[tokio::test]
async fn who_starts_afresh_leaves_the_call_as_it_ended() {
    let (team, servers) = team(&["Which list?"]).await;
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    let run = team.latest().await.id;
    team.does(|| sessions::renew(&team.home, &team.ann, &team.session))
        .await
        .unwrap();
    team.work().await;
    assert_eq!(servers.called().len(), 1);
    let mut told = team.events(&run).await.into_iter();
    let told = told.find_map(|event| match event {
        Event::CallFinished { output, taint, .. } => Some((output, taint)),
        _ => None,
    });
    let (output, taint) = told.unwrap();
    let said = output.head();
    assert!(
        said.contains("given up") && said.contains("started afresh"),
        "{said}"
    );
    assert!(taint.is_some());
}

#[tokio::test]
async fn one_that_may_not_ask_is_not_heard_and_one_that_asks_and_asks_is_stopped() {
    let (team, servers) = team(&["1?", "2?", "3?", "4?", "5?"]).await;
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    for question in ["1?", "2?", "3?", "4?"] {
        presses(&team, question, Press::Option(0)).await.unwrap();
        team.work().await;
    }
    assert_eq!(servers.called().len(), 1 + ROUNDS);
    assert!(last_told(&team).contains("it had asked often enough"));
    team.does(|| mcp::elicitation(&team.home, &team.ann, "notes", false))
        .await
        .unwrap();
    team.says(&ADD.replace("milk", "tea")).await;
    team.decides(Choice::Approve).await;
    assert_eq!(servers.called().len(), 2 + ROUNDS);
    assert!(team.talk().await.expects.is_none());
    let past = mcp::history(&team.home, "notes").await.unwrap();
    insta::assert_snapshot!(super::versions::told(&past), @r#"
    1 ann created
    +address: https://mcp.example.org/
    2 ann changed
    +tool: add 10a6f33ec842
    3 ann changed
    +asks people: yes
    4 ann changed
    -asks people: yes
    "#);
}

/// What stands in the journal as the outcome of the latest run's only call.
async fn outcome(team: &Team) -> (String, Option<String>) {
    outcome_of(team, &team.latest().await.id).await
}

async fn outcome_of(team: &Team, run: &RunId) -> (String, Option<String>) {
    let events = team.events(run).await;
    let mut finished = events.into_iter().filter_map(|event| match event {
        Event::CallFinished { output, taint, .. } => Some((output.head().to_owned(), taint)),
        _ => None,
    });
    finished.next().expect("an outcome")
}

fn notes() -> Option<String> {
    Some("the MCP server notes".to_owned())
}

#[tokio::test]
async fn what_is_forbidden_meanwhile_is_not_called_again() {
    let (team, servers) = team(&["Which list?"]).await;
    team.says(ADD).await;
    team.decides(Choice::Approve).await;
    team.rule("deny api_call mcp:notes/*").await;
    team.says("work").await;
    assert_eq!(servers.called().len(), 1);
    let (said, taint) = outcome(&team).await;
    insta::assert_snapshot!(said, @"
    given up
    (In the middle of the call the server asked the person something, and they answered; but the call was not made once more: a rule forbids it now.)
    ");
    assert_eq!(taint, notes());
    assert!(last_told(&team).contains(&said));
    team.is_quiet();
}

/// It ran once, and the model is told what it came to then.
#[tokio::test]
async fn a_call_that_cannot_be_made_once_more_stays_as_it_ended() {
    let offer = || Offer {
        says: String::new(),
        tools: vec![tool("add", "Adds and sends.")],
        left_out: Vec::new(),
    };
    for (error, why) in [
        (McpError::Unavailable("it is gone".to_owned()), "it is gone"),
        (McpError::HoldsSecret, "secret"),
        (McpError::Changed(offer()), "changed this tool"),
    ] {
        let (team, servers) = team(&["Which list?"]).await;
        team.rule("allow api_call mcp:notes/*").await;
        team.says(ADD).await;
        servers.fail(error);
        team.says("work").await;
        assert_eq!(servers.called().len(), 1);
        let (said, taint) = outcome(&team).await;
        assert!(said.starts_with("given up"), "{said}");
        assert!(said.contains("not made once more"), "{said}");
        assert!(said.contains(why) && !said.contains("Not called"), "{said}");
        assert_eq!(taint, notes());
        team.audit_holds().await;
        team.is_quiet();
    }
}

/// It was begun once more, and nobody knows what came of that: what it came to the first time is no longer what it came to.
#[tokio::test]
async fn an_unknown_second_outcome_is_not_told_as_the_first() {
    let (team, servers) = team(&["Which list?"]).await;
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    team.writes("work").await.unwrap();
    // Its start is written, its end is not.
    team.store.die_at(2, Moment::Before);
    assert_eq!(team.work().await, Ended::Died);
    team.store.revive();
    assert_eq!(servers.called().len(), 2);
    team.fakes.clock.advance(LEASE + Duration::from_secs(1));
    team.work().await;
    servers.fail(McpError::Unavailable("it is gone".to_owned()));
    team.decides(Choice::RunAgain).await;
    let (said, _) = outcome(&team).await;
    insta::assert_snapshot!(said, @"Not called: it is gone.");
    team.audit_holds().await;
    team.is_quiet();
}

#[tokio::test]
async fn where_the_rules_ask_for_more_meanwhile_another_yes_is_asked_for() {
    for approves in [true, false] {
        let (team, servers) = team(&["Which list?"]).await;
        team.rule("allow api_call mcp:notes/*").await;
        team.says(ADD).await;
        team.rule("ask api_call mcp:notes/add").await;
        team.says("work").await;
        let card = team.card().await;
        assert_eq!((card.question, card.repeats), (Question::Call, true));
        assert!(card.shown.because.contains("ask"), "{}", card.shown.because);
        // The answer was given to this call and to no other.
        let other = team
            .does(|| {
                let change = (r#"{"text": "tea"}"#, None);
                modify::modify(&team.home, &team.run.tools, &team.ann, &card.id, change)
            })
            .await;
        assert_eq!(other.err(), Some(Problem::Decision(Refusal::NotOffered)));
        assert_eq!(servers.called().len(), 1);
        let reason = "too late".to_owned();
        match approves {
            true => team.decides(Choice::Approve).await,
            false => team.decides(Choice::Deny { reason }).await,
        };
        let (said, taint) = outcome(&team).await;
        match approves {
            true => assert!(
                said.ends_with(r#"{"text":"milk"} {"list":"work"}"#),
                "{said}"
            ),
            false => insta::assert_snapshot!(said, @"
    given up
    (In the middle of the call the server asked the person something, and they answered; but the call was not made once more: the person denied it and said: too late.)
    "),
        }
        assert_eq!(taint, notes());
        assert_eq!(servers.called().len(), 1 + usize::from(approves));
        team.audit_holds().await;
        team.is_quiet();
    }
}

/// Servers during whose calls a person begins another conversation.
struct Leaving {
    servers: Arc<ScriptedMcp>,
    home: Home,
    who: Member,
    place: SessionId,
}

#[async_trait::async_trait]
impl Mcp for Leaving {
    async fn tools(&self, server: &McpServer, root: Option<&Path>) -> Result<Offer, McpError> {
        self.servers.tools(server, root).await
    }

    async fn call(
        &self,
        server: &McpServer,
        root: Option<&Path>,
        call: &McpCall,
        cancel: &Cancel,
    ) -> Result<McpAnswer, McpError> {
        let answer = self.servers.call(server, root, call, cancel).await;
        let renew = || sessions::renew(&self.home, &self.who, &self.place);
        commit_with(&self.home, renew).await.unwrap();
        answer
    }
}

#[tokio::test]
async fn who_starts_afresh_in_that_moment_is_not_asked_and_nothing_is_lost() {
    let (mut team, servers) = team(&["Which list?"]).await;
    team.run.tools = tool::all().with_servers(Arc::new(Leaving {
        servers: servers.clone(),
        home: team.home.clone(),
        who: team.ann.clone(),
        place: team.session.clone(),
    }));
    team.rule("allow api_call mcp:notes/*").await;
    team.says(ADD).await;
    assert_eq!(servers.called().len(), 1);
    let (said, taint) = outcome(&team).await;
    insta::assert_snapshot!(said, @"
    given up
    (In the middle of the call the server asked the person something, and they had started something else, so it was not put to them.)
    ");
    assert_eq!(taint, notes());
    assert_eq!(team.latest().await.status, RunStatus::Answered);
    assert_eq!(team.all_cards().await, [], "nothing is unknown");
    assert!(!team.transcript().contains("[notes asks]"));
    team.audit_holds().await;
    team.is_quiet();
}

#[tokio::test]
async fn who_declines_a_changed_call_lets_the_model_know_of_the_change() {
    let (team, _) = team(&["Which list?"]).await;
    team.says(ADD).await;
    let card = team.card().await;
    team.does(|| {
        let change = (r#"{"text": "tea"}"#, None);
        modify::modify(&team.home, &team.run.tools, &team.ann, &card.id, change)
    })
    .await
    .unwrap();
    team.work().await;
    team.decides(Choice::Approve).await;
    team.says("decline").await;
    insta::assert_snapshot!(outcome(&team).await.0, @r#"
    [A person changed this call before they decided about it. Its arguments were: {"text":"tea"}]
    given up
    (In the middle of the call the server asked the person something, and they declined to answer.)
    "#);
}

#[tokio::test]
async fn it_takes_who_could_have_approved_the_call_and_no_secret_is_taken() {
    let (team, servers) = team(&["Which list?"]).await;
    let rule = || {
        let mut rule = parse_rule("ask api_call mcp:notes/*").unwrap();
        rule.approvers = Some(Role::Owner);
        rule
    };
    team.does(|| rules::add(&team.home, &team.ann, rule()))
        .await
        .unwrap();
    let bob = team.joins("bob", Role::Operator).await;
    team.says(ADD).await;
    team.decides(Choice::Approve).await;
    let mark = mark(&team, "Which list?").await;
    let by_bob = reply(&team, &bob, (mark.short(), "work")).await;
    let needed = Role::Owner;
    assert_eq!(by_bob.map(drop), Err(Problem::NotAllowed { needed }));
    assert_eq!(servers.called().len(), 1);
    team.says("work").await;
    assert_eq!(servers.called().len(), 2);

    let mut city = which("Which one?");
    city.fields[0].kind = Kind::Text { format: None };
    servers.ask([city]);
    team.says(&ADD.replace("milk", "tea")).await;
    team.decides(Choice::Approve).await;
    let secret = team.writes("it is [secret:notes_key]").await;
    assert_eq!(secret, Err(Problem::Answer(NoAnswer::HoldsSecret)));
    assert_eq!(servers.called().len(), 3);
}

/// Workers die at every commit: the call is made without an answer once, with it once, and where nobody can know, a person is asked.
#[tokio::test]
async fn it_survives_at_every_commit() {
    for moment in [Moment::Before, Moment::After] {
        let mut commit = 1;
        while dies(commit, moment).await {
            commit += 1;
        }
        assert!(commit > 4, "{moment:?}: {commit}");
    }
}

async fn dies(commit: i64, moment: Moment) -> bool {
    let (team, servers) = team(&["Which list?"]).await;
    team.store.die_at(commit, moment);
    team.writes(ADD).await.unwrap();
    loop {
        while team.work().await == Ended::Died {
            team.store.revive();
            team.fakes.clock.advance(LEASE + Duration::from_secs(1));
        }
        if let Some(card) = team.cards().await.into_iter().next() {
            let choice = match card.question {
                Question::Unknown => Choice::Happened,
                _ => Choice::Approve,
            };
            team.choose(&team.ann, &card.id, choice).await.unwrap();
        } else if team.talk().await.expects.is_some() {
            team.writes("work").await.unwrap();
        } else {
            break;
        }
    }
    let reached = team.store.pause() < 0;
    let at = format!("{moment:?} commit {commit}");
    let run = team.latest().await;
    assert_eq!(run.status, RunStatus::Answered, "{at}");
    let calls = servers.called().len();
    assert!(calls <= 2, "{at}: {calls} calls");
    let events = team.events(&run.id).await;
    let count = |what: fn(&Event) -> bool| events.iter().filter(|event| what(event)).count();
    let finished = count(|event| matches!(event, Event::CallFinished { .. }));
    assert_eq!(finished, 1, "{at}");
    team.audit_holds().await;
    reached
}
