//! AUTH (RFC 4954): a SASL login through the directory.

use bytes::Buf;
use directory::{LoginContext, LoginFailure, LoginStep};
use net::ConnError;
use shared::model::Protocol;
use wire::base64;

use crate::session::{Next, Session};
use crate::{Role, replies};

pub(crate) async fn auth(
    session: &mut Session,
    mechanism: &str,
    initial: Option<&[u8]>,
) -> Result<Next, ConnError> {
    let refusal = match () {
        () if session.role == Role::Lmtp => Some(replies::NOT_IMPLEMENTED),
        () if !session
            .greeting
            .as_ref()
            .is_some_and(|greeting| greeting.extended) =>
        {
            Some(replies::NEEDS_EHLO)
        }
        () if session.account.is_some() => Some(replies::LOGGED_IN_ALREADY),
        () if session.transaction.is_some() => Some(replies::IN_TRANSACTION),
        () => None,
    };
    if let Some(reply) = refusal {
        session.refuse(reply);
        return Ok(Next::Go);
    }
    session.conn.session().set_state("AUTH");
    let context = context(session);
    let (mut login, mut step) = session.server.directory.login(mechanism, initial, context).await;
    loop {
        match step {
            LoginStep::Challenge(challenge) => match respond(session, &challenge).await? {
                Some(response) => step = login.step(&response).await,
                None => return Ok(Next::Go),
            },
            LoginStep::Success { account } => {
                session.conn.session().set_user(&account.address.to_string());
                session.account = Some(account);
                session.reply(replies::LOGGED_IN);
                return Ok(Next::Go);
            }
            LoginStep::Failure(failure) => return Ok(refuse(session, failure)),
        }
    }
}

/// What the directory is told of the connection.
pub(crate) fn context(session: &Session) -> LoginContext {
    let conn = &session.conn;
    let kinds = [tls::EXPORTER, tls::SERVER_END_POINT];
    LoginContext {
        protocol: if session.role == Role::Submission {
            Protocol::Submission
        } else {
            Protocol::Smtp
        },
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

/// Sends a challenge and reads the answer; `None`: the exchange is over and was answered.
async fn respond(session: &mut Session, challenge: &[u8]) -> Result<Option<Vec<u8>>, ConnError> {
    session.reply("334 ");
    session.reply(&base64::encode(challenge));
    session.reply("\r\n");
    let Some(end) = session.line().await? else {
        return Ok(None);
    };
    let line = session.conn.input().get(..end).unwrap_or_default();
    let answer = match line.strip_suffix(b"\r\n") {
        Some(b"*") => Err(replies::LOGIN_CANCELLED),
        Some(text) => base64::decode(text).ok_or(replies::BAD_BASE64),
        None => Err(replies::BAD_BASE64),
    };
    session.conn.input().advance(end);
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(reply) => {
            session.refuse(reply);
            Ok(None)
        }
    }
}

fn refuse(session: &mut Session, failure: LoginFailure) -> Next {
    let reply = match failure {
        LoginFailure::Credentials => replies::LOGIN_REFUSED,
        LoginFailure::NeedsTls => replies::LOGIN_NEEDS_TLS,
        LoginFailure::Mechanism => replies::NO_SUCH_MECHANISM,
        LoginFailure::Malformed => replies::LOGIN_MALFORMED,
        LoginFailure::Cancelled => replies::LOGIN_CANCELLED,
        LoginFailure::Protocol => replies::LOGIN_NOT_ALLOWED,
        LoginFailure::Unavailable => replies::LOGIN_UNAVAILABLE,
        LoginFailure::TooMany => {
            session.reply(replies::TOO_MANY_LOGINS);
            return Next::Close;
        }
    };
    session.refuse(reply);
    Next::Go
}
