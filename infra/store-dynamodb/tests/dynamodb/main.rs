//! The DynamoDB store against the contract, and on its bad days.

mod aws;
