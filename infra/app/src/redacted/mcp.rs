//! No secret goes to a tool server in a call, and none comes back in what it says. What a server is given (`McpServer::secrets`) it is given below
//! this.

use super::{Redacted, Redaction};
use domain::mcp::{McpServer, McpTool};
use ports::{
    Mcp,
    mcp::{McpAnswer, McpCall, McpError, Offer},
    sandbox::Cancel,
};
use serde_json::Value;
use std::{borrow::Cow, path::Path};

#[async_trait::async_trait]
impl Mcp for Redacted<dyn Mcp> {
    async fn tools(&self, server: &McpServer, place: Option<&Path>) -> Result<Offer, McpError> {
        let offer = self.inner.tools(server, place).await;
        offer
            .map(|offer| clean_offer(&self.redaction, offer))
            .map_err(|error| clean_error(&self.redaction, error))
    }

    async fn call(
        &self,
        server: &McpServer,
        place: Option<&Path>,
        call: &McpCall,
        cancel: &Cancel,
    ) -> Result<McpAnswer, McpError> {
        let mut given = vec![Value::Object(call.arguments.clone())];
        given.extend(call.answers.iter().map(|answer| answer.content.clone()));
        if self.holds(&Value::Array(given).to_string()) {
            return Err(McpError::HoldsSecret);
        }
        let answer = self.inner.call(server, place, call, cancel).await;
        let answer = answer.map_err(|error| clean_error(&self.redaction, error))?;
        // With a placeholder in it, it would not be the one that the server asks.
        let asks = answer.asks.filter(|question| {
            let text = serde_json::to_string(question).unwrap_or_default();
            !self.holds(&text)
        });
        Ok(McpAnswer {
            asks,
            text: self.redaction.text(&answer.text),
            ok: answer.ok,
            offer: answer
                .offer
                .map(|offer| clean_offer(&self.redaction, offer)),
        })
    }
}

impl Redacted<dyn Mcp> {
    fn holds(&self, text: &str) -> bool {
        matches!(self.redaction.now().text(text), Cow::Owned(_))
    }
}

fn clean_error(redaction: &Redaction, error: McpError) -> McpError {
    match error {
        McpError::Unavailable(why) => McpError::Unavailable(redaction.text(&why)),
        McpError::Unknown(why) => McpError::Unknown(redaction.text(&why)),
        McpError::Changed(offer) => McpError::Changed(clean_offer(redaction, offer)),
        McpError::HoldsSecret | McpError::TooLarge => error,
    }
}

/// A tool whose words hold a secret is left out: with a placeholder in it, it would not be the one that the server has.
fn clean_offer(redaction: &Redaction, mut offer: Offer) -> Offer {
    let redactor = redaction.now();
    let holds = |tool: &McpTool| {
        let text = serde_json::to_string(tool).unwrap_or_default();
        matches!(redactor.text(&text), Cow::Owned(_))
    };
    let (bad, good): (Vec<McpTool>, Vec<McpTool>) = offer.tools.into_iter().partition(holds);
    offer.tools = good;
    let left_out = bad
        .into_iter()
        .map(|tool| format!("{}: its description holds a secret", tool.name));
    offer.left_out.extend(left_out);
    for line in &mut offer.left_out {
        *line = redactor.text(line).into_owned();
    }
    offer.says = redactor.text(&offer.says).into_owned();
    offer
}
