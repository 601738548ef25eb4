//! From any beginning of any journal nothing starts that was not permitted. What was permitted is read from the events alone, without
//! the fold that `next` relies on.

use super::*;

/// What the events so far permit of one call.
#[derive(Clone)]
struct Permit {
    call: ToolCall,
    judged: Option<(Effect, ToolClass)>,
    changed: bool,
    /// The card of now, and what it would run.
    asked: Option<(ApprovalId, Digest)>,
    said: Option<Decided>,
    started: bool,
    finished: bool,
}

#[derive(Clone, Default)]
struct Permits {
    calls: BTreeMap<CallId, Permit>,
    used: BTreeSet<ApprovalId>,
    /// Every card that was ever there.
    cards: Vec<ApprovalId>,
}

impl Permits {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::ModelReplied { calls, .. } => {
                let permit = |call: &ToolCall| Permit {
                    call: call.clone(),
                    judged: None,
                    changed: false,
                    asked: None,
                    said: None,
                    started: false,
                    finished: false,
                };
                let new = calls.iter().map(|call| (call.id.clone(), permit(call)));
                self.calls = new.collect();
            }
            Event::ApprovalAsked { approval, .. } | Event::BudgetAsked { approval, .. } => {
                self.cards.push(approval.clone());
            }
            Event::CallStarted {
                approval: Some(approval),
                ..
            } => {
                self.used.insert(approval.clone());
            }
            _ => {}
        }
        self.apply_call(event);
    }

    fn apply_call(&mut self, event: &Event) {
        let (Event::CallProposed { call, .. }
        | Event::CallModified { call, .. }
        | Event::ApprovalAsked { call, .. }
        | Event::ApprovalDecided { call, .. }
        | Event::CallStarted { call, .. }
        | Event::CallFinished { call, .. }) = event
        else {
            return;
        };
        let Some(permit) = self.calls.get_mut(call) else {
            return;
        };
        match event {
            Event::CallProposed { verdict, class, .. } => {
                permit.judged = Some((verdict.effect, *class));
                (permit.asked, permit.said) = (None, None);
            }
            Event::CallModified { arguments, .. } => {
                permit.call.arguments.clone_from(arguments);
                permit.changed = true;
                (permit.judged, permit.asked, permit.said) = (None, None, None);
            }
            Event::ApprovalAsked { approval, .. } => {
                permit.asked = Some((approval.clone(), permit.call.fingerprint()));
                permit.said = None;
            }
            Event::ApprovalDecided {
                approval, decided, ..
            } if permit.asked.as_ref().is_some_and(|(id, _)| id == approval) => {
                permit.said = Some(decided.clone());
            }
            Event::CallStarted { .. } => permit.started = true,
            Event::CallFinished { .. } => permit.finished = true,
            _ => {}
        }
    }

    /// Why this action is none that anybody permitted.
    fn objection(&self, action: &Action) -> Option<&'static str> {
        match action {
            Action::Start { call, approval } => {
                self.objection_to_start(&self.calls[call], approval.as_ref())
            }
            Action::Repeat { call } => {
                let class = self.calls[call].judged.map(|(_, class)| class);
                (class.is_none_or(|class| class == ToolClass::Effect))
                    .then_some("an effect is repeated")
            }
            _ => None,
        }
    }

    fn objection_to_start(
        &self,
        permit: &Permit,
        approval: Option<&ApprovalId>,
    ) -> Option<&'static str> {
        let effect = permit.judged.map(|(effect, _)| effect);
        if permit.finished {
            return Some("a finished call starts");
        }
        let Some(approval) = approval else {
            let allowed = effect == Some(Effect::Allow) && !permit.changed && !permit.started;
            return (!allowed).then_some("starts without an approval, and no rule allows it");
        };
        let as_now = (approval.clone(), permit.call.fingerprint());
        let yes = match permit.said {
            Some(Decided::RunAgain) => true,
            // It says nothing about a second time.
            Some(Decided::Approved) => !permit.started,
            _ => false,
        };
        [
            (effect.is_none(), "nobody judged it"),
            (
                effect == Some(Effect::Deny) && !permit.started,
                "a rule denies it",
            ),
            (permit.asked != Some(as_now), "approved as something else"),
            (!yes, "nobody said yes"),
            (self.used.contains(approval), "the approval is used twice"),
        ]
        .into_iter()
        .find_map(|(wrong, what)| wrong.then_some(what))
    }
}

/// A decision that comes from anywhere, about any card that ever was: late, again, or mixed up.
fn strays() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, Decided)>> {
    let (reason, amount) = (String::new(), MicroUsd(100));
    let decided = prop::sample::select(vec![
        Decided::Approved,
        Decided::RunAgain,
        Decided::Happened,
        Decided::Denied { reason },
        Decided::Raised { amount },
        Decided::Freed,
    ]);
    let index = || any::<prop::sample::Index>();
    prop::collection::vec((index(), index(), decided), 64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// After every event, at any time, and when a decision came that nobody waits for.
    #[test]
    fn nothing_starts_that_was_not_permitted(world in worlds(), strays in strays(), later in 0..10_000_000_000_i64) {
        let mut state = State::fold(&world.entries[..1]).unwrap();
        let mut permits = Permits::default();
        for (position, event) in world.entries[1..].iter().enumerate() {
            state.apply(event).unwrap();
            permits.apply(&event.event);
            for now in [event.at, Micros(event.at.0 + later)] {
                let action = next(&state, now);
                prop_assert_eq!(permits.objection(&action), None, "{:?}", action);
            }
            let (call, card, decided) = &strays[position % strays.len()];
            if permits.calls.is_empty() || permits.cards.is_empty() || state.is_over() {
                continue;
            }
            let calls: Vec<&CallId> = permits.calls.keys().collect();
            let stray = entry(event.at, Event::ApprovalDecided {
                call: (*call.get(&calls)).clone(),
                approval: card.get(&permits.cards).clone(),
                decided: decided.clone(),
            });
            let mut astray = state.clone();
            astray.apply(&stray).unwrap();
            let mut permits = permits.clone();
            permits.apply(&stray.event);
            let action = next(&astray, event.at);
            prop_assert_eq!(permits.objection(&action), None, "{:?} after {:?}", action, stray.event);
        }
    }
}
