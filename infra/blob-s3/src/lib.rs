//! Blobs as objects of an S3 bucket: the bytes with digest `ab12…` are the object `blobs/ab12…`.
//!
//! S3 checks what it is sent against the digest, and keeps it as the object's checksum. An object is only made where there is none,
//! so the same bytes again cost a request and no storage; one that is there with another checksum (somebody wrote over
//! it) is written again. Encryption and privacy are the bucket's, see `template.yaml`.

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::ChecksumMode,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use client_aws::{SdkConfig, causes};
use domain::Digest;
use ports::blob::{BlobError, Blobs};
use std::{error::Error, time::Duration};

/// Attempts and pauses as in the store; a blob may be megabytes, so one attempt may take longer.
const ATTEMPTS: u32 = 5;
const CONNECT: Duration = Duration::from_secs(2);
const ATTEMPT: Duration = Duration::from_secs(30);
const LONGEST_REQUEST: Duration = Duration::from_secs(60);

/// An emulator has buckets in the path, not in the host's name.
#[must_use]
pub fn connect(shared: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(LONGEST_REQUEST)
        .build();
    let config = Builder::from(shared)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts)
        .force_path_style(shared.endpoint_url().is_some());
    Client::from_conf(config.build())
}

/// Any number of processes may use one bucket.
#[derive(Clone, Debug)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
}

impl S3Blobs {
    /// Looks at nothing yet: the first blob finds out whether the bucket is there.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        let bucket = bucket.into();
        Self { client, bucket }
    }

    async fn write(
        &self,
        key: &str,
        bytes: &[u8],
        sum: &str,
        anyway: bool,
    ) -> Result<bool, BlobError> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(sum)
            .set_if_none_match((!anyway).then(|| "*".to_owned()))
            .body(ByteStream::from(bytes.to_vec()));
        match put.send().await {
            Ok(_) => Ok(true),
            // Somebody else writes it at this moment: the same bytes.
            Err(e) if matches!(e.code(), Some("ConditionalRequestConflict")) => Ok(true),
            Err(e) if matches!(e.code(), Some("PreconditionFailed")) => Ok(false),
            Err(e) => Err(self.failed(&e)),
        }
    }

    /// Whether the object that is there has these bytes.
    async fn has(&self, key: &str, sum: &str) -> Result<bool, BlobError> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.map_err(|e| self.failed(&e))?;
        Ok(head.checksum_sha256() == Some(sum))
    }

    fn failed<E, R>(&self, error: &SdkError<E, R>) -> BlobError
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let bucket = &self.bucket;
        BlobError::Io(match error.code() {
            Some("NoSuchBucket") => {
                format!(
                    "there is no bucket {bucket}: deploy the template, or correct COUNTERSIGN_BUCKET"
                )
            }
            Some("AccessDenied") => format!(
                "these AWS credentials may not do that with the bucket {bucket}: the policy is in template.yaml"
            ),
            Some("ExpiredToken") => {
                "the AWS credentials have expired: renew them; work goes on by itself".to_owned()
            }
            Some(code) => format!(
                "bucket {bucket}: {code}: {}",
                error.message().unwrap_or_default()
            ),
            None => format!("bucket {bucket}: {}", causes(error)),
        })
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let digest = Digest::of_bytes(bytes);
        let (key, sum) = (key(&digest), checksum(&digest)?);
        if !self.write(&key, bytes, &sum, false).await? && !self.has(&key, &sum).await? {
            self.write(&key, bytes, &sum, true).await?;
        }
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        // A digest may come from a record that somebody has edited; it must not become the name of something else.
        if checksum(digest).is_err() {
            return Err(BlobError::Missing(digest.clone()));
        }
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key(digest));
        let object = match object.send().await {
            Ok(object) => object,
            Err(e) if matches!(e.code(), Some("NoSuchKey")) => {
                return Err(BlobError::Missing(digest.clone()));
            }
            Err(e) => return Err(self.failed(&e)),
        };
        let bytes = object.body.collect().await;
        let bytes = bytes.map_err(|e| BlobError::Io(e.to_string()))?.to_vec();
        match Digest::of_bytes(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(BlobError::Damaged(digest.clone())),
        }
    }

    async fn delete(&self, digest: &Digest) -> Result<(), BlobError> {
        if checksum(digest).is_err() {
            return Ok(());
        }
        let object = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key(digest));
        // Of one that is not there S3 says the same.
        object.send().await.map_err(|e| self.failed(&e))?;
        Ok(())
    }
}

fn key(digest: &Digest) -> String {
    format!("blobs/{}", digest.as_str())
}

/// The digest as S3 writes it.
fn checksum(digest: &Digest) -> Result<String, BlobError> {
    let bytes = hex::decode(digest.as_str()).ok();
    let bytes = bytes.filter(|bytes| bytes.len() == 32 && hex::encode(bytes) == digest.as_str());
    bytes
        .map(|bytes| STANDARD.encode(bytes))
        .ok_or_else(|| BlobError::Missing(digest.clone()))
}
