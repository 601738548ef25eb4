//! What a person does with files: sends new ones and the same again, gives them another content, takes them out, looks for what they
//! say. One thing after another: the next when it is seen what became of the one before.

use super::chance::Chance;
use crate::flows::pdf;
use tests::servers::telegram::{Conversation, Message};

/// So many deeds a person has in a world.
const DEEDS: usize = 8;
/// Paragraphs of a long paper, each with its word: they are several passages.
const LONG: usize = 120;

pub struct Files {
    chat: Conversation,
    name: &'static str,
    to_bot: &'static str,
    chance: Chance,
    pub papers: Vec<Paper>,
    pub deeds: usize,
    underway: Option<Underway>,
    /// What was seen and should not be.
    pub wrong: Vec<String>,
}

/// A document, and what it says now.
#[derive(Clone, Debug)]
pub struct Paper {
    /// Unique among all that people send.
    pub id: String,
    pub is_pdf: bool,
    /// How many contents it had; the last one counts.
    pub version: u32,
    pub removed: bool,
    /// Its reader was killed so often that it was given up, and its card says so.
    pub given_up: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Deed {
    Send,
    SendAgain,
    Remove,
    Search,
}

/// A deed whose end was not seen yet.
struct Underway {
    deed: Deed,
    paper: usize,
    /// The message with which it began, or the card on which it is to be tapped.
    since: i64,
    tapped: bool,
}

impl Paper {
    pub fn file(&self) -> String {
        let kind = if self.is_pdf { "pdf" } else { "md" };
        format!("{}.{kind}", self.id)
    }

    pub fn title(&self) -> String {
        format!("{} v{}.", self.id, self.version)
    }

    /// Which no other content has.
    pub fn word(&self, version: u32) -> String {
        let letters = |c: char| match c.to_digit(10) {
            Some(digit) => char::from(b'k' + u8::try_from(digit).unwrap()),
            None => c,
        };
        let id: String = self
            .id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let name: String = id.chars().map(letters).collect();
        let number: String = version.to_string().chars().map(letters).collect();
        format!("zu{name}x{number}q")
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (title, word) = (self.title(), self.word(self.version));
        if self.is_pdf {
            return pdf(&[&title, &format!("This paper says {word}.")]);
        }
        let count = if self.version.is_multiple_of(3) {
            LONG
        } else {
            1
        };
        let paragraphs: String = (0..count)
            .map(|at| format!("Paragraph {at} of this paper says {word}, and has an effect on nobody who reads it twice.\n\n"))
            .collect();
        format!("# {title}\n\n{paragraphs}").into_bytes()
    }
}

impl Files {
    pub fn new(
        name: &'static str,
        (chat, to_bot): (Conversation, &'static str),
        seed: u64,
    ) -> Self {
        Self {
            chat,
            name,
            to_bot,
            chance: Chance::of(seed, &format!("files of {name}")),
            papers: Vec::new(),
            deeds: 0,
            underway: None,
            wrong: Vec::new(),
        }
    }

    pub fn is_idle(&self) -> bool {
        self.underway.is_none()
    }

    /// Nothing came of a tap: it is tapped again.
    pub fn grow_impatient(&mut self) {
        if let Some(underway) = &mut self.underway {
            underway.tapped = false;
        }
    }

    /// Looks once; begins something where nothing is under way and `more` is wanted.
    pub fn look(&mut self, messages: &[Message], more: bool) {
        if let Some(underway) = self.underway.take() {
            self.underway = self.wait(underway, messages);
        } else if more && self.deeds < DEEDS {
            self.deeds += 1;
            self.begin(messages);
        }
    }

    fn begin(&mut self, messages: &[Message]) {
        let there = self.papers.len();
        let known = self.chance.below(there as u64 + 2);
        let deed = match self.chance.below(10) {
            _ if known >= there as u64 => return self.send_new(),
            0..3 => Deed::Send,
            3 | 4 => Deed::SendAgain,
            5 | 6 => Deed::Remove,
            _ => Deed::Search,
        };
        let at = usize::try_from(known).unwrap();
        let paper = &mut self.papers[at];
        if paper.given_up && deed != Deed::Send {
            return;
        }
        let since = match deed {
            Deed::Send => {
                paper.version += 1;
                (paper.removed, paper.given_up) = (false, false);
                self.upload(at)
            }
            // Of one that is removed it is a new one again.
            Deed::SendAgain if paper.removed => return,
            Deed::SendAgain => self.upload(at),
            Deed::Remove => {
                let title = format!("Read: {}", paper.title());
                let is_card =
                    |m: &&Message| m.text.contains(&title) && m.button("Remove").is_some();
                match messages.iter().rfind(is_card) {
                    Some(card) => card.id,
                    None => return,
                }
            }
            Deed::Search => {
                let word = paper.word(paper.version);
                self.chat.send(&format!("/search {word}"))
            }
        };
        self.wait_for(deed, at, since);
    }

    fn send_new(&mut self) {
        let at = self.papers.len();
        self.papers.push(Paper {
            id: format!("{}-{at}", self.name),
            is_pdf: self.chance.percent(20),
            version: 1,
            removed: false,
            given_up: false,
        });
        let since = self.upload(at);
        self.wait_for(Deed::Send, at, since);
    }

    fn upload(&self, at: usize) -> i64 {
        let paper = &self.papers[at];
        self.chat
            .send_document_with(&paper.file(), &paper.bytes(), self.to_bot.trim())
    }

    fn wait_for(&mut self, deed: Deed, paper: usize, since: i64) {
        self.underway = Some(Underway {
            deed,
            paper,
            since,
            tapped: false,
        });
    }

    /// None when its end was seen.
    fn wait(&mut self, mut underway: Underway, messages: &[Message]) -> Option<Underway> {
        let paper = &mut self.papers[underway.paper];
        let later = |m: &&Message| m.is_bots() && m.id > underway.since;
        let says = |text: &str| messages.iter().filter(later).any(|m| m.text.contains(text));
        let ended = match underway.deed {
            Deed::Send => {
                paper.given_up = says(&format!("Not read: {}", paper.file()));
                paper.given_up || says(&format!("Read: {}", paper.title()))
            }
            Deed::SendAgain => {
                // It may be read again instead, where it was given up meanwhile.
                says("with the same content") || says("is being read already")
            }
            Deed::Remove => {
                let removed = format!("Removed: {}", paper.file());
                paper.removed = messages
                    .iter()
                    .any(|m| m.id >= underway.since && m.text.contains(&removed));
                if !paper.removed && !underway.tapped {
                    underway.tapped = true;
                    let card = messages.iter().find(|m| m.id == underway.since);
                    if card.is_some_and(|card| card.button("Remove").is_some()) {
                        self.chat.tap(underway.since, "Remove");
                    }
                }
                paper.removed
            }
            Deed::Search => {
                let (found, nothing) = (
                    says(&format!("1. {}", paper.title())),
                    says("Nothing found"),
                );
                if found && paper.removed || nothing && !paper.removed {
                    let state = format!("{paper:?}, found: {found}");
                    self.wrong
                        .push(format!("a search in a chat was wrong: {state}"));
                }
                found || nothing
            }
        };
        (!ended).then_some(underway)
    }
}
