//! A deployed stack. Where ministack (1.5.33) differs from AWS there is a comment that begins with “ministack:”; nothing else here
//! differs from what `infra/deploy/README.md` says.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::project::Project;
use crate::setup::aws::{self, Emulator};

const STACK: &str = "countersign";
const REGION: &str = "us-east-1";
/// Makes one request to AWS.
const CALL: &str = "tests/aws/call.py";
/// Programs that become functions: those that `CodeUri` names in the template.
pub const FUNCTIONS: [&str; 2] = ["webhook", "function"];

/// What is deployed.
pub struct Wanted {
    /// The Bot API's address and the bot's token.
    pub telegram: Option<(String, String)>,
    /// Further variables of the functions.
    pub variables: Vec<(String, String)>,
    /// Where `webhook`, `function` and `countersign` are.
    pub built: PathBuf,
}

pub struct Stack {
    emulator: Emulator,
    /// Started at the first one.
    calls: Option<Calls>,
    root: PathBuf,
    python: PathBuf,
    countersign: PathBuf,
    telegram: Option<String>,
    outputs: BTreeMap<String, String>,
    /// What a worker signs its requests with.
    worker: (String, String),
}

impl Stack {
    /// Takes what README says that people do.
    ///
    /// # Errors
    /// What of it failed, and what it said.
    pub fn deploy(project: &Project, python: PathBuf, wanted: &Wanted) -> Result<Self> {
        // ministack: the port of its MQTT broker is fixed, so two could not run side by side.
        let settings = [("AUTH", "true"), ("IOT_MTLS_ENABLED", "0")];
        let emulator = aws::start(project, &python, &settings)?;
        let mut stack = Self {
            emulator,
            calls: None,
            root: project.root.clone(),
            python,
            countersign: wanted.built.join("countersign"),
            telegram: wanted.telegram.as_ref().map(|(url, _)| url.clone()),
            outputs: BTreeMap::new(),
            worker: Default::default(),
        };
        let template = stack.stage(&wanted.built)?;
        stack.sam_deploy(&template)?;
        stack.outputs = stack.read_outputs()?;
        stack.bridge_gaps()?;
        stack.put_secrets(wanted)?;
        stack.worker = stack.make_worker()?;
        if wanted.telegram.is_some() {
            stack.set_webhook()?;
        }
        Ok(stack)
    }

    /// The template beside the programs, as `cargo lambda build` lays them out.
    fn stage(&self, built: &Path) -> Result<PathBuf> {
        let built = fs::canonicalize(built).with_context(|| format!("no {}", built.display()))?;
        for name in FUNCTIONS {
            let place = self.directory().join("target/lambda").join(name);
            fs::create_dir_all(&place)?;
            // ministack: functions are processes of this machine, so what is deployed may name the program instead of being it; sam
            // makes an archive for each of seven functions, and takes a second for every 20 MB.
            let script = format!("#!/bin/sh\nexec '{}'\n", built.join(name).display());
            let bootstrap = place.join("bootstrap");
            fs::write(&bootstrap, script)?;
            fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
        }
        let template = self.directory().join("template.yaml");
        fs::copy(self.root.join("template.yaml"), &template)?;
        Ok(template)
    }

    fn sam_deploy(&self, template: &Path) -> Result<()> {
        let mut parameters = vec!["Architecture=x86_64".to_owned()];
        if let Some(url) = &self.telegram {
            parameters.push(format!("TelegramApiUrl={url}"));
        }
        let output = self
            .command(&self.python)
            .arg(aws::script(&self.python, "sam"))
            .args(["deploy", "--stack-name", STACK, "--resolve-s3"])
            .args(["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"])
            .arg("--template-file")
            .arg(template)
            .arg("--parameter-overrides")
            .args(parameters)
            .output()
            .context("cannot start sam")?;
        match output.status.success() {
            true => Ok(()),
            false => bail!(
                "sam deploy failed:\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }

    fn read_outputs(&mut self) -> Result<BTreeMap<String, String>> {
        let answer = self.call(
            "cloudformation",
            "describe_stacks",
            &json!({"StackName": STACK}),
        )?;
        let outputs = answer["Stacks"][0]["Outputs"].as_array();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let outputs = outputs.context("the stack has no outputs")?;
        let pair = |output: &Value| (text(&output["OutputKey"]), text(&output["OutputValue"]));
        Ok(outputs.iter().map(pair).collect())
    }

    fn bridge_gaps(&mut self) -> Result<()> {
        // ministack: it speaks no TLS here, and enforces the bucket's policy that refuses everything else.
        let bucket = json!({"Bucket": self.output("BucketName")?});
        self.call("s3", "delete_bucket_policy", &bucket)?;
        // ministack: CloudFormation leaves out ReservedConcurrentExecutions and the table's TTL.
        let sender = self.physical("SendFunction")?;
        let reserved = json!({"FunctionName": sender, "ReservedConcurrentExecutions": 1});
        self.call("lambda", "put_function_concurrency", &reserved)?;
        let ttl = json!({
            "TableName": self.physical("Table")?,
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": true},
        });
        self.call("dynamodb", "update_time_to_live", &ttl)?;
        Ok(())
    }

    fn put_secrets(&mut self, wanted: &Wanted) -> Result<()> {
        let mut secret: serde_json::Map<String, Value> = wanted
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        if let Some((_, token)) = &wanted.telegram {
            secret.insert("TELEGRAM_BOT_TOKEN".to_owned(), Value::from(token.as_str()));
        }
        let put = json!({
            "SecretId": self.output("BotSecretArn")?,
            "SecretString": Value::Object(secret).to_string(),
        });
        self.call("secretsmanager", "put_secret_value", &put)?;
        Ok(())
    }

    /// A user who may do what the template's policy for workers says.
    fn make_worker(&mut self) -> Result<(String, String)> {
        let user = "countersign-worker";
        self.call("iam", "create_user", &json!({"UserName": user}))?;
        let policy = json!({"UserName": user, "PolicyArn": self.output("WorkerPolicyArn")?});
        self.call("iam", "attach_user_policy", &policy)?;
        let key = self.call("iam", "create_access_key", &json!({"UserName": user}))?;
        let part = |name: &str| {
            let part = key["AccessKey"][name].as_str();
            part.map(str::to_owned)
                .with_context(|| format!("the access key has no {name}"))
        };
        Ok((part("AccessKeyId")?, part("SecretAccessKey")?))
    }

    fn set_webhook(&self) -> Result<()> {
        let output = Command::new(&self.countersign)
            .args(["webhook", "set", &self.webhook()?])
            .env_clear()
            .envs(self.operator())
            .stdin(Stdio::null())
            .output()
            .context("cannot start countersign")?;
        match output.status.success() {
            true => Ok(()),
            false => bail!(
                "countersign webhook set failed: {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }

    /// ministack: names below on.aws lead elsewhere; it takes the function's id in the path as well.
    fn webhook(&self) -> Result<String> {
        let url = self.output("WebhookUrl")?;
        let id = url
            .trim_start_matches("https://")
            .split('.')
            .next()
            .unwrap_or_default();
        Ok(format!("{}/_aws/lambda-url/{id}", self.emulator.endpoint))
    }

    /// What the program needs on the machine of whoever operates the stack.
    pub fn operator(&self) -> Vec<(String, String)> {
        self.environment(("test", "test"))
    }

    fn environment(&self, (key, secret): (&str, &str)) -> Vec<(String, String)> {
        let mut variables = vec![
            ("AWS_ENDPOINT_URL", self.emulator.endpoint.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
        ];
        let home = self.directory().join("home");
        variables.push(("COUNTERSIGN_HOME", home.to_string_lossy().into_owned()));
        for (name, output) in [
            ("COUNTERSIGN_DATABASE_URL", "DatabaseUrl"),
            ("COUNTERSIGN_BUCKET", "BucketName"),
            ("COUNTERSIGN_SECRETS", "Secrets"),
            ("COUNTERSIGN_QUEUES", "Queues"),
        ] {
            let value = self.outputs.get(output).cloned();
            variables.push((name, value.unwrap_or_default()));
        }
        if let Some(url) = &self.telegram {
            variables.push(("TELEGRAM_API_URL", url.clone()));
        }
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        variables.into_iter().map(owned).collect()
    }

    /// What a function of the template finds in its environment.
    ///
    /// # Errors
    /// What AWS answers.
    pub fn variables(&mut self, resource: &str) -> Result<Vec<(String, String)>> {
        let which = json!({"FunctionName": self.physical(resource)?});
        let answer = self.call("lambda", "get_function_configuration", &which)?;
        let variables = answer["Environment"]["Variables"].as_object();
        let variables = variables.context("the function has no variables")?.iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let set = variables.map(|(name, value)| (name.clone(), text(value)));
        let ours = self.operator().into_iter();
        Ok(ours
            .filter(|(name, _)| name.starts_with("AWS_"))
            .chain(set)
            .collect())
    }

    /// Everything that a test needs to know, as JSON in one line.
    pub fn report(&self) -> Value {
        let map = |variables: Vec<(String, String)>| -> Value {
            variables
                .into_iter()
                .map(|(k, v)| (k, Value::from(v)))
                .collect()
        };
        let worker = self.environment((&self.worker.0, &self.worker.1));
        json!({
            "operator": map(self.operator()),
            "worker": map(worker),
            "outputs": self.outputs,
            "python": self.python,
            "stack": STACK,
            "log": self.directory().join("log"),
        })
    }

    fn output(&self, name: &str) -> Result<&str> {
        let value = self.outputs.get(name).map(String::as_str);
        value.with_context(|| format!("the stack has no output {name}"))
    }

    /// The name that a resource of the template got.
    fn physical(&mut self, resource: &str) -> Result<String> {
        let which = json!({"StackName": STACK, "LogicalResourceId": resource});
        let answer = self.call("cloudformation", "describe_stack_resource", &which)?;
        let name = answer["StackResourceDetail"]["PhysicalResourceId"].as_str();
        name.map(str::to_owned)
            .with_context(|| format!("the stack has no {resource}"))
    }

    /// One request to AWS, with everybody's rights.
    fn call(&mut self, service: &str, operation: &str, arguments: &Value) -> Result<Value> {
        let calls = match &mut self.calls {
            Some(calls) => calls,
            None => {
                let mut command = self.command(&self.python);
                command.arg(self.root.join(CALL));
                self.calls.insert(Calls::start(command)?)
            }
        };
        calls.call(&json!([service, operation, arguments]))
    }

    /// A program that sees this AWS and no other, and nobody's settings.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.directory())
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("SAM_CLI_TELEMETRY", "0")
            // Seconds between its looks at a stack that comes up.
            .env("SAM_CLI_POLL_DELAY", "0.2")
            .env("AWS_DEFAULT_REGION", REGION)
            .envs(self.operator())
            .stdin(Stdio::null());
        command
    }

    fn directory(&self) -> &Path {
        &self.emulator.directory
    }
}

/// A process that makes requests for us: AWS's own library, without building it.
struct Calls {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Calls {
    fn start(mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start python")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (requests, answers) = pipes.context("python has no pipes")?;
        Ok(Self {
            process,
            requests,
            answers: BufReader::new(answers),
        })
    }

    fn call(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let mut answer: Value = serde_json::from_str(&line).context("python gave no answer")?;
        match answer["failed"].as_str() {
            Some(why) => bail!("{why}"),
            None => Ok(answer["done"].take()),
        }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
