//! Agents and rules, what they were, and going back.

use super::team::{Team, alone};
use crate::{
    Problem,
    agents::{self, Change},
    rules,
    versions::Past,
};
use domain::{
    agent::AgentStatus,
    member::Role,
    permission::{Scope, parse_rule},
};

impl Team {
    async fn changes(&self, name: &str, change: Change) -> Result<domain::agent::Agent, Problem> {
        self.does(|| agents::change(&self.home, &self.ann, name, change.clone()))
            .await
    }

    async fn goes_back(&self, name: &str) -> Result<(domain::agent::Agent, u64), Problem> {
        self.does(|| agents::undo(&self.home, &self.ann, name))
            .await
    }

    async fn past(&self, name: &str) -> String {
        told(
            &agents::history(&self.home, alone(&self.ann), name)
                .await
                .unwrap(),
        )
    }
}

/// A history as text.
pub(super) fn told(past: &[Past]) -> String {
    let line = |past: &Past| {
        let undoes = past.undoes.map(|n| format!(" {n}")).unwrap_or_default();
        let (number, by, deed) = (past.number, &past.by, &past.deed);
        format!("{number} {by} {deed}{undoes}\n{}", past.diff)
    };
    past.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn named(name: &str) -> Change {
    Change {
        name: Some(name.to_owned()),
        ..Change::default()
    }
}

#[tokio::test]
async fn every_change_of_an_agent_is_a_version_and_each_undo_goes_one_further_back() {
    let team = Team::new().await;
    let made = Change {
        description: Some("Looks around".to_owned()),
        ..named("scout")
    };
    team.does(|| agents::create(&team.home, &team.ann, made.clone()))
        .await
        .unwrap();
    let prompt = Change {
        system_prompt: Some("You look around.\nTouch nothing.".to_owned()),
        preset: Some("read-only".to_owned()),
        ..Change::default()
    };
    team.changes("scout", prompt.clone()).await.unwrap();
    // What changes nothing is no version.
    team.changes("scout", prompt).await.unwrap();
    team.changes("scout", named("ranger")).await.unwrap();
    let paused = Change {
        status: Some(AgentStatus::Paused),
        ..Change::default()
    };
    let version = team.changes("ranger", paused).await.unwrap().version;
    assert_eq!(version, 4);
    let (agent, undone) = team.goes_back("ranger").await.unwrap();
    assert_eq!((agent.status, undone), (AgentStatus::Active, 4));
    assert_eq!(team.goes_back("ranger").await.unwrap().0.name, "scout");
    let (agent, _) = team.goes_back("scout").await.unwrap();
    assert_eq!((agent.system_prompt.as_str(), agent.version), ("", 7));
    let stored: domain::agent::Agent = team.get("scout").await.unwrap();
    assert_eq!(stored, agent);
    let Err(Problem::Invalid(why)) = team.goes_back("scout").await else {
        panic!("went back behind the beginning");
    };
    insta::assert_snapshot!(why, @"“scout” is as it was in the beginning: there is nothing to take back.");
    insta::assert_snapshot!(team.past("scout").await, @r#"
    1 ann created
    +---
    +name: scout
    +description: Looks around
    +preset: ask-first
    +---
    +
    2 ann changed
    -preset: ask-first
    +preset: read-only
    -
    +You look around.
    +Touch nothing.
    3 ann changed
    -name: scout
    +name: ranger
    4 ann changed
    +status: paused
    5 ann undone 4
    -status: paused
    6 ann undone 3
    -name: ranger
    +name: scout
    7 ann undone 2
    -preset: read-only
    +preset: ask-first
    -You look around.
    -Touch nothing.
    +
    "#);
    team.audit_holds().await;
}

#[tokio::test]
async fn a_deleted_agent_comes_back_under_its_name_if_that_is_free() {
    let team = Team::new().await;
    team.does(|| agents::duplicate(&team.home, &team.ann, "coder", "scout"))
        .await
        .unwrap();
    let archived = Change {
        status: Some(AgentStatus::Archived),
        ..Change::default()
    };
    team.changes("scout", archived).await.unwrap();
    let gone = team
        .does(|| agents::delete(&team.home, &team.ann, "scout"))
        .await;
    assert_eq!(gone.unwrap().name, "scout");
    assert!(agents::find(&team.home, "scout").await.is_err());
    let (agent, _) = team.goes_back("scout").await.unwrap();
    assert_eq!(
        (
            agent.name.as_str(),
            agent.status,
            agent.permissions.preset.as_str()
        ),
        ("scout", AgentStatus::Archived, "development")
    );
    assert_eq!(
        agents::find(&team.home, "scout").await.unwrap().value,
        agent
    );
}

#[tokio::test]
async fn deleting_says_what_is_in_the_way() {
    let team = Team::new().await;
    team.does(|| agents::duplicate(&team.home, &team.ann, "coder", "scout"))
        .await
        .unwrap();
    team.does(|| crate::sessions::choose_agent(&team.home, &team.ann, &team.session, "scout"))
        .await
        .unwrap();
    team.says("run: rm x").await;
    let mut rule = parse_rule("deny network").unwrap();
    rule.scope = Scope::Agent("scout".into());
    team.does(|| rules::add(&team.home, &team.ann, rule.clone()))
        .await
        .unwrap();
    let Err(Problem::Invalid(why)) = team
        .does(|| agents::delete(&team.home, &team.ann, "scout"))
        .await
    else {
        panic!("it is in use");
    };
    insta::assert_snapshot!(why, @"“scout” is in use by run 000005 (/cancel 000005), the rule “deny network for agent scout” (/rules remove 00000e), 1 conversation: archive it first, then delete it.");
}

#[tokio::test]
async fn an_agents_file_is_read_as_the_same_agent_and_a_change_of_it_is_a_version() {
    let team = Team::new().await;
    let presets = ["development".to_owned()];
    let file = agents::export(&team.home, alone(&team.ann), "coder")
        .await
        .unwrap();
    let import = async |file: &str| {
        team.does(|| agents::import(&team.home, &team.ann, file, &presets))
            .await
    };
    assert_eq!(import(&file).await.unwrap().version, 1);
    let changed = file.replace("A denial is an answer", "A denial is a gift");
    assert_eq!(import(&changed).await.unwrap().version, 2);
    let other = file.replace("name: coder", "name: other");
    assert_eq!(import(&other).await.unwrap().id.as_str(), "other");
    let wrong = file.replace("preset: development", "preset: godlike");
    let refused = [
        import(&wrong).await,
        import("Just text").await,
        import("---\nname: [\n---\nx").await,
    ];
    let why = refused.map(|refused| match refused {
        Err(Problem::Invalid(why)) => why,
        other => format!("{other:?}"),
    });
    insta::assert_snapshot!(why.join("\n"), @r#"
    There is no preset “godlike”. There are development.
    This is no agent’s file: it must begin with front matter between two lines `---`.
    This is no agent’s file: error: line 1 column 7: expected string scalar.
    "#);
}

/// A card shows what the agent could do: where the rules are others by then, the yes was to something else.
#[tokio::test]
async fn the_pin_of_an_agents_file_holds_what_the_agent_could_do() {
    let team = Team::new().await;
    let file = agents::export(&team.home, alone(&team.ann), "coder")
        .await
        .unwrap();
    let other = file.replace("name: coder", "name: other");
    let pin = async || {
        let tools = &team.run.tools;
        let look = agents::look(&team.home, alone(&team.ann), &other, tools);
        look.await.unwrap().pin
    };
    let shown = pin().await;
    assert_eq!(pin().await, shown);
    team.rule("deny shell_exec").await;
    assert_ne!(pin().await, shown);
}

#[tokio::test]
async fn the_latest_change_of_the_rules_is_taken_back_and_then_the_one_before() {
    let team = Team::new().await;
    let bob = team.joins("bob", Role::Operator).await;
    let add = async |text: &str| {
        let rule = parse_rule(text).unwrap();
        team.does(|| rules::add(&team.home, &team.ann, rule.clone()))
            .await
            .unwrap()
    };
    let first = add("allow shell_exec make *").await;
    add("deny network").await;
    team.does(|| rules::remove(&team.home, &team.ann, first.id.as_str()))
        .await
        .unwrap();
    let undo = async || team.does(|| rules::take_back(&team.home, &team.ann)).await;
    assert_eq!(undo().await.unwrap(), (first.clone(), true));
    let (second, came) = undo().await.unwrap();
    assert_eq!((second.to_string().as_str(), came), ("deny network", false));
    assert_eq!(
        rules::list(&team.home).await.unwrap(),
        std::slice::from_ref(&first)
    );
    assert_eq!(undo().await.unwrap(), (first, false));
    assert!(matches!(undo().await, Err(Problem::Invalid(_))));
    let bobs = team.does(|| rules::take_back(&team.home, &bob)).await;
    assert_eq!(
        bobs,
        Err(Problem::NotAllowed {
            needed: Role::Owner
        })
    );
    let past = rules::history(&team.home).await.unwrap();
    let lines: Vec<String> = past
        .iter()
        .map(|past| {
            format!(
                "{} {} came: {} {:?}",
                past.by, past.rule, past.came, past.undoes
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    ann allow shell_exec “make *” came: true None
    ann deny network came: true None
    ann allow shell_exec “make *” came: false None
    ann allow shell_exec “make *” came: true Some(3)
    ann deny network came: false Some(2)
    ann allow shell_exec “make *” came: false Some(1)
    "#);
    team.audit_holds().await;
}

#[tokio::test]
async fn what_always_added_is_a_version_too() {
    let team = Team::new().await;
    team.says("run: touch x").await;
    team.decides(domain::approval::Choice::Always).await;
    let (rule, came) = team
        .does(|| rules::take_back(&team.home, &team.ann))
        .await
        .unwrap();
    assert!(!came && rule.to_string().contains("touch x"), "{rule}");
    assert_eq!(rules::list(&team.home).await.unwrap(), []);
}
