//! What a mail program or another server asks the web for: how an account of a domain is set up (Thunderbird's autoconfig, Outlook's
//! autodiscover), and that mail for the domain comes by TLS (MTA-STS, RFC 8461). And what an authority asks that is to vouch for a name (ACME,
//! RFC 8555 §8.3).
//!
//! One request, one answer, then the connection is closed. An answer depends on the domain alone: nothing tells whether a user exists.
//!
//! Must not know: mailboxes, passwords, sockets.

mod answers;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use acme::Tokens;
use bytes::Buf;
use directory::Directory;
use net::{Conn, ConnError};
use shared::{Address, DomainName};
use tokio::time::Instant;

use answers::Answer;
use request::{HEAD_MAX_BYTES, REQUEST_TIMEOUT, Request};

/// RFC 8555 §8.3
const CHALLENGE: &str = "/.well-known/acme-challenge/";

/// A service of this server as mail programs reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    pub service: Service,
    pub port: u16,
    /// From the first byte; else by STARTTLS.
    pub tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Imap,
    Pop3,
    Submission,
}

/// What all sessions share.
pub struct Server {
    directory: Directory,
    /// Best first.
    reaches: Vec<Reach>,
    tokens: Tokens,
}

impl Server {
    pub fn new(directory: Directory, reaches: Vec<Reach>, tokens: Tokens) -> Arc<Self> {
        Arc::new(Self {
            directory,
            reaches,
            tokens,
        })
    }
}

/// Serves a connection to its end.
pub async fn serve(mut conn: Conn, server: Arc<Server>) {
    match answer(&mut conn, &server).await {
        Ok(answer) => {
            conn.output().extend_from_slice(&answer.to_bytes());
            conn.session().set_reason("answered");
            conn.close().await;
        }
        Err(error) => conn.session().set_reason(error.reason()),
    }
}

async fn answer(conn: &mut Conn, server: &Server) -> Result<Answer, ConnError> {
    conn.session().set_state("request");
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    let end = loop {
        if let Some(at) = memchr::memmem::find(conn.input(), b"\r\n\r\n") {
            break at + 4;
        }
        if conn.input().len() > HEAD_MAX_BYTES {
            return Ok(Answer::refusal(431));
        }
        fill(conn, deadline).await?;
    };
    let mut request = match Request::parse(conn.input().get(..end).unwrap_or_default()) {
        Ok(request) => request,
        Err(status) => return Ok(Answer::refusal(status)),
    };
    conn.input().advance(end);
    while conn.input().len() < request.body_bytes {
        fill(conn, deadline).await?;
    }
    request.body = conn.input().split_to(request.body_bytes).to_vec();
    Ok(server.answer(&request).await)
}

async fn fill(conn: &mut Conn, deadline: Instant) -> Result<(), ConnError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ConnError::Timeout);
    }
    conn.fill(left).await.map(drop)
}

impl Server {
    async fn answer(&self, request: &Request) -> Answer {
        let path = request.path.to_ascii_lowercase();
        let get = matches!(request.method.as_str(), "GET" | "HEAD");
        let answer = match path.as_str() {
            "/mail/config-v1.1.xml" | "/.well-known/autoconfig/mail/config-v1.1.xml" if get => {
                let asked = request.query("emailaddress").and_then(|text| domain_of(&text));
                let asked = asked.or_else(|| request.host_below("autoconfig"));
                self.for_domain(asked, |domain| {
                    answers::autoconfig(domain, &self.hostname(), &self.reaches)
                })
                .await
            }
            "/autodiscover/autodiscover.xml" if request.method == "POST" => {
                let address = request.address_in_body();
                let asked = address.as_ref().map(|address| address.domain().clone());
                self.for_domain(asked, |_| {
                    answers::autodiscover(address.as_ref(), &self.hostname(), &self.reaches)
                })
                .await
            }
            "/.well-known/mta-sts.txt" if get && self.directory.settings().flag("mta-sts.publish") => {
                let asked = request.host_below("mta-sts");
                self.for_domain(asked, |_| answers::mta_sts(&self.hostname()))
                    .await
            }
            // In the case in which the token was given.
            _ if get => match request
                .path
                .strip_prefix(CHALLENGE)
                .and_then(|token| self.tokens.get(token))
            {
                Some(authorization) => answers::challenge(authorization),
                None => Answer::refusal(404),
            },
            _ => Answer::refusal(404),
        };
        if request.method == "HEAD" {
            answer.without_body()
        } else {
            answer
        }
    }

    fn hostname(&self) -> String {
        self.directory.settings().text("server.hostname").to_owned()
    }

    /// The answer for a domain of this server; others are not known here.
    async fn for_domain(
        &self,
        domain: Option<DomainName>,
        answer: impl FnOnce(&DomainName) -> Answer,
    ) -> Answer {
        let Some(domain) = domain else {
            return Answer::refusal(404);
        };
        match self.directory.is_local_domain(&domain).await {
            Ok(true) => answer(&domain),
            Ok(false) => Answer::refusal(404),
            Err(_) => Answer::refusal(503),
        }
    }
}

/// Of an address, or a domain alone.
fn domain_of(text: &str) -> Option<DomainName> {
    match Address::parse(text) {
        Ok(address) => Some(address.domain().clone()),
        Err(_) => DomainName::parse(text).ok(),
    }
}
