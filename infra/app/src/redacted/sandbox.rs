//! No secret goes into a command line, and none comes out of its output. A command that holds one (it was registered after the model
//! wrote it) is refused: with a placeholder in it, it would be another than the one that was approved. The environment of a command has none to begin with: the
//! sandboxes make it from nothing.

use super::Redacted;
use domain::Digest;
use ports::{
    Sandbox,
    sandbox::{Cancel, Exec, ExecResult, Limits, SandboxError, Tier},
};
use std::borrow::Cow;

#[async_trait::async_trait]
impl Sandbox for Redacted<dyn Sandbox> {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        self.inner.probe().await
    }

    async fn run(&self, exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        let redactor = self.redaction.now();
        let mut inputs = exec.files.iter();
        if matches!(redactor.text(&exec.command), Cow::Owned(_))
            || inputs.any(|(_, content)| matches!(redactor.bytes(content), Cow::Owned(_)))
        {
            return Err(SandboxError::HoldsSecret);
        }
        let mut result = self
            .inner
            .run(exec, cancel)
            .await
            .map_err(|error| match error {
                SandboxError::Unavailable(why) => {
                    SandboxError::Unavailable(self.redaction.text(&why))
                }
                SandboxError::Setup(why) => SandboxError::Setup(self.redaction.text(&why)),
                SandboxError::HoldsSecret => SandboxError::HoldsSecret,
            })?;
        let dropped = result
            .output_bytes
            .saturating_sub(result.output.len() as u64);
        result.output = match std::str::from_utf8(&result.output) {
            Ok(text) if dropped > 0 => redactor.cut(text).into_bytes(),
            Ok(text) => redactor.text(text).into_owned().into_bytes(),
            Err(_) => redactor.bytes(&result.output).into_owned(),
        };
        result.output_bytes = result.output.len() as u64 + dropped;
        Ok(result)
    }

    fn digest(&self, limits: &Limits) -> Digest {
        self.inner.digest(limits)
    }
}
