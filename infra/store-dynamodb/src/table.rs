//! The table, as `migrations/dynamodb/table.json` defines it in the words of CloudFormation.

use crate::error;
use aws_sdk_dynamodb::{
    Client,
    client::Waiters,
    error::BuildError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
    },
};
use ports::store::StoreError;
use serde::Deserialize;
use std::time::Duration;

const DEFINITION: &str = include_str!("../../../migrations/dynamodb/table.json");
/// A table takes seconds to become active.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<KeyPart>,
    global_secondary_indexes: Vec<Index>,
    time_to_live_specification: TimeToLive,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPart {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    key_schema: Vec<KeyPart>,
    projection: Projected,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projected {
    projection_type: String,
    non_key_attributes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
}

pub async fn create(client: &Client, table: &str) -> Result<(), StoreError> {
    let definition: Definition =
        serde_json::from_str(DEFINITION).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let built = |e: BuildError| StoreError::Corrupt(e.to_string());
    let (attributes, key, indexes) = parts(&definition).map_err(built)?;
    let expires = TimeToLiveSpecification::builder()
        .attribute_name(definition.time_to_live_specification.attribute_name)
        .enabled(true)
        .build()
        .map_err(built)?;
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes))
        .set_key_schema(Some(key))
        .set_global_secondary_indexes(Some(indexes))
        .send()
        .await
        .map_err(|e| error::explain(&e, table))?;
    let active = client.wait_until_table_exists().table_name(table);
    active
        .wait(PATIENCE)
        .await
        .map_err(|e| StoreError::Unavailable(format!("the table {table} did not come up: {e}")))?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(expires)
        .send()
        .await
        .map_err(|e| error::explain(&e, table))?;
    Ok(())
}

type Parts = (
    Vec<AttributeDefinition>,
    Vec<KeySchemaElement>,
    Vec<GlobalSecondaryIndex>,
);

fn parts(definition: &Definition) -> Result<Parts, BuildError> {
    let attributes = definition.attribute_definitions.iter().map(|attribute| {
        AttributeDefinition::builder()
            .attribute_name(&attribute.attribute_name)
            .attribute_type(ScalarAttributeType::from(attribute.attribute_type.as_str()))
            .build()
    });
    let indexes = definition.global_secondary_indexes.iter().map(|index| {
        let projection = Projection::builder()
            .projection_type(ProjectionType::from(
                index.projection.projection_type.as_str(),
            ))
            .set_non_key_attributes(index.projection.non_key_attributes.clone())
            .build();
        GlobalSecondaryIndex::builder()
            .index_name(&index.index_name)
            .set_key_schema(Some(key(&index.key_schema)?))
            .projection(projection)
            .build()
    });
    Ok((
        attributes.collect::<Result<_, _>>()?,
        key(&definition.key_schema)?,
        indexes.collect::<Result<_, _>>()?,
    ))
}

fn key(parts: &[KeyPart]) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |part: &KeyPart| {
        KeySchemaElement::builder()
            .attribute_name(&part.attribute_name)
            .key_type(KeyType::from(part.key_type.as_str()))
            .build()
    };
    parts.iter().map(element).collect()
}
