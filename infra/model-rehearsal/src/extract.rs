//! A summary without a model: of each message its first and its last sentence.

/// Bytes of a sentence, and of all of them.
const SENTENCE: usize = 160;
const ALL: usize = 2400;

/// Of a conversation whose messages stand apart by an empty line.
#[must_use]
pub fn of(conversation: &str) -> String {
    let lines: Vec<String> = conversation.split("\n\n").filter_map(line).collect();
    let mut out = lines.join("\n");
    if out.len() > ALL {
        // What was said last matters more.
        let start = out.len() - ALL;
        let start = (start..out.len()).find(|at| out.is_char_boundary(*at));
        out = format!("…{}", &out[start.unwrap_or(0)..]);
    }
    out
}

fn line(message: &str) -> Option<String> {
    let sentences: Vec<&str> = message
        .split_inclusive(['.', '!', '?', '\n'])
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .collect();
    let first = domain::content::prefix(sentences.first()?, SENTENCE);
    let last = domain::content::prefix(sentences.last()?, SENTENCE);
    Some(match sentences.len() {
        1 => format!("- {first}"),
        2 => format!("- {first} {last}"),
        _ => format!("- {first} … {last}"),
    })
}
