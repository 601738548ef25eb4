//! Reading a backup, line by line. Nothing that it says is to be believed before its end was read.

use crate::{Counts, End, FORMAT, Header, LINE, Line};
use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

#[derive(thiserror::Error, Debug)]
pub enum ReadError {
    #[error("it is no backup that `countersign export` wrote")]
    Foreign,
    #[error(
        "it was written by a newer version of the program ({program}, format {format}; this program knows {FORMAT}): install that one"
    )]
    Newer { program: String, format: u32 },
    #[error("it ends too early: it was cut, or the export did not finish")]
    Cut,
    #[error("it was altered or damaged: {0}")]
    Altered(&'static str),
    #[error("it cannot be read: {0}")]
    Io(io::Error),
}

/// gzip's own checks say nothing about who wrote a file, so only the first two are of consequence: too short, and not as expected.
impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Cut,
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                Self::Altered("it is no gzip stream any more")
            }
            _ => Self::Io(error),
        }
    }
}

pub struct Reader<R: BufRead> {
    lines: BufReader<GzDecoder<R>>,
    header: Header,
    digest: Sha256,
    read: u64,
    counts: Counts,
    end: Option<Counts>,
}

impl<R: BufRead> Reader<R> {
    /// # Errors
    /// [`ReadError::Foreign`] and [`ReadError::Newer`] before all others.
    pub fn begin(from: R) -> Result<Self, ReadError> {
        let mut lines = BufReader::new(GzDecoder::new(from));
        let mut digest = Sha256::new();
        let first = take(&mut lines).map_err(|error| match error {
            ReadError::Altered(_) => ReadError::Foreign,
            other => other,
        })?;
        digest.update(&first);
        let header = match serde_json::from_slice(&first) {
            Ok(Line::Countersign(header)) => header,
            _ if first.is_empty() => return Err(ReadError::Cut),
            _ => return Err(ReadError::Foreign),
        };
        if header.format > FORMAT {
            return Err(ReadError::Newer {
                program: header.program,
                format: header.format,
            });
        }
        Ok(Self {
            lines,
            header,
            digest,
            read: 1,
            counts: Counts::default(),
            end: None,
        })
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next line; `None` when the last one was read and everything before it is as it says.
    ///
    /// # Errors
    /// That the file is not what was written.
    pub fn line(&mut self) -> Result<Option<Line>, ReadError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let text = take(&mut self.lines)?;
        if !text.ends_with(b"\n") {
            return Err(ReadError::Cut);
        }
        let line = serde_json::from_slice(&text)
            .map_err(|_| ReadError::Altered("a line of it has no meaning"))?;
        if let Line::End(end) = line {
            return self.finish(&end).map(|()| None);
        }
        self.digest.update(&text);
        self.read += 1;
        self.counts.count(&line);
        Ok(Some(line))
    }

    /// What was in it, when its end was read.
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        self.end
    }

    fn finish(&mut self, end: &End) -> Result<(), ReadError> {
        let digest = hex::encode(self.digest.finalize_reset());
        if (&end.digest, end.lines, end.counts) != (&digest, self.read, self.counts) {
            return Err(ReadError::Altered("its contents and its digest differ"));
        }
        // The stream has its own end, and the file ends with it.
        let behind = !take(&mut self.lines)?.is_empty()
            || !self.lines.get_mut().get_mut().fill_buf()?.is_empty();
        if behind {
            return Err(ReadError::Altered("something was added to it"));
        }
        self.end = Some(self.counts);
        Ok(())
    }
}

/// A line with its end, or what there is before the end of the file.
fn take(from: &mut impl BufRead) -> Result<Vec<u8>, ReadError> {
    let mut text = Vec::new();
    from.take(LINE as u64 + 1).read_until(b'\n', &mut text)?;
    match text.len() > LINE {
        true => Err(ReadError::Altered("a line of it is too long")),
        false => Ok(text),
    }
}
