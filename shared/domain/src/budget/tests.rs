use super::*;
use proptest::prelude::*;

const NOON: Micros = Micros(1_795_262_400_000_000);
const TOMORROW: Micros = Micros(1_795_262_400_000_000 + 86_400_000_000);

fn budget(scope: Scope) -> Budget {
    Budget {
        scope,
        amount: MicroUsd(5_000_000),
        since: Micros(7),
        set_by: MemberId::new("m"),
        set_at: Micros(7),
        extra: None,
    }
}

fn scopes() -> [Scope; 5] {
    let (agent, member) = (AgentId::new("coder"), MemberId::new("telegram:42"));
    [
        Scope::Team,
        Scope::Day,
        Scope::Agent(agent),
        Scope::Member(member),
        Scope::Run,
    ]
}

#[test]
fn a_scope_has_one_spelling() {
    let texts = scopes().map(|scope| scope.to_string());
    assert_eq!(
        texts,
        ["team", "day", "agent:coder", "member:telegram:42", "run"]
    );
    for (scope, text) in scopes().iter().zip(texts) {
        assert_eq!(text.parse::<Scope>().as_ref(), Ok(scope));
    }
    for text in ["", "teams", "agent", "agent:", "run:x"] {
        text.parse::<Scope>().unwrap_err();
    }
}

#[test]
fn each_budget_is_counted_by_itself_and_a_day_anew() {
    let counters = scopes().map(|scope| budget(scope).counter(NOON));
    let named: std::collections::BTreeSet<_> = counters.iter().flatten().collect();
    assert_eq!((named.len(), &counters[4]), (4, &None));
    let day = budget(Scope::Day);
    assert_ne!(day.counter(NOON), day.counter(TOMORROW));
    let team = budget(Scope::Team);
    assert_eq!(team.counter(NOON), team.counter(TOMORROW));
    let anew = Budget {
        since: Micros(8),
        ..team.clone()
    };
    assert_ne!(team.counter(NOON), anew.counter(NOON));
}

#[test]
fn a_day_is_raised_for_that_day_the_others_for_good() {
    let (more, raised) = (MicroUsd(1_000_000), MicroUsd(7_000_000));
    for scope in scopes() {
        let mut budget = budget(scope);
        budget.raise(more, NOON);
        budget.raise(more, NOON);
        assert_eq!(budget.ceiling(NOON), raised);
        let then = budget.ceiling(TOMORROW);
        let day = budget.scope == Scope::Day;
        assert_eq!(then, if day { budget.amount } else { raised });
        budget.raise(more, TOMORROW);
        assert_eq!(budget.ceiling(TOMORROW), then + more);
    }
}

proptest! {
    /// One tap is enough for the call that waits, and no tap is for fractions of a cent.
    #[test]
    fn a_raise_is_enough(ceiling in 0..1_000_000_000_i64, spent in 0..1_000_000_000_i64, need in 1..100_000_000_i64) {
        let (ceiling, spent, need) = (MicroUsd(ceiling), MicroUsd(spent), MicroUsd(need));
        let raise = raise(ceiling, spent, need);
        prop_assert!(spent + need <= ceiling + raise);
        prop_assert!(raise.0 > 0 && raise.0 % 10_000 == 0);
    }
}
