//! A server's stdout. A line that is longer than what is read ends it: rmcp would leave it out, and whoever waits for that answer would wait
//! for nothing.

use crate::ear::Heard;
use ports::mcp::MESSAGE_LIMIT;
use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

pub struct Lines<R> {
    pub inner: R,
    pub heard: Arc<Heard>,
    /// Bytes since the last end of a line.
    pub line: usize,
}

impl<R: AsyncRead + Unpin> AsyncRead for Lines<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let new = &buffer.filled()[before..];
        self.line = match new.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => new.len() - at - 1,
            None => self.line + new.len(),
        };
        if self.line > MESSAGE_LIMIT {
            self.heard.too_large.store(true, Ordering::SeqCst);
            buffer.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }
}
