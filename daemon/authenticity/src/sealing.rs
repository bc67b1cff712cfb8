//! Sealing mail that is handed on (RFC 8617 §5.1): what this server found out about it when it came is told to whoever gets it next.
//!
//! Sealed is only what was checked here: the results are read from the field that this server put on top. A chain that is broken already, or
//! could not be checked, is left as it is.

use std::sync::Arc;

use shared::DomainName;
use wire::message::{Field, header_end};

use crate::arc::Chain;
use crate::canonical::{BodyHash, Form, field};
use crate::fields::Fields;
use crate::key::Algorithm;
use crate::secret::SigningKey;
use crate::signing::{folded_names, sign, signed_names};

/// A message that is being sealed.
pub struct Sealing {
    keys: Arc<[SigningKey]>,
    /// The one that seals.
    key: usize,
    server: String,
    /// The number of the new set.
    instance: u64,
    /// The earlier sets in canonical form.
    before: Vec<u8>,
    /// The methods with their results, as they stand in the field of this server.
    methods: String,
    names: String,
    header: Vec<u8>,
    body: BodyHash,
}

impl Sealing {
    /// `text`: the header, which begins with what this server put on top (without Return-Path), and perhaps some of the body. `None`: it was
    /// not checked here, or there is nothing that could be sealed.
    pub fn new(text: &[u8], server: &str, keys: Arc<[SigningKey]>) -> Option<Self> {
        let (header, body) = text.split_at(header_end(text));
        let fields = Fields::new(header);
        let own = wire::message::headers(header).next()?;
        let methods = own_methods(&own, server)?;
        let verdict = methods
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("arc="))
            .map(|rest| rest.split([' ', ';']).next().unwrap_or_default());
        let chain = Chain::read(&fields);
        let instance = match (&chain, verdict) {
            (Chain::None, None) => 1,
            (Chain::Whole { sets, .. }, Some("pass")) => sets.len() as u64 + 1,
            _ => return None,
        };
        // RFC 8617 knows RSA alone; others take a seal by Ed25519 for a broken one.
        let key = keys
            .iter()
            .position(|key| key.pair.algorithm() == Algorithm::RsaSha256)?;
        if instance > crate::arc::SETS_MAX_COUNT {
            return None;
        }
        let mut names = signed_names(&fields);
        names.extend(fields.named("dkim-signature").map(|_| "dkim-signature"));
        let mut sealing = Self {
            keys,
            key,
            server: server.to_owned(),
            instance,
            before: chain.canonical(),
            methods,
            header: fields.signed(names.iter().copied(), Form::Relaxed),
            names: names.join(":"),
            body: BodyHash::new(Form::Relaxed, None),
        };
        sealing.feed(body);
        Some(sealing)
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.body.feed(bytes);
    }

    /// The three fields to be put on top. `now`: Unix seconds. `None`: the system gives no random bytes.
    pub fn finish(self, now: u64) -> Option<Vec<u8>> {
        let key = self.keys.get(self.key)?;
        let body = wire::base64::encode(self.body.finish()?.as_ref());
        let (instance, algorithm) = (self.instance, key.pair.algorithm().name());
        let (domain, selector): (&DomainName, &str) = (&key.domain, &key.selector);
        let results = format!(
            "ARC-Authentication-Results: i={instance}; {}{}\r\n",
            self.server, self.methods
        );
        let message = format!(
            "ARC-Message-Signature: i={instance}; a={algorithm}; c=relaxed/relaxed;\r\n\td={domain}; s={selector}; t={now};\r\n\
             \th={};\r\n\tbh={body};\r\n\tb=",
            folded_names(&self.names),
        );
        let message = sign(key, &self.header, message)?;
        let mut covered = self.before;
        field(Form::Relaxed, results.as_bytes(), &mut covered);
        field(Form::Relaxed, message.as_bytes(), &mut covered);
        let verdict = if instance == 1 { "none" } else { "pass" };
        let seal = format!(
            "ARC-Seal: i={instance}; a={algorithm}; cv={verdict};\r\n\td={domain}; s={selector}; t={now};\r\n\tb="
        );
        let seal = sign(key, &covered, seal)?;
        Some([seal, message, results].concat().into_bytes())
    }
}

/// What stands behind the name of this server in the field that it put on top.
fn own_methods(own: &Field<'_>, server: &str) -> Option<String> {
    if !own.is("Authentication-Results") {
        return None;
    }
    let value = std::str::from_utf8(own.value).ok()?;
    let (name, _) = value.split_once(';')?;
    let is_own = name.trim_start().split(' ').next() == Some(server);
    is_own.then(|| value[name.len()..].to_owned())
}
