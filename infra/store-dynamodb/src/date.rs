//! When DynamoDB's answers were made, as their header `Date` says, for whoever wants to compare clocks with it.

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::BoxError,
    primitives::{DateTime, DateTimeFormat},
};
use domain::Micros;
use std::sync::{Arc, Mutex, PoisonError};

type Listener = Box<dyn Fn(Micros) + Send>;

/// Of all answers to one client.
#[derive(Clone, Default)]
pub struct Dates(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    latest: Option<Micros>,
    listener: Option<Listener>,
}

impl Dates {
    /// Tells of the latest answer, and of each from now on.
    pub fn tell(&self, listener: Listener) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(latest) = heard.latest {
            listener(latest);
        }
        heard.listener = Some(listener);
    }

    fn hear(&self, made: Micros) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.latest = Some(made);
        if let Some(listener) = &heard.listener {
            listener(made);
        }
    }
}

impl std::fmt::Debug for Dates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dates")
    }
}

impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "Dates"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(seconds) = date.map(|date| date.secs()) {
            self.hear(Micros(seconds.saturating_mul(1_000_000)));
        }
        Ok(())
    }
}
