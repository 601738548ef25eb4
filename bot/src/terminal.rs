//! The terminal as a surface: messages as text, cards with a prompt, lines in.
//!
//! [`line()`] and [`render`] are pure; [`Screen`] owns what is on the screen: which cards wait, and the line that says what a run
//! is doing. Whatever a model wrote loses its control characters here, or it could rewrite what a person sees.

mod render;
mod screen;
mod waiting;

pub use render::render;
pub use screen::{Clear, Screen};
pub use waiting::waiting;

use crate::inbound::{Inbound, Person, What};
use domain::{
    card::{Action, Card},
    id::{MemberId, SessionId},
};
use ports::message::{Body, Outgoing};

pub const SURFACE: &str = "terminal";

/// Which key stands for which button, by the verb in the button's data.
const KEYS: [(&str, &str, &str); 9] = [
    ("ok", "a", "[a]pprove"),
    ("no", "d", "[d]eny (d REASON says why)"),
    ("modify", "m", "[m]odify (m TEXT does it)"),
    ("always", "A", "[A]lways"),
    ("again", "r", "[r]un again"),
    ("happened", "h", "it [h]appened"),
    ("more", "+", "[+] more money"),
    ("stop", "s", "[s]top"),
    ("details", "?", "[?] details"),
];

/// What the next line may be an answer to.
#[derive(Clone, PartialEq, Debug)]
pub struct TerminalState {
    pub session: SessionId,
    /// Cards that wait, the latest last: its keys are the ones that count.
    pub cards: Vec<(String, Card)>,
    /// The buttons below the latest text.
    pub links: Vec<Action>,
}

impl TerminalState {
    #[must_use]
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            cards: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Whether this very card stands on the screen and waits. Its words may say another time; what the keys do is the same.
    #[must_use]
    pub fn shows(&self, message: &Outgoing) -> bool {
        let Body::Card { card } = &message.body else {
            return false;
        };
        let tag = message.tag.as_deref().unwrap_or_default();
        let same = |(known, shown): &(String, Card)| known == tag && shown.actions == card.actions;
        !tag.is_empty() && self.cards.iter().any(same)
    }

    /// Takes note of what was shown.
    pub fn showed(&mut self, message: &Outgoing) {
        let (tag, card) = match &message.body {
            Body::Card { card } => (message.tag.clone().unwrap_or_default(), card),
            Body::EditCard { tag, card } => (tag.clone(), card),
            Body::Text { actions, .. } => {
                self.links = actions.concat();
                return;
            }
            _ => return,
        };
        self.cards.retain(|(known, _)| *known != tag);
        if actions(card).next().is_some() {
            self.cards.push((tag, card.clone()));
        }
    }
}

/// What a person meant with a line.
#[must_use]
pub fn line(line: &str, state: &TerminalState) -> Inbound {
    let text = line.trim();
    let what = keyed(text, state).or_else(|| linked(text, state));
    let what = what.unwrap_or_else(|| What::Text {
        text: text.to_owned(),
        message: String::new(),
        replies_to: None,
        replies_in: None,
        replies_to_button: None,
    });
    Inbound {
        session: state.session.clone(),
        from: Some(Person {
            id: MemberId::new("terminal:owner"),
            name: "you".to_owned(),
        }),
        private: true,
        addressed: true,
        what,
    }
}

/// A key of the latest card that waits, or the word on its button, or yes and no; `d REASON` or `deny REASON` is a denial with a
/// reason, `m TEXT` a change of the call.
fn keyed(text: &str, state: &TerminalState) -> Option<What> {
    let (_, card) = state.cards.last()?;
    let action = |key: &str| {
        actions(card)
            .find(|(_, known, _)| *known == key)
            .map(|(action, ..)| action)
    };
    let word = text.to_lowercase();
    let key = match word.as_str() {
        "y" | "yes" if action("+").is_some() => "+",
        "n" | "no" if action("+").is_some() => "s",
        "y" | "yes" => "a",
        "n" | "no" => "d",
        _ => text,
    };
    let named = || actions(card).find(|(action, ..)| action.label.to_lowercase() == word);
    if let Some(action) = action(key).or_else(|| named().map(|(action, ..)| action)) {
        return Some(What::Tap {
            tap: "terminal".to_owned(),
            data: action.data.clone(),
            message: None,
        });
    }
    let (word, rest) = text.split_once(' ')?;
    let key = match word {
        "d" | "deny" => "d",
        "m" | "modify" => "m",
        _ => return None,
    };
    let (_, card) = action(key)?.data.split_once(':')?;
    let handle = card.replace(':', ".");
    let command = if key == "d" { "deny" } else { "modify" };
    Some(What::Text {
        text: format!("/{command} {handle} {}", rest.trim()),
        message: String::new(),
        replies_to: None,
        replies_in: None,
        replies_to_button: None,
    })
}

/// The word of a button below the latest text: what stands before the label's first space, or all of it.
fn linked(text: &str, state: &TerminalState) -> Option<What> {
    let word = text.to_lowercase();
    let means = |action: &&Action| {
        let label = action.label.to_lowercase();
        let letters: String = label.chars().filter(|c| c.is_alphanumeric()).collect();
        label == word
            || letters == word
            || (label.starts_with('[') && label.split(' ').next() == Some(&*word))
    };
    let action = state.links.iter().find(means)?;
    Some(What::Tap {
        tap: "terminal".to_owned(),
        data: action.data.clone(),
        message: None,
    })
}

/// The card's buttons with their keys and labels.
fn actions(card: &Card) -> impl Iterator<Item = (&Action, &'static str, &'static str)> {
    card.actions.iter().flatten().filter_map(|action| {
        let verb = action.data.split(':').next()?;
        let (_, key, label) = KEYS.iter().find(|(known, ..)| *known == verb)?;
        Some((action, *key, *label))
    })
}

#[cfg(test)]
mod tests;
