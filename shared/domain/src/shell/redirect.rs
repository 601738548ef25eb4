//! Redirections and here-documents.

use super::{
    ShellError,
    grammar::{Open, Simple},
    word::Scanner,
};

impl Scanner<'_> {
    /// Whether `<`, `>` or `2>` is next.
    pub fn at_redirect(&self) -> bool {
        let mut ahead = Scanner::new(self.src, 0);
        ahead.pos = self.pos;
        while ahead.peek().is_some_and(|c| c.is_ascii_digit()) {
            ahead.bump();
        }
        // `<(` begins a word; with digits before it, too.
        matches!(ahead.peek(), Some('<' | '>')) && ahead.second() != Some('(')
    }

    pub fn redirects_after(&mut self) -> Result<(), ShellError> {
        let mut simple = Simple::default();
        self.blanks();
        while self.at_redirect() {
            self.redirect(&mut simple)?;
            self.blanks();
        }
        if self.peek() == Some('&') && self.second() == Some('>') {
            self.both_outputs(&mut simple)?;
        }
        if !simple.redirects.is_empty() {
            self.commands.push(simple);
        }
        Ok(())
    }

    pub fn redirect(&mut self, simple: &mut Simple) -> Result<(), ShellError> {
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.bump();
        }
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return self.fail("a descriptor above 9 is read differently by different shells");
        }
        let input = self.peek() == Some('<');
        self.bump();
        let (read, write) = match (input, self.peek()) {
            (true, Some('<')) => {
                self.bump();
                return self.here();
            }
            (true, Some('>')) => {
                self.bump();
                (true, true)
            }
            (false, Some('>' | '|')) => {
                self.bump();
                (false, true)
            }
            (_, Some('&')) => {
                self.bump();
                return self.duplicate(simple);
            }
            (input, _) => (input, !input),
        };
        self.blanks();
        let target = self.some_word()?;
        simple.redirects.push(Open {
            target,
            read,
            write,
        });
        Ok(())
    }

    /// `>&2`, `<&-`, `2>&1-` touch no file; `>& file` is bash's other way to write `&> file`.
    fn duplicate(&mut self, simple: &mut Simple) -> Result<(), ShellError> {
        self.blanks();
        let target = self.some_word()?;
        if target.source.starts_with('-') && target.source != "-" {
            return self.fail("`&-` ends where a word goes on, in bash only");
        }
        // Bash expands this word twice, so quotes in it hide nothing: `>&'$(rm x)'` runs `rm x`.
        if target.quoted || !target.verbatim() {
            return self.fail("`>&` needs a plain descriptor or file name");
        }
        let digits = target.source.strip_suffix('-').unwrap_or(&target.source);
        if !digits.chars().all(|c| c.is_ascii_digit()) {
            simple.redirects.push(Open {
                target,
                read: false,
                write: true,
            });
        }
        Ok(())
    }

    /// `&> file`. Dash reads `&` and `> file`, so words after it would be a command of their own there.
    pub fn both_outputs(&mut self, simple: &mut Simple) -> Result<(), ShellError> {
        self.bump();
        self.bump();
        if self.peek() == Some('>') {
            self.bump();
        }
        self.blanks();
        let target = self.some_word()?;
        simple.redirects.push(Open {
            target,
            read: false,
            write: true,
        });
        self.blanks();
        match self.peek() {
            None | Some('\n' | ';' | ')' | '|') => Ok(()),
            Some('&') if self.second() != Some('>') => Ok(()),
            _ => self.fail("`&>` with more after it is read differently by different shells"),
        }
    }

    /// `<<`, `<<-` and `<<<`, after the second `<`.
    fn here(&mut self) -> Result<(), ShellError> {
        if self.peek() == Some('<') {
            self.bump();
            self.blanks();
            return self.some_word().map(|_| ());
        }
        let strip = self.peek() == Some('-');
        if strip {
            self.bump();
        }
        self.blanks();
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"' | '\\'));
        if quote.is_some() {
            self.pos += 1;
        }
        let rest = &self.src[self.pos..];
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || "_-.!".contains(c)))
            .unwrap_or(rest.len());
        let delimiter = rest[..length].to_owned();
        self.pos += length;
        if let Some(closing) = quote.filter(|c| *c != '\\') {
            if self.peek() != Some(closing) {
                return self.fail("this here-document's delimiter is not understood");
            }
            self.pos += 1;
        }
        let ends = self.peek().is_none_or(|c| " \t\n;&|()<>".contains(c));
        if delimiter.is_empty() || !ends {
            return self.fail("this here-document's delimiter is not understood");
        }
        self.pending.push((delimiter, strip, quote.is_some()));
        Ok(())
    }

    /// A line break, and the bodies of the here-documents that begin after it.
    pub fn line_break(&mut self) -> Result<(), ShellError> {
        self.pos += 1;
        for (delimiter, strip, quoted) in std::mem::take(&mut self.pending) {
            let start = self.pos;
            let end = loop {
                if self.pos >= self.src.len() {
                    return self.fail("a here-document is not closed");
                }
                let line = self.src[self.pos..].split('\n').next().unwrap_or("");
                let begins = self.pos;
                self.pos = (self.pos + line.len() + 1).min(self.src.len());
                let shown = if strip {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if shown == delimiter {
                    break begins;
                }
                if !quoted && line.ends_with('\\') {
                    return self.fail(
                        "a here-document with joined lines is read differently by different shells",
                    );
                }
            };
            if !quoted {
                self.body_of(&self.src[start..end])?;
            }
        }
        Ok(())
    }

    fn body_of(&mut self, text: &str) -> Result<(), ShellError> {
        let mut body = Scanner::new(text, self.depth);
        body.deeper(Scanner::here_document)?;
        self.commands.append(&mut body.commands);
        self.opaque.append(&mut body.opaque);
        Ok(())
    }
}
