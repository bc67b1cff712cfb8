//! APOP (RFC 1939 §7): a digest of the password and of what the greeting said. Only where a domain has it on, since the server has to
//! keep the passwords themselves for it.

use std::time::{SystemTime, UNIX_EPOCH};

use directory::LoginStep;

use crate::session::{Next, Session};
use crate::{login, replies};

/// What the greeting ends with, different each time; `None` if the system gives no random bytes: then there is no APOP.
pub(crate) fn timestamp(hostname: &str) -> Option<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(format!(
        "<{:x}.{}@{hostname}>",
        u64::from_be_bytes(bytes),
        now.as_secs()
    ))
}

pub(crate) async fn apop(session: &mut Session, user: &str, digest: &str) -> Next {
    let Some(timestamp) = session.timestamp.clone() else {
        session.err(replies::NO_APOP);
        return Next::Go;
    };
    let context = login::context(session);
    let step = session
        .server
        .directory
        .login_apop(user, digest, &timestamp, context)
        .await;
    match step {
        LoginStep::Success { account } => {
            login::enter(session, &account).await;
            Next::Go
        }
        LoginStep::Failure(failure) => login::refuse(session, failure),
        // APOP has no challenge but the greeting.
        LoginStep::Challenge(_) => Next::Go,
    }
}
