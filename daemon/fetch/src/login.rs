//! Which way to log in: the best that both know, and none that shows the password to whoever listens.

use shared::external::ExternalMechanism;
use wire::sasl::Mechanism;
use wire::sasl::client::Client;

use crate::problem::{Problem, quote};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Sasl(Mechanism),
    /// POP3 (RFC 1939 §7).
    Apop,
    /// POP3's USER and PASS, IMAP's LOGIN.
    Login,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sasl(mechanism) => mechanism.name(),
            Self::Apop => "APOP",
            Self::Login => "LOGIN",
        }
    }
}

/// What the server offers on this connection.
pub(crate) struct Offers<'a> {
    /// SASL mechanisms by their names.
    pub(crate) sasl: Vec<&'a str>,
    pub(crate) apop: bool,
    pub(crate) login: bool,
    /// The connection shows nobody what is said.
    pub(crate) secure: bool,
}

/// In this order: the second is tried if the first is refused, since a server may keep passwords in a form that serves some mechanisms only; but
/// not after a proof was given and none came back ([`Client::has_proved`]).
pub(crate) fn ways(wanted: ExternalMechanism, offers: &Offers<'_>) -> Result<Vec<Way>, Problem> {
    let offered = |mechanism: Mechanism| {
        offers
            .sasl
            .iter()
            .any(|name| Mechanism::from_name(name) == Some(mechanism))
    };
    let hidden = [
        (offered(Mechanism::ScramSha256), Way::Sasl(Mechanism::ScramSha256)),
        (offered(Mechanism::CramMd5), Way::Sasl(Mechanism::CramMd5)),
        (offers.apop, Way::Apop),
    ];
    let plain = [
        (offered(Mechanism::Plain), Way::Sasl(Mechanism::Plain)),
        (offers.login, Way::Login),
        (offered(Mechanism::Login), Way::Sasl(Mechanism::Login)),
    ];
    let first = |ways: &[(bool, Way)]| ways.iter().find(|(offered, _)| *offered).map(|(_, way)| *way);
    let only = |way: Way| {
        let known = hidden.iter().chain(plain.iter().filter(|_| offers.secure));
        known
            .filter(|(offered, known)| *offered && *known == way)
            .map(|(_, way)| *way)
            .collect()
    };
    let ways: Vec<Way> = match wanted {
        ExternalMechanism::Auto => {
            let plain = first(&plain).filter(|_| offers.secure);
            first(&hidden).into_iter().chain(plain).collect()
        }
        ExternalMechanism::ScramSha256 => only(Way::Sasl(Mechanism::ScramSha256)),
        ExternalMechanism::CramMd5 => only(Way::Sasl(Mechanism::CramMd5)),
        ExternalMechanism::Plain => only(Way::Sasl(Mechanism::Plain)),
        ExternalMechanism::Apop => only(Way::Apop),
        ExternalMechanism::Login => only(Way::Login),
    };
    if ways.is_empty() {
        return Err(Problem::NoMechanism(quote(offers.sasl.join(" ").as_bytes())));
    }
    Ok(ways)
}

/// A mechanism's client side with a nonce of its own.
pub(crate) fn client(mechanism: Mechanism, user: &str, password: &str) -> Result<Client, Problem> {
    let mut nonce = [0; 18];
    getrandom::fill(&mut nonce).map_err(|error| Problem::Store(error.to_string()))?;
    // Base64 has no comma.
    let nonce = wire::base64::encode(&nonce);
    Client::new(mechanism, user, password, &nonce)
        .ok_or_else(|| Problem::NoMechanism(mechanism.name().to_owned()))
}

/// A server that should show that it knows the password, too, does not.
pub(crate) fn no_proof() -> Problem {
    Problem::Login("the server does not show that it knows the password".to_owned())
}

/// The answer to a challenge; none: nothing fits it. SCRAM stretches the password, which takes a while: off the runtime's threads.
pub(crate) async fn respond(
    mut client: Client,
    challenge: Vec<u8>,
) -> Result<(Client, Option<Vec<u8>>), Problem> {
    let work = tokio::task::spawn_blocking(move || {
        let response = client.respond(&challenge);
        (client, response)
    });
    work.await.map_err(|error| Problem::Store(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown_to_whoever_listens() {
        let auto = ExternalMechanism::Auto;
        let names = |wanted, sasl: &[&'static str], apop, secure| {
            let offers = Offers {
                sasl: sasl.to_vec(),
                apop,
                login: true,
                secure,
            };
            ways(wanted, &offers).map_or_else(
                |_| "none".to_owned(),
                |ways| ways.iter().map(|way| way.name()).collect::<Vec<_>>().join(" "),
            )
        };
        let all = [
            "PLAIN",
            "LOGIN",
            "CRAM-MD5",
            "SCRAM-SHA-256",
            "SCRAM-SHA-256-PLUS",
        ];
        for (wanted, sasl, apop, secure, expected) in [
            (auto, &all[..], true, true, "SCRAM-SHA-256 PLAIN"),
            (auto, &all[..], true, false, "SCRAM-SHA-256"),
            (auto, &all[..3], true, true, "CRAM-MD5 PLAIN"),
            (auto, &all[..2], true, true, "APOP PLAIN"),
            (auto, &[], true, false, "APOP"),
            (auto, &[], false, true, "LOGIN"),
            (auto, &all[..2], false, false, "none"),
            (ExternalMechanism::Plain, &all[..], true, true, "PLAIN"),
            (ExternalMechanism::Plain, &all[..], true, false, "none"),
            (ExternalMechanism::Login, &all[..], true, false, "none"),
            (ExternalMechanism::CramMd5, &all[..2], true, true, "none"),
            (ExternalMechanism::Apop, &all[..], false, true, "none"),
        ] {
            assert_eq!(
                names(wanted, sasl, apop, secure),
                expected,
                "{wanted:?} {sasl:?} {apop} {secure}"
            );
        }
    }
}
