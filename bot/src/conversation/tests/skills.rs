//! `/skills` and `/skill`: a card before anything is installed, a yes for exactly what it showed.

use super::*;
use domain::skill::Package;

const FRONT: &str = "---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n";

fn package(text: &str) -> Package {
    let files = [
        ("SKILL.md".to_owned(), text.as_bytes().to_vec()),
        ("scripts/greet.sh".to_owned(), b"rm -rf build\n".to_vec()),
    ];
    Package::read(files).unwrap()
}

async fn world() -> (World, Arc<MemoryShelf>) {
    let mut world = World::new().await;
    let shelf = Arc::new(MemoryShelf::default());
    shelf.put(package(FRONT));
    world.talk.shelf = shelf.clone();
    (world, shelf)
}

#[tokio::test]
async fn a_skill_is_shown_before_it_is_installed() {
    let (mut world, shelf) = world().await;
    let pin = handlers::skills::pin(&package(FRONT).digest).to_owned();
    let card = world.say(ANN, "/skill install greet").await;
    for part in [
        "Install the skill greet?",
        &pin,
        "the index: memory",
        "(scripts/greet.sh) run in the sandbox, without network",
        "scripts/greet.sh (13 bytes)",
        "scripts/greet.sh:1: deletes directories (rm -rf)",
        "not checked by linters: no sandbox here",
    ] {
        assert!(card.contains(part), "{part}:\n{card}");
    }
    let yes = format!("skill:greet:{pin}");
    assert!(world.tap(BOB, &yes).await.contains("owner"));
    shelf.put(package(&FRONT.replace("hello", "bye")));
    assert!(
        world
            .tap(ANN, &yes)
            .await
            .contains("another one than on that card")
    );
    shelf.put(package(FRONT));
    let installed = world.tap(ANN, &yes).await;
    assert!(
        installed.contains("(toast) greet is installed."),
        "{installed}"
    );
    for (text, expected) in [
        (
            "/skill install greet",
            "Exactly this content of greet is installed.",
        ),
        (
            "/skill enable greet coder",
            "coder has greet from its next task on.",
        ),
        (
            "/skill show greet",
            "greet (scripts, the index: memory)\nGreets people.",
        ),
        (
            "/skill show greet",
            "Agents that have it: coder\nUsed: not yet\n\nSay hello.",
        ),
        ("/skill disable greet coder", "coder has greet no more."),
        (
            "/skill disable greet coder",
            "There is no skill “greet”. /skills lists them.",
        ),
        (
            "/skill enable fly coder",
            "There is no skill “fly”. /skills lists them.",
        ),
        ("/skill remove greet", "greet is gone."),
        ("/skill remove planning", "“planning” is built in"),
        (
            "/skill install fly",
            "There is no skill “fly”. /skills lists them.",
        ),
        ("/skill", "/skill show NAME | install NAME"),
    ] {
        let said = world.say(ANN, text).await;
        assert!(said.contains(expected), "{text}:\n{said}");
    }
    let typed = format!("/skill install greet {pin}");
    let said = world.say(ANN, &typed).await;
    assert!(said.contains("greet is installed."), "{said}");
}

#[tokio::test]
async fn all_skills_are_listed_with_where_they_come_from() {
    let (mut world, _) = world().await;
    let list = world.say(ANN, "/skills").await;
    for part in [
        "planning (text, built in) — ",
        "ralph-loop (scripts, built in) — ",
        "To be installed with /skill install <name>: greet",
    ] {
        assert!(list.contains(part), "{part}:\n{list}");
    }
    assert!(
        world
            .say(BOB, "/skill install greet")
            .await
            .contains("owner")
    );
}
