//! Writing a backup, line by line.

use crate::{Counts, End, Header, Line, PIECE};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

pub struct Writer<W: Write> {
    out: GzEncoder<W>,
    digest: Sha256,
    lines: u64,
    counts: Counts,
}

impl<W: Write> Writer<W> {
    /// # Errors
    /// What the output says, here and below.
    pub fn begin(out: W, header: Header) -> io::Result<Self> {
        let mut writer = Self {
            out: GzEncoder::new(out, Compression::default()),
            digest: Sha256::new(),
            lines: 0,
            counts: Counts::default(),
        };
        writer.line(&Line::Countersign(header))?;
        Ok(writer)
    }

    pub fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.lines += 1;
        self.counts.count(line);
        self.out.write_all(&text)
    }

    /// Of the blob or file that was written last.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes
            .chunks(PIECE)
            .try_for_each(|piece| self.line(&Line::Bytes(piece.to_vec())))
    }

    /// Ends the file. Without it, it is no backup.
    pub fn finish(mut self) -> io::Result<(W, Counts)> {
        let end = End {
            lines: self.lines,
            digest: hex::encode(self.digest.finalize()),
            counts: self.counts,
        };
        let mut text = serde_json::to_vec(&Line::End(end))?;
        text.push(b'\n');
        self.out.write_all(&text)?;
        let mut out = self.out.finish()?;
        out.flush()?;
        Ok((out, self.counts))
    }
}
