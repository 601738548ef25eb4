//! The webhook behind its function URL: what Telegram pushes is stored, then acknowledged.

use lambda_http::{Error, run};

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Every TLS connection of the process; there is one provider in it, so this cannot meet another.
    let _ = rustls::crypto::ring::default_provider().install_default();
    run(app::cloud::webhook().await?).await
}
