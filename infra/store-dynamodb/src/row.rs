//! A job as an item, and the queue of one serial key.

use crate::{
    item::{Item, Read, number, text},
    keys::{Space, Turn, turn},
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Micros,
    id::{JobId, TeamId},
};
use ports::store::{Job, NewJob, Priority, StoreError};

#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub job: Job,
    pub priority: Priority,
    pub lease: Option<Micros>,
    pub signalled: bool,
    /// Compares as the times of enqueuing do.
    pub age: String,
    /// Another one of its serial key is before it.
    pub blocked: bool,
    /// The one of its serial key that comes after it.
    pub next: Option<JobId>,
}

impl Row {
    pub fn new(new: &NewJob, age: String) -> Self {
        let job = Job {
            id: new.id.clone(),
            team: new.team.clone(),
            name: new.name.clone(),
            lane: new.lane.clone(),
            serial: new.serial.clone(),
            payload: new.payload.clone(),
            due: new.due,
            attempts: 0,
            epoch: 0,
            lost_before: false,
            last_error: None,
            set_aside: false,
        };
        Self {
            job,
            priority: new.priority,
            lease: None,
            signalled: false,
            age,
            blocked: false,
            next: None,
        }
    }

    pub fn leased_under(&self, epoch: u64) -> bool {
        self.lease.is_some() && self.job.epoch == epoch
    }

    pub fn turn(&self) -> String {
        let turn = match self.lease {
            _ if self.job.set_aside => Turn::Aside,
            Some(until) => Turn::Leased(until),
            None if self.blocked => Turn::Blocked(self.job.due),
            None => Turn::Ready(self.priority, self.job.due, &self.age),
        };
        turn.key()
    }

    pub fn item(&self, space: &Space) -> Item {
        let job = &self.job;
        let mut item = space.job(&job.id).item();
        item.extend(self.fixed(space));
        item.extend(self.changing());
        item
    }

    /// What stays as it was enqueued.
    fn fixed(&self, space: &Space) -> Item {
        let job = &self.job;
        let mut item = Item::from([
            ("id".to_owned(), text(job.id.as_str())),
            ("team".to_owned(), text(job.team.as_str())),
            ("name".to_owned(), text(&job.name)),
            ("lane".to_owned(), text(&job.lane)),
            ("payload".to_owned(), text(&job.payload)),
            ("priority".to_owned(), number(self.priority as u8)),
            ("age".to_owned(), text(&self.age)),
            ("lane_key".to_owned(), text(space.lane(&job.lane))),
        ]);
        if let Some(serial) = &job.serial {
            item.insert("serial".to_owned(), text(serial));
        }
        item
    }

    /// What changes while it is there. An attribute that is not among them is to be absent.
    pub fn changing(&self) -> Item {
        let job = &self.job;
        let mut item = Item::from([
            ("due".to_owned(), number(job.due.0)),
            ("attempts".to_owned(), number(job.attempts)),
            ("epoch".to_owned(), number(job.epoch)),
            ("lost_before".to_owned(), flag(job.lost_before)),
            ("set_aside".to_owned(), flag(job.set_aside)),
            ("signalled".to_owned(), flag(self.signalled)),
            ("turn".to_owned(), text(self.turn())),
        ]);
        if let Some(until) = self.lease {
            item.insert("lease_until".to_owned(), number(until.0));
        }
        if let Some(error) = &job.last_error {
            item.insert("last_error".to_owned(), text(error));
        }
        if let Some(next) = &self.next {
            item.insert("next".to_owned(), text(next.as_str()));
        }
        item
    }

    pub fn read(item: &Item) -> Result<Self, StoreError> {
        let job = Job {
            id: JobId::new(item.text("id")?),
            team: TeamId::new(item.text("team")?),
            name: item.text("name")?,
            lane: item.text("lane")?,
            serial: item.optional("serial"),
            payload: item.text("payload")?,
            due: Micros(item.number("due")?),
            attempts: item.number("attempts")?,
            epoch: item.number("epoch")?,
            lost_before: item.flag("lost_before"),
            last_error: item.optional("last_error"),
            set_aside: item.flag("set_aside"),
        };
        let lease = item.contains_key("lease_until");
        Ok(Self {
            job,
            priority: priority(item)?,
            lease: lease
                .then(|| item.number("lease_until"))
                .transpose()?
                .map(Micros),
            signalled: item.flag("signalled"),
            age: item.text("age")?,
            blocked: matches!(turn(&item.text("turn")?), Some(('b', _))),
            next: item.optional("next").map(JobId::new),
        })
    }
}

pub fn priority(item: &Item) -> Result<Priority, StoreError> {
    Ok(match item.number("priority")? {
        0 => Priority::High,
        1 => Priority::Normal,
        _ => Priority::Low,
    })
}

pub fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// A serial key's queue: jobs that are not set aside, each naming the next one. Only the head may be claimed. No queue, no item.
#[derive(Clone, PartialEq, Debug)]
pub struct Serial {
    pub head: JobId,
    pub last: JobId,
}

impl Serial {
    pub fn changing(&self) -> Item {
        Item::from([
            ("head".to_owned(), text(self.head.as_str())),
            ("last".to_owned(), text(self.last.as_str())),
        ])
    }

    pub fn read(item: &Item) -> Result<Self, StoreError> {
        Ok(Self {
            head: JobId::new(item.text("head")?),
            last: JobId::new(item.text("last")?),
        })
    }
}
