//! A wire between the program and a server, which can be cut and mended, and can lose answers: from the program's side that is what
//! a restart, a failover or a bad network look like.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub struct Wire {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    target: String,
    /// Whether it is whole.
    whole: watch::Sender<bool>,
    /// The port, while somebody listens there, and each connection.
    open: watch::Sender<usize>,
    /// What the program says, as often as it was said on all connections together, and what was done about it.
    loses: watch::Sender<Loses>,
}

#[derive(Clone, Default)]
struct Loses {
    said: Vec<u8>,
    every: usize,
    heard: usize,
    lost: usize,
}

impl Wire {
    /// To the server at this address.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn to(target: &str) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            whole: watch::Sender::new(true),
            open: watch::Sender::new(0),
            loses: watch::Sender::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listening = (shared.opened(), listener);
        tokio::spawn(shared.clone().serve(listening, address));
        Ok(Self { shared, address })
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Breaks every connection; when this is done nobody answers at the address until it is mended.
    pub async fn cut(&self) {
        self.shared.whole.send_replace(false);
        let mut open = self.shared.open.subscribe();
        // The sender is ours.
        let _ = open.wait_for(|open| *open == 0).await;
    }

    pub fn mend(&self) {
        self.shared.whole.send_replace(true);
    }

    /// From now on the server hears every such word of the program, and every n-th time the program hears no answer.
    pub fn lose_answers_to(&self, said: &[u8], every: usize) {
        self.shared.loses.send_replace(Loses {
            said: said.to_vec(),
            every,
            ..Loses::default()
        });
    }

    /// Answers that were lost.
    pub fn lost(&self) -> usize {
        self.shared.loses.borrow().lost
    }
}

/// Something that is open, until this goes.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

impl Shared {
    fn opened(self: &Arc<Self>) -> Open {
        self.open.send_modify(|open| *open += 1);
        Open(self.clone())
    }

    async fn serve(self: Arc<Self>, first: (Open, TcpListener), address: SocketAddr) {
        let mut whole = self.whole.subscribe();
        let mut listener = Some(first);
        loop {
            let listening = match listener.take() {
                Some(listening) => listening,
                // The port is ours as soon as the old connections are closed.
                None => match TcpListener::bind(address).await {
                    Ok(listening) => (self.opened(), listening),
                    Err(_) => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    }
                },
            };
            tokio::select! {
                () = self.accept(&listening.1) => {}
                _ = whole.wait_for(|whole| !whole) => {}
            }
            let (open, listening) = listening;
            drop(listening);
            drop(open);
            if whole.wait_for(|whole| *whole).await.is_err() {
                return;
            }
        }
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((near, _)) = listener.accept().await {
            let (shared, open) = (self.clone(), self.opened());
            tokio::spawn(async move {
                let mut whole = shared.whole.subscribe();
                tokio::select! {
                    () = shared.carry(near) => {}
                    _ = whole.wait_for(|whole| !whole) => {}
                }
                drop(open);
            });
        }
    }

    async fn carry(&self, mut near: TcpStream) {
        let Ok(mut far) = TcpStream::connect(&self.target).await else {
            return;
        };
        let (mut from_near, mut to_near) = near.split();
        let (mut from_far, mut to_far) = far.split();
        let there = async {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_near.read(&mut bytes).await {
                if to_far.write_all(&bytes[..count]).await.is_err() || self.loses(&bytes[..count]) {
                    return;
                }
            }
        };
        let back = async {
            let _ = tokio::io::copy(&mut from_far, &mut to_near).await;
        };
        tokio::select! {
            () = there => {}
            () = back => {}
        }
    }

    /// Whether the answer to these bytes is to be lost.
    fn loses(&self, bytes: &[u8]) -> bool {
        let mut now = false;
        self.loses.send_if_modified(|loses| {
            let said = !loses.said.is_empty()
                && bytes
                    .windows(loses.said.len())
                    .any(|window| window == loses.said);
            if said {
                loses.heard += 1;
                now = loses.heard.is_multiple_of(loses.every);
                loses.lost += usize::from(now);
            }
            said
        });
        now
    }
}
