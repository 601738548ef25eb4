//! Whether a run's model is told of all tools or looks for those of servers: decided once, before it is asked for the first time.

use super::Step;
use crate::HandlerError;
use domain::{
    run::{Actor, Event, RunSummary},
    tokens::{self, Gauge},
};
use ports::{
    model::{ModelRef, ModelRequest},
    repo,
};

/// Of the agent's latest runs those of the same model say how many tokens its requests have.
const LATEST: u32 = 20;

impl Step<'_> {
    /// The request, with the tools as the run offers them. A run that began before this was decided goes on as it began.
    pub(super) async fn offer(&mut self, model: &ModelRef) -> Result<ModelRequest, HandlerError> {
        let on_demand = self.state().offer.on_demand;
        let request = self.request(on_demand == Some(true)).await?;
        let looked_for = self.tools.catalogue().0.len();
        if on_demand.is_some() || self.state().steps > 0 || looked_for == 0 {
            return Ok(request);
        }
        let gauge = self.gauge(model).await?;
        let tokens = gauge.tokens(request.tools.iter().map(tokens::bytes).sum());
        let tools = request.tools.len();
        let on_demand = tokens::are_many(tools, tokens);
        let request = match on_demand {
            true => self.request(true).await?,
            false => request,
        };
        let event = Event::ToolsOffered {
            tools: u32::try_from(tools).unwrap_or(u32::MAX),
            tokens,
            on_demand,
            bytes: request.bytes(),
        };
        self.log.note(Actor::System, event)?;
        Ok(request)
    }

    /// What the provider counted lately: of this run, else of the agent's runs before it.
    pub(super) async fn gauge(&self, model: &ModelRef) -> Result<Gauge, HandlerError> {
        if let Some(gauge) = self.state().offer.learned() {
            return Ok(gauge);
        }
        let (home, agent) = (&self.ports.home, self.state().agent.id.as_str());
        let mut latest = repo::by::<RunSummary>(&home.team, "by_agent", agent);
        latest.descending = true;
        latest.limit = LATEST;
        let (runs, _) = repo::page::<RunSummary>(&*home.store, latest).await?;
        let (model, mut gauge) = (model.to_string(), Gauge::default());
        let same = runs.into_iter().filter(|run| run.value.model == model);
        same.filter_map(|run| run.value.gauge)
            .for_each(|seen| gauge += seen);
        Ok(gauge)
    }
}
