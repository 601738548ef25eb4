//! Expansions inside words: `$name`, `${…}`, `$((…))`, and substitutions, whose commands are read like any other.
//!
//! Forms that could run or assign something unseen are refused or opaque; the rest only make a word's value unknown.

use super::{
    ShellError,
    word::{Scanner, Word},
};

impl Scanner<'_> {
    pub fn dollar(&mut self, word: &mut Word, in_quotes: bool) -> Result<(), ShellError> {
        word.quoted = true;
        self.bump();
        match self.peek() {
            Some('(') if self.second() == Some('(') => {
                word.dynamic = true;
                self.deeper(Self::arithmetic)
            }
            Some('(') => self.substitution(word),
            Some('{') => {
                word.dynamic = true;
                self.deeper(Self::parameter)
            }
            Some('[') => self.fail("`$[` is read differently by different shells"),
            Some('\'') if !in_quotes => {
                word.dynamic = true; // dash reads a `$` and an ordinary quote
                self.bump_raw();
                let start = self.pos;
                self.single(&mut Word::default())?;
                if self.src[start..self.pos].contains("\\'") {
                    return self
                        .fail("`\\'` within `$'…'` is read differently by different shells");
                }
                Ok(())
            }
            Some('"') if !in_quotes => {
                word.dynamic = true;
                self.double(word)
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                word.dynamic = true;
                self.name();
                Ok(())
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                word.dynamic = true;
                self.bump_raw();
                Ok(())
            }
            _ => {
                word.literal('$');
                Ok(())
            }
        }
    }

    pub fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self
            .peek()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        {
            name.push(c);
            self.bump();
        }
        name
    }

    /// `(…)` of a command or process substitution, at the parenthesis.
    pub fn substitution(&mut self, word: &mut Word) -> Result<(), ShellError> {
        word.dynamic = true;
        word.quoted = true;
        let start = self.pos;
        self.bump();
        let outer = std::mem::take(&mut self.pending);
        self.deeper(Self::list)?;
        if self.peek() != Some(')') {
            return self.fail("a substitution is not closed");
        }
        if !self.pending.is_empty() {
            return self.fail("a here-document inside a substitution has no body there");
        }
        self.pos += 1;
        self.pending = outer;
        self.no_break_before_here_document(start)
    }

    pub fn backticks(&mut self, word: &mut Word, in_quotes: bool) -> Result<(), ShellError> {
        word.dynamic = true;
        word.quoted = true;
        let start = self.pos;
        self.bump_raw();
        let Some(length) = self.src[self.pos..].find('`') else {
            return self.fail("a backtick is not closed");
        };
        let inner = &self.src[self.pos..self.pos + length];
        if inner.contains('\\') || (in_quotes && inner.contains('"')) {
            return self.fail(
                "quoting within backticks is read differently by different shells; use $(…)",
            );
        }
        let mut nested = Scanner::new(inner, self.depth);
        nested.deeper(Scanner::whole)?;
        self.commands.append(&mut nested.commands);
        self.opaque.append(&mut nested.opaque);
        self.pos += length + 1;
        self.no_break_before_here_document(start)
    }

    /// `$((…))`, at the first parenthesis. Bash evaluates the *value* of a name as an expression again, and an expression can
    /// hold a substitution, so only constants are harmless.
    fn arithmetic(&mut self) -> Result<(), ShellError> {
        self.bump();
        self.bump();
        let (mut open, mut constant) = (0usize, true);
        loop {
            match self.peek() {
                Some('(') => open += 1,
                Some(')') if open > 0 => open -= 1,
                Some(')') => {
                    self.bump();
                    if self.peek() != Some(')') {
                        return self.fail(
                            "`$((` is closed by a single parenthesis; write `$( (` for a subshell",
                        );
                    }
                    self.pos += 1;
                    break;
                }
                Some('$' | '`') => {
                    constant = false;
                    self.quoted_piece(&mut Word::default(), "")?;
                    self.join();
                    continue;
                }
                Some('\'' | '"' | '\\' | ';') => return self.fail("quoting within arithmetic"),
                Some(c) => constant &= c.is_ascii_digit() || " \t\n+-*/%<>=!&|^~?:,".contains(c),
                None => return self.fail("`$((` is not closed"),
            }
            self.bump();
        }
        if !constant {
            self.opaque
                .push("arithmetic with more than numbers can run commands".to_owned());
        }
        Ok(())
    }

    /// `${…}`, at the brace. The forms that evaluate, assign or dereference are refused.
    fn parameter(&mut self) -> Result<(), ShellError> {
        self.bump();
        if self.peek() == Some('#') && self.second() != Some('}') {
            self.bump();
        }
        if self.name().is_empty() {
            match self.peek() {
                Some(c) if "@*#?$-!".contains(c) => self.bump(),
                _ => return self.fail("this form of ${…} is not understood"),
            }
        }
        if self.peek() == Some(':') && self.second().is_some_and(|c| "-+?".contains(c)) {
            self.bump();
        }
        match self.peek() {
            Some('}') => {}
            Some('-' | '+' | '?' | '%' | '#') => self.bump(),
            _ => return self.fail("this form of ${…} is not understood"),
        }
        loop {
            match self.peek() {
                Some('}') => break,
                Some('$') => self.dollar(&mut Word::default(), true)?,
                Some('\'' | '"' | '\\' | '`' | '{' | '(' | ')' | '\n') | None => {
                    return self
                        .fail("quoting within ${…} is read differently by different shells");
                }
                Some(_) => self.bump(),
            }
            self.join();
        }
        self.pos += 1;
        Ok(())
    }
}
