//! What the rules say about a call, and what is bound by an approval of it.

use super::Step;
use crate::{
    HandlerError,
    keep::{fit, size},
    rules::InForce,
    tool::{Caller, Place, Preview, Tool, ToolContext},
};
use domain::{
    Digest,
    agent::{Agent, AgentStatus},
    approval::{Approval, Shown},
    id::CallId,
    member::{Deed, Role, may},
    permission::{self, Access, Effect, NewRule, Scope, Subject, Verdict},
    run::{Actor, Event},
    tool::ToolClass,
};
use ports::repo;
use serde_json::Value;
use std::sync::Arc;

/// Bytes of a verdict's reason.
const BECAUSE: usize = 600;

/// A call understood: its tool, what it would touch, and what the rules say.
pub(super) struct Judged {
    pub verdict: Verdict,
    pub class: ToolClass,
    /// What `Always` would add, when no rule spoke.
    pub always: Vec<NewRule>,
}

impl Step<'_> {
    /// Notes the verdict. What needs a person is bound to the world as it is now.
    pub(super) async fn judge(&mut self, call: &CallId) -> Result<bool, HandlerError> {
        let mut judged = self.verdict(call).await?;
        let mut digest = self.fingerprint(call);
        if judged.verdict.effect == Effect::Ask {
            match self.preview(call).await? {
                Ok(preview) => {
                    digest = self.subject(call, preview.before.clone())?.digest()?;
                    self.previews.insert(call.clone(), preview);
                }
                // It would fail anyway (no such file, an ambiguous edit): the model is told instead of asking a person.
                Err(mut why) => {
                    shorten(&mut why);
                    judged.verdict = refused(why);
                }
            }
        }
        if judged.verdict.effect == Effect::Deny
            && self.refused_change(call, &judged.verdict.because).await?
        {
            return Ok(true);
        }
        let event = Event::CallProposed {
            call: call.clone(),
            verdict: judged.verdict,
            class: judged.class,
            digest,
        };
        self.log.note(Actor::System, event)?;
        Ok(true)
    }

    pub(super) fn fingerprint(&self, call: &CallId) -> Digest {
        self.state().call(call).map_or_else(
            || Digest::of_bytes(call.as_str()),
            |call| call.call.fingerprint(),
        )
    }

    /// What the rules say about a call now. The reason may quote the call, so it is cut.
    pub(super) async fn verdict(&self, call: &CallId) -> Result<Judged, HandlerError> {
        let mut judged = self.understand(call).await?;
        self.asks_for_changed(call, &mut judged);
        shorten(&mut judged.verdict.because);
        Ok(judged)
    }

    async fn understand(&self, call: &CallId) -> Result<Judged, HandlerError> {
        let (name, arguments) = self.arguments(call).await?;
        let none = |why: String| Judged {
            verdict: refused(why),
            class: ToolClass::Read,
            always: Vec::new(),
        };
        if let Some(malformed) = self
            .state()
            .call(call)
            .and_then(|call| call.call.malformed.clone())
        {
            return Ok(none(format!(
                "its arguments are not a JSON object: {malformed}"
            )));
        }
        let Some(tool) = self.tools.get(&name) else {
            return Ok(none(self.tools.instead_of(&name)));
        };
        self.weigh(&**tool, &arguments).await
    }

    /// What the rules say about these arguments.
    async fn weigh(&self, tool: &dyn Tool, arguments: &Value) -> Result<Judged, HandlerError> {
        let class = tool.spec().class;
        let accesses = match tool.accesses(arguments) {
            Ok(accesses) => accesses,
            Err(error) => {
                return Ok(Judged {
                    verdict: refused(error.to_string()),
                    class: ToolClass::Read,
                    always: Vec::new(),
                });
            }
        };
        if accesses.is_empty() {
            return Ok(Judged {
                verdict: verdict(Effect::Allow, "it touches nothing".to_owned()),
                class,
                always: Vec::new(),
            });
        }
        let (mut verdict, mut always) = self.ask_rules(&accesses).await?;
        if accesses
            .iter()
            .any(|access| matches!(access, Access::SelfChange(_)))
        {
            stay_with_owners(&mut verdict);
            always.clear();
        }
        if verdict.effect == Effect::Allow
            && (tool.spec().leaves_workspace || accesses.iter().any(Access::leaves_workspace))
            && !self.state().taint.is_empty()
        {
            verdict.effect = Effect::Ask;
            verdict.because = format!(
                "the run read {} before; {}",
                self.state().taint.join(", "),
                verdict.because
            );
            always.clear();
        }
        if tool.plan(arguments).is_some() {
            // A rule would let it run without its plan.
            always.clear();
        }
        Ok(Judged {
            verdict,
            class,
            always,
        })
    }

    /// Why the plan of a call may not be made, if so: it is made before anybody is asked, so only what the rules allow is.
    async fn forbidden_plan(
        &self,
        tool: &dyn Tool,
        arguments: &Value,
    ) -> Result<Option<String>, HandlerError> {
        let Some(plan) = tool.plan(arguments) else {
            return Ok(None);
        };
        let verdict = self.weigh(tool, &plan).await?.verdict;
        Ok(match verdict.effect {
            Effect::Allow => None,
            Effect::Deny => Some(format!("its plan is not allowed: {}", verdict.because)),
            Effect::Ask => Some(format!(
                "its plan needs an approval of its own ({}). Run the plan as a call of its own, leave “plan” out, or ask for a rule \
                 that allows it",
                verdict.because
            )),
        })
    }

    async fn ask_rules(
        &self,
        accesses: &[Access],
    ) -> Result<(Verdict, Vec<NewRule>), HandlerError> {
        let home = &self.ports.home;
        let id = &self.state().agent.id;
        let agent = repo::get::<Agent>(&*home.store, &home.team, id.as_str()).await?;
        // The rules in force are the agent's of now, not of the run's beginning: a right that was taken away is gone at once.
        let agent = match agent {
            Some(agent) if agent.value.status != AgentStatus::Archived => agent.value,
            _ => return Ok((refused("the agent is archived".to_owned()), Vec::new())),
        };
        // So is that of who asked: nothing happens in the name of somebody who was taken out.
        let requester = self.requester().await?;
        if !requester.is_some_and(|member| may(member.role, Deed::Run)) {
            let why = "who asked for this run may not run anything any more";
            return Ok((refused(why.to_owned()), Vec::new()));
        }
        let force = InForce::of(home, &agent, &self.ports.presets).await?;
        let subject = Subject {
            agent: id.clone(),
            member: self.state().requester.clone(),
        };
        let verdict = force.judge(accesses, &subject);
        let asks = verdict.effect == Effect::Ask && verdict.rule.is_none();
        let always = if asks {
            permission::narrowest(accesses, force.rules(), &subject, &Scope::Agent(id.clone()))
        } else {
            None
        };
        Ok((verdict, always.unwrap_or_default()))
    }

    pub(super) fn tool(&self, call: &CallId) -> Option<Arc<dyn Tool>> {
        self.tools.get(&self.state().call(call)?.call.name).cloned()
    }

    /// What a person would see of the call, or why it can't be done at all.
    pub(super) async fn preview(
        &self,
        call: &CallId,
    ) -> Result<Result<Preview, String>, HandlerError> {
        let (_, arguments) = self.arguments(call).await?;
        let Some(tool) = self.tool(call) else {
            return Ok(Err("the tool is gone".to_owned()));
        };
        if let Some(why) = self.forbidden_plan(&*tool, &arguments).await? {
            return Ok(Err(why));
        }
        Ok(tool
            .preview(&self.context(call), &arguments)
            .await
            .map_err(|e| e.to_string()))
    }

    /// What a person would see of a call that was begun. Where it can't be done any more: what they saw when they approved it,
    /// else its arguments, bound to the reason why it can't.
    pub(super) async fn preview_of_begun(&self, call: &CallId) -> Result<Preview, HandlerError> {
        let why = match self.preview(call).await? {
            Ok(preview) => return Ok(preview),
            Err(why) => why,
        };
        let home = &self.ports.home;
        let asked = self.state().call(call).and_then(|call| call.asked.clone());
        let card = match asked {
            Some((id, _)) => repo::get::<Approval>(&*home.store, &home.team, id.as_str()).await?,
            None => None,
        };
        let shown = match card {
            Some(card) => card.value.shown,
            None => {
                let (name, arguments) = self.arguments(call).await?;
                Shown {
                    what: format!("{name}\n{}", in_lines(&arguments))
                        .trim_end()
                        .to_owned(),
                    ..Shown::default()
                }
            }
        };
        Ok(Preview {
            before: Digest::of_bytes(&why),
            shown,
            attachment: None,
        })
    }

    pub(super) fn context(&self, call: &CallId) -> ToolContext<'_> {
        let state = self.state();
        let call = state.call(call);
        let asked = call.and_then(|call| call.asked.as_ref());
        ToolContext {
            home: &self.ports.home,
            caller: Caller {
                agent: &state.agent.id,
                requester: &state.requester,
                session: &state.session,
                conversation: self.log.summary.value.conversation,
                taint: &state.taint,
                skills: &state.agent.skills,
                approval: asked.map(|(id, _)| id),
                answers: call.map_or(&[], |call| &call.answers),
            },
            place: self.place(),
            library: self.library(),
            cancel: self.lease.cancel.clone(),
            tools: &self.tools,
            presets: &self.ports.presets,
        }
    }

    pub(super) fn place(&self) -> Option<Place<'_>> {
        let (workbench, workspace) = (self.ports.workbench.as_ref()?, self.workspace.as_ref()?);
        Some(Place {
            workspace: workspace.as_deref().ok()?,
            sandbox: &*workbench.sandbox,
        })
    }
}

/// The system is changed by nothing that a person has not seen and approved, whatever rules allow.
fn stay_with_owners(verdict: &mut Verdict) {
    if verdict.effect == Effect::Allow {
        verdict.effect = Effect::Ask;
        verdict.because = format!("a change of the system always asks; {}", verdict.because);
    }
    if verdict.effect == Effect::Ask {
        verdict.approvers = Some(Role::Owner);
    }
}

/// A line per argument.
pub(super) fn in_lines(arguments: &Value) -> String {
    let arguments = arguments.as_object().into_iter().flatten();
    let lines = arguments.map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}: {text}"),
        None => format!("{key}: {value}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn shorten(because: &mut String) {
    if size(because) > BECAUSE {
        *because = format!("{}…", fit(because, BECAUSE));
    }
}

fn refused(why: String) -> Verdict {
    verdict(Effect::Deny, why)
}

/// One that no rule gave.
fn verdict(effect: Effect, because: String) -> Verdict {
    Verdict {
        effect,
        rule: None,
        because,
        approvers: None,
        expires_after_s: None,
        persons: None,
        escalate_after_s: None,
    }
}
