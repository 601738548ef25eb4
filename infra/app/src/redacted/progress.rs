//! What a run is doing: it may quote words and arguments from before their secret was known.

use super::Redacted;
use ports::{
    Progress,
    progress::{Doing, Report},
};

impl Progress for Redacted<dyn Progress> {
    fn report(&self, mut report: Report) {
        let redactor = self.redaction.now();
        report.agent = redactor.text(&report.agent).into_owned();
        // They come cut.
        match &mut report.doing {
            Doing::Thinking { said } => *said = redactor.cut(said),
            Doing::Using { tool, what } => {
                *tool = redactor.text(tool).into_owned();
                *what = redactor.cut(what);
            }
            Doing::Waiting | Doing::Over => {}
        }
        self.inner.report(report);
    }
}
