//! The deployment's template says what the code says: the table is the one that the store is tested on, every job handler has a
//! function with a role of its own, and no role may do what it needs not name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tree::Tree;
use super::{expect_each, expect_none};

const TEMPLATE: &str = "template.yaml";
const TABLE: &str = "migrations/dynamodb/table.json";
/// Where the payloads of jobs are, with their handlers' names.
const JOBS: &str = "shared/ports/src/job.rs";
/// What the functions run.
const FUNCTIONS: &str = "infra/lambda/";

#[test]
fn the_template_says_what_the_code_says() {
    let tree = Tree::load();
    let mut violations = check_table(&tree);
    violations.extend(check_handlers(&tree));
    violations.extend(check_roles(&tree));
    expect_none(&violations);
}

/// The template without what its intrinsic functions do: `!Ref X` is read as `X`.
fn resources(tree: &Tree) -> Result<BTreeMap<String, Value>, String> {
    let text = tree.files.get(TEMPLATE).and_then(Option::as_deref);
    let text = text.ok_or_else(|| format!("{TEMPLATE} is missing"))?;
    let parsed: Value =
        serde_saphyr::from_str(text).map_err(|e| format!("{TEMPLATE} can't be read: {e}"))?;
    let resources = parsed["Resources"].as_object().cloned().unwrap_or_default();
    Ok(resources.into_iter().collect())
}

/// Each property of the definition is the template's; the template may add some, e.g. its backups.
fn check_table(tree: &Tree) -> Vec<String> {
    let resources = match resources(tree) {
        Ok(resources) => resources,
        Err(why) => return vec![why],
    };
    let definition = tree.files.get(TABLE).and_then(Option::as_deref);
    let Some(Ok(Value::Object(definition))) = definition.map(serde_json::from_str) else {
        return vec![format!("{TABLE} is missing or no JSON object")];
    };
    let table = resources.get("Table").unwrap_or(&Value::Null);
    let differs = |(key, value): &(String, Value)| table["Properties"][key] != *value;
    definition
        .into_iter()
        .filter(differs)
        .map(|(key, _)| format!("{TEMPLATE}: Table's {key} is not that of {TABLE}"))
        .collect()
}

fn check_handlers(tree: &Tree) -> Vec<String> {
    let resources = match resources(tree) {
        Ok(resources) => resources,
        Err(why) => return vec![why],
    };
    let jobs = tree.files.get(JOBS).and_then(Option::as_deref);
    let names = handlers(jobs.unwrap_or_default());
    if names.is_empty() {
        return vec![format!("{JOBS} names no handler")];
    }
    let served = |name: &str| {
        let role = |function: &Value| {
            function["Properties"]["Environment"]["Variables"]["COUNTERSIGN_ROLE"] == *name
        };
        resources.values().any(role)
    };
    let known = |name: &str| {
        let quoted = format!("\"{name}\"");
        tree.rust()
            .any(|(path, text)| path.starts_with(FUNCTIONS) && text.contains(&quoted))
    };
    let mut violations = Vec::new();
    for name in names {
        if !served(name) {
            violations.push(format!(
                "{TEMPLATE}: no function has COUNTERSIGN_ROLE: {name}, a handler of {JOBS}"
            ));
        }
        if !known(name) {
            violations.push(format!(
                "{FUNCTIONS} has no role {name}, a handler of {JOBS}"
            ));
        }
    }
    violations
}

/// The names that payloads give their handlers.
fn handlers(jobs: &str) -> Vec<&str> {
    jobs.lines()
        .filter_map(|line| line.trim().strip_prefix("const NAME: &'static str = \""))
        .filter_map(|rest| rest.strip_suffix("\";"))
        .collect()
}

fn check_roles(tree: &Tree) -> Vec<String> {
    let resources = match resources(tree) {
        Ok(resources) => resources,
        Err(why) => return vec![why],
    };
    let of_type = |kind: &'static str| {
        let found = resources.iter().filter(move |(_, it)| it["Type"] == kind);
        found.map(|(name, it)| (name.as_str(), &it["Properties"]))
    };
    let mut violations = Vec::new();
    for (name, function) in of_type("AWS::Serverless::Function") {
        let own = name.replace("Function", "Role");
        let role = function["Role"].as_str().unwrap_or_default();
        if role != format!("{own}.Arn") || !resources.contains_key(&own) {
            violations.push(format!("{TEMPLATE}: {name} has no role of its own, {own}"));
        }
    }
    for (name, role) in of_type("AWS::IAM::Role") {
        if !role["ManagedPolicyArns"].is_null() {
            violations.push(format!(
                "{TEMPLATE}: {name} has a policy that isn't its own"
            ));
        }
        for statement in statements(role) {
            violations.extend(too_much(statement).map(|it| format!("{TEMPLATE}: {name}: {it}")));
        }
    }
    violations
}

fn statements(role: &Value) -> impl Iterator<Item = &Value> {
    let policies = role["Policies"].as_array().into_iter().flatten();
    policies.flat_map(|policy| {
        let statements = policy["PolicyDocument"]["Statement"].as_array();
        statements.into_iter().flatten()
    })
}

/// Actions are named one by one, and resources are those of this stack: a star may only stand for what is in one of them.
fn too_much(statement: &Value) -> Option<String> {
    let all = |key: &str| match &statement[key] {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    };
    let starred = all("Action")
        .into_iter()
        .find(|action| action.as_str().is_none_or(|action| action.contains('*')));
    if let Some(action) = starred {
        return Some(format!("the action {action} isn't one"));
    }
    let elsewhere = all("Resource").into_iter().find(|resource| {
        let text = resource.as_str().unwrap_or("*");
        text.starts_with('*') || text.starts_with("arn:")
    });
    elsewhere.map(|resource| format!("the resource {resource} isn't one of the stack"))
}

#[test]
fn what_the_template_forgets_is_found() {
    let jobs = "impl Work for A {\n    const NAME: &'static str = \"run\";\n}\nimpl Work for B {\n    const NAME: &'static str = \"send\";\n}";
    let template = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PROVISIONED
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
  RunFunction:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt RunRole.Arn
      Environment: { Variables: { COUNTERSIGN_ROLE: run } }
  TickFunction:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt RunRole.Arn
  RunRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - { Effect: Allow, Action: sqs:*, Resource: !GetAtt Queue.Arn }
              - { Effect: Allow, Action: [s3:GetObject], Resource: "*" }
              - { Effect: Allow, Action: [s3:GetObject], Resource: !Sub "${Bucket.Arn}/blobs/*" }
"#;
    let table = r#"{"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"KeyType": "HASH", "AttributeName": "pk"}]}"#;
    let tree = Tree::of(&[
        (TEMPLATE, template),
        (TABLE, table),
        (JOBS, jobs),
        (
            "infra/lambda/src/role.rs",
            "const ROLES: [&str; 1] = [\"run\"];",
        ),
    ]);
    expect_each(&check_table(&tree), &["Table's BillingMode"]);
    expect_each(
        &check_handlers(&tree),
        &["no function has COUNTERSIGN_ROLE: send", "has no role send"],
    );
    expect_each(
        &check_roles(&tree),
        &[
            "TickFunction has no role of its own",
            "the action",
            "the resource",
        ],
    );
    expect_each(&check_table(&Tree::of(&[])), &["is missing"]);
}
