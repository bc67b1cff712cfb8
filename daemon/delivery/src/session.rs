//! A session with another host up to its first transaction: greeting, TLS, login (RFC 5321 §3, RFC 3207, RFC 4954).
//!
//! Must not know: which message it is for.

use std::net::IpAddr;

use events::Scope;
use events::kinds::delivery::{OutgoingEncrypted, OutgoingPlain, OutgoingTlsRefused, OutgoingVerified};
use shared::route::RouteProtocol;
use wire::smtp::reply::Reply;

use crate::Inner;
use crate::aggregate::{Finding, Flaw};
use crate::client::{Client, ClientError, Offers};
use crate::remote::Target;
use crate::security::{Check, Source, Want};
use crate::transaction::Login;
use crate::verdict::{Verdict, replies};

/// A connection over which messages can go.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) offers: Offers,
    /// Messages that went over it.
    pub(crate) messages: u64,
}

/// The host did not get as far as to decide on the message: another one may.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// Other messages need not try it now.
    pub(crate) host_is_down: bool,
    /// It said that it has enough of us.
    pub(crate) has_enough: bool,
    /// It is there, and not who it should be.
    pub(crate) is_insecure: bool,
    /// The message wants TLS all the way, and this host can't promise that.
    pub(crate) lacks_require_tls: bool,
    /// No other host need be tried.
    pub(crate) final_verdict: Option<Verdict>,
}

impl Failure {
    pub(crate) fn down(error: &dyn std::fmt::Display) -> Self {
        Self {
            reason: error.to_string(),
            host_is_down: true,
            ..Self::default()
        }
    }

    fn refused(reply: &Reply) -> Self {
        Self {
            reason: reply.to_string(),
            has_enough: reply.code == 421,
            ..Self::default()
        }
    }

    fn insecure(reason: String) -> Self {
        Self {
            reason,
            is_insecure: true,
            ..Self::default()
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::down(&error)
    }
}

/// Greeting, TLS as it is asked for, login if there is one.
pub(crate) async fn open(inner: &Inner, target: &Target) -> Result<Session, Failure> {
    let mut session = match encrypted(inner, target).await {
        Ok(session) => session,
        Err(failure) => {
            if failure.is_insecure {
                let event = OutgoingTlsRefused {
                    host: target.host.clone(),
                    by: target.security.source.word().to_owned(),
                    reason: failure.reason.clone(),
                };
                inner.parts.events.emit(Scope::default(), event);
            }
            return Err(failure);
        }
    };
    if let Some(login) = &target.login {
        if !session.client.is_tls() && !target.address.ip().is_loopback() {
            return Err(Failure::insecure(
                "530 5.7.10 no TLS, so no password is sent".to_owned(),
            ));
        }
        log_in(&mut session, login).await?;
    }
    Ok(session)
}

async fn encrypted(inner: &Inner, target: &Target) -> Result<Session, Failure> {
    let session = greet(inner, target).await?;
    let security = &target.security;
    let plain = |session: Session, reason: &str| {
        let event = OutgoingPlain {
            host: target.host.clone(),
            reason: reason.to_owned(),
        };
        inner.parts.events.emit(Scope::default(), event);
        session
    };
    if security.want != Want::Never && !session.offers.starttls {
        count(
            inner,
            target,
            session.client.own,
            Some((Flaw::StartTlsNotSupported, "")),
        );
    }
    match (security.want, session.offers.starttls) {
        (Want::Never, _) => Ok(plain(session, "the route says so")),
        (Want::IfOffered, false) => Ok(plain(session, "TLS is not offered")),
        (Want::Must, false) => Err(Failure::insecure("TLS is needed and not offered".to_owned())),
        (Want::Must, true) => secure(inner, session, target).await,
        (Want::IfOffered, true) => match secure(inner, session, target).await {
            Ok(session) => Ok(session),
            // RFC 7435: encryption that fails is no reason to keep the mail.
            Err(failure) => Ok(plain(greet(inner, target).await?, &failure.reason)),
        },
    }
}

async fn greet(inner: &Inner, target: &Target) -> Result<Session, Failure> {
    let timeouts = inner.parts.timeouts;
    let mut client = Client::connect(target.address, timeouts).await?;
    client.lmtp = target.protocol == RouteProtocol::Lmtp;
    let greeting = client.reply(timeouts.greeting).await?;
    if !greeting.is_positive() {
        return Err(Failure::refused(&greeting));
    }
    let settings = inner.parts.directory.settings();
    let own = settings.text("server.hostname");
    let (hello, offers) = client.hello(own).await?;
    if !hello.is_positive() {
        return Err(Failure::refused(&hello));
    }
    let name = hello
        .lines
        .first()
        .and_then(|line| line.split(' ').next())
        .unwrap_or_default();
    // Over LMTP another program of this machine may well have its name.
    if own != "localhost" && name.eq_ignore_ascii_case(own) && !client.lmtp {
        return Err(Failure {
            reason: "the host is this server".to_owned(),
            final_verdict: Some(Verdict::failed(replies::LOOP)),
            ..Failure::default()
        });
    }
    Ok(Session {
        client,
        offers,
        messages: 0,
    })
}

/// STARTTLS, and what is asked of the certificate.
async fn secure(inner: &Inner, session: Session, target: &Target) -> Result<Session, Failure> {
    let mut client = session.client;
    let reply = client.command("STARTTLS").await?;
    if !reply.is_positive() {
        count(
            inner,
            target,
            client.own,
            Some((Flaw::ValidationFailure, "starttls-refused")),
        );
        return Err(Failure::insecure(format!("STARTTLS: {reply}")));
    }
    let (tls, trust, must) = (
        inner.parts.tls.clone(),
        target.security.trust(),
        target.security.must_hold,
    );
    let side = tokio::task::spawn_blocking(move || tls.client(&trust, must)).await;
    let side = side
        .map_err(|error| Failure::down(&error))?
        .map_err(|error| Failure::insecure(error.to_string()))?;
    let own = client.own;
    let started = client.start_tls(side.config.clone(), &target.host).await;
    count(inner, target, own, flaw(target, &side, started.is_ok()));
    let mut client = match started {
        Ok(client) => client,
        Err(error @ ClientError::Tls(_)) => return Err(Failure::insecure(reason(&side, &error))),
        Err(error) => return Err(error.into()),
    };
    let settings = inner.parts.directory.settings();
    let (hello, offers) = client.hello(settings.text("server.hostname")).await?;
    if !hello.is_positive() {
        return Err(Failure::refused(&hello));
    }
    tell(inner, target, side.verified());
    Ok(Session {
        client,
        offers,
        messages: 0,
    })
}

/// What an administrator reads: a foreign error inside the library's own is shown by it as its type.
fn reason(side: &tls::Client, error: &ClientError) -> String {
    let flaw = side.verified().and_then(|found| found.as_ref().err());
    match flaw.and_then(tls::Flaw::of) {
        Some(tls::Flaw::NoRecord) => {
            "TLS: the certificate is none of those that the TLSA records name".to_owned()
        }
        _ => error.to_string(),
    }
}

/// What a report tells of a handshake (RFC 8460 §4.3).
fn flaw(target: &Target, side: &tls::Client, started: bool) -> Option<(Flaw, &'static str)> {
    match side.verified() {
        Some(Err(error)) => {
            Some(tls::Flaw::of(error).map_or((Flaw::ValidationFailure, "handshake"), Flaw::of_certificate))
        }
        _ if !started => Some((Flaw::ValidationFailure, "handshake")),
        None if target.security.source == Source::Dane => Some((Flaw::TlsaInvalid, "no-record-is-usable")),
        _ => None,
    }
}

/// For the report to the recipients' domain, if there is one.
fn count(inner: &Inner, target: &Target, own: Option<IpAddr>, flaw: Option<(Flaw, &'static str)>) {
    let Some(about) = &target.about else { return };
    let finding = flaw.map(|(flaw, reason)| Finding {
        addresses: Some((target.address.ip(), own)),
        ..Finding::new(flaw, reason, &target.host)
    });
    inner.count_tls(about, finding.as_ref());
}

/// Why the connection is as it is.
fn tell(inner: &Inner, target: &Target, found: Option<&Result<(), impl std::fmt::Display>>) {
    let host = target.host.clone();
    let events = &inner.parts.events;
    match found {
        Some(Ok(())) => {
            let by = target.security.source.word().to_owned();
            events.emit(Scope::default(), OutgoingVerified { host, by });
        }
        Some(Err(error)) => {
            let reason = error.to_string();
            events.emit(Scope::default(), OutgoingEncrypted { host, reason });
        }
        None => {
            let reason = match (target.security.source, &target.security.check) {
                (Source::Dane, Check::Nothing) => "no TLSA record can be used",
                _ => "nobody asks for it",
            };
            let reason = reason.to_owned();
            events.emit(Scope::default(), OutgoingEncrypted { host, reason });
        }
    }
}

/// RFC 4954 with PLAIN (RFC 4616) or LOGIN.
async fn log_in(session: &mut Session, login: &Login) -> Result<(), Failure> {
    let Session { client, offers, .. } = session;
    let offered = |name: &str| offers.auth.iter().any(|mechanism| mechanism == name);
    let encode = |text: &str| wire::base64::encode(text.as_bytes());
    let reply = if offered("PLAIN") {
        client
            .command(&format!(
                "AUTH PLAIN {}",
                encode(&format!("\0{}\0{}", login.user, login.password))
            ))
            .await?
    } else if offered("LOGIN") {
        let mut reply = client.command("AUTH LOGIN").await?;
        for answer in [&login.user, &login.password] {
            if reply.is_intermediate() {
                reply = client.command(&encode(answer)).await?;
            }
        }
        reply
    } else {
        return Err(Failure {
            reason: "504 5.5.4 no login that we know is offered".to_owned(),
            ..Failure::default()
        });
    };
    // A wrong password is the administrator's to mend, not the sender's: never a bounce at once.
    if reply.is_positive() {
        Ok(())
    } else {
        Err(Failure::refused(&reply))
    }
}
