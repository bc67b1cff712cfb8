//! What PASS and AUTH have in common: the connection as the directory sees it, failures, and the opening of the maildrop.

use std::sync::Arc;

use directory::{Account, LoginContext, LoginFailure};
use shared::model::Protocol;

use crate::delay;
use crate::maildrop::Maildrop;
use crate::replies::{self, Text};
use crate::session::{Next, Session};

/// What the directory is told of the connection.
pub(crate) fn context(session: &Session) -> LoginContext {
    let conn = &session.conn;
    let kinds = [tls::EXPORTER, tls::SERVER_END_POINT];
    LoginContext {
        protocol: Protocol::Pop3,
        peer: conn.peer().ip(),
        secure: conn.is_secure(),
        tls: conn.is_tls(),
        channel_bindings: kinds
            .into_iter()
            .filter_map(|kind| Some((kind, conn.channel_binding(kind)?)))
            .collect(),
        certificate: conn.client_certificate(),
        scope: conn.session().scope(),
    }
}

/// Opens the maildrop of who logged in (RFC 1939 §4).
pub(crate) async fn enter(session: &mut Session, account: &Arc<Account>) {
    if !delay::may_enter(&session.server, account.owner) {
        return session.err(replies::LOGIN_DELAY);
    }
    // At once, for opening may take a while: whoever ends the sessions of a user must find this one.
    session.conn.session().set_user(&account.address.to_string());
    match Maildrop::open(&session.server, account.owner, session.utf8).await {
        Ok(maildrop) => {
            session.maildrop = Some(Box::new(maildrop));
            session.user = None;
            session.ok(replies::LOGGED_IN);
        }
        Err(text) => {
            session.conn.session().set_user("");
            session.err(text);
        }
    }
}

pub(crate) fn refuse(session: &mut Session, failure: LoginFailure) -> Next {
    session.err(text_of(failure));
    if failure == LoginFailure::TooMany {
        Next::Close
    } else {
        Next::Go
    }
}

fn text_of(failure: LoginFailure) -> Text {
    match failure {
        LoginFailure::Credentials => replies::CREDENTIALS,
        LoginFailure::NeedsTls => replies::NEEDS_TLS,
        LoginFailure::Mechanism => replies::NO_SUCH_MECHANISM,
        LoginFailure::Malformed => replies::MALFORMED,
        LoginFailure::Cancelled => replies::CANCELLED,
        LoginFailure::Protocol => replies::NOT_ALLOWED,
        LoginFailure::TooMany => replies::TOO_MANY_LOGINS,
        LoginFailure::Unavailable => replies::UNAVAILABLE,
    }
}
