//! No secret goes into a command line, and none comes out of its output. A command that holds one (it was registered after the model
//! wrote it) is refused: with a placeholder in it, it would be another than the one that was approved. The environment of a command has none to begin with: the
//! sandboxes make it from nothing.

use super::{Redacted, Redaction};
use domain::Digest;
use ports::{
    Sandbox,
    sandbox::{Cancel, Exec, ExecResult, Limits, SandboxError, Serve, Serving, Tier},
};
use std::borrow::Cow;

#[async_trait::async_trait]
impl Sandbox for Redacted<dyn Sandbox> {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        self.inner.probe().await
    }

    async fn run(&self, exec: Exec, cancel: Cancel) -> Result<ExecResult, SandboxError> {
        self.check(&exec)?;
        clean(&self.redaction, self.inner.run(exec, cancel).await)
    }

    /// What a server says on its stdout is cleaned by who reads it.
    async fn serve(&self, serve: Serve, cancel: Cancel) -> Result<Serving, SandboxError> {
        self.check(&serve.exec)?;
        let served = self.inner.serve(serve, cancel).await;
        let serving = served.map_err(|error| clean_error(&self.redaction, error))?;
        let (redaction, ended) = (self.redaction.clone(), serving.ended);
        Ok(Serving {
            ended: Box::pin(async move { clean(&redaction, ended.await) }),
            ..serving
        })
    }

    fn digest(&self, limits: &Limits) -> Digest {
        self.inner.digest(limits)
    }
}

impl Redacted<dyn Sandbox> {
    fn check(&self, exec: &Exec) -> Result<(), SandboxError> {
        let redactor = self.redaction.now();
        let mut inputs = exec.files.iter();
        if matches!(redactor.text(&exec.command), Cow::Owned(_))
            || inputs.any(|(_, content)| matches!(redactor.bytes(content), Cow::Owned(_)))
        {
            return Err(SandboxError::HoldsSecret);
        }
        Ok(())
    }
}

fn clean(
    redaction: &Redaction,
    result: Result<ExecResult, SandboxError>,
) -> Result<ExecResult, SandboxError> {
    let mut result = result.map_err(|error| clean_error(redaction, error))?;
    let redactor = redaction.now();
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

fn clean_error(redaction: &Redaction, error: SandboxError) -> SandboxError {
    match error {
        SandboxError::Unavailable(why) => SandboxError::Unavailable(redaction.text(&why)),
        SandboxError::Setup(why) => SandboxError::Setup(redaction.text(&why)),
        SandboxError::HoldsSecret => SandboxError::HoldsSecret,
    }
}
