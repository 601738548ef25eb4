//! A server somewhere else whose answer has no end: no more of it is read than may be held, and it is told as what it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::mcp::{McpServer, Reach};
use mcp_rmcp::{Servers, pace::Pace};
use ports::{
    Mcp,
    mcp::{McpCall, McpError},
    sandbox::Cancel,
};
use serde_json::{Map, Value, json};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use testkit::contract::mcp::server;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What `rmcp` reads of an answer that is no stream of events, and as much again for what lies in the buffers of both sides.
const MOST: usize = 32 << 20;

/// How an answer to a call never ends.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Endless {
    /// One JSON text.
    Json,
    /// One event.
    Event,
    /// Events, each of them small.
    Events,
}

/// Answers at an address; counts the bytes of its endless answer that somebody took.
async fn serve(how: Endless) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let _ = answer(stream, how, &counted).await;
            });
        }
    });
    (url, taken)
}

async fn answer(stream: TcpStream, how: Endless, taken: &AtomicUsize) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "endless", "version": "1"},
        }),
        Some("tools/list") => {
            json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
        }
        Some("tools/call") => return never_ends(stream, how, taken).await,
        Some(_) if message["id"].is_null() => return head(&mut stream, "202 Accepted", "").await,
        _ => return head(&mut stream, "405 Method Not Allowed", "").await,
    };
    let text = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
    let kind = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        text.len()
    );
    head(&mut stream, "200 OK", &kind).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn head(stream: &mut BufReader<TcpStream>, status: &str, more: &str) -> io::Result<()> {
    let text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn never_ends(
    mut stream: BufReader<TcpStream>,
    how: Endless,
    taken: &AtomicUsize,
) -> io::Result<()> {
    let (kind, begin, part) = match how {
        Endless::Json => ("application/json", "{\"jsonrpc\": \"", "x".repeat(1 << 16)),
        Endless::Event => ("text/event-stream", "data: ", "x".repeat(1 << 16)),
        Endless::Events => {
            let said = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "more"}});
            ("text/event-stream", "", format!("data: {said}\n\n"))
        }
    };
    head(&mut stream, "200 OK", &format!("Content-Type: {kind}\r\n")).await?;
    stream.write_all(begin.as_bytes()).await?;
    loop {
        stream.write_all(part.as_bytes()).await?;
        taken.fetch_add(part.len(), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for how in [Endless::Json, Endless::Event, Endless::Events] {
        let (url, taken) = serve(how).await;
        let server = McpServer {
            reach: Reach::Http { url },
            ..server("")
        };
        let servers = Servers::new(None, Vec::new(), Pace::default());
        let offer = servers.tools(&server, None).await.unwrap();
        let call = McpCall {
            tool: offer.tools[0].clone(),
            arguments: Map::new(),
            answers: Vec::new(),
        };
        let called = servers.call(&server, None, &call, &Cancel::default()).await;
        match (how, called) {
            (Endless::Events, Err(McpError::Unknown(why))) => {
                assert!(why.contains("without end"), "{why}");
            }
            // `rmcp` says of a stream that it let go only that it ended.
            (Endless::Event, Err(McpError::Unknown(why))) => {
                assert!(why.contains("broke in the middle"), "{why}");
            }
            (Endless::Json, Err(McpError::TooLarge)) => {}
            (_, other) => panic!("{how:?}: {other:?}"),
        }
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken < MOST, "{how:?}: {taken} bytes");
    }
}
