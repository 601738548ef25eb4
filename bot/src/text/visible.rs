//! Makes visible what would deceive the eye. A card shows what a model wrote, and what a person approves has to be what they
//! saw: characters that reorder, hide or overprint others are shown by their number.

/// Control characters (but for line break and tab), bidirectional controls and invisible ones as `⟨U+202E⟩`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if deceives(c) {
            out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// The same in one line, each run of white space one space, so that a value can't pretend to be further lines of the card.
#[must_use]
pub fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn deceives(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Zero width (the joiner U+200D stays: emoji need it), directional marks, embeddings, isolates, invisible operators,
        // tags, byte order mark, soft hyphen, line and paragraph separators.
        '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{00AD}'
        | '\u{FEFF}' => true,
        '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{E0000}'..='\u{E007F}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_seen() {
        assert_eq!(
            visible("rm \u{202E}txt.sh\r\n\tx 👩\u{200D}🚀"),
            "rm ⟨U+202E⟩txt.sh⟨U+000D⟩\n\tx 👩\u{200D}🚀"
        );
        assert_eq!(one_line("safe\n\nImpact: none"), "safe Impact: none");
    }
}
