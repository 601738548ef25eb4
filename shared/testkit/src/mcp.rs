//! Tool servers that are a script: they offer what a test says, remember what was called, and fail when they are told to.

use async_trait::async_trait;
use domain::{
    elicitation::{Elicitation, Given},
    mcp::{Hints, McpServer, McpTool},
};
use ports::{
    Mcp,
    mcp::{McpAnswer, McpCall, McpError, Offer},
    sandbox::Cancel,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Every server offers the same, and answers with the tool's name and the arguments.
#[derive(Default)]
pub struct ScriptedMcp {
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    tools: Vec<McpTool>,
    /// `server/tool arguments`, each an effect that happened.
    called: Vec<String>,
    /// What the next calls end with.
    failures: Vec<McpError>,
    /// The servers said that their tools changed.
    announced: bool,
    /// What they ask a person in the middle of each call, in this order; after the first without an answer the call is given up.
    questions: Vec<Elicitation>,
}

/// A tool that takes a text.
#[must_use]
pub fn tool(name: &str, description: &str) -> McpTool {
    McpTool {
        name: name.to_owned(),
        description: description.to_owned(),
        schema: json!({"type": "object", "properties": {"text": {"type": "string"}}}),
        hints: Hints::default(),
    }
}

impl ScriptedMcp {
    /// From now on this is what servers offer.
    pub fn offer(&self, tools: impl IntoIterator<Item = McpTool>) {
        self.with(|script| script.tools = tools.into_iter().collect());
    }

    /// The same, and they say so with the next call's answer.
    pub fn announce(&self, tools: impl IntoIterator<Item = McpTool>) {
        self.offer(tools);
        self.with(|script| script.announced = true);
    }

    /// From now on each call asks these questions.
    pub fn ask(&self, questions: impl IntoIterator<Item = Elicitation>) {
        self.with(|script| script.questions = questions.into_iter().collect());
    }

    /// The next call ends so, after it happened where nobody can know.
    pub fn fail(&self, error: McpError) {
        self.with(|script| script.failures.push(error));
    }

    /// What was called.
    #[must_use]
    pub fn called(&self) -> Vec<String> {
        self.with(|script| script.called.clone())
    }

    fn with<T>(&self, what: impl FnOnce(&mut Script) -> T) -> T {
        what(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Script {
    fn offered(&self) -> Offer {
        Offer {
            says: "scripted 1".to_owned(),
            tools: self.tools.clone(),
            left_out: Vec::new(),
        }
    }

    fn call(&mut self, server: &McpServer, call: &McpCall) -> Result<McpAnswer, McpError> {
        if !self.tools.contains(&call.tool) {
            return Err(McpError::Changed(self.offered()));
        }
        let failure = self.failures.pop();
        if matches!(
            failure,
            Some(McpError::Unavailable(_) | McpError::HoldsSecret | McpError::Changed(_))
        ) {
            return failure.map_or_else(|| Err(McpError::TooLarge), Err);
        }
        let arguments = Value::Object(call.arguments.clone());
        let (may_ask, server, tool) = (server.elicitation, &server.name, &call.tool.name);
        self.called.push(format!("{server}/{tool} {arguments}"));
        if let Some(failure) = failure {
            return Err(failure);
        }
        let offer = std::mem::take(&mut self.announced).then(|| self.offered());
        let mut text = format!("{tool}: {arguments}");
        let mut asks = None;
        for question in self.questions.iter().filter(|_| may_ask) {
            let known = |given: &&Given| given.question == question.digest();
            match call.answers.iter().find(known) {
                Some(given) => text.push_str(&format!(" {}", given.content)),
                None => {
                    "given up".clone_into(&mut text);
                    asks = Some(question.clone());
                    break;
                }
            }
        }
        Ok(McpAnswer {
            text,
            ok: !tool.contains("fail"),
            offer,
            asks,
        })
    }
}

#[async_trait]
impl Mcp for ScriptedMcp {
    async fn tools(&self, _: &McpServer, _: Option<&Path>) -> Result<Offer, McpError> {
        Ok(self.with(|script| script.offered()))
    }

    async fn call(
        &self,
        server: &McpServer,
        _: Option<&Path>,
        call: &McpCall,
        cancel: &Cancel,
    ) -> Result<McpAnswer, McpError> {
        if cancel.is_raised() {
            return Err(McpError::Unavailable("it was cancelled".to_owned()));
        }
        self.with(|script| script.call(server, call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::mcp::{mcp_contract, server};

    #[tokio::test]
    async fn the_fake_keeps_the_contract() {
        let fake = ScriptedMcp::default();
        fake.offer([tool("echo", "Says it again."), tool("fail", "Fails.")]);
        mcp_contract(&fake, &server("scripted")).await.unwrap();
    }
}
