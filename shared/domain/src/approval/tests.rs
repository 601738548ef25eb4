//! Who may decide, what is offered, what is bound.

use super::*;
use crate::member::{Away, Member};
use proptest::prelude::*;
use serde_json::json;

fn approval(question: Question, approvers: Role) -> Approval {
    let call = ToolCall {
        id: CallId::new("c"),
        name: "run_command".to_owned(),
        arguments: json!({"command": "make"}),
        malformed: None,
    };
    let rule = crate::permission::parse_rule("allow shell_exec make").unwrap();
    Approval {
        id: ApprovalId::new("1"),
        run: RunId::new("2"),
        session: SessionId::new("terminal:x"),
        agent: AgentId::new("a"),
        agent_name: "a".to_owned(),
        requester: MemberId::new("m"),
        requester_name: String::new(),
        call,
        question,
        digest: Digest::of_bytes("x"),
        shown: Shown::default(),
        change: None,
        repeats: false,
        budget: None,
        standing: false,
        always: vec![rule.into_rule(crate::id::RuleId::new("r"), None, Micros(0))],
        approvers,
        persons: 1,
        votes: Vec::new(),
        sent: Vec::new(),
        unreachable: Vec::new(),
        escalate_after_s: None,
        reminded_at: None,
        status: ApprovalStatus::Pending,
        asked_at: Micros(0),
        expires_at: Micros(100),
        decided_by: None,
        decided_for: None,
        decided_at: None,
        reason: String::new(),
    }
}

fn voter(role: Role) -> Voter {
    Voter {
        by: named("m"),
        role,
        instead_of: None,
    }
}

fn member(name: &str, role: Role, away: Option<Away>) -> Member {
    Member {
        id: MemberId::new(name),
        name: name.to_owned(),
        role,
        zone: String::new(),
        home: String::new(),
        away,
        created_at: Micros(0),
    }
}

fn named(name: &str) -> Named {
    Named {
        id: MemberId::new(name),
        name: name.to_owned(),
    }
}

fn choices() -> Vec<Choice> {
    let reason = String::new();
    let deny = Choice::Deny { reason };
    let unknown = [
        Choice::RunAgain,
        Choice::Happened,
        Choice::Stop,
        Choice::Raise,
    ];
    [
        vec![Choice::Approve, Choice::Always, deny],
        unknown.to_vec(),
    ]
    .concat()
}

#[test]
fn each_question_offers_its_choices_to_those_who_may() {
    let taken = |question, approvers, role| -> Vec<usize> {
        let approval = approval(question, approvers);
        let taken =
            |choice: &Choice| check(&approval, choice, &voter(role), None, Micros(0)).is_ok();
        let choices = choices();
        (0..7).filter(|i| taken(&choices[*i])).collect()
    };
    assert_eq!(
        taken(Question::Call, Role::Operator, Role::Owner),
        [0, 1, 2, 5]
    );
    assert_eq!(
        taken(Question::Call, Role::Operator, Role::Operator),
        [0, 2, 5]
    );
    assert_eq!(
        taken(Question::Unknown, Role::Operator, Role::Operator),
        [3, 4, 5]
    );
    assert_eq!(taken(Question::Budget, Role::Owner, Role::Owner), [5, 6]);
    assert_eq!(taken(Question::Budget, Role::Owner, Role::Operator), [0; 0]);
    assert_eq!(taken(Question::Call, Role::Owner, Role::Operator), [0; 0]);
    // A rule can't let viewers decide.
    assert_eq!(taken(Question::Call, Role::Viewer, Role::Viewer), [0; 0]);
    assert_eq!(
        taken(Question::Call, Role::Viewer, Role::Operator),
        [0, 2, 5]
    );
}

#[test]
fn it_is_decided_once_in_time_and_as_it_was_shown() {
    let checked = |approval: &Approval, shown, now| {
        check(
            approval,
            &Choice::Approve,
            &voter(Role::Owner),
            shown,
            Micros(now),
        )
    };
    let mut card = approval(Question::Call, Role::Operator);
    let digest = card.digest.short().to_owned();
    assert_eq!(checked(&card, Some(digest.as_str()), 99), Ok(()));
    assert_eq!(checked(&card, Some("0123"), 99), Err(Refusal::Changed));
    assert_eq!(checked(&card, None, 100), Err(Refusal::Expired));
    card.status = ApprovalStatus::ExpiredUnseen;
    assert_eq!(
        checked(&card, None, 5),
        Err(Refusal::Settled(ApprovalStatus::ExpiredUnseen))
    );
    card = approval(Question::Call, Role::Operator);
    card.always.clear();
    assert_eq!(
        check(&card, &Choice::Always, &voter(Role::Owner), None, Micros(0)),
        Err(Refusal::NotOffered)
    );
}

#[test]
fn everything_that_is_bound_changes_the_digest() {
    let subject = || Subject {
        tool: "run_command".to_owned(),
        arguments: json!({"command": "make"}),
        agent: AgentId::new("a"),
        agent_version: 1,
        working_directory: "/w".to_owned(),
        sandbox: Digest::of_bytes("s"),
        before: Digest::of_bytes("b"),
    };
    let changes: [fn(&mut Subject); 7] = [
        |s| s.tool.push('x'),
        |s| s.arguments = json!({"command": "make "}),
        |s| s.agent = AgentId::new("b"),
        |s| s.agent_version = 2,
        |s| s.working_directory.push('/'),
        |s| s.sandbox = Digest::of_bytes(""),
        |s| s.before = Digest::of_bytes(""),
    ];
    let mut digests = vec![subject().digest().unwrap()];
    for change in changes {
        let mut changed = subject();
        change(&mut changed);
        let digest = changed.digest().unwrap();
        assert!(!digests.contains(&digest), "{changed:?}");
        digests.push(digest);
    }
    assert_eq!(subject().digest().unwrap(), digests[0]);
}

#[test]
fn a_deputy_decides_what_the_absent_could_and_adds_no_rules() {
    let card = approval(Question::Call, Role::Owner);
    let checked = |choice: Choice, role, absent| {
        let instead_of = Some((named("ann"), absent));
        check(
            &card,
            &choice,
            &Voter {
                instead_of,
                ..voter(role)
            },
            None,
            Micros(0),
        )
    };
    let not_allowed = Err(Refusal::NotAllowed {
        needed: Role::Owner,
    });
    assert_eq!(
        checked(Choice::Approve, Role::Operator, Role::Owner),
        Ok(())
    );
    assert_eq!(
        checked(Choice::Always, Role::Operator, Role::Owner),
        Err(Refusal::NotOffered)
    );
    assert_eq!(
        checked(Choice::Approve, Role::Operator, Role::Operator),
        not_allowed
    );
    assert_eq!(
        checked(Choice::Approve, Role::Viewer, Role::Owner),
        not_allowed
    );
}

#[test]
fn the_card_is_lost_when_it_can_arrive_nowhere() {
    let mut card = approval(Question::Call, Role::Owner);
    let (session, place) = (card.session.clone(), SessionId::new("telegram:5"));
    card.sent.push(SentTo {
        to: MemberId::new("ann"),
        place: place.clone(),
        at: Micros(0),
        instead_of: None,
        escalated: false,
    });
    assert!(!card.lose(&session) && !card.lose(&session));
    assert!(card.lose(&place));
}

/// Attempts of five persons, some in another's place, at a card of person 0; between them the roles change and so does the card.
#[derive(Clone, Debug)]
enum Step {
    Yes {
        by: usize,
        instead_of: Option<usize>,
    },
    Role {
        of: usize,
        role: Option<Role>,
    },
    Changed,
}

fn step() -> impl Strategy<Value = Step> {
    let role = prop::sample::select(vec![
        None,
        Some(Role::Viewer),
        Some(Role::Operator),
        Some(Role::Owner),
    ]);
    prop_oneof![
        8 => (0..5_usize, prop::option::of(0..5_usize)).prop_map(|(by, instead_of)| Step::Yes { by, instead_of }),
        3 => (0..5_usize, role).prop_map(|(of, role)| Step::Role { of, role }),
        1 => Just(Step::Changed),
    ]
}

proptest! {
    /// Whatever happens, what is approved was approved by so many different persons, of the roles of that moment, of what is shown,
    /// and none of them is who asked or took the place of who asked or of another one of them.
    #[test]
    fn several_are_that_many_different_persons(
        persons in 2..4_u32,
        approvers in prop::sample::select(vec![Role::Viewer, Role::Operator, Role::Owner]),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let names = ["p0", "p1", "p2", "p3", "p4"];
        let mut roles = [Some(Role::Owner); 5];
        let mut card = Approval { persons, requester: MemberId::new("p0"), ..approval(Question::Call, approvers) };
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Changed => card.digest = Digest::of_bytes(n.to_string()),
                Step::Role { of, role } => roles[of] = role,
                Step::Yes { by, instead_of } => {
                    let Some(role) = roles[by] else { continue };
                    let absent = instead_of.filter(|absent| *absent != by);
                    let absent = absent.and_then(|absent| Some((named(names[absent]), roles[absent]?)));
                    let who = Voter { by: named(names[by]), role, instead_of: absent };
                    // Who voted in somebody's place is still their deputy.
                    let members: Vec<Member> = names.iter().zip(roles).filter_map(|(name, role)| {
                        let deputy = card.votes.iter().find(|vote| vote.instead_of.as_ref().is_some_and(|of| of.name == *name));
                        let away = deputy.map(|vote| Away { until: Micros(99), deputy: Some(vote.by.id.clone()) });
                        Some(member(name, role?, away))
                    }).collect();
                    let now = |id: &MemberId| names.iter().position(|name| *name == id.as_str()).and_then(|i| roles[i]);
                    card.drop_fallen(|id| members.iter().find(|member| member.id == *id), Micros(1));
                    if check(&card, &Choice::Approve, &who, None, Micros(1)).is_err() {
                        continue;
                    }
                    if card.count(&who, false, Micros(1)) {
                        prop_assert_eq!(card.votes.len(), persons as usize);
                        let mut all: Vec<&str> = card.votes.iter()
                            .flat_map(|vote| std::iter::once(vote.by.id.as_str()).chain(vote.instead_of.as_ref().map(|absent| absent.id.as_str())))
                            .collect();
                        let count = all.len();
                        all.sort_unstable();
                        all.dedup();
                        prop_assert_eq!(all.len(), count, "nobody twice: {:?}", card.votes);
                        prop_assert!(!all.contains(&"p0"));
                        for vote in &card.votes {
                            prop_assert!(now(vote.authority()) >= Some(card.needed()) && now(&vote.by.id) >= Some(Role::Operator));
                            prop_assert_eq!(&vote.digest, &card.digest);
                        }
                        return Ok(());
                    }
                    prop_assert!(card.votes.len() < persons as usize);
                }
            }
        }
    }
}
