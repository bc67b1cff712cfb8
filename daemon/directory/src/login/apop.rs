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
        let known = known.filter(|known| known.enabled && known.mechanisms.has("APOP"));
        let owner = known.as_ref().map_or(NOBODY, |known| known.account.owner);
        let stored = core.stored(owner).await?;
        // The same work for a user who does not exist.
        let password = stored.and_then(|stored| stored.plain);
        let right = wire::sasl::apop_is(digest, timestamp, password.as_deref().unwrap_or_default());
        Ok(known.filter(|_| right && password.is_some()))
    };
    match found.await {
        Ok(Some(known)) => login.succeeded(known.account, None),
        Ok(None) => login.failed(LoginFailure::Credentials, reason(LoginFailure::Credentials)),
        Err(Unavailable(_)) => login.failed(LoginFailure::Unavailable, reason(LoginFailure::Unavailable)),
    }
}
