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
            loses: watch::Sender::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(shared.clone().serve(listener, address));
        Ok(Self { shared, address })
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Breaks every connection; nobody answers at the address until it is mended.
    pub fn cut(&self) {
        self.shared.whole.send_replace(false);
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

impl Shared {
    async fn serve(self: Arc<Self>, first: TcpListener, address: SocketAddr) {
        let mut whole = self.whole.subscribe();
        let mut listener = Some(first);
        loop {
            let listening = match listener.take() {
                Some(listening) => listening,
                // The port is ours as soon as the old connections are closed.
                None => match TcpListener::bind(address).await {
                    Ok(listening) => listening,
                    Err(_) => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    }
                },
            };
            tokio::select! {
                () = self.accept(&listening) => {}
                _ = whole.wait_for(|whole| !whole) => {}
            }
            drop(listening);
            if whole.wait_for(|whole| *whole).await.is_err() {
                return;
            }
        }
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((near, _)) = listener.accept().await {
            let shared = self.clone();
            tokio::spawn(async move {
                let mut whole = shared.whole.subscribe();
                tokio::select! {
                    () = shared.carry(near) => {}
                    _ = whole.wait_for(|whole| !whole) => {}
                }
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
