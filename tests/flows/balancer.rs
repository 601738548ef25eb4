//! What stands before processes that Telegram pushes to: its port stays while they come and go.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

/// With two processes behind it, every third update goes to the one, every third to the other, every third to both at once, as after
/// an acknowledgement that was lost on its way; with one, all go there; with none, none is acknowledged.
#[derive(Clone, Default)]
pub(crate) struct Balancer {
    backs: Arc<Mutex<Vec<String>>>,
    turn: Arc<AtomicUsize>,
}

impl Balancer {
    /// With its URL.
    pub async fn start() -> (Self, String) {
        let balancer = Self::default();
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        let router = Router::new().fallback(pass_on).with_state(balancer.clone());
        tokio::spawn(async move { axum::serve(front, router).await });
        (balancer, format!("http://{address}"))
    }

    /// Another process behind it, by where it listens.
    pub fn add(&self, address: String) {
        self.backs.lock().unwrap().push(address);
    }

    /// They are all gone.
    pub fn clear(&self) {
        self.backs.lock().unwrap().clear();
    }

    fn whom(&self) -> Vec<String> {
        let backs = self.backs.lock().unwrap();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % (backs.len() + 1);
        match backs.get(turn) {
            Some(back) => vec![back.clone()],
            None => backs.clone(),
        }
    }
}

/// It is acknowledged when everybody whom it was for has it.
async fn pass_on(
    State(balancer): State<Balancer>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let posts = balancer.whom().into_iter().map(|back| {
        let request = client.post(format!("http://{back}{uri}"));
        request.headers(headers.clone()).body(body.clone()).send()
    });
    let statuses = futures::future::join_all(posts).await;
    if statuses.is_empty() {
        return StatusCode::BAD_GATEWAY;
    }
    let refused = statuses.into_iter().find_map(|sent| match sent {
        Ok(answer) => Some(answer.status()).filter(|status| !status.is_success()),
        Err(_) => Some(StatusCode::BAD_GATEWAY),
    });
    refused.unwrap_or_default()
}
