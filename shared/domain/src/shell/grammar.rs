//! The grammar: lists, pipelines, compound commands, simple commands.
//!
//! There is no tree: every simple command that the line could start is put into one list, because a line is allowed only
//! if each of them is. Recursive descent; each level counts against [`super::DEPTH_LIMIT`].

use super::{
    ShellError, assign,
    word::{Scanner, Word},
};

/// A command as it stands in the line, or the redirections after a compound command (then it has no words).
#[derive(Default, Debug)]
pub(super) struct Simple {
    /// Names set before the command; `None` for a form that needs evaluation (`a[i]=`, `a+=`).
    pub assigned: Vec<Option<String>>,
    pub words: Vec<Word>,
    pub redirects: Vec<Open>,
}

/// A redirection that opens a file.
#[derive(Debug)]
pub(super) struct Open {
    pub target: Word,
    pub read: bool,
    pub write: bool,
}

/// Words that begin or end something at a command's place.
const UNSUPPORTED: [&str; 4] = ["function", "select", "coproc", "[["];
const ENDS: [&str; 9] = [
    "then", "else", "elif", "fi", "do", "done", "esac", "}", "]]",
];

impl Scanner<'_> {
    /// A whole script.
    pub fn whole(&mut self) -> Result<(), ShellError> {
        self.list()?;
        if self.peek().is_some() {
            return self.fail("something here does not belong to any command");
        }
        if self.pending.is_empty() {
            Ok(())
        } else {
            self.fail("a here-document has no body")
        }
    }

    /// Commands up to a closing word or parenthesis, which stays.
    pub fn list(&mut self) -> Result<(), ShellError> {
        loop {
            self.lines()?;
            if self.at_list_end() {
                return Ok(());
            }
            self.and_or()?;
            self.blanks();
            match self.peek() {
                Some(';') if !matches!(self.second(), Some(';' | '&')) => self.bump(),
                Some('&') => self.bump(),
                Some('\n') => self.line_break()?,
                _ => return Ok(()),
            }
        }
    }

    fn at_list_end(&self) -> bool {
        match self.peek() {
            None | Some(')') => true,
            Some(';') => matches!(self.second(), Some(';' | '&')),
            Some(_) => self
                .keyword()
                .is_some_and(|word| ENDS.contains(&word.as_str())),
        }
    }

    fn and_or(&mut self) -> Result<(), ShellError> {
        loop {
            self.pipeline()?;
            self.blanks();
            match (self.peek(), self.second()) {
                (Some('&'), Some('&')) | (Some('|'), Some('|')) => {
                    self.bump();
                    self.bump();
                    self.lines()?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn pipeline(&mut self) -> Result<(), ShellError> {
        loop {
            self.prefixes();
            self.command()?;
            self.blanks();
            if self.peek() != Some('|') || self.second() == Some('|') {
                return Ok(());
            }
            self.bump();
            if self.peek() == Some('&') {
                self.bump();
            }
            self.lines()?;
        }
    }

    /// `!` and `time`, which leave the command after them what it is.
    fn prefixes(&mut self) {
        loop {
            self.blanks();
            match self.keyword().as_deref() {
                Some("!") => self.take_keyword(),
                Some("time") => {
                    self.take_keyword();
                    self.blanks();
                    if self.keyword().as_deref() == Some("-p") {
                        self.take_keyword();
                    }
                }
                _ => return,
            }
        }
    }

    fn command(&mut self) -> Result<(), ShellError> {
        self.blanks();
        if self.peek() == Some('(') {
            if self.second() == Some('(') {
                return self.fail("`((` is arithmetic in some shells and a subshell in others");
            }
            self.bump();
            self.deeper(Self::list)?;
            return self.close(')').and_then(|()| self.redirects_after());
        }
        let Some(keyword) = self.keyword() else {
            return self.simple();
        };
        match keyword.as_str() {
            "{" => self.deeper(Self::group)?,
            "if" => self.deeper(Self::conditional)?,
            "while" | "until" => self.deeper(Self::while_loop)?,
            "for" => self.deeper(Self::for_loop)?,
            "case" => self.deeper(Self::case)?,
            word if UNSUPPORTED.contains(&word) => {
                return self.fail("`[[`, `function`, `select` and `coproc` are not understood");
            }
            word if ENDS.contains(&word) => return self.fail("a closing word without its opening"),
            _ => return self.simple(),
        }
        self.redirects_after()
    }

    fn group(&mut self) -> Result<(), ShellError> {
        self.take_keyword();
        self.list()?;
        self.expect("}")
    }

    fn conditional(&mut self) -> Result<(), ShellError> {
        self.take_keyword();
        self.list()?;
        self.expect("then")?;
        self.list()?;
        loop {
            match self.keyword().as_deref() {
                Some("elif") => {
                    self.take_keyword();
                    self.list()?;
                    self.expect("then")?;
                    self.list()?;
                }
                Some("else") => {
                    self.take_keyword();
                    self.list()?;
                    return self.expect("fi");
                }
                _ => return self.expect("fi"),
            }
        }
    }

    fn while_loop(&mut self) -> Result<(), ShellError> {
        self.take_keyword();
        self.list()?;
        self.body()
    }

    fn body(&mut self) -> Result<(), ShellError> {
        self.expect("do")?;
        self.list()?;
        self.expect("done")
    }

    fn for_loop(&mut self) -> Result<(), ShellError> {
        self.take_keyword();
        self.blanks();
        let variable = self.word()?;
        if !assign::is_name(&variable.lead) || variable.quoted {
            return self.fail("`for` needs a plain name");
        }
        self.commands.push(Simple {
            assigned: vec![Some(variable.lead)],
            ..Simple::default()
        });
        self.lines()?;
        if self.keyword().as_deref() == Some("in") {
            self.take_keyword();
            loop {
                self.blanks();
                if self.word()?.source.is_empty() {
                    break;
                }
            }
        }
        match self.peek() {
            Some(';') => self.bump(),
            Some('\n') => {}
            _ if self.keyword().as_deref() == Some("do") => {}
            _ => return self.fail("`for` needs `;` or a line break before `do`"),
        }
        self.lines()?;
        self.body()
    }

    fn case(&mut self) -> Result<(), ShellError> {
        self.take_keyword();
        self.blanks();
        self.some_word()?;
        self.lines()?;
        self.expect("in")?;
        loop {
            self.lines()?;
            if self.keyword().as_deref() == Some("esac") {
                self.take_keyword();
                return Ok(());
            }
            self.case_patterns()?;
            self.list()?;
            match (self.peek(), self.second()) {
                (Some(';'), Some(';' | '&')) => {
                    self.bump();
                    self.bump();
                    if self.peek() == Some('&') {
                        self.bump();
                    }
                }
                _ if self.keyword().as_deref() == Some("esac") => {}
                _ => return self.fail("a case is not closed"),
            }
        }
    }

    fn case_patterns(&mut self) -> Result<(), ShellError> {
        if self.peek() == Some('(') {
            self.bump();
        }
        loop {
            self.blanks();
            self.some_word()?;
            self.blanks();
            if self.peek() != Some('|') {
                return self.close(')');
            }
            self.bump();
        }
    }

    fn simple(&mut self) -> Result<(), ShellError> {
        let mut simple = Simple::default();
        loop {
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';' | ')' | '|') => break,
                Some('&') if self.second() != Some('>') => break,
                Some('&') => {
                    self.both_outputs(&mut simple)?;
                    break;
                }
                Some('(') => return self.function(&simple),
                _ if self.at_redirect() => self.redirect(&mut simple)?,
                _ => self.part(&mut simple)?,
            }
        }
        if simple.words.is_empty() && simple.assigned.is_empty() && simple.redirects.is_empty() {
            return self.fail("a command is missing");
        }
        self.commands.push(simple);
        Ok(())
    }

    /// A word of a simple command, or an assignment before its first word.
    fn part(&mut self, simple: &mut Simple) -> Result<(), ShellError> {
        let word = self.some_word()?;
        if word.source.starts_with('{')
            && word.source.ends_with('}')
            && matches!(self.peek(), Some('<' | '>'))
            && word.source != "{}"
        {
            return self.fail("`{name}>` is read differently by different shells");
        }
        match assign::assignment(&word).filter(|_| simple.words.is_empty()) {
            Some(name) => simple.assigned.push(name),
            None => simple.words.push(word),
        }
        Ok(())
    }

    /// `name () compound`: the body's commands are found, and whoever calls the name later is not.
    fn function(&mut self, simple: &Simple) -> Result<(), ShellError> {
        let [_] = simple.words.as_slice() else {
            return self.fail("a parenthesis in the middle of a command");
        };
        self.bump();
        self.blanks();
        self.close(')')?;
        self.lines()?;
        self.opaque
            .push("a function is defined, so a command's name may mean something else".to_owned());
        if self.peek() == Some('(') || self.keyword().is_some() {
            return self.deeper(Self::command);
        }
        self.fail("a function needs a body in braces")
    }

    pub fn blanks(&mut self) {
        loop {
            self.join();
            match self.peek() {
                Some(' ' | '\t') => self.bump(),
                Some('#') => {
                    self.pos += self.src[self.pos..]
                        .find('\n')
                        .unwrap_or(self.src.len() - self.pos)
                }
                _ => return,
            }
        }
    }

    /// Blanks, comments and line breaks.
    fn lines(&mut self) -> Result<(), ShellError> {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.line_break()?;
        }
    }

    /// A short word without any quoting, if one is next: what could be a keyword.
    fn keyword(&self) -> Option<String> {
        let mut ahead = Scanner::new(self.src, 0);
        ahead.pos = self.pos;
        let mut text = String::new();
        while let Some(c) = ahead.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' | '"' | '$' | '`' | '\\' => return None,
                _ if text.len() > 8 => return None,
                _ => text.push(c),
            }
            ahead.bump();
        }
        (!text.is_empty()).then_some(text)
    }

    fn take_keyword(&mut self) {
        for _ in 0..self.keyword().map_or(0, |word| word.chars().count()) {
            self.bump();
        }
    }

    fn expect(&mut self, keyword: &'static str) -> Result<(), ShellError> {
        if self.keyword().as_deref() != Some(keyword) {
            return self.fail("a compound command is not closed");
        }
        self.take_keyword();
        Ok(())
    }

    fn close(&mut self, c: char) -> Result<(), ShellError> {
        if self.peek() != Some(c) {
            return self.fail("a parenthesis is not closed");
        }
        self.bump();
        Ok(())
    }

    pub fn some_word(&mut self) -> Result<Word, ShellError> {
        let word = self.word()?;
        if word.source.is_empty() {
            self.fail("a word is missing")
        } else {
            Ok(word)
        }
    }
}
