//! No secret goes into a command line, and none comes out of its output. The environment of a command has none to begin with: the
//! sandboxes make it from nothing.

use super::Redacted;
use domain::Digest;
use ports::{
    Sandbox,
    sandbox::{Cancel, Exec, ExecResult, Limits, SandboxError, Tier},
};

#[async_trait::async_trait]
impl Sandbox for Redacted<dyn Sandbox> {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        self.inner.probe().await
    }

    async fn run(&self, mut exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        let redactor = self.redaction.now();
        exec.command = redactor.text(&exec.command).into_owned();
        let mut result = self
            .inner
            .run(exec, cancel)
            .await
            .map_err(|error| match error {
                SandboxError::Unavailable(why) => {
                    SandboxError::Unavailable(self.redaction.text(&why))
                }
                SandboxError::Setup(why) => SandboxError::Setup(self.redaction.text(&why)),
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
