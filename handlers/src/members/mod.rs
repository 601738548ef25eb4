//! Members and invites: a one-time code makes a person a member of a role, never of a higher one.

mod away;

pub use away::{away, back, named};

use crate::{CommandError, Draft, Home, Problem, audit};
use domain::{
    Digest,
    id::MemberId,
    member::{Deed, Invite, Member, Role, may},
    run::Actor,
};
use ports::{
    repo::{self, Stored},
    store::{Expect, Op, StoreError},
};
use serde_json::json;
use std::time::Duration;

/// How long an invite can be opened.
const INVITE_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Who asks, if it is a member.
///
/// # Errors
/// What the store answers.
pub async fn find(home: &Home, id: &MemberId) -> Result<Option<Member>, StoreError> {
    Ok(repo::get::<Member>(&*home.store, &home.team, id.as_str())
        .await?
        .map(|stored| stored.value))
}

/// All members.
///
/// # Errors
/// What the store answers.
pub async fn list(home: &Home) -> Result<Vec<Member>, StoreError> {
    let stored = repo::collect::<Member>(&*home.store, repo::all::<Member>(&home.team)).await?;
    Ok(stored.into_iter().map(|stored| stored.value).collect())
}

/// The owner who can be reached from afar: the first with a chat, else the first.
///
/// # Errors
/// What the store answers.
pub async fn owner(home: &Home) -> Result<Option<Member>, StoreError> {
    let owners = repo::collect::<Member>(
        &*home.store,
        repo::by::<Member>(&home.team, "by_role", "owner"),
    )
    .await?;
    let mut owners: Vec<Member> = owners.into_iter().map(|stored| stored.value).collect();
    owners.sort_by_key(|owner| owner.home.is_empty());
    Ok(owners.into_iter().next())
}

/// The terminal's person, who owns whatever this machine's user owns. Made on first use.
///
/// # Errors
/// What the store answers.
pub async fn terminal_owner(home: &Home) -> Result<Draft<Member>, CommandError> {
    let id = MemberId::new("terminal:owner");
    if let Some(member) = find(home, &id).await? {
        return Ok(Draft::fact(member));
    }
    let member = Member {
        id,
        name: "you".to_owned(),
        role: Role::Owner,
        zone: String::new(),
        home: String::new(),
        away: None,
        created_at: home.now(),
    };
    let detail = json!({"role": member.role});
    let deed = audit::deed("member.added", Actor::System, &member.id, detail);
    let mut ops = vec![repo::create(&home.team, &member)?];
    ops.extend(audit::append(home, "team", vec![deed]).await?);
    Ok(Draft::new(ops, member))
}

/// A one-time code for a role. The code itself is nowhere kept. The process invites the first owner (`by` is `None`).
///
/// # Errors
/// [`Problem::NotAllowed`].
pub async fn invite(
    home: &Home,
    by: Option<&Member>,
    role: Role,
) -> Result<Draft<String>, CommandError> {
    if by.is_some_and(|by| !may(by.role, Deed::ManageMembers)) {
        return Err(Problem::NotAllowed {
            needed: Role::Owner,
        }
        .into());
    }
    let code = home.chance.secret();
    let created_by = by.map_or_else(|| MemberId::new("terminal:owner"), |by| by.id.clone());
    let invite = Invite {
        code_digest: Digest::of_bytes(&code),
        role,
        created_by: created_by.clone(),
        created_at: home.now(),
        expires_at: home.now().plus(INVITE_FOR),
        used_by: None,
    };
    let deed = audit::deed(
        "member.invited",
        format!("member:{created_by}"),
        role,
        json!({"expires_at": invite.expires_at}),
    );
    let mut ops = vec![repo::create(&home.team, &invite)?];
    ops.extend(audit::append(home, "team", vec![deed]).await?);
    Ok(Draft::new(ops, code))
}

/// A person opens an invite. Who is a member already keeps the higher role.
///
/// # Errors
/// [`Problem::InviteInvalid`].
pub async fn join(
    home: &Home,
    person: &MemberId,
    name: &str,
    chat: &str,
    code: &str,
) -> Result<Draft<Member>, CommandError> {
    let digest = Digest::of_bytes(code.trim());
    let invite = repo::get::<Invite>(&*home.store, &home.team, digest.as_str()).await?;
    let Some(mut invite) = invite
        .filter(|invite| invite.value.used_by.is_none() && invite.value.expires_at > home.now())
    else {
        return Err(Problem::InviteInvalid.into());
    };
    let before = repo::get::<Member>(&*home.store, &home.team, person.as_str()).await?;
    let role = before.as_ref().map_or(invite.value.role, |before| {
        before.value.role.max(invite.value.role)
    });
    let name = domain::content::prefix(name.trim(), 80).to_owned();
    let member = match &before {
        Some(before) => Member {
            role,
            name,
            home: chat.to_owned(),
            ..before.value.clone()
        },
        None => Member {
            id: person.clone(),
            name,
            role,
            zone: String::new(),
            home: chat.to_owned(),
            away: None,
            created_at: home.now(),
        },
    };
    invite.value.used_by = Some(person.clone());
    let deed = audit::deed(
        "member.joined",
        format!("member:{person}"),
        person,
        json!({"role": role, "invited_by": invite.value.created_by}),
    );
    let mut ops = vec![
        repo::update(&home.team, &invite)?,
        repo::put(&home.team, &member, before.map(|before| before.version))?,
    ];
    ops.extend(audit::append(home, &format!("member:{person}"), vec![deed]).await?);
    Ok(Draft::new(ops, member))
}

/// A person's time zone, an IANA name that the caller has checked.
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn set_zone(
    home: &Home,
    person: &MemberId,
    zone: &str,
) -> Result<Draft<Member>, CommandError> {
    let not_found = || Problem::NotFound {
        what: "member",
        name: person.to_string(),
    };
    let Stored { mut value, version } =
        repo::get::<Member>(&*home.store, &home.team, person.as_str())
            .await?
            .ok_or_else(not_found)?;
    value.zone = zone.to_owned();
    let op = repo::update(
        &home.team,
        &Stored {
            value: value.clone(),
            version,
        },
    )?;
    Ok(Draft::new(vec![op], value))
}

/// Takes a person out. The last owner stays.
///
/// # Errors
/// [`Problem`]s: not allowed, not found, the last owner.
pub async fn remove(
    home: &Home,
    by: &Member,
    person: &MemberId,
) -> Result<Draft<Member>, CommandError> {
    if !may(by.role, Deed::ManageMembers) {
        return Err(Problem::NotAllowed {
            needed: Role::Owner,
        }
        .into());
    }
    let not_found = || Problem::NotFound {
        what: "member",
        name: person.to_string(),
    };
    let stored = repo::get::<Member>(&*home.store, &home.team, person.as_str())
        .await?
        .ok_or_else(not_found)?;
    let mut ops = vec![repo::delete(&home.team, &stored)];
    if stored.value.role == Role::Owner {
        let owners = repo::by::<Member>(&home.team, "by_role", "owner");
        let owners = repo::collect::<Member>(&*home.store, owners).await?;
        let Some(other) = owners.iter().find(|owner| owner.value.id != *person) else {
            let text = "The last owner can't be removed: invite another one first.";
            return Err(Problem::Invalid(text.to_owned()).into());
        };
        // Who takes out the last but one must not be taken out at the same moment.
        ops.push(Op::Check {
            key: repo::key::<Member>(&home.team, other.value.id.as_str()),
            expect: Expect::Version(other.version),
        });
    }
    let deed = audit::deed(
        "member.removed",
        format!("member:{}", by.id),
        person,
        json!({"role": stored.value.role}),
    );
    ops.extend(audit::append(home, &format!("member:{person}"), vec![deed]).await?);
    Ok(Draft::new(ops, stored.value))
}
