//! Members, agents, rules, questions.

use super::team::{Team, member};
use crate::{Problem, agents, ask, members, queries, rules};
use domain::{
    agent::AgentStatus,
    id::MemberId,
    member::{Member, Role},
    permission::parse_rule,
};
use serde_json::json;
use std::time::Duration;

async fn joins(team: &Team, who: &str, code: &str) -> Result<Member, Problem> {
    let (id, chat) = (MemberId::new(who), format!("{who}!"));
    team.does(|| members::join(&team.home, &id, who, &chat, code))
        .await
}

#[tokio::test]
async fn an_invite_opens_once_and_for_a_week() {
    let team = Team::new().await;
    let code = team
        .does(|| members::invite(&team.home, Some(&team.ann), Role::Operator))
        .await
        .unwrap();
    assert_eq!(
        joins(&team, "chat:x", "guess").await,
        Err(Problem::InviteInvalid)
    );
    assert_eq!(
        joins(&team, "chat:x", &format!(" {code} "))
            .await
            .unwrap()
            .role,
        Role::Operator
    );
    assert_eq!(
        joins(&team, "chat:y", &code).await,
        Err(Problem::InviteInvalid)
    );
    let late = team
        .does(|| members::invite(&team.home, Some(&team.ann), Role::Viewer))
        .await
        .unwrap();
    team.fakes.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(
        joins(&team, "chat:y", &late).await,
        Err(Problem::InviteInvalid)
    );
    team.audit_holds().await;
}

#[tokio::test]
async fn an_invite_never_lowers_a_role() {
    let team = Team::new().await;
    let code = team
        .does(|| members::invite(&team.home, Some(&team.ann), Role::Viewer))
        .await
        .unwrap();
    assert_eq!(
        joins(&team, "chat:ann", &code).await.unwrap().role,
        Role::Owner
    );
    let code = team
        .does(|| members::invite(&team.home, Some(&team.ann), Role::Viewer))
        .await
        .unwrap();
    assert_eq!(
        joins(&team, "chat:v", &code).await.unwrap().role,
        Role::Viewer
    );
    let code = team
        .does(|| members::invite(&team.home, Some(&team.ann), Role::Operator))
        .await
        .unwrap();
    assert_eq!(
        joins(&team, "chat:v", &code).await.unwrap().role,
        Role::Operator
    );
}

#[tokio::test]
async fn only_owners_invite_and_the_process_invites_the_first() {
    let team = Team::new().await;
    let otto = team.joins("otto", Role::Operator).await;
    let refused = team
        .does(|| members::invite(&team.home, Some(&otto), Role::Viewer))
        .await;
    assert_eq!(
        refused,
        Err(Problem::NotAllowed {
            needed: Role::Owner
        })
    );
    let code = team
        .does(|| members::invite(&team.home, None, Role::Owner))
        .await
        .unwrap();
    assert_eq!(
        joins(&team, "chat:first", &code).await.unwrap().role,
        Role::Owner
    );
    let terminal = team
        .does(|| members::terminal_owner(&team.home))
        .await
        .unwrap();
    assert_eq!(
        team.does(|| members::terminal_owner(&team.home))
            .await
            .unwrap(),
        terminal
    );
}

#[tokio::test]
async fn two_people_open_one_invite_at_once() {
    let team = Team::new().await;
    let code = team
        .does(|| members::invite(&team.home, Some(&team.ann), Role::Viewer))
        .await
        .unwrap();
    let (x, y) = (MemberId::new("chat:x"), MemberId::new("chat:y"));
    let first = members::join(&team.home, &x, "x", "", &code).await.unwrap();
    let second = members::join(&team.home, &y, "y", "", &code).await.unwrap();
    crate::commit(&team.home, first.ops).await.unwrap();
    assert!(crate::commit(&team.home, second.ops).await.is_err());
}

#[tokio::test]
async fn the_last_owner_stays() {
    let team = Team::new().await;
    let ann = team.ann.clone();
    let refused = team
        .does(|| members::remove(&team.home, &ann, &ann.id))
        .await;
    assert!(matches!(refused, Err(Problem::Invalid(_))), "{refused:?}");
    let bob = team.joins("bob", Role::Owner).await;
    // Both take each other out at the same moment: one stays.
    let first = members::remove(&team.home, &ann, &bob.id).await.unwrap();
    let second = members::remove(&team.home, &bob, &ann.id).await.unwrap();
    crate::commit(&team.home, first.ops).await.unwrap();
    assert!(crate::commit(&team.home, second.ops).await.is_err());
    assert_eq!(members::list(&team.home).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_owner_who_can_be_reached_is_told_things() {
    let team = Team::new().await;
    team.put(&member("aaa", Role::Owner, "")).await;
    assert_eq!(
        members::owner(&team.home).await.unwrap().unwrap().name,
        "ann"
    );
}

#[tokio::test]
async fn agents_are_made_changed_archived_and_deleted() {
    let team = Team::new().await;
    let otto = team.joins("otto", Role::Operator).await;
    let blank = agents::Change::default;
    let named = |name: &str| agents::Change {
        name: Some(name.to_owned()),
        ..blank()
    };
    let refused = team
        .does(|| agents::create(&team.home, &otto, named("poet")))
        .await;
    assert_eq!(
        refused,
        Err(Problem::NotAllowed {
            needed: Role::Owner
        })
    );
    let ann = &team.ann;
    assert!(matches!(
        team.does(|| agents::create(&team.home, ann, named("A poet")))
            .await,
        Err(Problem::Invalid(_))
    ));
    assert!(matches!(
        team.does(|| agents::create(&team.home, ann, named("coder")))
            .await,
        Err(Problem::Exists { .. })
    ));
    let poet = team
        .does(|| agents::create(&team.home, ann, named("poet")))
        .await
        .unwrap();
    assert_eq!(poet.version, 1);
    assert!(matches!(
        team.does(|| agents::change(&team.home, ann, "poet", named("coder")))
            .await,
        Err(Problem::Exists { .. })
    ));
    let bard = team
        .does(|| agents::change(&team.home, ann, "poet", named("bard")))
        .await
        .unwrap();
    assert_eq!((bard.id, bard.version), (poet.id, 2));
    for wrong in [
        agents::Change {
            model: Some("gpt".to_owned()),
            ..blank()
        },
        agents::Change {
            fallbacks: Some(vec!["x".to_owned()]),
            ..blank()
        },
        agents::Change {
            system_prompt: Some("x".repeat(30_000)),
            ..blank()
        },
        agents::Change {
            description: Some("x".repeat(40_000)),
            ..blank()
        },
        agents::Change {
            system_prompt: Some("\u{1}".repeat(19_000)),
            ..blank()
        },
    ] {
        let refused = team
            .does(|| agents::change(&team.home, ann, "bard", wrong.clone()))
            .await;
        assert!(
            matches!(refused, Err(Problem::Invalid(_) | Problem::TooLarge { .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(
        team.does(|| agents::delete(&team.home, ann, "bard")).await,
        Err(Problem::Invalid(_))
    ));
    let archive = || agents::Change {
        status: Some(AgentStatus::Archived),
        ..blank()
    };
    team.does(|| agents::change(&team.home, ann, "bard", archive()))
        .await
        .unwrap();
    assert_eq!(agents::list(&team.home, false).await.unwrap().len(), 3);
    assert_eq!(agents::list(&team.home, true).await.unwrap().len(), 4);
    let bard = domain::id::AgentId::new("poet");
    let asked = team
        .does(|| ask::ask(&team.home, ann, &team.session, "hi", Some(&bard)))
        .await;
    assert_eq!(
        asked,
        Err(Problem::AgentNotActive {
            name: "bard".to_owned(),
            archived: true
        })
    );
    team.does(|| agents::delete(&team.home, ann, "bard"))
        .await
        .unwrap();
    assert!(matches!(
        agents::find(&team.home, "bard").await,
        Err(crate::CommandError::Problem(Problem::NotFound { .. }))
    ));
    team.audit_holds().await;
}

#[tokio::test]
async fn a_deleted_agent_of_the_catalog_stays_deleted() {
    let team = Team::new().await;
    let archive = || agents::Change {
        status: Some(AgentStatus::Archived),
        ..Default::default()
    };
    team.does(|| agents::change(&team.home, &team.ann, "coder", archive()))
        .await
        .unwrap();
    team.does(|| agents::delete(&team.home, &team.ann, "coder"))
        .await
        .unwrap();
    let templates = catalog::agents().unwrap();
    assert_eq!(
        team.does(|| agents::seed(&team.home, &templates)).await,
        Ok(0)
    );
    assert_eq!(agents::list(&team.home, true).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_run_keeps_the_agent_that_it_began_with() {
    let team = Team::new().await;
    team.says("run: make\nthen\nsay: done").await;
    let change = || agents::Change {
        system_prompt: Some("Be rude.".to_owned()),
        ..Default::default()
    };
    team.does(|| agents::change(&team.home, &team.ann, "assistant", change()))
        .await
        .unwrap();
    team.decides(domain::approval::Choice::Approve).await;
    let requests = team.model.requests();
    assert_eq!(requests[0].system, requests[1].system);
    team.says("say: hi").await;
    assert!(
        team.model
            .requests()
            .last()
            .unwrap()
            .system
            .ends_with("Be rude.")
    );
}

#[tokio::test]
async fn rules_are_added_and_removed() {
    let team = Team::new().await;
    let otto = team.joins("otto", Role::Operator).await;
    let rule = || parse_rule("allow shell_exec make *").unwrap();
    assert!(
        team.does(|| rules::add(&team.home, &otto, rule()))
            .await
            .is_err()
    );
    let added = team
        .does(|| rules::add(&team.home, &team.ann, rule()))
        .await
        .unwrap();
    team.says("run: make x").await;
    assert_eq!(team.fakes.sandbox.started(), ["make x"]);
    let nothing = team
        .does(|| rules::remove(&team.home, &team.ann, "zzzz"))
        .await;
    assert!(matches!(nothing, Err(Problem::NotFound { .. })));
    assert!(
        team.does(|| rules::remove(&team.home, &otto, added.id.as_str()))
            .await
            .is_err()
    );
    team.does(|| rules::remove(&team.home, &team.ann, domain::id::short(added.id.as_str())))
        .await
        .unwrap();
    team.says("run: make y").await;
    assert_eq!(team.cards().await.len(), 1);
    team.audit_holds().await;
}

#[tokio::test]
async fn who_may_ask_and_what() {
    let team = Team::new().await;
    let vera = team.joins("vera", Role::Viewer).await;
    let refused = team
        .does(|| ask::ask(&team.home, &vera, &team.session, "hi", None))
        .await;
    assert_eq!(
        refused,
        Err(Problem::NotAllowed {
            needed: Role::Operator
        })
    );
    assert!(matches!(team.writes("  ").await, Err(Problem::Invalid(_))));
    let long = "x".repeat(ask::PROMPT_LIMIT + 1);
    assert!(matches!(
        team.does(|| ask::ask(&team.home, &team.ann, &team.session, &long, None))
            .await,
        Err(Problem::TooLarge { .. })
    ));
    team.says("run: make").await;
    for _ in 0..10 {
        team.writes("say: more").await.unwrap();
    }
    assert_eq!(
        team.writes("say: more").await,
        Err(Problem::QueueFull { waiting: 10 })
    );
}

#[tokio::test]
async fn questions_find_things_by_the_end_of_their_id() {
    let team = Team::new().await;
    team.says("run: make").await;
    let run = team.latest().await;
    let short = domain::id::short(run.id.as_str());
    assert_eq!(queries::run(&team.home, short).await.unwrap().id, run.id);
    let card = team.card().await;
    assert_eq!(
        queries::approval(&team.home, domain::id::short(card.id.as_str()))
            .await
            .unwrap()
            .value,
        card
    );
    assert_eq!(queries::pending(&team.home).await.unwrap().len(), 1);
    assert_eq!(queries::active(&team.home).await.unwrap().len(), 1);
    assert!(queries::run(&team.home, "nothing").await.is_err());
    assert!(
        !queries::audit(&team.home, &crate::run::stream(&run.id), 50)
            .await
            .unwrap()
            .is_empty()
    );
    team.setting("limits", json!({"steps": 3})).await;
}
