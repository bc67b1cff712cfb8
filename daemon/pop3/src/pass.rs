//! PASS (RFC 1939 §7).

use directory::{LoginFailure, LoginStep};

use crate::session::{Next, Session};
use crate::{login, replies};

pub(crate) async fn pass(session: &mut Session, password: &str) -> Next {
    let Some(user) = session.user.take() else {
        session.err(replies::NEEDS_USER);
        return Next::Go;
    };
    let context = login::context(session);
    match session
        .server
        .directory
        .login_plain(&user, password, context)
        .await
    {
        LoginStep::Success { account } => {
            login::enter(session, &account).await;
            Next::Go
        }
        LoginStep::Failure(failure) => login::refuse(session, failure),
        // A password is all there is to say.
        LoginStep::Challenge(_) => login::refuse(session, LoginFailure::Malformed),
    }
}
