//! Files that are no documents: an agent that was exported comes back, a skill comes as a zip or as a bundle of git; and such files
//! that are bad.

use super::{Home, Team, in_each_home, team::code_of};
use std::{
    io::{Cursor, Write},
    path::Path,
    process::Command,
};
use tests::servers::telegram::{Conversation, Message, User};
use zip::{ZipWriter, write::SimpleFileOptions};

const SKILL: &str =
    "---\nname: greet\ndescription: Greets people.\n---\nSay hello in a friendly way.\n";

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer
            .start_file(*path, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Sends a file; the bot's first message after it that holds `expected`.
async fn send(who: &Conversation, name: &str, bytes: &[u8], expected: &str) -> Message {
    let sent = who.send_document(name, bytes);
    who.wait_for_message(|m| m.id > sent && m.text.contains(expected))
        .await
}

async fn tapped(who: &Conversation, card: &Message, label: &str, expected: &str) {
    who.tap(card.id, label);
    let done = who
        .wait_for_message(|m| m.id == card.id && m.text.contains(expected))
        .await;
    assert!(done.buttons().is_empty(), "{}", done.text);
}

async fn an_agent_goes_out_as_a_file_and_comes_back(home: Home) {
    let team = Team::in_home(home, &[]).await;
    let ann = &team.ann;
    team.ask("/kb create handbook", "is there").await;
    team.ask("/agents new scout Looks around", "scout").await;
    team.ask("/kb attach handbook scout", "looks things up in handbook")
        .await;
    team.ask("/agents show scout", "knowledge: handbook").await;
    let asked = ann.send("/agents export scout");
    let file = ann
        .wait_for_message(|m| m.id > asked && m.document.is_some())
        .await
        .document
        .unwrap();
    let text = String::from_utf8(file.bytes.to_vec()).unwrap();
    assert!(
        file.name == "scout.md" && text.contains("- handbook"),
        "{text}"
    );
    send(ann, &file.name, &file.bytes, "as this file says already").await;

    let other = text.replace("Looks around", "Looks around twice") + "You look twice.\n";
    let card = send(ann, "scout.md", other.as_bytes(), "Change the agent scout").await;
    for part in [
        "-description: Looks around",
        "+description: Looks around twice",
        "+You look twice.",
        "Asks: ",
        "Allowed: ",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    tapped(ann, &card, "Import", "is as the file says (version 3)").await;
    team.ask("/agents show scout", "You look twice.").await;
    team.ask("/agents history scout", "-description: Looks around")
        .await;

    // Another one by its name, first declined, then made.
    let ranger = other.replace("name: scout", "name: ranger");
    let card = send(ann, "ranger.md", ranger.as_bytes(), "Make the agent ranger").await;
    tapped(ann, &card, "Don’t", "Not imported.").await;
    team.ask("/agents show ranger", "no agent").await;
    let card = send(ann, "ranger.md", ranger.as_bytes(), "Make the agent ranger").await;
    tapped(ann, &card, "Import", "The agent ranger was made").await;
    team.ask("/agents show ranger", "knowledge: handbook").await;

    // A yes is to what the card showed.
    let third = other.replace("twice", "thrice");
    let card = send(ann, "scout.md", third.as_bytes(), "Change the agent scout").await;
    team.ask("/agents set scout preset read-only", "read-only")
        .await;
    let tap = ann.tap(card.id, "Import");
    assert!(
        ann.wait_for_answer(&tap)
            .await
            .contains("was changed since that card")
    );
    team.assert_well();
}

async fn what_is_no_agent_stays_a_document_and_a_bad_one_is_told(home: Home) {
    let team = Team::in_home(home, &[]).await;
    let ann = &team.ann;
    let file = |name: &str, preset: &str| {
        format!("---\nname: {name}\ndescription: Looks\npreset: {preset}\n---\nYou look.\n")
    };
    for (name, text, expected) in [
        (
            "plain.md",
            "# Trains\n\nThey leave at noon.\n".to_owned(),
            "Read: Trains",
        ),
        (
            "page.md",
            "---\ntitle: Boats\nname: x\n---\n# Boats\n\nThey leave at six.\n".to_owned(),
            "Read: ",
        ),
        ("SKILL.md", SKILL.to_owned(), "Read: "),
        ("notes.txt", file("scout", "read-only"), "Read: "),
        ("a.md", file("a", "godlike"), "There is no preset “godlike”"),
        ("a.md", file("A b", "read-only"), "is not a name"),
        ("a.md", file("new", "read-only"), "can’t be an agent’s name"),
        (
            "a.md",
            file("a", "read-only\nknowledge: [nothing]"),
            "There is no collection “nothing”",
        ),
        (
            "a.md",
            file("a", "read-only\ncolour: blue"),
            "This is no agent’s file",
        ),
    ] {
        send(ann, name, text.as_bytes(), expected).await;
    }
    // Who names a collection wants a document.
    let ranger = file("ranger", "read-only");
    let sent = ann.send_document_with("ranger.md", ranger.as_bytes(), "docs");
    ann.wait_for_message(|m| m.id > sent && m.text.contains("Read: "))
        .await;

    let code = code_of(&team.ask("/invite operator", "?start=").await);
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("an operator").await;
    send(&bob, "a.md", file("a", "read-only").as_bytes(), "owner").await;
    let skill = zip(&[("SKILL.md", SKILL.as_bytes())]);
    send(&bob, "greet.zip", &skill, "owner").await;
    let card = send(ann, "greet.zip", &skill, "Install the skill greet").await;
    let data = card.button("Install").unwrap().data.unwrap();
    let tap = bob.tap_data(1, &data);
    assert!(bob.wait_for_answer(&tap).await.contains("owner"));
    team.assert_well();
}

async fn a_skill_comes_as_a_zip(home: Home) {
    let team = Team::in_home(home, &[]).await;
    let ann = &team.ann;
    let greet = zip(&[
        ("greet/SKILL.md", SKILL.as_bytes()),
        ("greet/references/names.md", b"Ann\n"),
    ]);
    let card = send(ann, "greet.zip", &greet, "Install the skill greet").await;
    for part in [
        "references/names.md (4 bytes)",
        "From: the file greet.zip",
        "Content: ",
    ] {
        assert!(card.text.contains(part), "{part}:\n{}", card.text);
    }
    tapped(ann, &card, "Don’t", "Not installed.").await;
    team.ask("/skill show greet", "no skill").await;
    let card = send(ann, "greet.zip", &greet, "Install the skill greet").await;
    tapped(ann, &card, "Install", "greet is installed").await;
    team.ask("/skill show greet", "the file greet.zip").await;
    send(ann, "greet.zip", &greet, "Exactly this content").await;
    team.ask("/skill enable greet assistant", "from its next task on")
        .await;
    team.ask(
        "{\"tool\": \"use_skill\", \"arguments\": {\"name\": \"greet\"}}",
        "friendly",
    )
    .await;
    let rude = SKILL.replace("friendly", "rude");
    let other = zip(&[("SKILL.md", rude.as_bytes())]);
    let card = send(ann, "g.zip", &other, "Install another content").await;
    assert!(
        card.text.contains("+Say hello in a rude way."),
        "{}",
        card.text
    );
    tapped(ann, &card, "Install", "greet is installed").await;
    team.ask("/skill show greet", "rude").await;

    for (files, expected) in [
        (&[("a.txt", &b"x"[..])][..], "ZIP archive"),
        (
            &[("SKILL.md", b"Say hello.")],
            "must begin with front matter",
        ),
        (
            &[("SKILL.md", SKILL.as_bytes()), ("../x.md", b"x")],
            "leads out of the skill’s folder",
        ),
        (
            &[("SKILL.md", SKILL.as_bytes()), ("/etc/x", b"x")],
            "leads out of the skill’s folder",
        ),
        (
            &[
                ("a/SKILL.md", SKILL.as_bytes()),
                ("b/SKILL.md", SKILL.as_bytes()),
            ],
            "several skills",
        ),
        (
            &[("SKILL.md", SKILL.as_bytes()), ("a.bin", &[0; 64 << 20])],
            "more in a.bin than a skill may have",
        ),
    ] {
        send(ann, "bad.zip", &zip(files), expected).await;
    }
    // Two files of one name: the archive's writer would not, so a name is changed afterwards.
    let twice = zip(&[
        ("SKILL.md", SKILL.as_bytes()),
        ("a.md", b"1"),
        ("b.md", b"2"),
    ]);
    send(ann, "twice.zip", &renamed(twice, b"b.md", b"a.md"), "a.md").await;
    let names: Vec<String> = (0..10_000).map(|n| format!("{n}.md")).collect();
    let mut many: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    many.push(("SKILL.md", SKILL.as_bytes()));
    send(ann, "many.zip", &zip(&many), "it has 10001 files").await;
    team.assert_well();
}

fn renamed(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}

in_each_home!(
    an_agent_goes_out_as_a_file_and_comes_back,
    what_is_no_agent_stays_a_document_and_a_bad_one_is_told,
    a_skill_comes_as_a_zip,
);

/// A repository with these files in one commit, as a bundle.
fn bundle(place: &Path, files: &[(&str, &[u8])]) -> Vec<u8> {
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .current_dir(place)
            .args(["-c", "user.name=a", "-c", "user.email=a@localhost"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    for (path, bytes) in files {
        let path = place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "all"]);
    git(&["bundle", "create", "-q", "out.bundle", "HEAD", "main"]);
    std::fs::read(place.join("out.bundle")).unwrap()
}

#[tokio::test]
async fn a_skill_comes_as_a_bundle_of_git() {
    let team = Team::start().await;
    let ann = &team.ann;
    let place = tempfile::tempdir().unwrap();
    let greet = bundle(
        place.path(),
        &[
            ("SKILL.md", SKILL.as_bytes()),
            ("scripts/hi.sh", b"echo hello\n"),
        ],
    );
    let card = send(ann, "greet.bundle", &greet, "Install the skill greet").await;
    assert!(
        card.text.contains("scripts/hi.sh (11 bytes)"),
        "{}",
        card.text
    );
    tapped(ann, &card, "Install", "greet is installed").await;
    team.ask("/skill show greet", "the file greet.bundle").await;

    send(
        ann,
        "cut.bundle",
        &greet[..greet.len() - 40],
        "can’t be read by git",
    )
    .await;
    let large: Vec<u8> = (0..3_u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let place = tempfile::tempdir().unwrap();
    let large = bundle(
        place.path(),
        &[("SKILL.md", SKILL.as_bytes()), ("a.bin", &large)],
    );
    send(
        ann,
        "large.bundle",
        &large,
        "more in a.bin than a skill may have",
    )
    .await;
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.path().join("notes.md")).unwrap();
    let linked = bundle(place.path(), &[("SKILL.md", SKILL.as_bytes())]);
    send(ann, "linked.bundle", &linked, "notes.md, which is a link").await;
    let place = tempfile::tempdir().unwrap();
    let none = bundle(place.path(), &[("README.md", b"x")]);
    send(ann, "none.bundle", &none, "has no SKILL.md").await;
    team.assert_well();
}
