//! Where commands run: the strongest sandbox that really works here, else none at all, with the reason and what to install.

use crate::config::{Config, SandboxChoice};
use domain::Digest;
use ports::{
    Sandbox,
    sandbox::{Cancel, Exec, ExecResult, Limits, SandboxError, Serve, Serving, Tier},
};
use std::sync::Arc;

/// Whom commands run as when the process is root.
#[must_use]
pub fn uid() -> Option<u32> {
    rustix::process::geteuid()
        .is_root()
        .then_some(sandbox_process::DEFAULT_UID)
}

/// A sandbox with what its probe found.
#[derive(Clone)]
pub struct Picked {
    pub sandbox: Arc<dyn Sandbox>,
    /// Or why there is none.
    pub tier: Result<Tier, String>,
}

/// Tries them in order of strength, each by really running something.
pub async fn pick(config: &Config) -> Picked {
    let (bubblewrap, landlock) = match config.sandbox {
        SandboxChoice::Off => return refusing("switched off by the setting `sandbox`".to_owned()),
        SandboxChoice::Auto => (true, true),
        SandboxChoice::Bubblewrap => (true, false),
        SandboxChoice::Landlock => (false, true),
    };
    let mut reasons = Vec::new();
    if bubblewrap {
        let made = sandbox_bwrap::sandbox(sandbox_bwrap::Options::default());
        match probed(made.map(|sandbox| Arc::new(sandbox) as Arc<dyn Sandbox>)).await {
            Ok(picked) => return picked,
            Err(error) => reasons.push(error.to_string()),
        }
    }
    if landlock {
        let made = sandbox_landlock::sandbox(sandbox_landlock::Options::default());
        match probed(made.map(|sandbox| Arc::new(sandbox) as Arc<dyn Sandbox>)).await {
            Ok(picked) => return picked,
            Err(error) => reasons.push(error.to_string()),
        }
    }
    refusing(reasons.join("; "))
}

async fn probed(sandbox: Result<Arc<dyn Sandbox>, SandboxError>) -> Result<Picked, SandboxError> {
    let sandbox = sandbox?;
    let tier = Ok(sandbox.probe().await?);
    Ok(Picked { sandbox, tier })
}

fn refusing(why: String) -> Picked {
    Picked {
        sandbox: Arc::new(Refusing(why.clone())),
        tier: Err(why),
    }
}

/// Runs nothing. Files can be read and written without a sandbox, commands cannot be run.
struct Refusing(String);

#[async_trait::async_trait]
impl Sandbox for Refusing {
    async fn probe(&self) -> Result<Tier, SandboxError> {
        Err(SandboxError::Unavailable(self.0.clone()))
    }

    async fn run(&self, _: Exec, _: Cancel) -> Result<ExecResult, SandboxError> {
        Err(SandboxError::Unavailable(self.0.clone()))
    }

    async fn serve(&self, _: Serve, _: Cancel) -> Result<Serving, SandboxError> {
        Err(SandboxError::Unavailable(self.0.clone()))
    }

    fn digest(&self, _: &Limits) -> Digest {
        Digest::of_bytes("no sandbox")
    }
}
