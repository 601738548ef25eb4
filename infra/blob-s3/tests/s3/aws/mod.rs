//! All of these take an emulator: `cargo xtask test` starts one and says where in `COUNTERSIGN_TEST_AWS`. Where there is none,
//! xtask leaves this module out by its name, and says so.

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Region},
    primitives::ByteStream,
};
use blob_s3::S3Blobs;
use domain::Digest;
use ports::blob::{BlobError, Blobs};
use std::sync::Arc;
use testkit::contract::{
    Broken, Outcome,
    blobs::{Damaging, Kept},
};
use uuid::Uuid;

/// A client that reaches nothing but this address.
fn client(endpoint: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(client_aws::https())
        .build();
    Client::from_conf(config)
}

fn emulator() -> Result<String, Broken> {
    std::env::var("COUNTERSIGN_TEST_AWS")
        .map_err(|_| "COUNTERSIGN_TEST_AWS names no emulator: `cargo xtask test` starts one".into())
}

/// Somebody who writes over objects.
struct Vandal {
    client: Client,
    bucket: String,
}

#[async_trait]
impl Damaging for Vandal {
    async fn damage(&self, digest: &Digest, bytes: &[u8]) -> Outcome {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("blobs/{}", digest.as_str()))
            .body(ByteStream::from(bytes.to_vec()))
            .send()
            .await?;
        Ok(())
    }
}

async fn make() -> Result<(Kept, ()), Broken> {
    let client = client(&emulator()?);
    let bucket = format!("test-{}", Uuid::now_v7());
    client.create_bucket().bucket(&bucket).send().await?;
    let blobs = Arc::new(S3Blobs::new(client.clone(), &bucket));
    let vandal = Box::new(Vandal { client, bucket });
    Ok((Kept { blobs, vandal }, ()))
}

testkit::blobs_contract!(make);

#[tokio::test]
async fn a_bucket_that_is_not_there() -> Outcome {
    let blobs = S3Blobs::new(client(&emulator()?), "nowhere");
    match blobs.put(b"x").await {
        Err(BlobError::Io(text)) => assert!(text.contains("there is no bucket nowhere"), "{text}"),
        other => return Err(format!("{other:?}").into()),
    }
    Ok(())
}
