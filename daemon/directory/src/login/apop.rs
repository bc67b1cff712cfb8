//! APOP of POP3.

use super::{Login, NOBODY, admitted, find, reason};
use crate::{Directory, LoginContext, LoginFailure, LoginStep, Unavailable};

/// POP3's APOP (RFC 1939 §7). `timestamp`: that of the greeting, with its angle brackets.
pub(crate) async fn apop(
    directory: &Directory,
    user: &str,
    digest: &str,
    timestamp: &str,
    context: LoginContext,
) -> LoginStep {
    let core = &directory.inner;
    let mut login = Login::new(directory, "APOP", context);
    user.clone_into(&mut login.user);
    let admitted = admitted(core, &login.context);
    let offered = core.offered.load().has("APOP");
    if let Err(failure) = admitted.and(if offered {
        Ok(())
    } else {
        Err(LoginFailure::Mechanism)
    }) {
        return login.failed(failure, reason(failure));
    }
    let found = async {
        let known = find(core, user).await?;
        let known = known.filter(|known| known.mechanisms.has("APOP"));
        let owner = known.as_ref().map_or(NOBODY, |known| known.account.owner);
        let stored = core.stored(owner).await?;
        // The same work for a user who does not exist.
        let password = stored.and_then(|stored| stored.plain);
        let is = |password: &str| wire::sasl::apop_is(digest, timestamp, password);
        let right = is(password.as_deref().unwrap_or_default()) && password.is_some();
        let formers = core.caches.formers.of(owner);
        let mut formers = formers.iter().map(|former| former.plain.as_deref());
        let former = formers.position(|former| former.is_some_and(is));
        let which = if right {
            Some(0)
        } else {
            former.map(|former| former + 1)
        };
        Ok(known.zip(which))
    };
    match found.await {
        Ok(Some((known, 0))) if known.enabled => login.succeeded(known.account),
        Ok(Some((known, which))) => {
            // Counted as by other mechanisms.
            let bad = which.saturating_sub(usize::from(known.enabled));
            login.known = Some(known);
            login.no_good(bad)
        }
        Ok(None) => login.failed(LoginFailure::Credentials, reason(LoginFailure::Credentials)),
        Err(Unavailable(_)) => login.failed(LoginFailure::Unavailable, reason(LoginFailure::Unavailable)),
    }
}
