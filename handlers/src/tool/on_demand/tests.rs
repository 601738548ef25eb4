use super::*;
use domain::id::CallId;
use testkit::search::MemoryIndex;

fn catalogue() -> Catalogue {
    let tool = |server: &str, name: &str, description: &str| {
        let name = format!("{server}__{name}");
        let properties = [("repo_path", "string", "Where the repository is")];
        (
            server.to_owned(),
            spec(&name, description, &properties, 1, ToolClass::Effect),
        )
    };
    Catalogue(vec![
        tool("git", "create_branch", "Starts a line of work"),
        tool("git", "log", "Shows earlier work"),
        tool("hub", "create_branch", "Starts a line of work elsewhere"),
        tool("page", "click", "Presses a button of a page"),
    ])
}

async fn found(query: &str) -> Vec<String> {
    let finder = Finder::new(Arc::new(MemoryIndex::new()));
    let catalogue = catalogue();
    let found = finder.find(&catalogue, query).await.unwrap();
    found.iter().map(|tool| tool.name.clone()).collect()
}

#[tokio::test]
async fn names_give_exactly_their_tools_and_words_the_best() {
    assert_eq!(
        found("git__log, page__click").await,
        ["git__log", "page__click"]
    );
    assert_eq!(
        found("`create_branch`").await,
        ["git__create_branch", "hub__create_branch"]
    );
    assert_eq!(found("presses button").await, ["page__click"]);
    assert_eq!(found("click").await, ["page__click"]);
    assert_eq!(found("branch").await.len(), 2);
    assert_eq!(
        found("repository").await.len(),
        FOUND,
        "words of arguments count"
    );
    assert_eq!(found("volcano").await, [""; 0]);
}

#[tokio::test]
async fn an_index_that_was_lost_is_made_again() {
    let index = Arc::new(MemoryIndex::new());
    let finder = Finder::new(index.clone());
    let catalogue = catalogue();
    finder.find(&catalogue, "button").await.unwrap();
    let made = finder.lock().values().next().unwrap().clone();
    index.lose(&made.segments[0]);
    let found = finder.find(&catalogue, "button").await.unwrap();
    assert_eq!(found[0].name, "page__click");
    let written: usize = finder.lock().len();
    assert_eq!(written, 1, "one index of a list");
}

#[test]
fn a_prompt_has_names_by_server_and_no_more_than_so_many() {
    let [find, using] = catalogue().listed();
    assert!(
        find.description
            .ends_with("git: create_branch, log; hub: create_branch; page: click"),
        "{}",
        find.description
    );
    assert_eq!(using.schema["required"], json!(["name", "arguments"]));
    let (server, tool) = catalogue().0.remove(0);
    let many = Catalogue(vec![(server, tool); 2_000]);
    let [find, _] = many.listed();
    assert!(find.description.len() < NAMES + 600);
    assert!(find.description.ends_with("… (there are more)"));
}

#[test]
fn a_call_is_unwrapped_and_wrapped_again() {
    let call = |name: &str, arguments: Value| ToolCall {
        id: CallId::new("x"),
        name: name.to_owned(),
        arguments,
        malformed: None,
    };
    let made = call(USE_TOOL, json!({"name": "git__log", "arguments": {"a": 1}}));
    let mut other = made.clone();
    unwrap(&mut other);
    assert_eq!(other, call("git__log", json!({"a": 1})));
    wrap(&mut other);
    assert_eq!(other, made);
    let mut bare = call(USE_TOOL, json!({"name": "git__log"}));
    unwrap(&mut bare);
    assert_eq!(bare, call("git__log", json!({})));
    for wrong in [
        json!({}),
        json!({"name": 3}),
        json!({"name": "a", "arguments": [1]}),
    ] {
        let mut wrong = call(USE_TOOL, wrong);
        unwrap(&mut wrong);
        assert!(wrong.malformed.is_some());
        let before = wrong.clone();
        wrap(&mut wrong);
        unwrap(&mut wrong);
        assert_eq!(wrong, before, "it stays as it was told");
    }
    let mut direct = call("git__log", json!({}));
    unwrap(&mut direct);
    assert_eq!(direct, call("git__log", json!({})));
}
