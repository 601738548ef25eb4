//! What waits for the person of a session that is opened again: the process that showed it may have been killed.

use domain::{
    id::SessionId,
    run::State,
    session::{Expects, Session},
};
use handlers::{Home, queries};
use ports::{message::Outgoing, present::Notice, repo, store::StoreError};

/// Cards that nobody has decided, the first asked first, and an open question. `zone` is the reader's IANA time zone.
///
/// # Errors
/// The store's.
pub async fn waiting(
    home: &Home,
    session: &SessionId,
    zone: &str,
) -> Result<Vec<Outgoing>, StoreError> {
    let mut notices: Vec<Notice> = queries::pending(home)
        .await?
        .into_iter()
        .filter(|approval| approval.session == *session)
        .map(|approval| Notice::ApprovalAsked { approval })
        .collect();
    notices.extend(question(home, session).await?);
    let present = |notice| home.presenter.present(session, notice, home.now(), zone);
    Ok(notices.iter().flat_map(present).collect())
}

async fn question(home: &Home, session: &SessionId) -> Result<Option<Notice>, StoreError> {
    let session = repo::get::<Session>(&*home.store, &home.team, session.as_str()).await?;
    let Some(Expects::Answer { run, call }) = session.and_then(|session| session.value.expects)
    else {
        return Ok(None);
    };
    let state = match State::fold(&queries::journal(home, &run).await?) {
        Ok(state) => state,
        Err(error) => {
            tracing::warn!(%run, %error, "the journal of the run that asks cannot be read");
            return Ok(None);
        }
    };
    match handlers::run::question_of(home, &run, &state, &call).await {
        Ok(None) => {}
        Ok(asked) => return Ok(asked),
        Err(error) => {
            tracing::warn!(%run, %error, "the call whose server asks cannot be read");
            return Ok(None);
        }
    }
    let agent = state.agent.name.clone();
    let text = state
        .call(&call)
        .and_then(|call| call.call.text("question"));
    Ok(text.map(|text| Notice::Question {
        run,
        agent,
        text: text.to_owned(),
    }))
}
