//! Command patterns: words with `*`, compared with the words of a command.
//!
//! An allow rule must fit for certain; an ask or deny rule speaks as soon as it could fit, because a word that is only
//! known when the command runs may become anything.

/// A word of a pattern: literal parts with any characters between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct WordPattern(Vec<String>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CommandPattern {
    words: Vec<WordPattern>,
    /// The pattern ends with a word `*`.
    any_further: bool,
}

impl WordPattern {
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return text == first;
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            match text.find(part.as_str()) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }

    fn has_slash(&self) -> bool {
        self.0.iter().any(|part| part.contains('/'))
    }

    /// The pattern for the part after the last slash.
    fn basename(&self) -> Self {
        let at = self.0.iter().rposition(|part| part.contains('/'));
        let mut parts = self.0[at.unwrap_or(0)..].to_vec();
        if let Some(first) = parts.first_mut() {
            *first = first.rsplit('/').next().unwrap_or("").to_owned();
        }
        Self(parts)
    }
}

/// Splits a text into words as written: quotes and backslashes are kept, and end no word.
///
/// # Errors
/// A sentence when a quote is not closed.
pub(super) fn raw_words(text: &str) -> Result<Vec<&str>, String> {
    let (mut words, mut start, mut quoted) = (Vec::new(), None, false);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if !quoted && c.is_whitespace() {
            words.extend(start.take().map(|start| &text[start..at]));
            continue;
        }
        start = start.or(Some(at));
        if c == '\'' {
            quoted = !quoted;
        } else if !quoted && c == '\\' && chars.next().is_none() {
            return Err(
                "A pattern can't end with a single backslash; write `\\\\` for a backslash."
                    .to_owned(),
            );
        }
    }
    if quoted {
        return Err(
            "A single quote is not closed; write `\\'` for the character itself.".to_owned(),
        );
    }
    words.extend(start.map(|start| &text[start..]));
    Ok(words)
}

/// A word as written: `'…'` and `\` make the next characters literal, `*` stands for any characters.
pub(super) fn word(raw: &str) -> WordPattern {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        let literal = match c {
            '\'' => {
                quoted = !quoted;
                continue;
            }
            '\\' if !quoted => chars.next(),
            '*' if !quoted => None,
            c => Some(c),
        };
        match (literal, parts.last_mut()) {
            (Some(c), Some(part)) => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    WordPattern(parts)
}

impl CommandPattern {
    /// # Errors
    /// A sentence: no words, or a quote that is not closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut raw = raw_words(text)?;
        if raw.is_empty() {
            return Err(
                "A command pattern needs at least one word, such as `git status *`.".to_owned(),
            );
        }
        let any_further = raw.last() == Some(&"*");
        if any_further {
            raw.pop();
        }
        Ok(Self {
            words: raw.into_iter().map(word).collect(),
            any_further,
        })
    }

    /// Whether the command fits whatever its unknown words become. They may only stand where the last `*` does. A plain
    /// name also fits the system's own file of that name, and no other file.
    pub fn certainly(&self, command: &[Option<String>]) -> bool {
        let enough = if self.any_further {
            command.len() >= self.words.len()
        } else {
            command.len() == self.words.len()
        };
        enough
            && !command.is_empty()
            && self
                .words
                .iter()
                .zip(command)
                .enumerate()
                .all(|(i, (pattern, word))| {
                    let Some(word) = word else { return false };
                    pattern.matches(word)
                        || (i == 0
                            && !pattern.has_slash()
                            && own_name(word).is_some_and(|name| pattern.matches(name)))
                })
    }

    /// Whether the command could fit. The name fits whatever directory it is called from.
    pub fn possibly(&self, command: &[Option<String>]) -> bool {
        for (i, pattern) in self.words.iter().enumerate() {
            match command.get(i) {
                None => return false,
                Some(None) => return true,
                Some(Some(word)) => {
                    let by_name = i == 0
                        && pattern
                            .basename()
                            .matches(word.rsplit('/').next().unwrap_or(word));
                    if !by_name && !pattern.matches(word) {
                        return false;
                    }
                }
            }
        }
        self.any_further || command[self.words.len()..].iter().all(Option::is_none)
    }
}

/// The name of a command of the system: `/bin/ls` and `/usr/bin/ls` are `ls`.
fn own_name(word: &str) -> Option<&str> {
    let name = word
        .strip_prefix("/usr/bin/")
        .or_else(|| word.strip_prefix("/bin/"))?;
    (!name.contains('/')).then_some(name)
}
