//! What people and machines see of the process: log lines on stderr, and metrics in Prometheus' text format.
//!
//! Lines carry the ids of job, run and session. Texts of messages, arguments and keys are in no line at info level or above.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

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

/// Logs from here on go to stderr: for people at a terminal, as JSON lines elsewhere. A second call changes nothing.
pub fn log(filter: Option<&str>, loudness: Loudness) {
    let default = match loudness {
        Loudness::Service => "info",
        Loudness::Command => "warn",
    };
    // The filter was checked when the configuration was read.
    let filter = filter
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = if std::io::stderr().is_terminal() {
        lines.compact().try_init()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init()
    };
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
