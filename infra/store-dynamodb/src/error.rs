//! DynamoDB's errors in the words of the port, and what a person is to do about them.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use client_aws::causes;
use ports::store::{Rejected, StoreError};
use std::error::Error;

/// What one part of a cancelled transaction says.
pub enum Trouble {
    /// It was not this part.
    None,
    Condition,
    /// To be sent again.
    Busy(&'static str),
    Refused,
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>, "Cancellation reason codes".
pub fn cancellation(code: Option<&str>) -> Trouble {
    match code {
        None | Some("None") => Trouble::None,
        Some("ConditionalCheckFailed") => Trouble::Condition,
        Some("TransactionConflict") => {
            Trouble::Busy("other transactions were at the same items all the time")
        }
        Some("ProvisionedThroughputExceeded" | "ThrottlingError" | "RequestLimitExceeded") => {
            Trouble::Busy("the table is throttled")
        }
        _ => Trouble::Refused,
    }
}

/// What the SDK gave up with, after its own attempts.
pub fn explain<E, R>(error: &SdkError<E, R>, table: &str) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let code = error.code().unwrap_or_default();
    let said = error.message().unwrap_or_default();
    match code {
        "ResourceNotFoundException" => StoreError::CannotWrite(format!(
            "there is no table {table} in this account and region ({said}): deploy the template, or correct COUNTERSIGN_DATABASE_URL"
        )),
        "ExpiredTokenException" | "ExpiredToken" => StoreError::CannotWrite(format!(
            "the AWS credentials have expired ({said}): renew them; work goes on by itself"
        )),
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => StoreError::CannotWrite(format!(
            "AWS does not accept the credentials ({code}: {said}): check the access key, and this machine's clock"
        )),
        "AccessDeniedException" | "AccessDenied" | "KMSAccessDeniedException" => {
            StoreError::CannotWrite(format!(
                "these AWS credentials may not do that with the table {table} ({said}): the policy is in template.yaml"
            ))
        }
        "ValidationException" | "SerializationException" => {
            StoreError::Rejected(Rejected::Malformed(format!("DynamoDB refuses it ({said})")))
        }
        "" => unanswered(error, table),
        code => StoreError::Unavailable(format!("table {table}: {code}: {said}")),
    }
}

/// No answer of DynamoDB's: the network, a time-out, or no credentials to ask with.
fn unanswered<E, R>(error: &SdkError<E, R>, table: &str) -> StoreError
where
    E: Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let text = causes(error);
    let credentials = matches!(
        error,
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_)
    ) && text.contains("credential");
    match credentials {
        true => StoreError::CannotWrite(format!(
            "there are no AWS credentials for the table {table}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role ({text})"
        )),
        false => StoreError::Unavailable(format!(
            "DynamoDB did not answer for the table {table}: {text}"
        )),
    }
}
