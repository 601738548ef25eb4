//! Records, journals and jobs: documents stay canonical JSON.

use super::{Redaction, messenger};
use crate::commit_through::{Commit, CommitThrough};
use domain::redact::Redactor;
use ports::{
    Store,
    job::Work,
    message::Outgoing,
    repo,
    store::{Batch, Op, Rejected, StoreError},
};
use std::{borrow::Cow, sync::Arc};

impl Redaction {
    /// The store, with nothing secret going in.
    #[must_use]
    pub fn over_store(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let commit = self.clone();
        Arc::new(CommitThrough { store, commit })
    }
}

#[async_trait::async_trait]
impl Commit for Redaction {
    async fn commit(&self, store: &dyn Store, mut batch: Batch) -> Result<(), StoreError> {
        let redactor = self.now();
        for op in &mut batch.ops {
            clean(&redactor, op)?;
        }
        store.commit(batch).await
    }
}

fn json(redactor: &Redactor, text: &mut String) -> bool {
    let clean = redactor.json(text);
    let Cow::Owned(clean) = clean else {
        return false;
    };
    *text = clean;
    true
}

fn clean(redactor: &Redactor, op: &mut Op) -> Result<(), Rejected> {
    match op {
        Op::Put { doc, .. } => {
            json(redactor, doc);
        }
        Op::Append {
            journal, entries, ..
        } => {
            let found = entries
                .iter_mut()
                .fold(false, |found, entry| json(redactor, entry) | found);
            if found && journal.journal.name == repo::audit::AUDIT_LOGS.name {
                // Its hash is in it already.
                let what = "a secret would stand in the audit: leave it out of names and rules";
                return Err(Rejected::Malformed(what.to_owned()));
            }
        }
        Op::Enqueue(job) if job.name == Outgoing::NAME => {
            if let Cow::Owned(clean) = messenger::payload(redactor, &job.payload) {
                job.payload = clean;
            }
        }
        Op::Enqueue(job) => {
            json(redactor, &mut job.payload);
        }
        Op::Postpone { error, .. } | Op::SetAside { error, .. } => {
            *error = redactor.text(error).into_owned();
        }
        Op::Check { .. }
        | Op::Delete { .. }
        | Op::Hold { .. }
        | Op::Finish { .. }
        | Op::Signal { .. }
        | Op::Add { .. } => {}
    }
    Ok(())
}
