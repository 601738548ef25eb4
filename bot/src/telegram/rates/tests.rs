use super::*;
use testkit::clock::TestClock;

fn rates() -> (Arc<TestClock>, Rates) {
    let clock = Arc::new(TestClock::default());
    (clock.clone(), Rates::new(clock, true))
}

const SECOND: Duration = Duration::from_secs(1);

/// How many of so many attempts were let through.
fn taken(rates: &Rates, chat: i64, attempts: usize) -> usize {
    (0..attempts)
        .filter(|_| rates.take(chat) == Turn::Now)
        .count()
}

#[test]
fn a_burst_goes_out_at_once_and_one_a_second_always() {
    let (clock, rates) = rates();
    assert_eq!(taken(&rates, 7, 30), 20);
    assert_eq!(rates.take(7), Turn::Later(20 * SECOND));
    clock.advance(19 * SECOND);
    assert_eq!(rates.take(7), Turn::Later(SECOND));
    for _ in 0..60 {
        clock.advance(SECOND);
        assert_eq!(rates.take(7), Turn::Now);
    }
}

#[test]
fn no_minute_of_a_group_and_no_second_of_the_bot_has_more_than_it_may() {
    let (clock, rates) = rates();
    let mut sent: Vec<(i64, Micros)> = Vec::new();
    let begun = clock.now();
    while clock.now().since(begun) < 90 * SECOND {
        for chat in [-1, -2, 1, 2, 3, 4] {
            for _ in 0..9 {
                if rates.take(chat) == Turn::Now {
                    sent.push((chat, clock.now()));
                }
            }
        }
        clock.advance(Duration::from_millis(130));
    }
    let most = |chat: Option<i64>, within: Duration| {
        let sent = || {
            sent.iter()
                .filter(move |(of, _)| chat.is_none_or(|chat| chat == *of))
        };
        sent()
            .map(|(_, from)| {
                sent()
                    .filter(|(_, at)| at >= from && at.since(*from) < within)
                    .count()
            })
            .max()
    };
    assert_eq!(most(Some(-1), 60 * SECOND), Some(20));
    assert_eq!(most(Some(3), 20 * SECOND), Some(20));
    assert_eq!(most(None, SECOND), Some(28));
}

#[test]
fn what_telegram_says_is_obeyed_to_the_second() {
    let (clock, rates) = rates();
    rates.hold(-7, 5 * SECOND);
    assert_eq!(rates.take(-7), Turn::Later(5 * SECOND));
    assert_eq!(rates.take(8), Turn::Now, "another chat goes on");
    clock.advance(4 * SECOND);
    assert_eq!(rates.take(-7), Turn::Later(SECOND));
    assert_eq!(rates.take_spare(-7), Turn::Later(SECOND));
    // A second chat that is told to wait meanwhile: it is the bot that is too fast.
    rates.hold(8, 3 * SECOND);
    assert_eq!(rates.take(9), Turn::Later(3 * SECOND));
    clock.advance(3 * SECOND);
    for chat in [-7, 8, 9] {
        assert_eq!(rates.take(chat), Turn::Now);
    }
}

#[test]
fn a_status_leaves_room_for_messages() {
    let (clock, rates) = rates();
    let spare = (0..30).filter(|_| rates.take_spare(-7) == Turn::Now);
    assert_eq!(spare.count(), 10);
    assert_eq!(taken(&rates, -7, 30), 10, "the other half is for messages");
    clock.advance(60 * SECOND);
    assert_eq!(taken(&rates, -7, 12), 12);
    assert_eq!(rates.take_spare(-7), Turn::Later(60 * SECOND));
}

#[test]
fn without_a_pace_only_telegram_is_obeyed() {
    let clock = Arc::new(TestClock::default());
    let rates = Rates::new(clock, false);
    assert_eq!(taken(&rates, -7, 100), 100);
    rates.hold(-7, SECOND);
    assert_eq!(rates.take(-7), Turn::Later(SECOND));
}

#[test]
fn chats_are_forgotten_when_nothing_is_known_of_them() {
    let (clock, rates) = rates();
    for chat in 0..3 * CHATS {
        rates.take(i64::try_from(chat).unwrap());
        clock.advance(SECOND);
    }
    assert!(rates.lock().chats.len() <= CHATS + 1);
}
