//! The queue in memory: who may be claimed, who is blocked, who is leased.

use domain::{Micros, id::JobId};
use ports::archive::ArchivedJob;
use ports::store::{Backlog, Claim, Claimed, ConflictReason, Job, NewJob, Priority, Renewal};
use std::collections::{BTreeMap, HashSet};

/// By age.
pub(super) type Jobs = BTreeMap<u64, Held>;

#[derive(Clone)]
pub(super) struct Held {
    pub job: Job,
    priority: Priority,
    lease_until: Option<Micros>,
    signalled: bool,
}

impl Held {
    /// Due, or with a lease that ran out; blocked or not.
    fn is_due(&self, now: Micros) -> bool {
        !self.job.set_aside && self.available_at() <= now
    }

    /// When somebody may claim it: when it is due, or when its lease ends.
    fn available_at(&self) -> Micros {
        self.lease_until.unwrap_or(self.job.due)
    }

    pub fn postpone(&mut self, due: Micros, error: &str, counted: bool) {
        self.lease_until = None;
        self.job.due = due;
        self.job.last_error = Some(error.to_owned());
        self.job.lost_before = false;
        if !counted {
            self.job.attempts = self.job.attempts.saturating_sub(1);
        }
    }

    pub fn archived(&self) -> ArchivedJob {
        let job = self.job.clone();
        ArchivedJob {
            id: job.id,
            team: job.team,
            name: job.name,
            lane: job.lane,
            serial: job.serial,
            priority: self.priority,
            payload: job.payload,
            due: job.due,
            attempts: job.attempts,
            epoch: job.epoch,
            leased: self.lease_until.is_some(),
            last_error: job.last_error,
            set_aside: job.set_aside,
        }
    }

    /// A lease of the copied store is one that ran out long ago.
    pub fn restored(job: ArchivedJob) -> Self {
        Self {
            priority: job.priority,
            lease_until: job.leased.then_some(Micros(0)),
            signalled: false,
            job: Job {
                id: job.id,
                team: job.team,
                name: job.name,
                lane: job.lane,
                serial: job.serial,
                payload: job.payload,
                due: job.due,
                attempts: job.attempts,
                epoch: job.epoch,
                lost_before: false,
                last_error: job.last_error,
                set_aside: job.set_aside,
            },
        }
    }

    fn lease(&mut self, claim: &Claim) {
        self.job.lost_before = self.lease_until.is_some();
        self.job.attempts += 1;
        self.job.epoch += 1;
        self.lease_until = Some(claim.now.plus(claim.lease));
        self.signalled = false;
    }
}

pub(super) fn find<'a>(jobs: &'a Jobs, id: &JobId) -> Option<(u64, &'a Held)> {
    let found = jobs.iter().find(|(_, held)| held.job.id == *id);
    found.map(|(age, held)| (*age, held))
}

/// The job, if it is leased under this epoch.
pub(super) fn leased<'a>(
    jobs: &'a mut Jobs,
    id: &JobId,
    epoch: u64,
) -> Result<&'a mut Held, ConflictReason> {
    jobs.values_mut()
        .find(|held| held.job.id == *id)
        .filter(|held| held.lease_until.is_some() && held.job.epoch == epoch)
        .ok_or(ConflictReason::Fenced)
}

pub(super) fn enqueue(jobs: &mut Jobs, age: u64, new: &NewJob) -> Result<(), ConflictReason> {
    if find(jobs, &new.id).is_some() {
        return Err(ConflictReason::JobExists);
    }
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
    let held = Held {
        job,
        priority: new.priority,
        lease_until: None,
        signalled: false,
    };
    jobs.insert(age, held);
    Ok(())
}

pub(super) fn finish(
    jobs: &mut Jobs,
    id: &JobId,
    epoch: u64,
    now: Micros,
) -> Result<(), ConflictReason> {
    let serial = leased(jobs, id, epoch)?.job.serial.clone();
    jobs.retain(|_, held| held.job.id != *id);
    next_in_turn(jobs, serial.as_deref(), now);
    Ok(())
}

pub(super) fn set_aside(
    jobs: &mut Jobs,
    (id, epoch): (&JobId, u64),
    error: &str,
    now: Micros,
) -> Result<(), ConflictReason> {
    let held = leased(jobs, id, epoch)?;
    held.lease_until = None;
    held.job.last_error = Some(error.to_owned());
    held.job.set_aside = true;
    let serial = held.job.serial.clone();
    next_in_turn(jobs, serial.as_deref(), now);
    Ok(())
}

/// Whoever came meanwhile is before the next one of the key, so that a long queue of one key takes turns with the others.
fn next_in_turn(jobs: &mut Jobs, serial: Option<&str>, now: Micros) {
    let next = jobs.values_mut().find(|held| {
        serial.is_some() && held.job.serial.as_deref() == serial && !held.job.set_aside
    });
    if let Some(held) = next {
        held.job.due = held.job.due.max(now);
    }
}

pub(super) fn signal(jobs: &mut Jobs, serial: &str) {
    for held in jobs.values_mut() {
        if held.job.serial.as_deref() == Some(serial) && held.lease_until.is_some() {
            held.signalled = true;
        }
    }
}

/// The ages of the jobs that are behind none of their serial key.
fn heads(jobs: &Jobs) -> HashSet<u64> {
    let mut seen = HashSet::new();
    jobs.iter()
        .filter(|(_, held)| !held.job.set_aside)
        .filter(|(_, held)| {
            let serial = held.job.serial.as_deref();
            serial.is_none_or(|serial| seen.insert(serial))
        })
        .map(|(age, _)| *age)
        .collect()
}

pub(super) fn claim(jobs: &mut Jobs, claim: &Claim) -> Claimed {
    let heads = heads(jobs);
    let ours = |age: &u64, held: &Held| heads.contains(age) && claim.lanes.contains(&held.job.lane);
    let mut due: Vec<(Priority, Micros, u64)> = jobs
        .iter()
        .filter(|(age, held)| ours(age, held) && held.is_due(claim.now))
        .map(|(age, held)| (held.priority, held.job.due, *age))
        .collect();
    due.sort_unstable();
    due.truncate(claim.limit as usize);

    let mut claimed = Claimed::default();
    for (_, _, age) in due {
        if let Some(held) = jobs.get_mut(&age) {
            held.lease(claim);
            claimed.jobs.push(held.job.clone());
        }
    }
    claimed.next = jobs
        .iter()
        .filter(|(age, held)| ours(age, held))
        .map(|(_, held)| held.available_at())
        .filter(|at| *at > claim.now)
        .min();
    claimed
}

pub(super) fn renew(jobs: &mut Jobs, id: &JobId, epoch: u64, until: Micros) -> Renewal {
    match leased(jobs, id, epoch) {
        Err(_) => Renewal::Lost,
        Ok(held) => {
            held.lease_until = Some(until);
            match held.signalled {
                true => Renewal::Signalled,
                false => Renewal::Held,
            }
        }
    }
}

/// A lease that ran out counts as due: nobody works on that job, as far as the store can know.
pub(super) fn backlog(jobs: &Jobs, now: Micros) -> Vec<Backlog> {
    let mut lanes: BTreeMap<&str, Backlog> = BTreeMap::new();
    for held in jobs.values() {
        let lane = &held.job.lane;
        let depth = lanes.entry(lane).or_insert_with(|| Backlog {
            lane: lane.clone(),
            due: 0,
            later: 0,
            leased: 0,
            set_aside: 0,
        });
        if held.job.set_aside {
            depth.set_aside += 1;
        } else if held.is_due(now) {
            depth.due += 1;
        } else if held.lease_until.is_some() {
            depth.leased += 1;
        } else {
            depth.later += 1;
        }
    }
    lanes.into_values().collect()
}
