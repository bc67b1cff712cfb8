//! A password that was said, checked against what is kept of the user's.

use std::sync::Arc;

use shared::mechanisms::Mechanisms;
use shared::model::Protocol;

use super::{NOBODY, find};
use crate::Unavailable;
use crate::admin::app_passwords::{self, App};
use crate::cache::Known;
use crate::core::Core;
use crate::password::{self, Checked, Stored};

/// Logins that may wait for a password check; further ones are told to come back.
const CHECKS_WAITING_MAX: usize = 1000;
/// Times that a password is checked anew because the user has changed meanwhile.
const CHECKS_MAX: usize = 3;

/// Checks a password; gives the user if it is right and the user may log in, and the app password if it is one. At most one slow hash, unless the user
/// changes meanwhile: app passwords need none.
pub(super) async fn check(
    core: &Arc<Core>,
    user: &str,
    password: &str,
    protocol: Protocol,
    mechanism: &str,
) -> Result<Option<(Known, Option<App>)>, Unavailable> {
    let look = async || {
        let known = find(core, user).await?;
        Ok::<_, Unavailable>(known.filter(|known| known.enabled && known.mechanisms.has(mechanism)))
    };
    for _ in 0..CHECKS_MAX {
        let epoch = core.caches.epoch();
        let known = look().await?;
        if let Some(known) = &known
            && core.caches.is_proved(known.account.owner, password)
        {
            return Ok(Some((known.clone(), None)));
        }
        // The tables are asked for a user who does not exist as well: it takes the same time.
        let owner = known.as_ref().map_or(NOBODY, |known| known.account.owner);
        let app = app_passwords::find(core, owner, protocol, password).await?;
        if let (Some(known), Some(app)) = (&known, app) {
            return Ok(Some((known.clone(), Some(app))));
        }
        let stored = core.stored(owner).await?.filter(|_| known.is_some());
        let wanted = known
            .as_ref()
            .map_or_else(Mechanisms::standard, |known| known.mechanisms);
        let checked = hashed(core, stored.clone(), password.to_owned(), wanted).await?;
        let (Some(known), Some(mut stored)) = (known.filter(|_| checked != Checked::Wrong), stored) else {
            return Ok(None);
        };
        core.caches.prove(owner, password, epoch);
        if checked == Checked::RightButIncomplete
            && let Some(made) = complete(core, &known, &stored, password).await
        {
            stored = made;
        }
        // It may have waited for others, and for a change of this very password.
        if core.caches.epoch() == epoch {
            return Ok(Some((known, None)));
        }
        let now = look().await?.filter(|now| now.account.owner == owner);
        if let Some(now) = now
            && core.stored(owner).await?.as_ref() == Some(&stored)
        {
            return Ok(Some((now, None)));
        }
    }
    Err(Unavailable("the user changes all the time".to_owned()))
}

/// Hashes on a thread that may block, a few at a time.
async fn hashed(
    core: &Arc<Core>,
    stored: Option<Stored>,
    password: String,
    wanted: Mechanisms,
) -> Result<Checked, Unavailable> {
    let _permit = permit(core).await?;
    let checking = tokio::task::spawn_blocking(move || match stored {
        Some(stored) => stored.check(&password, wanted),
        None => {
            password::burn(&password);
            Checked::Wrong
        }
    });
    checking
        .await
        .map_err(|_| Unavailable("a password check failed".to_owned()))
}

/// Waits for a turn to hash.
pub(crate) async fn permit(core: &Core) -> Result<tokio::sync::SemaphorePermit<'_>, Unavailable> {
    let _waiting = core
        .checks_waiting
        .try_acquire()
        .map_err(|_| Unavailable("too many logins wait".to_owned()))?;
    core.checks
        .acquire()
        .await
        .map_err(|_| Unavailable("the directory is closed".to_owned()))
}

pub(crate) fn checks_waiting() -> tokio::sync::Semaphore {
    tokio::sync::Semaphore::new(CHECKS_WAITING_MAX)
}

/// Makes what is missing of what is kept, now that the password is known, and gives it. A failure leaves it to the next login.
async fn complete(core: &Arc<Core>, known: &Known, old: &Stored, password: &str) -> Option<Stored> {
    let owner = known.account.owner;
    let (user, password) = (known.account.address.key(), password.to_owned());
    let salt = app_passwords::salt(core, owner).await.ok()?;
    let wanted = known.mechanisms;
    let making = move || Stored::make(&user, &password, salt.as_deref(), wanted);
    let made = tokio::task::spawn_blocking(making).await.ok()?.ok()?;
    let _changing = core.changing.lock().await;
    // The password may have been changed meanwhile, or the name that it is made for, or what the domain lets its users log in with.
    let now = core.known(&known.account.address).await.ok()??;
    let current = core.stored(owner).await.ok()??;
    if current != *old || now.account.owner != owner || now.mechanisms != known.mechanisms {
        return None;
    }
    let row = core.credential(owner, &made).ok()?;
    let batch = drivers::Batch::new().put(row);
    core.write(batch, "credential", "").await.ok()?;
    Some(made)
}
