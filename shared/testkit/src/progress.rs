//! Progress reports, kept.

use ports::{
    Progress,
    progress::{Doing, Report},
};
use std::sync::{Mutex, PoisonError};

/// Keeps every report.
#[derive(Default, Debug)]
pub struct RecordingProgress {
    reports: Mutex<Vec<Report>>,
}

impl RecordingProgress {
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        let reports = self.reports.lock();
        reports.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was reported, without the words that a model said: `thinking`, `using run_command: ls`, `waiting`, `over`. Repeated
    /// ones once.
    #[must_use]
    pub fn doings(&self) -> Vec<String> {
        let mut doings: Vec<String> = self.reports().iter().map(|r| name(&r.doing)).collect();
        doings.dedup();
        doings
    }
}

fn name(doing: &Doing) -> String {
    match doing {
        Doing::Thinking { .. } => "thinking".to_owned(),
        Doing::Using { tool, what } => format!("using {tool}: {what}"),
        Doing::Waiting => "waiting".to_owned(),
        Doing::Over => "over".to_owned(),
    }
}

impl Progress for RecordingProgress {
    fn report(&self, report: Report) {
        let reports = self.reports.lock();
        reports.unwrap_or_else(PoisonError::into_inner).push(report);
    }
}
