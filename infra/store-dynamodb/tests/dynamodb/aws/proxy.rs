//! What stands between the store and DynamoDB on a bad day: it passes requests on, answers them itself, or loses the answers.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use testkit::contract::Broken;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

/// What happens to one request.
#[derive(Clone)]
pub enum Fault {
    Pass,
    /// An error of DynamoDB's, by its name, with what it has besides.
    Answer(&'static str, &'static str),
    /// The deed is done and the connection is cut.
    Lose,
    /// The connection is cut before the deed.
    Cut,
    /// Says that it is there, and goes on when it is told to: two meetings of two.
    Hold(Arc<Barrier>),
}

/// Faults for some requests, in turn; `always` after them. Gone with the value.
#[derive(Clone)]
pub struct Proxy {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

struct State {
    mark: &'static str,
    next: VecDeque<Fault>,
    always: Fault,
    seen: usize,
}

impl Proxy {
    pub async fn before(upstream: &str) -> Result<Self, Broken> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Self {
            endpoint: format!("http://{}", listener.local_addr()?),
            state: Arc::new(Mutex::new(State {
                mark: "",
                next: VecDeque::new(),
                always: Fault::Pass,
                seen: 0,
            })),
        };
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, upstream) = (serving.clone(), upstream.clone());
                // A client that goes away is its own business.
                tokio::spawn(async move { proxy.serve(client, &upstream).await.ok() });
            }
        });
        Ok(proxy)
    }

    /// From now on, for requests that have this in them: an operation's name, or a part of a key.
    pub fn faults(&self, mark: &'static str, next: &[Fault], always: Fault) {
        let next = next.iter().cloned().collect();
        *self.lock() = State {
            mark,
            next,
            always,
            seen: 0,
        };
    }

    /// Such requests since then.
    pub fn seen(&self) -> usize {
        self.lock().seen
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, request: &[u8]) -> Fault {
        let mut state = self.lock();
        let text = String::from_utf8_lossy(request);
        if state.mark.is_empty() || !text.contains(state.mark) {
            return Fault::Pass;
        }
        state.seen += 1;
        let next = state.next.pop_front();
        next.unwrap_or_else(|| state.always.clone())
    }

    async fn serve(&self, mut client: TcpStream, upstream: &str) -> std::io::Result<()> {
        while let Some(request) = message(&mut client).await? {
            let fault = self.fault(&request);
            if let Fault::Hold(meeting) = &fault {
                meeting.wait().await;
                meeting.wait().await;
            }
            match fault {
                Fault::Pass | Fault::Hold(_) => {
                    client
                        .write_all(&forward(&request, upstream).await?)
                        .await?
                }
                Fault::Answer(name, more) => client.write_all(&error(name, more)).await?,
                Fault::Lose => return forward(&request, upstream).await.map(drop),
                Fault::Cut => return Ok(()),
            }
        }
        Ok(())
    }
}

async fn forward(request: &[u8], upstream: &str) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(request).await?;
    message(&mut server).await.map(Option::unwrap_or_default)
}

/// One request or answer with its body; `None` when the other side has finished.
async fn message(from: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 65536]);
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(Some(bytes));
            }
        }
        match from.read(&mut part).await? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
}

fn error(name: &str, more: &str) -> Vec<u8> {
    let body = format!(
        "{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{name}\",\"message\":\"as ordered\"{more}}}"
    );
    let length = body.len();
    format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
