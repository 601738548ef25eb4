//! Leasing jobs: found in the queue's index, won by a conditional write.
//!
//! The index may be stale, so it only proposes. A job is leased under the condition that its turn is the one that was seen; who
//! loses such a race goes on with the next. A job that the index does not show yet is found by the next look: wake-ups and the
//! tick see to it that there is one.

use crate::{
    DynamoStore, error,
    item::{At, Expression, Item, Read, number, text},
    keys::{LEASED, QUEUE, Space, Turn, hex, ready, turn},
    row::{Row, flag, priority},
};
use domain::{Micros, id::JobId};
use futures::{StreamExt, TryStreamExt, future, stream};
use ports::store::{Backlog, Claim, Claimed, Job, Priority, Renewal, StoreError};
use std::collections::BTreeMap;

const AT_ONCE: usize = 16;
/// Looks of one claim, as long as races are lost.
const ROUNDS: usize = 3;

/// A job as the index shows it. Compares as jobs are handed out.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    priority: Priority,
    due: Micros,
    age: String,
    at: JobAt,
    turn: String,
    epoch: u64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct JobAt(String);

/// What one look found.
struct Found {
    due: Vec<Candidate>,
    next: Option<Micros>,
}

impl DynamoStore {
    pub(crate) async fn lease(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let space = self.gate.open(self).await?;
        let mut claimed = Claimed::default();
        for _ in 0..ROUNDS {
            let room = claim.limit as usize - claimed.jobs.len();
            let found = self.look(&space, claim, room).await?;
            claimed.next = found.next;
            let tried = found.due.len();
            let won = stream::iter(found.due).map(|candidate| self.win(candidate, claim));
            let won: Vec<Option<Job>> = won.buffered(AT_ONCE).try_collect().await?;
            let won: Vec<Job> = won.into_iter().flatten().collect();
            let lost = tried - won.len();
            claimed.jobs.extend(won);
            if lost == 0 || claimed.jobs.len() == claim.limit as usize {
                break;
            }
        }
        // The leases that begin now end later than they began.
        let ours = (!claimed.jobs.is_empty()).then(|| claim.now.plus(claim.lease));
        claimed.next = claimed.next.into_iter().chain(ours).min();
        Ok(claimed)
    }

    /// The first so many that may be claimed, of all lanes and priorities.
    async fn look(&self, space: &Space, claim: &Claim, room: usize) -> Result<Found, StoreError> {
        let mut lanes = claim.lanes.clone();
        lanes.sort();
        lanes.dedup();
        let kinds = [
            ready(Priority::High),
            ready(Priority::Normal),
            ready(Priority::Low),
            LEASED,
        ];
        let lanes: Vec<String> = lanes.iter().map(|lane| space.lane(lane)).collect();
        let pairs = lanes
            .iter()
            .flat_map(|lane| kinds.map(|kind| (lane.as_str(), kind)));
        let looks = pairs.map(|pair| self.first(pair, claim.now, room));
        let mut found = Found {
            due: Vec::new(),
            next: None,
        };
        for part in future::try_join_all(looks).await? {
            found.due.extend(part.due);
            found.next = found.next.into_iter().chain(part.next).min();
        }
        found.due.sort();
        found.due.truncate(room);
        Ok(found)
    }

    /// What is due of one lane and kind, and the first time that lies ahead.
    async fn first(
        &self,
        (lane, kind): (&str, &str),
        now: Micros,
        room: usize,
    ) -> Result<Found, StoreError> {
        let begin = (kind.to_owned(), room + 1);
        let (mut due, mut next) = (Vec::new(), None);
        let items = self.turns(lane, kind, begin).await?;
        let full = items.len() > room;
        for item in items {
            let key = item.text("turn")?;
            match turn(&key) {
                Some((_, at)) if at <= now => due.push(candidate(&item, key)?),
                Some((_, at)) => {
                    next = Some(at);
                    break;
                }
                None => {}
            }
        }
        if full && next.is_none() {
            let ahead = format!("{kind}{}", hex(now.0.saturating_add(1)));
            let items = self.turns(lane, kind, (ahead, 1)).await?;
            let key = items.first().map(|item| item.text("turn")).transpose()?;
            next = key.and_then(|key| turn(&key)).map(|(_, at)| at);
        }
        due.truncate(room);
        Ok(Found { due, next })
    }

    async fn turns(
        &self,
        lane: &str,
        kind: &str,
        (from, limit): (String, usize),
    ) -> Result<Vec<Item>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(QUEUE)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .key_condition_expression("#l = :l AND #t BETWEEN :from AND :to")
            .expression_attribute_names("#l", "lane_key")
            .expression_attribute_names("#t", "turn")
            .expression_attribute_values(":l", text(lane))
            .expression_attribute_values(":from", text(from))
            // Above every hexadecimal digit.
            .expression_attribute_values(":to", text(format!("{kind}~")))
            .send()
            .await
            .map_err(|e| error::explain(&e, &self.table))?;
        Ok(answer.items.unwrap_or_default())
    }

    /// `None`: somebody else was faster, or the index was stale.
    async fn win(&self, candidate: Candidate, claim: &Claim) -> Result<Option<Job>, StoreError> {
        let until = claim.now.plus(claim.lease);
        let lost_before = candidate.turn.starts_with(LEASED);
        let mut change = Expression::default()
            .set("lease_until", number(until.0))
            .set("turn", text(Turn::Leased(until).key()))
            .set("lost_before", flag(lost_before))
            .set("signalled", flag(false))
            .set("worker", text(&claim.worker))
            .set("epoch", number(candidate.epoch.saturating_add(1)))
            .equal("turn", text(&candidate.turn))
            .equal("epoch", number(candidate.epoch));
        let (attempts, one) = (change.name("attempts"), change.value(number(1)));
        change.set_to("attempts", &format!("{attempts} + {one}"));
        let won = self
            .change(&At::new(candidate.at.0, "job"), &change)
            .await?;
        won.map(|item| Row::read(&item).map(|row| row.job))
            .transpose()
    }

    pub(crate) async fn prolong(
        &self,
        job: &JobId,
        epoch: u64,
        until: Micros,
    ) -> Result<Renewal, StoreError> {
        let space = self.gate.open(self).await?;
        let change = Expression::default()
            .set("lease_until", number(until.0))
            .set("turn", text(Turn::Leased(until).key()))
            .equal("epoch", number(epoch))
            .present("lease_until");
        Ok(match self.change(&space.job(job), &change).await? {
            None => Renewal::Lost,
            Some(item) if item.flag("signalled") => Renewal::Signalled,
            Some(_) => Renewal::Held,
        })
    }

    /// Reads the whole queue's index, which has nothing but keys and numbers.
    pub(crate) async fn depths(&self, now: Micros) -> Result<Vec<Backlog>, StoreError> {
        let space = self.gate.space(self).await?;
        let ours = space.lane("");
        let scan = self.client.scan().table_name(&self.table).index_name(QUEUE);
        let mut items = scan.into_paginator().items().send();
        let mut lanes: BTreeMap<String, Backlog> = BTreeMap::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|e| error::explain(&e, &self.table))?;
            let (lane_key, key) = (item.text("lane_key")?, item.text("turn")?);
            let Some(lane) = lane_key.strip_prefix(&ours) else {
                continue;
            };
            let depth = lanes.entry(lane.to_owned()).or_insert_with(|| Backlog {
                lane: lane.to_owned(),
                due: 0,
                later: 0,
                leased: 0,
                set_aside: 0,
            });
            match turn(&key) {
                Some(('x', _)) => depth.set_aside += 1,
                Some((_, at)) if at <= now => depth.due += 1,
                Some(('l', _)) => depth.leased += 1,
                _ => depth.later += 1,
            }
        }
        Ok(lanes.into_values().collect())
    }
}

fn candidate(item: &Item, turn: String) -> Result<Candidate, StoreError> {
    Ok(Candidate {
        priority: priority(item)?,
        due: Micros(item.number("due")?),
        age: item.text("age")?,
        at: JobAt(item.text("pk")?),
        turn,
        epoch: item.number("epoch")?,
    })
}
