//! The first minutes: pairing, refusing, inviting.

use super::Team;
use tests::servers::telegram::User;

#[tokio::test]
async fn the_pairing_link_makes_one_owner_and_no_second_one() {
    let team = Team::start().await;
    let code = team.program.pairing_code().await;
    let eve = team.tg.private_chat(&User::new(6666, "Eve"));
    let tried = eve.send(&format!("/start {code}"));
    let refusal = eve.wait_for_message_after(tried).await;
    assert!(refusal.text.contains("invitation"), "{}", refusal.text);
    let asked = eve.send("run: ls");
    let refusal = eve.wait_for_message_after(asked).await;
    assert!(refusal.text.contains("invit"), "{}", refusal.text);
}

#[tokio::test]
async fn an_invite_lets_one_person_in_with_its_role() {
    let team = Team::start().await;
    let asked = team.ann.send("/invite viewer");
    let link = team
        .ann
        .wait_for_message(|m| m.is_bots() && m.id > asked && m.text.contains("?start="))
        .await;
    let code: String = link
        .text
        .split("?start=")
        .nth(1)
        .unwrap()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    let bob = team.tg.private_chat(&User::new(1002, "Bob"));
    bob.send(&format!("/start {code}"));
    bob.wait_for_text("viewer").await;
    let asked = bob.send("/runs");
    bob.wait_for_message_after(asked).await;
    let asked = bob.send("run: ls");
    let refusal = bob.wait_for_message_after(asked).await;
    assert!(refusal.text.contains("operator"), "{}", refusal.text);
}

#[tokio::test]
async fn the_menu_is_registered() {
    let team = Team::start().await;
    let menus: Vec<_> = team
        .tg
        .requests()
        .into_iter()
        .filter(|request| request.method.eq_ignore_ascii_case("setMyCommands"))
        .collect();
    let menu = menus.last().expect("the menu was set").params.to_string();
    for command in [
        "help",
        "new",
        "agents",
        "agent",
        "runs",
        "run",
        "cancel",
        "approvals",
        "approve",
        "deny",
        "rules",
        "audit",
        "cost",
        "settings",
    ] {
        assert!(
            menu.contains(&format!("\"{command}\""))
                || menu.contains(&format!("\\\"{command}\\\"")),
            "{command} in {menu}"
        );
    }
}
