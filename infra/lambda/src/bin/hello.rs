//! The least that a function can be: what `cargo xtask bench functions` compares the others' start with. Nobody deploys it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(async |_: LambdaEvent<Value>| {
        Ok::<_, Error>(json!("hello"))
    }))
    .await
}
