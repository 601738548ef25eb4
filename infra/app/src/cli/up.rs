//! `countersign up`: the service. Where stdin is a terminal it opens a conversation there as well.

use super::{Context, Failure, chat, output::print, pair::link, stop};
use crate::{
    compose::{
        Local,
        door::Door,
        sandbox::Picked,
        service,
        surfaces::{StoredInbox, Surfaces},
        worker::Engine,
    },
    http::{self, Health},
    telemetry,
};
use axum::Router;
use bot::{
    inbox::Inbox,
    telegram::{Api, ApiError, Me, Poller, TAP_LIFE},
};
use domain::member::Role;
use handlers::{Home, commit_with, members};
use std::{
    io::IsTerminal,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Between two questions to a Telegram that does not answer.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Between two notes that the webhook is served.
const LISTENING: Duration = Duration::from_secs(50);

#[derive(clap::Args, Debug, Default)]
pub struct Arguments {
    /// Open no conversation here, even at a terminal
    #[arg(long)]
    no_chat: bool,
}

impl Arguments {
    /// Whether a conversation is opened here.
    pub fn talks(&self) -> bool {
        !self.no_chat && std::io::stdin().is_terminal()
    }
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let stop = stop::on_signal()?;
    let metrics = telemetry::measure();
    let listener = http::bind(context.config.listen)
        .await
        .map_err(Failure::new)?;
    let (local, _) = context.open().await?;
    let _alive = service::live(&local.config.home)?;
    let (surfaces, api) = Surfaces::default().with_telegram(&local.config, &local.home);
    let me = surfaces.me.clone();
    let talks = arguments.talks();
    let (surfaces, chat) = if talks {
        let (surfaces, chat) = chat::open(surfaces, &local, "main")?;
        (surfaces, Some(chat))
    } else {
        (surfaces, None)
    };
    let tasks = TaskTracker::new();
    if let Some(api) = &api {
        introduce(&local.home, api, &me, (&tasks, &stop)).await?;
    }
    let engine = Engine::build(local.clone(), surfaces).await?;
    greet(&engine, me.get(), talks);
    let health = Health {
        store: local.home.store.clone(),
        clock: local.home.clock.clone(),
        metrics,
    };
    let mut router = http::router(health);
    if let Some(api) = api {
        router = front_door(&local, api, router, (&tasks, &stop)).await?;
    }
    serve(&tasks, listener, router, &stop);
    let working = engine.serve(stop.clone()).await?;
    if let Some(me) = me.get() {
        pair_first(&local.home, me).await?;
    }
    print("ready");
    if let Some(chat) = chat {
        tasks.spawn(converse(chat, stop.clone()));
    }
    tasks.close();
    // A poll that waits for Telegram has nothing to lose; requests under way end with the listener.
    let front = async {
        stop.cancelled().await;
        tokio::time::timeout(local.config.shutdown, tasks.wait()).await
    };
    let _ = tokio::join!(working, front);
    Ok(0)
}

/// Asks Telegram who the bot is. A wrong token is a bad start; Telegram being away for a while is none: it is asked again until
/// it answers.
pub async fn introduce(
    home: &Home,
    api: &Api,
    known: &Arc<OnceLock<Me>>,
    life: (&TaskTracker, &CancellationToken),
) -> Result<(), Failure> {
    match api.me().await {
        Ok(me) => {
            let _ = known.set(me);
            show_menu(api).await;
            Ok(())
        }
        Err(ApiError::Refused {
            code: 401 | 404, ..
        }) => Err(Failure::new(
            "Telegram does not know this bot token: copy it again from @BotFather into TELEGRAM_BOT_TOKEN.",
        )),
        Err(error) => {
            tracing::warn!(%error, "Telegram does not answer; asking again until it does");
            let (home, api, known, (tasks, stop)) =
                (home.clone(), api.clone(), known.clone(), life);
            let asking = async move { introduce_later(&home, &api, &known).await };
            tasks.spawn(stop.clone().run_until_cancelled_owned(asking));
            Ok(())
        }
    }
}

async fn introduce_later(home: &Home, api: &Api, known: &OnceLock<Me>) {
    loop {
        tokio::time::sleep(ASK_AGAIN).await;
        let Ok(me) = api.me().await else { continue };
        tracing::info!("Telegram answers");
        show_menu(api).await;
        if let Err(failure) = pair_first(home, &me).await {
            tracing::error!(
                failure.text,
                "no pairing link could be made: `countersign pair` makes one"
            );
        }
        let _ = known.set(me);
        return;
    }
}

async fn show_menu(api: &Api) {
    if let Err(error) = bot::telegram::set_menu(api, &bot::command::menu()).await {
        tracing::warn!(%error, "the command menu could not be registered");
    }
}

/// Three lines: model, sandbox, surfaces, and how to get better ones.
fn greet(engine: &Engine, me: Option<&Me>, talks: bool) {
    let found = &engine.found;
    print(&format!(
        "model     {} ({})",
        found.models.default, found.why
    ));
    print(&format!("sandbox   {}", sandbox(&engine.picked)));
    let config = &engine.local.config;
    let telegram = match (me, &config.telegram.token, &config.public_url) {
        (Some(me), _, Some(_)) => format!("Telegram @{} by webhook", me.username),
        (Some(me), _, None) => format!("Telegram @{} by long polling", me.username),
        (None, Some(_), _) => "Telegram (does not answer yet)".to_owned(),
        (None, None, _) => "no Telegram (set TELEGRAM_BOT_TOKEN; @BotFather gives one)".to_owned(),
    };
    let terminal = if talks {
        "this terminal"
    } else {
        "`countersign chat` in a terminal"
    };
    print(&format!("surfaces  {telegram}; {terminal}"));
}

/// The sandbox in one line.
pub fn sandbox(picked: &Picked) -> String {
    match &picked.tier {
        Ok(tier) if tier.degraded.is_empty() => tier.name.to_owned(),
        Ok(tier) => format!("{} ({})", tier.name, tier.degraded.join("; ")),
        Err(why) => format!("none, so commands are refused: {why}"),
    }
}

/// How updates come in: pushed to a webhook where there is a public address, else fetched.
async fn front_door(
    local: &Local,
    api: Api,
    router: Router,
    life: (&TaskTracker, &CancellationToken),
) -> Result<Router, Failure> {
    let (tasks, stop) = life;
    let inbox = Arc::new(StoredInbox(local.home.clone()));
    let Some(public) = &local.config.public_url else {
        tasks.spawn(Poller::new(api, inbox).run(stop.clone().cancelled_owned()));
        return Ok(router);
    };
    let Some(door) = Door::of(&local.config) else {
        return Ok(router);
    };
    local.config.redaction.set("webhook", door.secrets());
    let url = door.url(public).map_err(|error| {
        Failure::new(format!("COUNTERSIGN_PUBLIC_URL cannot be used: {error}."))
    })?;
    if let Err(error) = api.set_webhook(url, &door.secret).await {
        return Err(Failure::new(format!(
            "Telegram does not accept the webhook at COUNTERSIGN_PUBLIC_URL ({error}): check that address, or leave it out to poll."
        )));
    }
    tasks.spawn(listen(inbox.clone(), api.surface(), stop.clone()));
    Ok(router.merge(door.router(&api, inbox)))
}

/// Whoever serves the webhook can be heard; a poller notes that itself.
async fn listen(inbox: Arc<StoredInbox>, surface: String, stop: CancellationToken) {
    let mut looks = tokio::time::interval(LISTENING);
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        if let Err(error) = inbox.heard(&surface, TAP_LIFE).await {
            tracing::warn!(%error, "that this process listens could not be written down");
        }
    }
}

fn serve(tasks: &TaskTracker, listener: TcpListener, router: Router, stop: &CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "serving /healthz and /metrics");
    }
    let stop = stop.clone();
    tasks.spawn(async move {
        if let Err(error) = http::serve(listener, router, stop).await {
            tracing::error!(%error, "the HTTP server ended");
        }
    });
}

/// Without an owner who can be reached the bot is of no use to anybody: a link makes one.
async fn pair_first(home: &Home, me: &Me) -> Result<(), Failure> {
    if members::owner(home)
        .await?
        .is_some_and(|owner| !owner.home.is_empty())
    {
        return Ok(());
    }
    let code = commit_with(home, async || {
        members::invite(home, None, Role::Owner).await
    })
    .await?;
    print(&format!(
        "pairing   open this link once to become the owner: {}",
        link(&me.username, &code)
    ));
    Ok(())
}

/// The conversation here; the service outlives it.
async fn converse(chat: chat::Chat, stop: CancellationToken) {
    match chat.run(stop.clone()).await {
        Ok(_) if stop.is_cancelled() => {}
        Ok(_) => print("(This conversation is over, the service goes on; ctrl-c stops it.)"),
        Err(failure) => tracing::error!(failure.text, "the conversation here ended"),
    }
}
