//! The process's own HTTP server, on 127.0.0.1 unless somebody says otherwise: `/healthz`, `/metrics`, and the webhook where
//! there is one.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use ports::{Clock, Store, job::lane, store::Backlog};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the pages look at.
#[derive(Clone)]
pub struct Health {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Option<PrometheusHandle>,
}

/// # Errors
/// A sentence for people: the port is taken, or not to be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "Port {} on {} is taken: stop the other program (perhaps another `countersign up`), or set COUNTERSIGN_LISTEN to a free one such as 127.0.0.1:{}.",
            address.port(),
            address.ip(),
            address.port().wrapping_add(1).max(1024),
        ),
        io::ErrorKind::PermissionDenied => format!(
            "Port {} is not for unprivileged programs: set COUNTERSIGN_LISTEN to one above 1023.",
            address.port()
        ),
        _ => format!("{address} cannot be listened on ({error}): set COUNTERSIGN_LISTEN to an address of this machine."),
    })
}

/// The two pages.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(render))
        .with_state(health)
}

/// Serves until `stop`, and lets requests under way finish.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// Healthy is who can reach the store.
async fn healthz(State(health): State<Health>) -> Response {
    match health.store.backlog(health.clock.now()).await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn render(State(health): State<Health>) -> Response {
    if let Ok(mut lanes) = health.store.backlog(health.clock.now()).await {
        // The store leaves out empty lanes, whose gauges would keep their last value.
        for name in lane::ALL {
            if !lanes.iter().any(|lane| lane.lane == name) {
                lanes.push(Backlog {
                    lane: name.to_owned(),
                    due: 0,
                    later: 0,
                    leased: 0,
                    set_aside: 0,
                });
            }
        }
        // A terminal's own lane would be a series per terminal for ever.
        lanes.retain(|lane| lane::ALL.contains(&lane.lane.as_str()));
        lanes.iter().for_each(gauge);
    }
    let text = health.metrics.map(|metrics| {
        metrics.run_upkeep();
        metrics.render()
    });
    (
        [("content-type", "text/plain; version=0.0.4")],
        text.unwrap_or_default(),
    )
        .into_response()
}

fn gauge(lane: &Backlog) {
    for (state, count) in [
        ("due", lane.due),
        ("later", lane.later),
        ("leased", lane.leased),
        ("set_aside", lane.set_aside),
    ] {
        let gauge =
            metrics::gauge!("countersign_jobs", "lane" => lane.lane.clone(), "state" => state);
        #[allow(clippy::cast_precision_loss)] // exact up to 2^53 jobs
        gauge.set(count as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use ports::store::StoreError;
    use testkit::memory_store::MemoryStore;

    #[tokio::test]
    async fn who_can_reach_the_store_is_healthy() {
        let store = Arc::new(MemoryStore::new());
        let health = Health {
            store: store.clone(),
            clock: Arc::new(SystemClock::default()),
            metrics: None,
        };
        assert_eq!(
            healthz(State(health.clone())).await.status(),
            StatusCode::OK
        );
        store.fail_next(1, StoreError::Unavailable);
        assert_eq!(
            healthz(State(health)).await.status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
    }

    #[tokio::test]
    async fn a_taken_port_is_said_with_what_to_do() {
        let first = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let error = bind(first.local_addr().unwrap()).await.unwrap_err();
        assert!(
            error.contains("is taken") && error.contains("COUNTERSIGN_LISTEN"),
            "{error}"
        );
    }
}
