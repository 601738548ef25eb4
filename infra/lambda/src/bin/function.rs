//! A function of the role that `COUNTERSIGN_ROLE` names: woken by its queue, or by the schedule, it works on its lane.

use app::cloud::Function;
use lambda::{left, verdict};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Every TLS connection of the process; there is one provider in it, so this cannot meet another.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let function = &Function::default();
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let done = function.invoke(left(event.context.deadline)).await;
        verdict(&event.payload, done).map_err(Error::from)
    }))
    .await
}
