//! Files: what is read has no secret in it, none is written. A file that holds one stays as it is: an agent that changed it would
//! write the placeholder over the secret. So does one that cannot be looked into. A text that holds one (it was registered after the
//! model wrote it) is refused: with a placeholder in it, it would be another than the one that was approved.

use super::{Redacted, Redaction};
use domain::{Digest, id::SessionId, redact::Redactor};
use ports::{
    Workspace,
    workspace::{Entry, FileText, Found, WorkspaceError, Workspaces},
};
use std::{borrow::Cow, path::PathBuf, sync::Arc};

#[async_trait::async_trait]
impl Workspaces for Redacted<dyn Workspaces> {
    async fn open(
        &self,
        session: &SessionId,
        own: Option<&str>,
    ) -> Result<Arc<dyn Workspace>, WorkspaceError> {
        let inner = self.inner.open(session, own).await?;
        Ok(self.redaction.over(inner))
    }
}

#[async_trait::async_trait]
impl Workspace for Redacted<dyn Workspace> {
    fn root(&self) -> PathBuf {
        self.inner.root()
    }

    async fn list(
        &self,
        path: &str,
        recursive: bool,
    ) -> Result<(Vec<Entry>, bool), WorkspaceError> {
        let (mut entries, more) = self.inner.list(path, recursive).await?;
        for entry in &mut entries {
            entry.path = self.redaction.text(&entry.path);
        }
        Ok((entries, more))
    }

    /// The digest is of the file as it is.
    async fn read(&self, path: &str) -> Result<FileText, WorkspaceError> {
        let mut file = self.inner.read(path).await?;
        if let Cow::Owned(clean) = self.redaction.now().text(&file.text) {
            file.text = clean;
        }
        Ok(file)
    }

    async fn write(&self, path: &str, text: &str) -> Result<(), WorkspaceError> {
        let redactor = self.redaction.now();
        if holds(&redactor, text) {
            return Err(WorkspaceError::SecretInText(path.to_owned()));
        }
        match self.inner.read(path).await {
            Ok(file) if holds(&redactor, &file.text) => {
                Err(WorkspaceError::HoldsSecret(path.to_owned()))
            }
            Ok(_) | Err(WorkspaceError::Missing(_)) => self.inner.write(path, text).await,
            Err(error) => Err(error),
        }
    }

    async fn search(&self, needle: &str, glob: &str) -> Result<(Vec<Found>, bool), WorkspaceError> {
        let (mut found, more) = self.inner.search(needle, glob).await?;
        clean(&self.redaction, &mut found);
        Ok((found, more))
    }

    async fn manifest(&self) -> Result<Digest, WorkspaceError> {
        self.inner.manifest().await
    }
}

fn holds(redactor: &Redactor, text: &str) -> bool {
    matches!(redactor.text(text), Cow::Owned(_))
}

/// Long lines come cut.
fn clean(redaction: &Redaction, found: &mut [Found]) {
    let redactor = redaction.now();
    for hit in found {
        hit.path = redactor.text(&hit.path).into_owned();
        hit.text = redactor.cut(&hit.text);
    }
}
