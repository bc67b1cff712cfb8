//! LOGIN and AUTHENTICATE (RFC 9051 §6.2.2, §6.2.3; RFC 4959).

use std::sync::Arc;
use std::time::Duration;

use bytes::BufMut;
use directory::{Account, LoginFailure, LoginStep};
use wire::imap::{Authenticate, Framer, Line, Secret};

use crate::reply::{Answer, End, Outcome};
use crate::session::{Session, User};

/// One response to a challenge, in base64 (RFC 4422 has no limit; RFC 7616 needs 4 KiB).
const RESPONSE_MAX_BYTES: usize = 16 * 1024;
/// Challenges of one login.
const STEPS_MAX: usize = 16;

impl Session {
    pub(crate) async fn login(&mut self, user: &[u8], password: &Secret) -> Outcome {
        if !self.conn.is_secure() {
            return Ok(failure(LoginFailure::NeedsTls));
        }
        let (Ok(user), Ok(password)) = (std::str::from_utf8(user), std::str::from_utf8(password.expose()))
        else {
            return Ok(failure(LoginFailure::Credentials));
        };
        let step = self
            .server
            .directory
            .login_plain(user, password, self.login_context())
            .await;
        Ok(match step {
            LoginStep::Success { account } => self.enter(account),
            LoginStep::Failure(reason) => failure(reason),
            LoginStep::Challenge(_) => failure(LoginFailure::Malformed),
        })
    }

    pub(crate) async fn authenticate(&mut self, args: Authenticate) -> Outcome {
        let mut initial = None;
        if let Some(text) = &args.initial {
            match wire::base64::decode(text.expose()) {
                Some(bytes) => initial = Some(bytes),
                None => return Ok(failure(LoginFailure::Malformed)),
            }
        }
        let context = self.login_context();
        let directory = self.server.directory.clone();
        let (mut login, mut step) = directory
            .login(&args.mechanism, initial.as_deref(), context)
            .await;
        for _ in 0..STEPS_MAX {
            let challenge = match step {
                LoginStep::Challenge(challenge) => challenge,
                LoginStep::Failure(reason) => return Ok(failure(reason)),
                LoginStep::Success { account } => return Ok(self.enter(account)),
            };
            step = match self.challenge(&challenge).await? {
                Ok(response) => login.step(&response).await,
                Err(answer) => return Ok(answer),
            };
        }
        Ok(failure(LoginFailure::Malformed))
    }

    /// Sends a challenge and waits for the response.
    async fn challenge(&mut self, challenge: &[u8]) -> Result<Result<Vec<u8>, Answer>, End> {
        let out = self.conn.output();
        out.put_slice(b"+ ");
        out.put_slice(wire::base64::encode(challenge).as_bytes());
        out.put_slice(b"\r\n");
        self.conn.flush().await?;
        loop {
            match Framer::line(self.conn.input(), RESPONSE_MAX_BYTES) {
                Line::NeedMore => {
                    let timeout = self.timeout();
                    self.conn.fill(timeout).await?;
                }
                Line::TooLong => return Err(End::Bye("response too long")),
                Line::Line { text_len, len } => {
                    let line = self.conn.input().split_to(len);
                    let text = line.get(..text_len).unwrap_or_default();
                    if text == b"*" {
                        return Ok(Err(failure(LoginFailure::Cancelled)));
                    }
                    return Ok(wire::base64::decode(text).ok_or_else(|| failure(LoginFailure::Malformed)));
                }
            }
        }
    }

    fn enter(&mut self, account: Arc<Account>) -> Answer {
        let settings = self.server.directory.settings();
        let handle = self.conn.session();
        handle.set_user(&account.address.to_string());
        handle.set_state("authenticated");
        self.user = Some(User {
            home: self.server.mailboxes.owner(account.owner).by(self.origin),
            account,
            append_max_bytes: settings.number("smtp.message-size-max"),
            timeout: Duration::from_secs(settings.number("imap.timeout")),
        });
        self.switch();
        Answer::ok("logged in").with(format!("CAPABILITY {}", self.capabilities()))
    }
}

/// Never says whether it was the user or the password.
fn failure(reason: LoginFailure) -> Answer {
    match reason {
        LoginFailure::Credentials => Answer::no("wrong user or password").with("AUTHENTICATIONFAILED"),
        LoginFailure::NeedsTls => Answer::no("not without TLS").with("PRIVACYREQUIRED"),
        LoginFailure::Mechanism => Answer::no("no such mechanism here").with("CANNOT"),
        LoginFailure::Malformed => Answer::bad("malformed response"),
        LoginFailure::Cancelled => Answer::bad("cancelled"),
        LoginFailure::Protocol => Answer::no("this user may not use IMAP").with("AUTHORIZATIONFAILED"),
        LoginFailure::TooMany => {
            Answer::no("too many failed logins, try again later").with("AUTHENTICATIONFAILED")
        }
        LoginFailure::Unavailable => {
            Answer::no("logins can't be checked now, try again later").with("UNAVAILABLE")
        }
    }
}
