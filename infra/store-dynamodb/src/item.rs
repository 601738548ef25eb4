//! Attributes in and out, and expressions over them. Every attribute is named by a placeholder, so none can be one of
//! DynamoDB's five hundred reserved words.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use ports::store::StoreError;
use std::collections::HashMap;

pub type Item = HashMap<String, AttributeValue>;

/// The table's key: partition and sort.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct At {
    pub pk: String,
    pub sk: String,
}

impl At {
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    pub fn item(&self) -> Item {
        Item::from([
            ("pk".to_owned(), text(&self.pk)),
            ("sk".to_owned(), text(&self.sk)),
        ])
    }
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Typed reading; what is not as this program writes it is damage.
pub trait Read {
    fn text(&self, name: &str) -> Result<String, StoreError>;
    fn optional(&self, name: &str) -> Option<String>;
    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, StoreError>;
    fn flag(&self, name: &str) -> bool;
}

impl Read for Item {
    fn text(&self, name: &str) -> Result<String, StoreError> {
        self.optional(name).ok_or_else(|| damaged(self, name))
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.get(name)?.as_s().ok().cloned()
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, StoreError> {
        let found = self.get(name).and_then(|value| value.as_n().ok());
        found
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| damaged(self, name))
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(AttributeValue::Bool(true)))
    }
}

fn damaged(item: &Item, name: &str) -> StoreError {
    let key = |name: &str| item.optional(name).unwrap_or_default();
    StoreError::Corrupt(format!(
        "the item {} {} has no proper attribute {name}",
        key("pk"),
        key("sk")
    ))
}

/// Conditions and changes of one write, with their placeholders.
#[derive(Clone, Default, Debug)]
pub struct Expression {
    names: HashMap<String, String>,
    values: Item,
    conditions: Vec<String>,
    sets: Vec<String>,
    removes: Vec<String>,
}

impl Expression {
    pub fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    pub fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    pub fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let set = format!("{} = {}", self.name(name), self.value(value));
        self.sets.push(set);
        self
    }

    /// `SET name = <whatever>`, the operand being written with placeholders already.
    pub fn set_to(&mut self, name: &str, operand: &str) {
        let set = format!("{} = {operand}", self.name(name));
        self.sets.push(set);
    }

    pub fn remove(mut self, name: &str) -> Self {
        let name = self.name(name);
        self.removes.push(name);
        self
    }

    pub fn when(&mut self, condition: String) {
        self.conditions.push(condition);
    }

    pub fn equal(mut self, name: &str, value: AttributeValue) -> Self {
        let condition = format!("{} = {}", self.name(name), self.value(value));
        self.when(condition);
        self
    }

    pub fn present(mut self, name: &str) -> Self {
        let condition = format!("attribute_exists({})", self.name(name));
        self.when(condition);
        self
    }

    pub fn absent(mut self, name: &str) -> Self {
        let condition = format!("attribute_not_exists({})", self.name(name));
        self.when(condition);
        self
    }

    pub fn condition(&self) -> Option<String> {
        let all: Vec<String> = self.conditions.iter().map(|c| format!("({c})")).collect();
        (!all.is_empty()).then(|| all.join(" AND "))
    }

    pub fn update(&self) -> String {
        let mut update = String::new();
        if !self.sets.is_empty() {
            update = format!("SET {} ", self.sets.join(", "));
        }
        if !self.removes.is_empty() {
            update += &format!("REMOVE {}", self.removes.join(", "));
        }
        update
    }

    pub fn changes(&self) -> bool {
        !self.sets.is_empty() || !self.removes.is_empty()
    }

    pub fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    pub fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// One item's part of a transaction.
pub enum Write {
    Put(Item),
    Update(At),
    Delete(At),
    Check(At),
}

impl Write {
    /// A failed condition answers the item that was met.
    pub fn action(
        self,
        table: &str,
        expression: &Expression,
    ) -> Result<TransactWriteItem, StoreError> {
        const OLD: ReturnValuesOnConditionCheckFailure =
            ReturnValuesOnConditionCheckFailure::AllOld;
        let action = TransactWriteItem::builder();
        let (names, values) = (expression.names(), expression.values());
        let condition = expression.condition();
        let built = match self {
            Self::Put(item) => Put::builder()
                .table_name(table)
                .set_item(Some(item))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(OLD)
                .build()
                .map(|put| action.put(put)),
            Self::Update(at) => Update::builder()
                .table_name(table)
                .set_key(Some(at.item()))
                .update_expression(expression.update())
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(OLD)
                .build()
                .map(|update| action.update(update)),
            Self::Delete(at) => Delete::builder()
                .table_name(table)
                .set_key(Some(at.item()))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(OLD)
                .build()
                .map(|delete| action.delete(delete)),
            Self::Check(at) => ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(at.item()))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(OLD)
                .build()
                .map(|check| action.condition_check(check)),
        };
        built
            .map(|action| action.build())
            .map_err(|e| StoreError::Unavailable(e.to_string()))
    }
}
