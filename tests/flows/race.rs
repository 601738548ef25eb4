//! Many taps of several people on one card, at two processes on one database: one decision, one effect, an answer for everybody.

use super::{Balancer, Program, Team, team::code_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tests::servers::telegram::{Conversation, FakeTelegram, Message, User};

/// Taps of each person on each card.
const TAPS: usize = 3;

/// Ann, Carl, Dora and Emil own; Bob is an operator. Everybody is talked to by two processes.
struct Race {
    team: Team,
    other: Program,
    bob: Conversation,
    owners: Vec<Conversation>,
}

impl Race {
    async fn prepared() -> Self {
        let (balancer, public) = Balancer::start().await;
        let tg = FakeTelegram::start().await;
        let mut program = Program::new(&tg);
        program.set("COUNTERSIGN_PUBLIC_URL", &public);
        program.up().await;
        balancer.add(program.address().await);
        let mut other = program.beside();
        other.up().await;
        balancer.add(other.address().await);
        let team = Team::of(tg, program).await;
        let mut owners = vec![team.ann.clone()];
        for (id, name) in [(1003, "Carl"), (1004, "Dora"), (1005, "Emil")] {
            owners.push(joins(&team, (id, name), "owner").await);
        }
        let bob = joins(&team, (1002, "Bob"), "operator").await;
        Self {
            team,
            other,
            bob,
            owners,
        }
    }

    /// Bob's agent asks; every owner's copy of the card.
    async fn asked(&self) -> (Message, Vec<Message>) {
        let asked = self.bob.send("run: echo once >> effects");
        let card = self
            .bob
            .wait_for_message(|m| m.id > asked && m.button("Deny").is_some())
            .await;
        let mut copies = Vec::new();
        for owner in &self.owners {
            let fresh = |m: &Message| m.button("Deny").is_some();
            copies.push(owner.wait_for_message(fresh).await);
        }
        (card, copies)
    }

    /// Everybody taps their copy again and again, all at once; `label` says who what. How often which answer came.
    async fn tap(
        &self,
        copies: &[Message],
        label: impl Fn(usize, usize) -> &'static str,
    ) -> BTreeMap<String, usize> {
        self.team.tg.hold_updates();
        let mut taps = Vec::new();
        for time in 0..TAPS {
            for (who, (owner, copy)) in self.owners.iter().zip(copies).enumerate() {
                taps.push((owner, owner.tap(copy.id, label(who, time))));
            }
        }
        self.team.tg.release_updates();
        let mut said = BTreeMap::new();
        for (owner, tap) in &taps {
            *said.entry(owner.wait_for_answer(tap).await).or_default() += 1;
        }
        let answers = self.team.tg.answers_to_callbacks();
        for (_, tap) in &taps {
            let times = answers.iter().filter(|answer| answer.callback_id == *tap);
            assert_eq!(times.count(), 1, "each tap is answered once");
        }
        said
    }

    /// What is written on every copy once it is decided: the same.
    async fn outcome(&self, copies: &[Message]) -> String {
        let mut lines = Vec::new();
        for (owner, copy) in self.owners.iter().zip(copies) {
            let settled = |m: &Message| m.id == copy.id && m.buttons().is_empty();
            let text = owner.wait_for_message(settled).await.text;
            let line = text
                .lines()
                .find(|line| line.contains(" by "))
                .map(str::to_owned);
            lines.push(line.unwrap_or(text));
        }
        lines.dedup();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    fn count(&self, sql: &str) -> usize {
        usize::try_from(self.team.program.sql().number(sql)).unwrap()
    }

    /// One decision of each card in the journals and in the audit, and no other.
    fn decided(&self, cards: usize) {
        let journals = "SELECT count(*) FROM run_events WHERE type = 'approval_decided'";
        assert_eq!(self.count(journals), cards);
        let approvals = "SELECT count(*) FROM approvals WHERE status IN ('approved', 'denied')";
        assert_eq!(self.count(approvals), cards);
        let audit = "SELECT count(*) FROM audit_logs WHERE entry LIKE '%\"approval.approved\"%' OR entry LIKE '%\"approval.denied\"%'";
        assert_eq!(self.count(audit), cards);
    }

    /// Both had their part in it.
    async fn ends_well(mut self) {
        self.team.program.quiet().await;
        for program in [&mut self.team.program, &mut self.other] {
            program.assert_well();
            assert_ne!(handled(program).await, 0, "one did everything");
        }
        let (status, said, _) = self.team.program.run(&["audit", "verify"]).await;
        assert_eq!(status, 0, "{said}");
    }
}

pub async fn joins(team: &Team, (id, name): (i64, &str), role: &str) -> Conversation {
    let code = code_of(&team.ask(&format!("/invite {role}"), "?start=").await);
    let chat = team.tg.private_chat(&User::new(id, name));
    chat.send(&format!("/start {code}"));
    chat.wait_for_text(role).await;
    chat
}

/// How many updates this process handled.
async fn handled(program: &Program) -> u64 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/metrics", program.address().await);
    let metrics = client.get(url).send().await.unwrap().text().await.unwrap();
    let counts = metrics.lines().filter_map(|line| {
        let (name, count) = line.rsplit_once(' ')?;
        let counted = name.starts_with("countersign_jobs_total{job=\"update\"");
        counted.then(|| count.parse::<u64>().unwrap())
    });
    counts.sum()
}

#[tokio::test]
async fn of_many_taps_at_two_processes_one_decides() {
    let race = Race::prepared().await;
    race.team
        .ask("/rules add ask shell_exec echo * by owner", "by owner")
        .await;
    let (mut cards, mut approved) = (0, 0);
    for round in 0..8 {
        let (card, copies) = race.asked().await;
        // At first all agree; then they don't.
        let label = |who: usize, time: usize| match round {
            0..4 => "Approve",
            _ if (who + time + round).is_multiple_of(2) => "Deny",
            _ => "Approve",
        };
        let said = race.tap(&copies, label).await;
        cards += 1;
        let outcome = race.outcome(&copies).await;
        let yes = outcome.contains("Approved by");
        approved += usize::from(yes);
        let times = |text: &str| -> usize {
            let matching = said.iter().filter(|(said, _)| said.starts_with(text));
            matching.map(|(_, times)| times).sum()
        };
        let (first, later) = match yes {
            true => ("Approved.", "It was approved before."),
            false => ("Denied.", "It was denied before."),
        };
        let taps = TAPS * race.owners.len();
        assert_eq!((times(first), times(later)), (1, taps - 1), "{said:?}");
        // The run goes on once, and tells Bob of it.
        race.bob
            .wait_for_message(|m| m.id > card.id && m.button("Deny").is_none())
            .await;
        race.decided(cards);
        assert_eq!(race.team.effects(), approved);
    }
    assert!(approved >= 4);
    race.ends_well().await;
}

#[tokio::test]
async fn of_many_yeses_at_two_processes_two_count() {
    let race = Race::prepared().await;
    race.team
        .ask(
            "/rules add ask shell_exec echo * by two owners",
            "by 2 owners",
        )
        .await;
    for round in 1..=4 {
        let (card, copies) = race.asked().await;
        let said = race.tap(&copies, |_, _| "Approve").await;
        let times = |text: &str| -> usize {
            let matching = said.iter().filter(|(said, _)| said.contains(text));
            matching.map(|(_, times)| times).sum()
        };
        assert_eq!(
            (times("number 1 of 2"), times("Approved.")),
            (1, 1),
            "{said:?}"
        );
        let late = times("approved before") + times("counted already");
        assert_eq!(late, TAPS * race.owners.len() - 2, "{said:?}");
        let outcome = race.outcome(&copies).await;
        assert!(outcome.contains(" and "), "of two: {outcome}");
        race.bob
            .wait_for_message(|m| m.id > card.id && m.button("Deny").is_none())
            .await;
        race.decided(round);
        assert_eq!(race.team.effects(), round);
        let last =
            "SELECT doc FROM approvals WHERE asked_at = (SELECT max(asked_at) FROM approvals)";
        let approval: Value =
            serde_json::from_str(&race.team.program.sql().texts(last).concat()).unwrap();
        let votes = approval["votes"].as_array().unwrap();
        let voters: BTreeSet<_> = votes.iter().map(|vote| vote["by"]["id"].as_str()).collect();
        assert_eq!(voters.len(), 2);
    }
    race.ends_well().await;
}
