//! An authority that is scripted: it does what one should, or what a test wants instead.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// As a status: the connection ends without an answer.
pub(super) const HANGS_UP: &str = "hangs up";

/// What the authority answers once instead of what it would: status line, further fields, body.
pub(super) type Instead = (&'static str, &'static str, String);

#[derive(Default)]
pub(super) struct Script {
    /// By path; used up from the first on.
    pub(super) instead: HashMap<&'static str, Vec<Instead>>,
    /// Path, protected header and payload of each signed request.
    pub(super) seen: Vec<(String, Value, Value)>,
    pub(super) names: Vec<String>,
    pub(super) csr: Vec<u8>,
    pub(super) answered: bool,
    /// What the web shows at the moment of the challenge.
    pub(super) tokens: Option<Tokens>,
    pub(super) shown: Option<String>,
    pub(super) nonces: u64,
    /// For which names certificates are given instead of those asked for.
    pub(super) gives: Option<Vec<String>>,
    /// What is said of the renewal of any certificate; `None`: the authority says nothing of it.
    pub(super) renewal: Option<Value>,
    /// The certificates of which it was asked.
    pub(super) looked: Vec<String>,
    /// What is asked of this path waits.
    pub(super) gate: Option<(&'static str, Gate)>,
}

/// Shows that a question has come, and holds its answer back.
#[derive(Clone, Default)]
pub(super) struct Gate {
    pub(super) reached: Arc<Notify>,
    pub(super) open: Arc<Notify>,
}

#[derive(Clone)]
pub(super) struct Authority {
    pub(super) at: String,
    pub(super) script: Arc<Mutex<Script>>,
}

impl Authority {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = Self {
            at: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::default(),
        };
        let serving = authority.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.serve(stream).await;
            }
        });
        authority
    }

    pub(super) fn instead(
        &self,
        path: &'static str,
        status: &'static str,
        fields: &'static str,
        body: Value,
    ) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut script = self.script.lock();
        script
            .instead
            .entry(path)
            .or_default()
            .push((status, fields, body));
    }

    pub(super) fn asked(&self, path: &str) -> Vec<(Value, Value)> {
        let script = self.script.lock();
        let seen = script.seen.iter().filter(|(asked, _, _)| asked == path);
        seen.map(|(_, protected, payload)| (protected.clone(), payload.clone()))
            .collect()
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut input = Vec::new();
        let (head, length) = loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            input.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&input).to_ascii_lowercase();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let length = head
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.lines().next());
                break (head.len() + 4, length.map_or(0, |length| length.parse().unwrap()));
            }
        };
        while input.len() < head + length {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            input.extend_from_slice(&piece[..read]);
        }
        let text = String::from_utf8(input).unwrap();
        let path = text.split(' ').nth(1).unwrap().to_owned();
        let gate = self.script.lock().gate.clone();
        if let Some((_, gate)) = gate.filter(|(gated, _)| *gated == path) {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        let answer = self.answer(&path, &text[head..]);
        if answer.contains(HANGS_UP) {
            return;
        }
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    fn answer(&self, path: &str, body: &str) -> String {
        let mut script = self.script.lock();
        if let Ok(signed) = serde_json::from_str::<Value>(body) {
            let part = |name: &str| URL_SAFE_NO_PAD.decode(signed[name].as_str().unwrap()).unwrap();
            let protected = serde_json::from_slice(&part("protected")).unwrap();
            let payload = serde_json::from_slice(&part("payload")).unwrap_or_default();
            script.seen.push((path.to_owned(), protected, payload));
        }
        script.nonces += 1;
        let nonce = format!("Replay-Nonce: nonce{}\r\n", script.nonces);
        let instead = script.instead.get_mut(path).filter(|left| !left.is_empty());
        let (status, fields, body) = match instead.map(|left| left.remove(0)) {
            Some((status, fields, body)) => (status, fields.to_owned(), body),
            None => self.usual(path, &mut script),
        };
        format!(
            "HTTP/1.1 {status}\r\n{nonce}{fields}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn usual(&self, path: &str, script: &mut Script) -> (&'static str, String, String) {
        let url = |path: &str| format!("{}{path}", self.at);
        let location = |path: &str| format!("Location: {}\r\n", url(path));
        let payload = script
            .seen
            .last()
            .map(|(_, _, payload)| payload.clone())
            .unwrap_or_default();
        let order = |script: &Script| {
            let status = match (script.answered, script.csr.is_empty()) {
                (false, _) => "pending",
                (true, true) => "ready",
                (true, false) => "valid",
            };
            json!({"status": status, "authorizations": [url("/authz")], "finalize": url("/finalize"),
                "certificate": url("/certificate")})
        };
        if let Some(name) = path.strip_prefix("/renewal/") {
            script.looked.push(name.to_owned());
            let said = script.renewal.clone().unwrap_or_default();
            return ("200 OK", "Retry-After: 7200\r\n".to_owned(), said.to_string());
        }
        let (fields, body) = match path {
            "/dir" if script.renewal.is_some() => (
                String::new(),
                json!({"newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order"),
                    "renewalInfo": url("/renewal")}),
            ),
            "/dir" => (
                String::new(),
                json!({"newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order"),
                    "keyChange": url("/key-change"), "revokeCert": url("/revoke"), "meta": {"termsOfService": "https://ca.test/terms"}}),
            ),
            "/key-change" | "/revoke" => (String::new(), json!({})),
            "/nonce" => (String::new(), Value::Null),
            "/account" => (location("/account/1"), json!({"status": "valid"})),
            "/order" => {
                let asked = payload["identifiers"].as_array().unwrap();
                script.names = asked
                    .iter()
                    .map(|one| one["value"].as_str().unwrap().to_owned())
                    .collect();
                (script.answered, script.csr) = (false, Vec::new());
                (location("/order/1"), order(script))
            }
            "/order/1" => (String::new(), order(script)),
            "/authz" => (String::new(), self.authorization(script)),
            "/challenge" => {
                script.answered = true;
                script.shown = script.tokens.as_ref().and_then(|tokens| tokens.get("token-1"));
                (String::new(), json!({"status": "processing"}))
            }
            "/finalize" => {
                script.csr = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().unwrap()).unwrap();
                (String::new(), order(script))
            }
            "/certificate" => {
                let names = script.gives.as_ref().unwrap_or(&script.names);
                return ("200 OK", String::new(), certificate(names, &script.csr));
            }
            other => panic!("{other} was asked for"),
        };
        ("200 OK", fields, body.to_string())
    }

    fn authorization(&self, script: &Script) -> Value {
        let status = if script.answered { "valid" } else { "pending" };
        json!({"status": status, "identifier": {"type": "dns", "value": script.names[0]},
            "challenges": [{"type": "http-01", "url": format!("{}/challenge", self.at), "token": "token-1"}]})
    }
}

/// The key that a request is for: what a request on P-256 has after this (RFC 5480 §2).
struct Requested(Vec<u8>);

impl Requested {
    fn of(csr: &[u8]) -> Self {
        let mark = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00];
        let at = csr.windows(mark.len()).position(|bytes| bytes == mark).unwrap() + mark.len();
        Self(csr[at..at + 65].to_vec())
    }
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn certificate(names: &[String], csr: &[u8]) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(params, KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    params.use_authority_key_identifier_extension = true;
    let now = std::time::SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + Duration::from_hours(24 * 90)).into();
    params.signed_by(&Requested::of(csr), &issuer).unwrap().pem()
}
