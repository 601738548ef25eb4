//! What people do with cards: tap a button, or reply with a reason.

use super::{asked, toast};
use crate::{
    command::{Ctx, Reply, agents::import, design, kb, modify, resume, several, skill},
    inbound::What,
    present,
    text::en,
};
use domain::{
    approval::{Approval, ApprovalStatus, Choice, Refusal},
    id::{ApprovalId, SessionId},
};
use handlers::{CommandError, Problem, ask, ask::Press, decide, queries, rules};
use ports::{
    repo::{self, sent::SentMessage},
    store::StoreError,
};

/// Cards that were sent this long ago are not found by a reply; nobody scrolls so far.
const LOOK_BACK: u32 = 1000;

/// A button's data is `<verb>:<approval>[:<digest's beginning>]`. Whoever forges it still needs the role and a pending approval.
pub(super) async fn tapped(ctx: &Ctx<'_>, tap: &str, data: &str) -> Result<Reply, CommandError> {
    if let Some(choice) = together(data) {
        return all_tapped(ctx, tap, &choice).await;
    }
    if let Some(reply) = kb::tapped(ctx, data).await? {
        let mut told = toast(ctx.inbound, tap, en::OPENED);
        told.messages.extend(reply.messages);
        return Ok(told);
    }
    let mut fields = data.split(':');
    let mut field = || fields.next().unwrap_or_default();
    let (verb, id) = (field(), field());
    let digest = fields.next();
    match verb {
        "undo" => return undo(ctx, tap, id).await,
        "modify" => return to_modify(ctx, tap, id, digest).await,
        "redraft" => return to_redraft(ctx, tap, id, digest).await,
        "details" => return details(ctx, tap, id).await,
        "skill" => return skill_agreed(ctx, tap, id, digest).await,
        "resume" => return resumed(ctx, tap, id).await,
        "noskill" => return skill_declined(ctx, tap, id, digest).await,
        import::YES => return told(ctx, tap, import::agree(ctx, id).await?, en::IMPORTED),
        import::NO => {
            return told(ctx, tap, import::decline(ctx, id).await?, en::NOT_IMPORTED);
        }
        present::elicitation::ANSWER => return elicited(ctx, tap, (id, digest)).await,
        _ => {}
    }
    let Some(choice) = choice(verb) else {
        return Ok(toast(ctx.inbound, tap, en::WRONG_BUTTON));
    };
    // A button without a digest was not made by us.
    let Some(digest) = digest.filter(|digest| !digest.is_empty()) else {
        return Ok(toast(ctx.inbound, tap, en::WRONG_BUTTON));
    };
    match decide::decide(
        ctx.home,
        ctx.member,
        &ApprovalId::new(id),
        &choice,
        Some(digest),
    )
    .await
    {
        Ok(draft) => {
            let said = en::decided(&draft.fact.approval, draft.fact.added.len());
            Ok(toast(ctx.inbound, tap, &said).with(draft.ops))
        }
        Err(CommandError::Problem(Problem::Decision(refusal))) => {
            let mut reply = toast(ctx.inbound, tap, &en::refused(&refusal));
            if matches!(refusal, Refusal::Settled(_)) {
                // The card that they see is behind the times.
                reply.messages.push(current(ctx, id).await?);
            }
            Ok(reply)
        }
        Err(error) => Err(error),
    }
}

/// A button for all cards of a list.
fn together(data: &str) -> Option<Choice> {
    match data {
        "okall" => Some(Choice::Approve),
        "noall" => Some(Choice::Deny {
            reason: String::new(),
        }),
        _ => None,
    }
}

/// What a button on a card decides.
fn choice(verb: &str) -> Option<Choice> {
    Some(match verb {
        "ok" => Choice::Approve,
        "no" => Choice::Deny {
            reason: String::new(),
        },
        "always" => Choice::Always,
        "again" => Choice::RunAgain,
        "happened" => Choice::Happened,
        "stop" => Choice::Stop,
        "more" => Choice::Raise,
        _ => return None,
    })
}

async fn current(ctx: &Ctx<'_>, id: &str) -> Result<ports::message::Outgoing, CommandError> {
    let approval = queries::approval(ctx.home, id).await?.value;
    let by = queries::decider(ctx.home, &approval).await?;
    let here = approval
        .places()
        .find(|place| **place == ctx.inbound.session);
    Ok(present::settled(
        here.unwrap_or(&approval.session),
        &approval,
        &by,
        ctx.home.now(),
        &ctx.member.zone,
    ))
}

async fn details(ctx: &Ctx<'_>, tap: &str, id: &str) -> Result<Reply, CommandError> {
    let approval = queries::approval(ctx.home, id).await?.value;
    let mut reply = toast(ctx.inbound, tap, en::DETAILS_SENT);
    reply
        .messages
        .extend(present::details(&ctx.inbound.session, &approval));
    Ok(reply)
}

/// Of the list of conversations.
async fn resumed(ctx: &Ctx<'_>, tap: &str, number: &str) -> Result<Reply, CommandError> {
    let mut reply = resume::to(ctx, number.parse().unwrap_or(0)).await?;
    let said = toast(ctx.inbound, tap, en::THERE_AGAIN);
    reply.messages.splice(0..0, said.messages);
    Ok(reply)
}

/// Of the question of a tool server: `answer` is an option's number.
async fn elicited(
    ctx: &Ctx<'_>,
    tap: &str,
    (mark, answer): (&str, Option<&str>),
) -> Result<Reply, CommandError> {
    let press = match answer.unwrap_or_default() {
        present::elicitation::AS_IT_IS => Press::AsItIs,
        present::elicitation::DECLINE => Press::Decline,
        number => Press::Option(number.parse().unwrap_or(usize::MAX)),
    };
    let place = &ctx.inbound.session;
    let draft = ask::press(ctx.home, ctx.member, place, (mark, press)).await?;
    let said = match press {
        Press::Decline => en::DECLINED,
        _ => en::ANSWERED,
    };
    Ok(toast(ctx.inbound, tap, said).with(draft.ops))
}

/// Of the card about installing a skill.
async fn skill_agreed(
    ctx: &Ctx<'_>,
    tap: &str,
    name: &str,
    pin: Option<&str>,
) -> Result<Reply, CommandError> {
    let reply = skill::agree(ctx, name, pin.unwrap_or_default()).await?;
    told(ctx, tap, reply, &en::installed(name))
}

async fn skill_declined(
    ctx: &Ctx<'_>,
    tap: &str,
    name: &str,
    pin: Option<&str>,
) -> Result<Reply, CommandError> {
    let reply = skill::decline(ctx, name, pin.unwrap_or_default()).await?;
    told(ctx, tap, reply, en::NOT_INSTALLED)
}

/// What was done, also beside the button.
fn told(ctx: &Ctx<'_>, tap: &str, mut reply: Reply, said: &str) -> Result<Reply, CommandError> {
    let said = toast(ctx.inbound, tap, said);
    reply.messages.extend(said.messages);
    Ok(reply)
}

/// Of a card whose “Always” holds.
async fn undo(ctx: &Ctx<'_>, tap: &str, id: &str) -> Result<Reply, CommandError> {
    let draft = rules::undo(ctx.home, ctx.member, id).await?;
    Ok(toast(ctx.inbound, tap, &en::undone(&draft.fact)).with(draft.ops))
}

/// The message with the button says which list.
async fn all_tapped(ctx: &Ctx<'_>, tap: &str, choice: &Choice) -> Result<Reply, CommandError> {
    let message = match &ctx.inbound.what {
        What::Tap { message, .. } => message.as_deref(),
        _ => None,
    };
    let tag = match message {
        Some(message) => tag_of(ctx, message, None).await?,
        None => None,
    };
    let done = match tag {
        Some(tag) => several::tapped(ctx, &tag, choice).await?,
        None => None,
    };
    let Some(mut reply) = done else {
        return Ok(toast(ctx.inbound, tap, en::WRONG_BUTTON));
    };
    let said = toast(ctx.inbound, tap, en::SEE_BELOW);
    reply.messages.splice(0..0, said.messages);
    Ok(reply)
}

/// The card stays as it is; what it should say instead is asked for below.
async fn to_modify(
    ctx: &Ctx<'_>,
    tap: &str,
    id: &str,
    digest: Option<&str>,
) -> Result<Reply, CommandError> {
    below(
        ctx,
        tap,
        modify::question(ctx, &ApprovalId::new(id), digest).await,
    )
}

/// A question that is asked below the card, or why it is not.
fn below(
    ctx: &Ctx<'_>,
    tap: &str,
    question: Result<Reply, CommandError>,
) -> Result<Reply, CommandError> {
    match question {
        Ok(mut reply) => {
            let said = toast(ctx.inbound, tap, en::CHANGE_BELOW);
            reply.messages.splice(0..0, said.messages);
            Ok(reply)
        }
        Err(CommandError::Problem(Problem::Decision(refusal))) => {
            Ok(toast(ctx.inbound, tap, &en::refused(&refusal)))
        }
        Err(error) => Err(error),
    }
}

/// The draft waits; what should be different is asked for below.
async fn to_redraft(
    ctx: &Ctx<'_>,
    tap: &str,
    id: &str,
    digest: Option<&str>,
) -> Result<Reply, CommandError> {
    below(ctx, tap, design::question(ctx, id, digest).await)
}

/// What a reply means to one of our messages: to a card or to the question for a change. `None`: to any other.
pub(super) async fn answered(ctx: &Ctx<'_>, text: &str) -> Result<Option<Reply>, CommandError> {
    let What::Text {
        replies_to: Some(message),
        replies_in,
        replies_to_button: button,
        ..
    } = &ctx.inbound.what
    else {
        return Ok(None);
    };
    let tag = tag_of(ctx, message, replies_in.as_ref()).await?;
    if let Some(mark) = present::elicitation::mark_of(tag.as_deref(), button.as_deref()) {
        let place = &ctx.inbound.session;
        let answered = ask::reply(ctx.home, ctx.member, place, (mark, text)).await?;
        return Ok(answered.map(|draft| asked(ctx, draft.ops, &draft.fact)));
    }
    if let Some((id, shown)) = tag.as_deref().and_then(modify::asked_by) {
        return modify::change(ctx, &id, text, Some(shown)).await.map(Some);
    }
    if let Some((id, shown)) = tag.as_deref().and_then(design::asked_by) {
        let approval = queries::approval(ctx.home, id.as_str()).await?.value;
        return reasoned(ctx, approval, text, Some(shown)).await.map(Some);
    }
    let mut on_button = button.as_deref().unwrap_or_default().split(':').skip(1);
    let (on_button, shown) = (on_button.next(), on_button.next());
    let id = match &tag {
        Some(tag) => tag.strip_prefix("approval:"),
        None => on_button,
    };
    let Some(id) = id else {
        return Ok(None);
    };
    match repo::get::<Approval>(&*ctx.home.store, &ctx.home.team, id).await? {
        Some(approval) => reasoned(ctx, approval.value, text, shown).await.map(Some),
        None => Ok(None),
    }
}

/// The name of what this message of ours shows. It is in the conversation, unless it is from before that one moved.
async fn tag_of(
    ctx: &Ctx<'_>,
    message: &str,
    place: Option<&SessionId>,
) -> Result<Option<String>, StoreError> {
    let place = place.unwrap_or(&ctx.inbound.session);
    let surface = place.as_str().split(':').next().unwrap_or_default();
    let mut query = repo::by::<SentMessage>(&ctx.home.team, "by_age", surface);
    query.descending = true;
    query.limit = LOOK_BACK;
    let (sent, _) = repo::page::<SentMessage>(&*ctx.home.store, query).await?;
    let here = format!("@{place}");
    Ok(sent
        .iter()
        .filter(|sent| sent.value.message == message)
        .find_map(|sent| sent.value.id.strip_suffix(&here))
        .map(ToOwned::to_owned))
}

/// A reply to a card is the reason for a no. Where the no is given already and the agent has gone on, the reason reaches it as a
/// message; a reply to any other card is a message like others. `shown` is the digest's beginning on the card's buttons.
async fn reasoned(
    ctx: &Ctx<'_>,
    approval: Approval,
    reason: &str,
    shown: Option<&str>,
) -> Result<Reply, CommandError> {
    let ours = approval.decided_by.as_ref() == Some(&ctx.member.id);
    match approval.status {
        ApprovalStatus::Pending => {
            let choice = Choice::Deny {
                reason: reason.to_owned(),
            };
            let draft = decide::decide(ctx.home, ctx.member, &approval.id, &choice, shown).await?;
            Ok(answering(ctx, &en::decided(&draft.fact.approval, 0)).with(draft.ops))
        }
        ApprovalStatus::Denied if ours => {
            let kept = decide::add_reason(ctx.home, ctx.member, &approval.id, reason).await?;
            let said = en::late_reason(&approval, reason);
            let told = ask::ask_aside(ctx.home, ctx.member, &approval.session, &said).await?;
            let mut reply = asked(ctx, told.ops, &told.fact).with(kept.ops);
            let (by, zone, now) = (&ctx.member.name, &ctx.member.zone, ctx.home.now());
            let card = |place| present::settled(place, &kept.fact, by, now, zone);
            reply.messages.extend(kept.fact.places().map(card));
            Ok(reply)
        }
        _ => {
            let draft = ask::ask_aside(ctx.home, ctx.member, &ctx.inbound.session, reason).await?;
            Ok(asked(ctx, draft.ops, &draft.fact))
        }
    }
}

fn answering(ctx: &Ctx<'_>, sentence: &str) -> Reply {
    let mut reply = ctx.say(sentence);
    if let (What::Text { message, .. }, Some(first)) =
        (&ctx.inbound.what, reply.messages.first_mut())
    {
        first.reply_to = Some(message.clone());
    }
    reply
}
