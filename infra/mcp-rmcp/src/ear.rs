//! What a server can say by itself: that its tools changed. What it asks of us (models, directories) is refused, and so are questions to
//! people unless an owner lets it ask; nobody waits for a person here, so such a question is answered with what is at hand, or with
//! `cancel` and kept for whoever made the call. What else it says is counted, and too much of it ends the connection.

use crate::form;
use domain::elicitation::{Elicitation, Given};
use ports::mcp::FLOOD_LIMIT;
use rmcp::{
    ErrorData, RoleClient, Service,
    model::{
        ClientCapabilities, ClientConfig, ClientResult, ElicitRequestParams, ElicitResult,
        ElicitationAction, ElicitationCapability, ErrorCode, FormElicitationCapability,
        Implementation, ProtocolVersion, ServerNotification, ServerRequest,
    },
    service::{NotificationContext, RequestContext},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// What was heard of one connection.
#[derive(Default)]
pub struct Heard {
    /// Ends the connection.
    pub stop: CancellationToken,
    /// It said that its tools changed, and they were not read since.
    pub changed: AtomicBool,
    /// One of its messages was larger than what is read.
    pub too_large: AtomicBool,
    flooded: AtomicBool,
    /// Messages since somebody last asked something.
    messages: AtomicU64,
    /// What it asked for and was refused.
    refused: Mutex<BTreeSet<&'static str>>,
    /// Of the call under way; none where the server may not ask people.
    desk: Option<Mutex<Desk>>,
    /// How its process ended.
    ended: Mutex<Option<String>>,
}

/// What people answered already, and the first question that nobody has answered.
#[derive(Default)]
struct Desk {
    answers: Vec<Given>,
    asks: Option<Elicitation>,
}

impl Heard {
    /// Of a server that may ask people, or may not.
    pub fn new(elicitation: bool) -> Self {
        Self {
            desk: elicitation.then(Mutex::default),
            ..Self::default()
        }
    }

    pub fn elicits(&self) -> bool {
        self.desk.is_some()
    }

    /// A call begins, for which people answered this.
    pub fn lay(&self, answers: &[Given]) {
        if let Some(desk) = &self.desk {
            *desk.lock().unwrap_or_else(PoisonError::into_inner) = Desk {
                answers: answers.to_vec(),
                asks: None,
            };
        }
    }

    /// What the server asked in the call that is over, without an answer.
    pub fn asked(&self) -> Option<Elicitation> {
        let mut desk = self
            .desk
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *desk).asks
    }

    /// What the server is told, or what is not given to it.
    fn elicit(&self, params: &ElicitRequestParams) -> Result<ElicitResult, &'static str> {
        let desk = self
            .desk
            .as_ref()
            .ok_or("an answer of a person (elicitation)")?;
        let question = form::read(params)?;
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = question.digest();
        if let Some(given) = desk.answers.iter().find(|given| given.question == digest) {
            let result = ElicitResult::new(ElicitationAction::Accept);
            return Ok(result.with_content(given.content.clone()));
        }
        desk.asks.get_or_insert(question);
        Ok(ElicitResult::new(ElicitationAction::Cancel))
    }

    /// Something is asked: messages are counted from here.
    pub fn begin(&self) {
        self.messages.store(0, Ordering::Relaxed);
        self.refused().clear();
    }

    fn message(&self) {
        if self.messages.fetch_add(1, Ordering::Relaxed) >= FLOOD_LIMIT {
            self.flooded.store(true, Ordering::SeqCst);
            self.stop.cancel();
        }
    }

    pub fn ended(&self, how: String) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
        self.stop.cancel();
    }

    /// Why the connection is over, for people.
    pub fn end(&self) -> String {
        if self.too_large.load(Ordering::SeqCst) {
            return "it sent more at once than is read".to_owned();
        }
        if self.flooded.load(Ordering::SeqCst) {
            return "it sent messages without end".to_owned();
        }
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended
            .clone()
            .unwrap_or_else(|| "it closed the connection".to_owned())
    }

    /// Why it is over, where something of it failed. Its pipes may end a moment before it does, so that moment is waited for.
    pub async fn why(&self, failed: String) -> String {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.stop.cancelled()).await;
        match self.stop.is_cancelled() || self.too_large.load(Ordering::SeqCst) {
            true => self.end(),
            false => failed,
        }
    }

    /// What was refused, as a sentence for the model.
    pub fn refusals(&self) -> Option<String> {
        let refused: Vec<&str> = self.refused().iter().copied().collect();
        (!refused.is_empty()).then(|| {
            format!("(In the middle of the call the server asked for {}. That is not enabled here, and was refused.)", refused.join(", "))
        })
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Ear(pub Arc<Heard>);

impl Service<RoleClient> for Ear {
    async fn handle_request(
        &self,
        request: ServerRequest,
        _: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        self.0.message();
        let what = match request {
            ServerRequest::PingRequest(_) => return Ok(ClientResult::empty(())),
            ServerRequest::CreateMessageRequest(_) => "a model (sampling)",
            ServerRequest::ElicitRequest(request) => match self.0.elicit(&request.params) {
                Ok(result) => return Ok(ClientResult::ElicitResult(result)),
                Err(what) => what,
            },
            ServerRequest::ListRootsRequest(_) => "directories (roots)",
            _ => "something unknown",
        };
        self.0.refused().insert(what);
        let text = format!("this client does not give servers {what}");
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, text, None))
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        _: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        self.0.message();
        if matches!(
            notification,
            ServerNotification::ToolListChangedNotification(_)
        ) {
            self.0.changed.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        let me = Implementation::new("countersign", env!("CARGO_PKG_VERSION"));
        // The newest version that has a handshake; what the server answers may be an older one.
        let mut can = ClientCapabilities::default();
        let form = FormElicitationCapability::default();
        let ask = || ElicitationCapability::default().with_form(form);
        can.elicitation = self.0.desk.as_ref().map(|_| ask());
        ClientConfig::new(can, me).with_protocol_version(ProtocolVersion::V_2025_11_25)
    }
}
