//! The team in the cloud: where large bytes lie, which queue wakes which lane, and what a function does.

use super::{ConfigError, read::Reader};
use ports::job::lane;
use std::{collections::BTreeMap, fmt, str::FromStr};

#[derive(Clone, Default, Debug)]
pub struct Cloud {
    /// The S3 bucket of large bytes.
    pub bucket: Option<String>,
    /// Lane → URL of the SQS queue that wakes it.
    pub queues: Queues,
    /// URL of the queue where wake-ups go that no function takes.
    pub dead_letters: Option<String>,
    /// What this function does, if it is one.
    pub role: Option<Role>,
    /// AWS, if it is an emulator.
    pub endpoint: Option<String>,
}

impl Cloud {
    pub(super) fn read(read: &mut Reader) -> Result<Self, ConfigError> {
        Ok(Self {
            bucket: read.optional("aws.bucket")?,
            queues: read.optional("aws.queues")?.unwrap_or_default(),
            dead_letters: read.optional("aws.dead_letters")?,
            role: read.optional("aws.role")?,
            endpoint: read.optional("aws.endpoint_url")?,
        })
    }
}

/// `lane=url,lane=url`.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Queues(pub BTreeMap<String, String>);

impl FromStr for Queues {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut queues = BTreeMap::new();
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (lane, url) = pair
                .split_once('=')
                .filter(|(_, url)| url.starts_with("https://") || url.starts_with("http://"))
                .ok_or_else(|| format!("must be lane=url,lane=url, not “{pair}”"))?;
            known(lane)?;
            queues.insert(lane.to_owned(), url.to_owned());
        }
        Ok(Self(queues))
    }
}

impl fmt::Display for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lanes: Vec<&str> = self.0.keys().map(String::as_str).collect();
        f.write_str(&lanes.join(", "))
    }
}

/// # Errors
/// A sentence's rest that says which lanes there are.
pub fn known(lane: &str) -> Result<(), String> {
    match lane::ALL.contains(&lane) {
        true => Ok(()),
        false => Err(format!(
            "names the lane “{lane}”, and there are {}",
            lane::ALL.join(", ")
        )),
    }
}

/// The handler of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Update,
    Send,
    Run,
    Circulate,
    Outage,
    Ingest,
    Tick,
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::Update,
        Self::Send,
        Self::Run,
        Self::Circulate,
        Self::Outage,
        Self::Ingest,
        Self::Tick,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Send => "send",
            Self::Run => "run",
            Self::Circulate => "circulate",
            Self::Outage => "outage",
            Self::Ingest => "ingest",
            Self::Tick => "tick",
        }
    }

    /// Whose jobs it does.
    #[must_use]
    pub const fn lane(self) -> &'static str {
        match self {
            Self::Update => lane::FRONT_TELEGRAM,
            Self::Send => lane::SEND,
            Self::Run => lane::RUN,
            Self::Circulate => lane::CIRCULATE,
            Self::Outage => lane::OUTAGE,
            Self::Ingest => lane::INGEST,
            Self::Tick => lane::TICK,
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("must be one of {names}, not “{text}”")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_named_by_lane() {
        let queues: Queues = "run=https://q/run, front:telegram=http://q/u"
            .parse()
            .unwrap();
        assert_eq!(queues.0["front:telegram"], "http://q/u");
        assert_eq!(queues.to_string(), "front:telegram, run");
        assert_eq!("".parse::<Queues>().unwrap(), Queues::default());
        for (text, complaint) in [
            ("run", "lane=url"),
            ("run=queue", "lane=url"),
            ("runs=https://q", "there are front, front:telegram, "),
        ] {
            let error = text.parse::<Queues>().unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }

    #[test]
    fn every_role_has_a_name_and_a_lane_of_its_own() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert!(known(role.lane()).is_ok());
        }
        let error = "reply".parse::<Role>().unwrap_err();
        assert!(error.contains("update, send, run"), "{error}");
    }
}
