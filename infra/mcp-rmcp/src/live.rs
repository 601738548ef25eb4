//! A connection to a server that was made and may be broken by now.

use crate::{
    answer,
    ear::{Ear, Heard},
    offer,
    pace::Pace,
    remote::plainly,
};
use ports::mcp::{McpAnswer, McpCall, McpError, Offer};
use rmcp::{
    RoleClient,
    model::{CallToolRequestParams, CallToolResponse, ClientRequest, PingRequest},
    service::{RunningService, ServiceError, serve_client_with_ct},
    transport::{IntoTransport, streamable_http_client::StreamableHttpError},
};
use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// From the end of a connection until nobody waits for an answer any more: longer than [`Heard::why`] waits, which has more to say.
const LET_GO: Duration = Duration::from_secs(2);

pub type Process = AbortOnDropHandle<()>;

pub struct Live {
    service: RunningService<RoleClient, Ear>,
    heard: Arc<Heard>,
    /// Holds the process of a local server, which ends with it.
    process: Option<Process>,
    offer: Mutex<Known>,
    used: Mutex<Instant>,
    /// Calls of a server that may ask people are made one after the other: a question belongs to the call that is under way.
    turn: Option<tokio::sync::Mutex<()>>,
}

struct Known {
    offer: Offer,
    /// Nobody was told yet.
    news: bool,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.heard.stop.cancel();
    }
}

impl Live {
    /// Shakes hands and reads what is offered, within the time for a start.
    ///
    /// # Errors
    /// Words for people. The process ends.
    pub async fn begin<T, E, A>(
        transport: T,
        heard: Arc<Heard>,
        process: Option<Process>,
        pace: &Pace,
    ) -> Result<Self, String>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let hands = serve_client_with_ct(Ear(heard.clone()), transport, heard.stop.clone());
        let late = || {
            Err(format!(
                "it did not answer within {} s",
                pace.start.as_secs()
            ))
        };
        let begun = tokio::time::timeout(pace.start, async {
            let service = match hands.await {
                Ok(service) => service,
                Err(error) if process.is_some() => return Err(heard.why(plainly(&error)).await),
                Err(error) => return Err(plainly(&error)),
            };
            let offer = offer::read(&service).await?;
            Ok((service, offer))
        });
        let begun = begun.await.unwrap_or_else(|_| late());
        let (service, offer) = begun.inspect_err(|_| heard.stop.cancel())?;
        Ok(Self {
            turn: heard.elicits().then(tokio::sync::Mutex::default),
            service,
            heard,
            process,
            offer: Mutex::new(Known { offer, news: true }),
            used: Mutex::new(Instant::now()),
        })
    }

    pub fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub fn idle(&self) -> Duration {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }

    /// Whether it can be used: it is there, and says so after a pause.
    pub async fn is_well(&self, pace: &Pace) -> bool {
        if self.is_over() {
            return false;
        }
        if self.idle() < pace.fresh {
            return true;
        }
        let ping = self
            .service
            .send_request(ClientRequest::PingRequest(PingRequest::default()));
        match tokio::time::timeout(pace.ping, ping).await {
            // One that knows no ping is there all the same.
            Ok(Ok(_) | Err(ServiceError::McpError(_))) => !self.is_over(),
            _ => false,
        }
    }

    fn is_over(&self) -> bool {
        self.service.is_closed()
            || self.service.is_transport_closed()
            || self.heard.stop.is_cancelled()
    }

    /// Why it is over, for people.
    pub fn end(&self) -> String {
        self.heard.end()
    }

    /// Reads what is offered now.
    ///
    /// # Errors
    /// Words for people.
    pub async fn look(&self, pace: &Pace) -> Result<Offer, String> {
        self.heard.begin();
        self.heard.changed.store(false, Ordering::SeqCst);
        let read = tokio::time::timeout(pace.start, offer::read(&self.service));
        let late = |_| {
            format!(
                "it did not say which tools it has within {} s",
                pace.start.as_secs()
            )
        };
        let offer = read.await.map_err(late)??;
        let mut known = self.known();
        known.news |= known.offer != offer;
        known.offer = offer.clone();
        Ok(offer)
    }

    pub async fn call(&self, call: &McpCall, pace: &Pace) -> Result<McpAnswer, McpError> {
        // What is waited for here may take its time: what was approved is looked at after it.
        let _turn = match &self.turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        if self.is_over() {
            return Err(McpError::Unavailable(self.heard.end()));
        }
        if self.heard.changed.load(Ordering::SeqCst) {
            self.look(pace).await.map_err(McpError::Unavailable)?;
        }
        let offer = self.known().offer.clone();
        if !offer.tools.contains(&call.tool) {
            return Err(McpError::Changed(offer));
        }
        self.heard.begin();
        self.heard.lay(&call.answers);
        let params = CallToolRequestParams::new(call.tool.name.clone())
            .with_arguments(call.arguments.clone());
        let asked = tokio::time::timeout(pace.call, self.service.call_tool_once(params));
        let answered = tokio::select! {
            answered = asked => answered,
            () = self.let_go() => return Err(broke(&self.heard.end())),
        };
        let (mut text, ok) = match answered {
            Err(_) => {
                let why = format!("no answer came within {} s", pace.call.as_secs());
                return Err(McpError::Unknown(why));
            }
            Ok(Err(ServiceError::McpError(error))) => (error.message.into_owned(), false),
            Ok(Err(error)) => return Err(self.broken(&error).await),
            Ok(Ok(CallToolResponse::Complete(result))) => answer::read(&result)?,
            Ok(Ok(_)) => {
                let text = "The server wants more before it goes on, which is not enabled here.";
                (text.to_owned(), false)
            }
        };
        if let Some(refusals) = self.heard.refusals() {
            text = format!("{text}\n{refusals}");
        }
        self.touch();
        let news = std::mem::take(&mut self.known().news);
        Ok(McpAnswer {
            text,
            ok,
            offer: news.then_some(offer),
            asks: self.heard.asked(),
        })
    }

    async fn broken(&self, error: &ServiceError) -> McpError {
        if self.heard.too_large.load(Ordering::SeqCst) || is_too_large(error) {
            return McpError::TooLarge;
        }
        let why = match self.process.is_some() || self.heard.stop.is_cancelled() {
            true => self.heard.why(error.to_string()).await,
            false => error.to_string(),
        };
        broke(&why)
    }

    /// The connection was ended, and `rmcp` did not tell who waits for an answer: where its buffers are full at that moment it never does.
    async fn let_go(&self) {
        self.heard.stop.cancelled().await;
        tokio::time::sleep(LET_GO).await;
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.offer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn broke(why: &str) -> McpError {
    McpError::Unknown(format!(
        "the connection broke in the middle of the call: {why}"
    ))
}

/// Whether `rmcp` stopped reading an answer: while it reads it counts, up to its own 16 MiB of one text and [`MESSAGE_LIMIT`](ports::mcp::MESSAGE_LIMIT) of one event.
fn is_too_large(error: &ServiceError) -> bool {
    let ServiceError::TransportSend(error) = error else {
        return false;
    };
    let mut cause: Option<&(dyn Error + 'static)> = Some(&*error.error);
    while let Some(error) = cause {
        if matches!(
            error.downcast_ref(),
            Some(StreamableHttpError::<reqwest::Error>::ResponseBodyTooLarge { .. })
        ) {
            return true;
        }
        cause = error.source();
    }
    false
}
