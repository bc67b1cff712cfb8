//! AUTH (RFC 5034): a SASL login through the directory.

use bytes::Buf;
use directory::LoginStep;
use net::ConnError;
use wire::base64;

use crate::session::{Next, Session};
use crate::{login, replies};

pub(crate) async fn auth(
    session: &mut Session,
    mechanism: Option<&str>,
    initial: Option<&[u8]>,
) -> Result<Next, ConnError> {
    let context = login::context(session);
    let Some(mechanism) = mechanism else {
        list(session);
        return Ok(Next::Go);
    };
    session.conn.session().set_state("AUTH");
    let (mut login, mut step) = session.server.directory.login(mechanism, initial, context).await;
    loop {
        match step {
            LoginStep::Challenge(challenge) => match respond(session, &challenge).await? {
                Some(response) => step = login.step(&response).await,
                None => return Ok(Next::Go),
            },
            LoginStep::Success { account } => {
                login::enter(session, &account).await;
                return Ok(Next::Go);
            }
            LoginStep::Failure(failure) => return Ok(login::refuse(session, failure)),
        }
    }
}

/// Old clients ask so what there is.
fn list(session: &mut Session) {
    let mechanisms = session.server.directory.mechanisms(&login::context(session));
    session.ok(replies::MECHANISMS);
    for mechanism in mechanisms {
        session.raw(mechanism);
        session.raw("\r\n");
    }
    session.raw(".\r\n");
}

/// Sends a challenge and reads the answer; `None`: the exchange is over and was answered.
async fn respond(session: &mut Session, challenge: &[u8]) -> Result<Option<Vec<u8>>, ConnError> {
    session.raw("+ ");
    session.raw(&base64::encode(challenge));
    session.raw("\r\n");
    let Some(end) = session.line().await? else {
        return Ok(None);
    };
    let line = session.conn.input().get(..end).unwrap_or_default();
    let answer = match line.strip_suffix(b"\r\n") {
        Some(b"*") => Err(replies::CANCELLED),
        Some(text) => base64::decode(text).ok_or(replies::BAD_BASE64),
        None => Err(replies::BAD_BASE64),
    };
    session.conn.input().advance(end);
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(text) => {
            session.err(text);
            Ok(None)
        }
    }
}
