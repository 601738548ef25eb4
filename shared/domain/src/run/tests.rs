//! Random worlds against `next`, and a journal of the first release that must still fold.

mod permits;

use super::*;
use crate::{
    Digest, Usage,
    budget::Scope,
    canonical_json,
    content::Content,
    id::{ApprovalId, CallId},
    message::Message,
    permission::{Effect, Verdict},
    tool::{ToolCall, ToolClass},
};
use proptest::{prelude::*, strategy::ValueTree};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A world that does what `next` says, and otherwise what the choices say: models that crash, people who decide anything,
/// processes that die between an event and its successor.
struct World {
    choices: std::vec::IntoIter<u8>,
    entries: Vec<Entry>,
    state: State,
    now: Micros,
    approvals: u32,
    /// Cards that nobody can decide or change any more.
    settled: BTreeSet<ApprovalId>,
    /// What each approval that was asked for would have run.
    bound: BTreeMap<ApprovalId, Digest>,
}

fn entry(at: Micros, event: Event) -> Entry {
    let actor = Actor::System;
    Entry {
        v: 1,
        at,
        actor,
        event,
    }
}

fn started(limits: Limits) -> Event {
    Event::Started {
        agent: AgentSnapshot {
            skills: Vec::new(),
            id: AgentId::new("a"),
            name: "a".to_owned(),
            version: 1,
            models: Vec::new(),
            system_prompt: Content::inline("be good"),
            knowledge: Vec::new(),
        },
        session: SessionId::new("terminal:x"),
        requester: MemberId::new("m"),
        prompt: Content::inline("go"),
        limits,
    }
}

impl World {
    fn new(choices: Vec<u8>) -> Self {
        let limits = Limits {
            steps: 12,
            tokens: 1000,
            cost: MicroUsd(400),
            wall_s: 5000,
        };
        let mut start = started(limits);
        if let Event::Started { agent, .. } = &mut start {
            agent.knowledge.push("k".into());
        }
        let entries = vec![entry(Micros(0), start)];
        let state = State::fold(&entries).unwrap();
        let choices = choices.into_iter();
        Self {
            choices,
            entries,
            state,
            now: Micros(0),
            approvals: 0,
            settled: BTreeSet::new(),
            bound: BTreeMap::new(),
        }
    }

    fn choose(&mut self, of: u8) -> Option<u8> {
        Some(self.choices.next()? % of)
    }

    fn push(&mut self, event: Event) {
        let entry = entry(self.now, event);
        self.state.apply(&entry).unwrap();
        self.entries.push(entry);
    }

    /// One action and what it leads to; `None` when the choices or the run are over.
    fn step(&mut self) -> Option<Action> {
        self.now = self
            .now
            .plus(std::time::Duration::from_secs(u64::from(self.choose(60)?)));
        if self.choose(12)? == 0 {
            self.somebody()?;
        }
        if self.state.busy && self.choose(20)? == 0 {
            self.push(Event::Resumed);
        }
        let action = next(&self.state, self.now);
        self.check(&action);
        match action.clone() {
            Action::AskModel => self.model()?,
            Action::Recall => self.push(Event::ContextAdded {
                source: RECALLED.to_owned(),
                messages: Vec::new(),
                tainted: false,
                taint: Vec::new(),
                sources: Vec::new(),
            }),
            Action::Judge { call } => self.judge(&call)?,
            Action::AskApproval { call } | Action::AskUnknown { call } => self.card(call),
            Action::Start { call, .. } if self.state.call(&call)?.call.name == ASK_PERSON => {
                let on = ParkedOn::Person { call: call.clone() };
                let approval = None;
                self.push(Event::CallStarted { call, approval });
                self.push(Event::Parked { on });
            }
            Action::Start { call, approval } => match self.choose(4)? {
                // The world is another one now.
                0 if self.state.call(&call)?.running => self.card(call),
                0 => self.judge(&call)?,
                1 => self.push(Event::CallStarted { call, approval }),
                _ => {
                    self.push(Event::CallStarted {
                        call: call.clone(),
                        approval,
                    });
                    self.finish(call, true);
                }
            },
            Action::Repeat { call } if self.choose(4)? == 0 => self.card(call),
            Action::Repeat { call } | Action::TakeAsHappened { call } => self.finish(call, true),
            Action::Refuse { call, .. } => self.finish(call, false),
            Action::Park { on } => self.push(Event::Parked { on }),
            Action::Finish { outcome } => self.push(Event::Finished {
                outcome,
                answer: None,
            }),
            Action::Rest if self.state.is_over() => return None,
            Action::Rest => self.somebody()?,
        }
        Some(action)
    }

    fn card(&mut self, call: CallId) {
        let state = self.state.call(&call).unwrap();
        let edited = state
            .modified
            .clone()
            .filter(|id| !state.running && !self.settled.contains(id));
        let fingerprint = state.call.fingerprint();
        self.approvals += 1;
        let approval = edited.unwrap_or_else(|| ApprovalId::new(self.approvals.to_string()));
        self.bound.insert(approval.clone(), fingerprint);
        let digest = Digest::of_bytes(call.as_str());
        self.push(Event::ApprovalAsked {
            call,
            approval,
            digest,
        });
    }

    fn model(&mut self) -> Option<()> {
        let reserved = MicroUsd(i64::from(self.choose(50)?));
        if self.choose(8)? == 0 {
            self.approvals += 1;
            let scope = [Scope::Run, Scope::Team][usize::from(self.choose(2)?)].clone();
            self.push(Event::BudgetAsked {
                scope,
                approval: ApprovalId::new(self.approvals.to_string()),
                digest: Digest::of_bytes("ask"),
            });
            return Some(());
        }
        let held = ["team", "day", "agent"];
        let held = held[..usize::from(self.choose(4)?)].iter();
        self.push(Event::ModelAsked {
            model: "p/m".to_owned(),
            reserved,
            held: held.map(|counter| (*counter).to_owned()).collect(),
            bytes: 0,
        });
        let calls = match self.choose(8)? {
            0 => return Some(()),
            1 => {
                let again = u32::from(self.choose(3)?);
                let error = "no".to_owned();
                let cost = MicroUsd(i64::from(self.choose(2)?) * reserved.0);
                self.push(Event::ModelFailed { error, again, cost });
                return Some(());
            }
            2 => 0,
            n => n - 2,
        };
        let mut proposed = Vec::new();
        for number in 0..calls {
            let name = ["run", "finish", "read", ASK_PERSON][usize::from(self.choose(4)?)];
            proposed.push(ToolCall {
                id: CallId::new(format!("{}-{number}", self.state.steps)),
                name: name.to_owned(),
                arguments: json!({"x": self.choose(2)?}),
                malformed: None,
            });
        }
        let usage = Usage {
            input: u64::from(self.choose(100)?),
            ..Usage::default()
        };
        let cost = MicroUsd(i64::from(self.choose(60)?));
        self.push(Event::ModelReplied {
            model: "p/m".to_owned(),
            text: Content::inline("so"),
            calls: proposed,
            usage,
            cost,
            truncated: false,
        });
        Some(())
    }

    fn judge(&mut self, call: &CallId) -> Option<()> {
        let mut effect =
            [Effect::Allow, Effect::Ask, Effect::Ask, Effect::Deny][usize::from(self.choose(4)?)];
        let mut class = [ToolClass::Read, ToolClass::Idempotent, ToolClass::Effect]
            [usize::from(self.choose(3)?)];
        if self.state.call(call)?.call.name == ASK_PERSON {
            (effect, class) = (Effect::Allow, ToolClass::Read);
        }
        let verdict = Verdict {
            effect,
            rule: None,
            because: String::new(),
            approvers: None,
            expires_after_s: None,
            persons: None,
            escalate_after_s: None,
        };
        let digest = Digest::of_bytes([self.choose(3)?]);
        self.push(Event::CallProposed {
            call: call.clone(),
            verdict,
            class,
            digest,
        });
        Some(())
    }

    fn finish(&mut self, call: CallId, ok: bool) {
        self.push(Event::CallFinished {
            call,
            output: Content::inline("out"),
            ok,
            taint: None,
            artifacts: Vec::new(),
            sources: Vec::new(),
        });
    }

    /// A person or the time: decides on any card that was ever asked of the latest reply, or cancels.
    fn somebody(&mut self) -> Option<()> {
        if self.choose(10)? == 0 {
            self.push(Event::CancelAsked {
                by: MemberId::new("m"),
            });
            return Some(());
        }
        if let Phase::Parked(ParkedOn::Person { call }) = self.state.phase.clone()
            && self.choose(3)? != 0
        {
            self.finish(call, true);
            return Some(());
        }
        if let Some(BudgetCard {
            approval,
            decided: None,
            ..
        }) = self.state.budget.clone()
        {
            let amount = MicroUsd(i64::from(self.choose(100)?));
            let decided = match self.choose(4)? {
                0 => Decided::Stop,
                1 => Decided::Expired { seen: false },
                2 => Decided::Freed,
                _ => Decided::Raised { amount },
            };
            let call = CallId::new("spend");
            self.push(Event::ApprovalDecided {
                call,
                approval,
                decided,
            });
            return Some(());
        }
        // An approval's record lets only one decision through.
        let open = |call: &&CallState| call.decided.is_none() && !call.finished;
        let asked: Vec<(CallId, ApprovalId, bool)> = self
            .state
            .calls
            .iter()
            .filter(open)
            .filter_map(|call| Some((call.call.id.clone(), call.asked.clone()?.0, call.running)))
            .collect();
        if asked.is_empty() {
            return Some(());
        }
        let (call, approval, unknown) = asked[usize::from(self.choose(250)?) % asked.len()].clone();
        if !unknown && self.choose(6)? == 0 {
            return self.modify(call, approval);
        }
        self.settled.insert(approval.clone());
        let decided = match (unknown, self.choose(4)?) {
            (false, 0) => Decided::Denied {
                reason: "no".to_owned(),
            },
            (false, 1) => Decided::Expired { seen: true },
            (false, _) => Decided::Approved,
            (true, 0) => Decided::Stop,
            (true, 1) => Decided::Happened,
            (true, _) => Decided::RunAgain,
        };
        self.push(Event::ApprovalDecided {
            call,
            approval,
            decided,
        });
        Some(())
    }

    /// A person changes the call; sometimes the system takes it back.
    fn modify(&mut self, call: CallId, approval: ApprovalId) -> Option<()> {
        let was = Digest::of_bytes("was");
        let before = self.state.call(&call)?.call.arguments.clone();
        let (taken_back, arguments) = (self.choose(3)? == 0, json!({"x": self.choose(9)?}));
        let mut entry = entry(
            self.now,
            Event::CallModified {
                call: call.clone(),
                approval: approval.clone(),
                was: was.clone(),
                arguments,
            },
        );
        entry.actor = Actor::Member(MemberId::new("m"));
        self.state.apply(&entry).unwrap();
        self.entries.push(entry);
        if taken_back {
            assert_eq!(self.state.call(&call)?.former.as_ref(), Some(&before));
            self.push(Event::CallModified {
                call,
                approval,
                was,
                arguments: before,
            });
        }
        Some(())
    }

    /// What holds before every action, whatever happened before.
    fn check(&self, action: &Action) {
        if let Action::Start { call, approval } = action {
            let call = self.state.call(call).unwrap();
            let asks =
                call.judged.as_ref().unwrap().0.effect == Effect::Ask || call.modified.is_some();
            assert!(!call.finished, "a finished call starts");
            if asks || call.running {
                let fits = matches!(call.decided, Some(Decided::Approved | Decided::RunAgain))
                    && !call.spent;
                assert!(fits, "starts without an unspent decision: {call:?}");
                assert_eq!(approval.as_ref(), call.asked.as_ref().map(|(id, _)| id));
                let bound = approval.as_ref().and_then(|id| self.bound.get(id));
                assert_eq!(
                    bound,
                    Some(&call.call.fingerprint()),
                    "approved as something else"
                );
            }
            if call.running {
                assert_eq!(
                    call.decided,
                    Some(Decided::RunAgain),
                    "an unknown effect starts again by itself"
                );
            }
        }
        if *action == Action::Recall {
            assert!(!self.state.recalled, "knowledge is looked up twice");
        }
        if *action == Action::AskModel {
            assert!(self.state.recalled, "asked before knowledge was looked up");
            assert_eq!(self.state.budget, None, "asks while a card asks for money");
        }
        if let Action::Repeat { call } = action {
            let class = self.state.call(call).unwrap().judged.as_ref().unwrap().1;
            assert_ne!(class, ToolClass::Effect, "an effect is repeated");
            let call = self.state.call(call).unwrap();
            assert_ne!(call.call.name, ASK_PERSON, "a question is asked twice");
            let open = call.asked.is_some() && !call.spent;
            assert!(!open, "repeated while a person is asked about it");
        }
        let wall = Outcome::LimitReached { limit: Limit::Wall };
        if *action == (Action::Finish { outcome: wall }) {
            let waits = |call: &&CallState| {
                let approved = matches!(call.decided, Some(Decided::Approved | Decided::RunAgain));
                approved && !call.spent && !call.finished
            };
            let approved = self.state.calls.iter().find(waits);
            assert_eq!(approved, None, "an approved call never runs");
        }
        if matches!(self.state.phase, Phase::Parked(_)) && self.state.cancel_asked.is_none() {
            assert_eq!(*action, Action::Rest);
        }
        if self.state.is_over() {
            assert_eq!(*action, Action::Rest);
        }
        assert!(self.state.cost >= MicroUsd::ZERO, "{}", self.state.cost);
    }
}

fn worlds() -> impl Strategy<Value = World> {
    prop::collection::vec(any::<u8>(), 0..1200).prop_map(|choices| {
        let mut world = World::new(choices);
        while world.step().is_some() {}
        world
    })
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{:?}", entry.event)?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    /// `check` asserts on the way. An approval is used by one start at most.
    #[test]
    fn an_approval_is_used_once(world in worlds()) {
        let mut used: BTreeMap<ApprovalId, u32> = BTreeMap::new();
        for entry in &world.entries {
            if let Event::CallStarted { approval: Some(approval), .. } = &entry.event {
                *used.entry(approval.clone()).or_default() += 1;
            }
        }
        prop_assert!(used.values().all(|times| *times == 1), "{used:?}");
    }

    #[test]
    fn the_fold_of_a_beginning_goes_on_to_the_fold_of_all(world in worlds(), at in any::<prop::sample::Index>()) {
        let at = at.index(world.entries.len()) + 1;
        let at = at.min(world.entries.len());
        let mut state = State::fold(&world.entries[..at]).unwrap();
        for entry in &world.entries[at..] {
            state.apply(entry).unwrap();
        }
        prop_assert_eq!(&state, &State::fold(&world.entries).unwrap());
        prop_assert_eq!(&state, &world.state);
        prop_assert_eq!(state.len, world.entries.len() as u64);
    }

    /// A question reaches its person once, whatever else is decided meanwhile.
    #[test]
    fn a_question_is_asked_once(world in worlds()) {
        let mut started: BTreeMap<CallId, u32> = BTreeMap::new();
        let mut questions: Vec<CallId> = Vec::new();
        for entry in &world.entries {
            match &entry.event {
                Event::ModelReplied { calls, .. } => {
                    let asks = calls.iter().filter(|call| call.name == ASK_PERSON);
                    questions.extend(asks.map(|call| call.id.clone()));
                }
                Event::CallStarted { call, .. } => *started.entry(call.clone()).or_default() += 1,
                _ => {}
            }
        }
        let times = |call| started.get(call).copied().unwrap_or_default();
        prop_assert!(questions.iter().all(|call| times(call) <= 1));
    }

    /// However long a person, a queue or a dead process makes a run wait, it is no work.
    #[test]
    fn only_steps_take_time(world in worlds(), pause in 1..1_000_000_000_i64) {
        let mut state = State::fold(&world.entries[..1]).unwrap();
        let (mut late, mut entries) = (0, world.entries.clone());
        for (entry, shifted) in world.entries.iter().zip(&mut entries).skip(1) {
            let parked = matches!(state.phase, Phase::Parked(_)) || state.len == 1;
            if parked || entry.event == Event::Resumed {
                late += pause;
            }
            shifted.at = Micros(entry.at.0 + late);
            state.apply(entry).unwrap();
        }
        let shifted = State::fold(&entries).unwrap();
        prop_assert_eq!(shifted.worked_for, world.state.worked_for);
        prop_assert!(shifted.worked_for <= entries.last().unwrap().at.since(Micros(0)));
    }

    /// After every event each counter holds what was settled on it and what is reserved; the run's cost is the sum of its parts.
    #[test]
    fn counters_move_as_the_journal_says(world in worlds()) {
        let (mut hold, mut counters) = (Hold::default(), Moves::new());
        // What was settled, and the counters and the amount of a call that was not.
        let (mut settled, mut open) = (Moves::new(), (Vec::new(), 0));
        let mut state = State::fold(&world.entries[..1]).unwrap();
        for entry in &world.entries[1..] {
            hold.apply(&entry.event, &mut counters);
            state.apply(entry).unwrap();
            let costs = match &entry.event {
                Event::ModelReplied { cost, .. } | Event::ModelFailed { cost, .. } => Some(cost.0),
                // Nobody saw how the call before came out: it counts as spent.
                Event::ModelAsked { .. } | Event::BudgetAsked { .. } | Event::Finished { .. } => {
                    Some(open.1)
                }
                _ => None,
            };
            if let Some(cost) = costs {
                for counter in std::mem::take(&mut open).0 {
                    *settled.entry(counter).or_default() += cost;
                }
            }
            if let Event::ModelAsked { held, reserved, .. } = &entry.event {
                open = (held.clone(), reserved.0);
            }
            prop_assert_eq!(&state.hold, &hold);
            for (counter, value) in &counters {
                let reserved = if hold.counters.contains(counter) { hold.amount.0 } else { 0 };
                prop_assert_eq!(*value, settled.get(counter).copied().unwrap_or(0) + reserved);
            }
            let spent: i64 = state.spent.iter().map(|spent| spent.cost.0).sum();
            prop_assert_eq!(state.cost.0, spent + hold.amount.0);
        }
    }

    #[test]
    fn what_models_are_shown_only_grows(world in worlds()) {
        let mut before: Vec<Message> = Vec::new();
        for end in 1..=world.entries.len() {
            let state = State::fold(&world.entries[..end]).unwrap();
            prop_assert!(state.messages.starts_with(&before));
            before = state.messages;
        }
    }

    #[test]
    fn events_are_read_as_they_were_written(world in worlds()) {
        for entry in &world.entries {
            let text = canonical_json(entry).unwrap();
            prop_assert_eq!(&lift(&text).unwrap(), entry);
        }
    }

    /// However processes die and whatever people decide, a run that is given enough of both comes to its end.
    #[test]
    fn a_run_is_over_at_last(mut world in worlds()) {
        world.choices = vec![7; 6000].into_iter();
        while world.step().is_some() {}
        prop_assert!(world.state.is_over(), "{:?}", world.state.phase);
    }
}

/// The worlds are worth something only if they reach what they are about.
#[test]
fn random_worlds_reach_every_action() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    let choices = prop::collection::vec(any::<u8>(), 1200);
    for _ in 0..400 {
        let choices = choices.new_tree(&mut runner).unwrap().current();
        let mut world = World::new(choices);
        while let Some(action) = world.step() {
            let name = format!("{action:?}");
            seen.insert(name.split([' ', '(']).next().unwrap().to_owned());
        }
    }
    let all = [
        "AskApproval",
        "AskModel",
        "AskUnknown",
        "Finish",
        "Judge",
        "Park",
        "Recall",
        "Refuse",
        "Repeat",
        "Rest",
        "Start",
        "TakeAsHappened",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

const GOLDEN: &str = include_str!("golden_v1.jsonl");

/// The journals of the golden file, one after the other.
fn golden() -> Vec<Vec<Entry>> {
    let mut journals: Vec<Vec<Entry>> = Vec::new();
    for line in GOLDEN.lines() {
        let entry = lift(line).unwrap();
        if matches!(entry.event, Event::Started { .. }) {
            journals.push(Vec::new());
        }
        journals.last_mut().unwrap().push(entry);
    }
    journals
}

#[test]
fn journals_of_release_0_1_still_fold() {
    let told: Vec<String> = golden()
        .iter()
        .map(|entries| {
            let state = State::fold(entries).unwrap();
            let Phase::Over(outcome) = &state.phase else { panic!("not over") };
            let answer = state.answer.as_ref().map_or("-", Content::head);
            format!(
                "{}: {outcome:?}, “{answer}”, {} events, {} steps, {} tokens, {}, {} messages, tainted by {:?}",
                state.agent.name, state.len, state.steps, state.usage.total(), state.cost, state.messages.len(), state.taint,
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    assistant: Answered, “hello”, 4 events, 1 steps, 386 tokens, $0, 2 messages, tainted by []
    assistant: Answered, “Blue it is.”, 34 events, 5 steps, 10536 tokens, $0, 12 messages, tainted by ["notes.md", "the output of “make”"]
    assistant: Cancelled { by: MemberId(chat:ann) }, “-”, 15 events, 1 steps, 583 tokens, $0, 7 messages, tainted by []
    coder: Failed { why: "no model answered." }, “I run two things.”, 23 events, 2 steps, 100 tokens, $0.0012, 5 messages, tainted by ["the output of “cargo test”"]
    assistant: Answered, “Done.”, 13 events, 2 steps, 32 tokens, $0, 4 messages, tainted by ["the MCP server notes"]
    assistant: Answered, “It is 42.”, 5 events, 1 steps, 2001 tokens, $0, 2 messages, tainted by []
    assistant: Answered, “Made.”, 22 events, 3 steps, 4423 tokens, $0.0001, 5 messages, tainted by ["the output of “make -n”"]
    "#);
}

#[test]
fn journals_of_release_0_1_lose_nothing_when_they_are_read() {
    for (line, entry) in GOLDEN.lines().zip(golden().concat()) {
        assert_eq!(canonical_json(&entry).unwrap(), line);
    }
}

#[test]
fn what_a_provider_counted_is_kept_with_the_bytes_that_it_counted() {
    let with = |is_it: fn(&Event) -> bool| {
        let journals = golden().into_iter();
        let mut with = journals.filter(|entries| entries.iter().any(|entry| is_it(&entry.event)));
        State::fold(&with.next().unwrap()).unwrap().offer
    };
    let offer = with(|event| matches!(event, Event::ToolsOffered { .. }));
    assert_eq!(offer.on_demand, Some(true));
    let gauge = |bytes, tokens| crate::tokens::Gauge { bytes, tokens };
    assert_eq!(offer.learned(), Some(gauge(8_000, 2_000)));
    assert_eq!(
        with(|event| matches!(event, Event::Started { .. })).learned(),
        None
    );
    // Where each request's bytes are noted, the latest one counts.
    let latest = with(|event| matches!(event, Event::Summarised { .. }));
    assert_eq!(latest.learned(), Some(gauge(6_400, 1_600)));
}

#[test]
fn the_golden_journals_have_every_kind_of_event() {
    let kinds: std::collections::BTreeSet<String> = GOLDEN
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds.len(), 23, "{kinds:?}");
}

#[test]
fn what_is_no_event_is_refused_with_a_sentence() {
    assert!(lift("{").unwrap_err().starts_with("not JSON"));
    assert!(
        lift("{\"v\":1,\"type\":\"danced\"}")
            .unwrap_err()
            .starts_with("not an event")
    );
    assert!(
        lift("{\"v\":2,\"type\":\"resumed\"}")
            .unwrap_err()
            .contains("newer program")
    );
    let text = "{\"type\":\"resumed\",\"at\":5,\"actor\":\"system\"}";
    assert_eq!(
        lift(text).unwrap().v,
        1,
        "the first version did not need to say which it was"
    );
}

#[test]
fn what_is_no_journal_is_refused() {
    assert_eq!(State::fold(&[]), Err(FoldError::Empty));
    assert_eq!(
        State::fold(&[entry(Micros(0), Event::Resumed)]),
        Err(FoldError::NoStart)
    );
    let twice = [
        entry(Micros(0), started(Limits::default())),
        entry(Micros(0), started(Limits::default())),
    ];
    assert!(matches!(
        State::fold(&twice),
        Err(FoldError::Impossible { position: 1, .. })
    ));
    let unknown = Event::CallStarted {
        call: CallId::new("x"),
        approval: None,
    };
    let entries = [
        entry(Micros(0), started(Limits::default())),
        entry(Micros(0), unknown),
    ];
    assert!(matches!(
        State::fold(&entries),
        Err(FoldError::Impossible { position: 1, .. })
    ));
}
