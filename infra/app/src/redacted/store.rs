//! Records, journals and jobs: documents stay canonical JSON.

use super::{Redacted, messenger};
use domain::{
    Micros,
    id::{CommitId, JobId},
    redact::Redactor,
};
use ports::{
    Store,
    job::Work,
    message::Outgoing,
    repo,
    store::{
        Backlog, Batch, Claim, Claimed, CounterKey, Job, JournalKey, Key, Op, Page, Query, Record,
        Rejected, Renewal, StoreError,
    },
};
use std::borrow::Cow;

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

#[async_trait::async_trait]
impl Store for Redacted<dyn Store> {
    async fn commit(&self, mut batch: Batch) -> Result<(), StoreError> {
        let redactor = self.redaction.now();
        for op in &mut batch.ops {
            clean(&redactor, op)?;
        }
        self.inner.commit(batch).await
    }

    async fn was_committed(&self, id: &CommitId) -> Result<bool, StoreError> {
        self.inner.was_committed(id).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.inner.get(key).await
    }

    async fn query(&self, query: Query) -> Result<Page, StoreError> {
        self.inner.query(query).await
    }

    async fn read(
        &self,
        journal: &JournalKey,
        from: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.read(journal, from, limit).await
    }

    async fn head(&self, journal: &JournalKey) -> Result<u64, StoreError> {
        self.inner.head(journal).await
    }

    async fn counter(&self, key: &CounterKey) -> Result<i64, StoreError> {
        self.inner.counter(key).await
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        self.inner.claim(claim).await
    }

    async fn renew(&self, job: &JobId, epoch: u64, until: Micros) -> Result<Renewal, StoreError> {
        self.inner.renew(job, epoch, until).await
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.inner.job(id).await
    }

    async fn backlog(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        self.inner.backlog(now).await
    }

    async fn forget_commits(&self, before: Micros) -> Result<u64, StoreError> {
        self.inner.forget_commits(before).await
    }
}
