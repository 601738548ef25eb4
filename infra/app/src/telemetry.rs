//! What people and machines see of the process: log lines on stderr, and metrics in Prometheus' text format.
//!
//! Lines carry the ids of job, run and session. Texts of messages and arguments are in no line at info level or above, secrets in
//! none at all.

use crate::redacted::{Lines, Redaction};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use tracing::Dispatch;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt};

/// How much is said when nobody set it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loudness {
    /// A service: what it does.
    Service,
    /// A command: only what is wrong.
    Command,
}

/// Seconds, from a quick answer to a long step.
const BUCKETS: [f64; 12] = [
    0.001, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0, 600.0,
];

/// Logs from here on go to stderr. A second call changes nothing.
pub fn log(filter: Option<&str>, loudness: Loudness, redaction: Redaction) {
    let terminal = std::io::stderr().is_terminal();
    let _ = lines(filter, loudness, terminal, Lines(redaction)).try_init();
}

/// A service's lines are for people at a terminal, and JSON for programs elsewhere. A command's are for whoever reads its output,
/// wherever that goes: few and plain, since they stand between the command's own.
fn lines<W>(filter: Option<&str>, loudness: Loudness, terminal: bool, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Where there are no credentials, AWS's library says so at length for each place where it looked; our own errors say it once.
    // rmcp writes whole messages of servers at these levels.
    let default = match loudness {
        Loudness::Service => "info,aws_config=error,rmcp=error",
        Loudness::Command => "warn,aws_config=error,rmcp=error",
    };
    // The filter was checked when the configuration was read.
    let filter = filter
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(terminal);
    match loudness {
        Loudness::Command => lines.compact().without_time().with_target(false).into(),
        Loudness::Service if terminal => lines.compact().into(),
        Loudness::Service => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .into(),
    }
}

/// Metrics from here on are counted. `None` when something in this process counts them already.
#[must_use]
pub fn measure() -> Option<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .ok()?
        .install_recorder()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written for one line of information and one warning.
    fn written(filter: Option<&str>, loudness: Loudness, terminal: bool) -> String {
        let out = Written::default();
        let to = out.clone();
        let lines = lines(filter, loudness, terminal, move || to.clone());
        tracing::dispatcher::with_default(&lines, || {
            tracing::info!("all is well");
            tracing::warn!(error = "no route", "postponed");
        });
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_command_warns_in_plain_words_wherever_they_go() {
        let text = written(None, Loudness::Command, false);
        assert_eq!(text.trim(), "WARN postponed error=\"no route\"");
        let more = written(Some("info"), Loudness::Command, false);
        assert!(more.contains("INFO all is well"), "{more}");
    }

    #[test]
    fn a_service_without_a_terminal_writes_json() {
        let text = written(None, Loudness::Service, false);
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["message"], "all is well");
        assert_eq!(
            (&lines[1]["level"], &lines[1]["error"]),
            (&"WARN".into(), &"no route".into())
        );
    }
}
