//! Words: quoting and what a word's value is; expansions are in [`super::expansion`].
//!
//! A word's value is known only if it is literal. Whatever bash and dash would delimit differently is an error here,
//! because then one of them would run something that we did not see.

use super::{DEPTH_LIMIT, ShellError, grammar::Simple};

/// One word of a command, an assignment or a redirection's target.
#[derive(Clone, Default, Debug)]
pub(super) struct Word {
    /// As it stands in the line.
    pub source: String,
    /// Its text after quote removal, as far as it is literal.
    text: String,
    /// The part before the first quote or expansion: where a keyword, an assignment or a tilde can be.
    pub lead: String,
    /// Some of it is quoted or expanded, so it is no keyword.
    pub quoted: bool,
    pub dynamic: bool,
    glob: bool,
    braces: (bool, bool),
    /// It is nothing but `<(…)` or `>(…)`.
    pub process: bool,
}

impl Word {
    /// The text, unless it is only known when it runs. A glob counts as its own text where what it expands to begins with
    /// the same ordinary character; `*` and `-*` could become an option.
    pub fn value(&self) -> Option<&str> {
        let option_like = self.glob && self.text.starts_with(['*', '?', '[', '-']);
        (!self.dynamic && !self.brace_expansion() && !option_like).then_some(self.text.as_str())
    }

    /// It stands for itself: nothing in it is expanded, not even `~`.
    pub fn verbatim(&self) -> bool {
        !self.dynamic && !self.glob && !self.brace_expansion() && !self.lead.starts_with('~')
    }

    fn brace_expansion(&self) -> bool {
        self.braces == (true, true) && (self.text.contains(',') || self.text.contains(".."))
    }

    pub fn literal(&mut self, c: char) {
        self.text.push(c);
    }

    fn plain(&mut self, c: char) {
        self.text.push(c);
        if !self.quoted {
            self.lead.push(c);
        }
    }
}

/// A place in a text, and what was found so far.
pub(super) struct Scanner<'a> {
    pub src: &'a str,
    pub pos: usize,
    pub depth: usize,
    /// Here-documents whose bodies begin after the next line break: delimiter, `<<-`, quoted.
    pub pending: Vec<(String, bool, bool)>,
    pub commands: Vec<Simple>,
    pub opaque: Vec<String>,
}

impl<'a> Scanner<'a> {
    pub fn new(src: &'a str, depth: usize) -> Self {
        Self {
            src,
            pos: 0,
            depth,
            pending: Vec::new(),
            commands: Vec::new(),
            opaque: Vec::new(),
        }
    }

    pub fn fail<T>(&self, what: &'static str) -> Result<T, ShellError> {
        Err(ShellError::Syntax { at: self.pos, what })
    }

    pub fn peek(&self) -> Option<char> {
        self.src[self.pos..].chars().next()
    }

    /// The character after the next one, as the shell sees it: a backslash at a line's end joins the lines.
    pub fn second(&self) -> Option<char> {
        let mut rest = self.src[self.pos..].chars();
        rest.next();
        rest.as_str().trim_start_matches("\\\n").chars().next()
    }

    /// Takes the next character, and the line joins after it.
    pub fn bump(&mut self) {
        self.pos += self.peek().map_or(0, char::len_utf8);
        self.join();
    }

    /// Takes the next character only; inside single quotes a backslash is one.
    pub fn bump_raw(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    pub fn join(&mut self) {
        while self.src[self.pos..].starts_with("\\\n") {
            self.pos += 2;
        }
    }

    /// Reads a word; it is empty (no source) where none begins.
    pub fn word(&mut self) -> Result<Word, ShellError> {
        self.join();
        let start = self.pos;
        let mut word = Word::default();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' => break,
                '<' | '>' if self.second() == Some('(') => {
                    word.process = self.pos == start;
                    self.bump();
                    self.substitution(&mut word)?;
                    continue;
                }
                '<' | '>' => break,
                _ => self.piece(c, &mut word)?,
            }
            word.process = false;
            self.join();
        }
        word.source = self.src[start..self.pos].to_owned();
        if word.text == "[" {
            word.glob = false; // the command of that name
        }
        Ok(word)
    }

    fn piece(&mut self, c: char, word: &mut Word) -> Result<(), ShellError> {
        match c {
            '\'' => {
                word.quoted = true;
                self.bump_raw();
                self.single(word)
            }
            '"' => self.double(word),
            '\\' => {
                word.quoted = true;
                self.bump_raw();
                match self.bump_raw() {
                    Some(escaped) => word.literal(escaped),
                    None => return self.fail("the line ends with a backslash"),
                }
                Ok(())
            }
            '$' => self.dollar(word, false),
            '`' => self.backticks(word, false),
            _ => {
                word.glob |= matches!(c, '*' | '?' | '[');
                word.braces.0 |= c == '{';
                word.braces.1 |= c == '}';
                word.plain(c);
                self.bump_raw();
                Ok(())
            }
        }
    }

    pub fn single(&mut self, word: &mut Word) -> Result<(), ShellError> {
        let start = self.pos;
        loop {
            match self.bump_raw() {
                Some('\'') => return self.no_break_before_here_document(start),
                Some(c) => word.literal(c),
                None => return self.fail("a single quote is not closed"),
            }
        }
    }

    pub fn double(&mut self, word: &mut Word) -> Result<(), ShellError> {
        word.quoted = true;
        let start = self.pos;
        self.bump();
        loop {
            match self.peek() {
                Some('"') => {
                    self.bump_raw();
                    return self.no_break_before_here_document(start);
                }
                Some(_) => self.quoted_piece(word, "$`\"\\")?,
                None => return self.fail("a double quote is not closed"),
            }
            self.join();
        }
    }

    /// One piece inside double quotes or a here-document; a backslash quotes only the characters given.
    pub fn quoted_piece(&mut self, word: &mut Word, escapable: &str) -> Result<(), ShellError> {
        match self.peek() {
            Some('$') => return self.dollar(word, true),
            Some('`') => return self.backticks(word, true),
            Some('\\') => {
                self.bump_raw();
                match self.peek() {
                    Some(c) if escapable.contains(c) => {
                        word.literal(c);
                        self.bump_raw();
                    }
                    _ => word.literal('\\'),
                }
            }
            Some(c) => {
                word.literal(c);
                self.bump_raw();
            }
            None => {}
        }
        Ok(())
    }

    /// An unquoted here-document's body: like double quotes, but a quote is an ordinary character.
    pub fn here_document(&mut self) -> Result<(), ShellError> {
        let mut ignored = Word::default();
        while self.peek().is_some() {
            self.quoted_piece(&mut ignored, "$`\\")?;
            self.join();
        }
        Ok(())
    }

    /// Bash and dash disagree where the body begins if the line goes on inside quotes.
    pub fn no_break_before_here_document(&self, start: usize) -> Result<(), ShellError> {
        if !self.pending.is_empty() && self.src[start..self.pos].contains('\n') {
            return self.fail("a line break between `<<` and the end of its line");
        }
        Ok(())
    }

    /// Runs `inner` one level deeper.
    pub fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ShellError>,
    ) -> Result<T, ShellError> {
        if self.depth >= DEPTH_LIMIT {
            return Err(ShellError::TooDeep);
        }
        self.depth += 1;
        let result = inner(self)?;
        self.depth -= 1;
        Ok(result)
    }
}
