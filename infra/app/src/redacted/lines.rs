//! The log: a line is redacted before it is written.

use super::Redaction;
use domain::redact::Redactor;
use std::{
    io::{self, Write},
    sync::Arc,
};
use tracing_subscriber::fmt::MakeWriter;

/// Makes writers to stderr.
pub struct Lines(pub Redaction);

/// One line: the log writes each as a whole.
pub struct Line(Arc<Redactor>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.0.now())
    }
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let clean = match std::str::from_utf8(line) {
            Ok(text) => self.0.text(text).into_owned().into_bytes(),
            Err(_) => self.0.bytes(line).into_owned(),
        };
        io::stderr().write_all(&clean)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
