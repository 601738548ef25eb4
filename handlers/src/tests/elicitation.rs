//! Servers that ask a person in the middle of a call: the run parks on the question, an answer makes the call once more, and nobody waits in a
//! process.

use super::{
    dying::Moment,
    rehearsal::told,
    team::{Ended, LEASE, Team},
};
use crate::{
    Home, Problem,
    ask::{self, Press},
    commit_with,
    mcp::{self, NewServer},
    modify, rules, sessions, tool,
};
use domain::{
    approval::{Choice, Question, Refusal},
    elicitation::{Choice as Chosen, Elicitation, Field, Kind, ROUNDS},
    id::SessionId,
    mcp::{McpServer, Reach},
    member::{Member, Role},
    permission::parse_rule,
    run::{Event, RunStatus},
};
use ports::{
    Mcp,
    mcp::{McpAnswer, McpCall, McpError, Offer},
    sandbox::Cancel,
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

async fn presses(team: &Team, message: &str, press: Press) -> Result<(), Problem> {
    let digest = which(message).digest();
    let place = &team.talk().await.id;
    team.does(|| ask::press(&team.home, &team.ann, place, (digest.short(), press)))
        .await
        .map(drop)
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
    let why = "“list” takes one of home, work.".to_owned();
    assert_eq!(wrong, Err(Problem::Invalid(why)));
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
    let gone = presses(&team, "And when?", Press::Option(0)).await;
    assert!(matches!(gone, Err(Problem::Invalid(_))), "{gone:?}");
    presses(&team, "Which list?", Press::Option(1))
        .await
        .unwrap();
    team.work().await;
    // Another question is another card; what was answered is not asked again.
    presses(&team, "And when?", Press::Option(0)).await.unwrap();
    team.work().await;
    assert_eq!(servers.called().len(), 3);
    assert!(last_told(&team).ends_with(r#"{"list":"work"} {"list":"home"}"#));
    let gone = presses(&team, "And when?", Press::Option(0)).await;
    assert!(matches!(gone, Err(Problem::Invalid(_))), "{gone:?}");
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

/// What stands in the journal as the outcome of the only call.
async fn outcome(team: &Team) -> (String, Option<String>) {
    let events = team.events(&team.latest().await.id).await;
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
    let place = team.talk().await.id;
    let by_bob = team
        .does(|| ask::ask(&team.home, &bob, &place, "work", None))
        .await;
    assert_eq!(
        by_bob.err(),
        Some(Problem::NotAllowed {
            needed: Role::Owner
        })
    );
    assert_eq!(servers.called().len(), 1);
    team.says("work").await;
    assert_eq!(servers.called().len(), 2);

    let mut city = which("Which one?");
    city.fields[0].kind = Kind::Text { format: None };
    servers.ask([city]);
    team.says(&ADD.replace("milk", "tea")).await;
    team.decides(Choice::Approve).await;
    let secret = team.writes("it is [secret:notes_key]").await;
    assert!(matches!(secret, Err(Problem::Invalid(_))), "{secret:?}");
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
