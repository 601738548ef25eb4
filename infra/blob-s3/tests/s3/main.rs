//! The blob store on S3 against the contract, and on its bad days.

mod aws;
