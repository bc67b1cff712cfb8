//! One order from its names to the certificate (RFC 8555 §7.4), in two halves.
//!
//! [`begin`]: the names are shown to be ours. After a crash in it a new order is begun, and the authority lets the old one lapse.
//!
//! [`finish`]: the authority makes the certificate, and it is fetched. Before it the caller keeps the order's address and the certificate's key: from then
//! on a certificate may come of it at any time, which is worth nothing without the key, and of which authorities give few. An authority that can't answer is
//! asked again, and after a restart the second half is done again as a whole; whatever of it was done already is not repeated.
//!
//! Must not know: files, when a certificate is wanted, how a challenge is answered.

use std::time::Duration;

use serde_json::{Value, json};

use crate::AcmeError;
use crate::challenge::{Challenge, Solver};
use crate::client::{Client, Patience};
use crate::error::{Problem, retry_after};
use crate::jws::base64url;
use crate::store::Pending;

/// Between two looks at what the authority is working on, if it does not say how long to wait, and at most.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);
const LOOK_AGAIN_AFTER_MAX: Duration = Duration::from_mins(1);
/// How often something is looked at.
const LOOKS_MAX_COUNT: usize = 200;

/// An order of which only the certificate is missing, with a new key. `replaced`: the certificate whose place it is to take (RFC 9773 §5).
pub(crate) async fn begin(
    client: &Client,
    names: &[String],
    replaced: Option<&str>,
    solver: &mut Solver,
) -> Result<Pending, AcmeError> {
    let identifiers: Vec<Value> = names
        .iter()
        .map(|name| json!({"type": "dns", "value": name}))
        .collect();
    let mut wanted = json!({"identifiers": identifiers});
    if let Some(replaced) = replaced {
        wanted["replaces"] = replaced.into();
    }
    let new_order = &client.directory.new_order;
    let (order, answer) = match client.object(new_order, Some(&wanted)).await {
        // It was replaced before, or is not one of this authority's: no reason to be without a new one.
        Err(AcmeError::Problem(problem)) if replaced.is_some() && problem.is_about_the_request() => {
            if let Some(fields) = wanted.as_object_mut() {
                fields.remove("replaces");
            }
            client.object(new_order, Some(&wanted)).await?
        }
        made => made?,
    };
    let url = client.address(&answer.header("location").unwrap_or_default().into())?;
    authorize(client, names, &order, solver).await?;
    let key = rcgen::KeyPair::generate().map_err(|error| AcmeError::Tls(error.to_string()))?;
    Ok(Pending::new(names, url, key.serialize_pem()))
}

/// A certificate with its chain and key, one PEM text.
pub(crate) async fn finish(client: &Client, pending: &Pending) -> Result<String, AcmeError> {
    let request = signing_request(&pending.names, &pending.key)?;
    let mut patience = Patience::default();
    let mut order = look(client, &pending.url, &["ready", "valid"]).await?;
    while order["status"] == "ready" {
        let finalize = client.address(&order["finalize"])?;
        let asked = client.post(&finalize, Some(&json!({"csr": request}))).await;
        let wanted: &[&str] = match asked {
            Ok(_) => &["valid"],
            // It may have been heard all the same: the order knows.
            Err(error) if error.is_passing() => {
                patience.wait(error).await?;
                &["ready", "valid"]
            }
            Err(error) => return Err(error),
        };
        order = look(client, &pending.url, wanted).await?;
    }
    let certificate = client.read(&client.address(&order["certificate"])?).await?;
    let chain = String::from_utf8(certificate.body.to_vec());
    let chain = chain.map_err(|_| AcmeError::Answer("the certificate is no text".to_owned()))?;
    Ok(format!("{}\n{}", chain.trim(), pending.key.trim()))
}

/// Answers a challenge for each name that is not yet authorized (RFC 8555 §7.5).
async fn authorize(
    client: &Client,
    names: &[String],
    order: &Value,
    solver: &mut Solver,
) -> Result<(), AcmeError> {
    let urls = order["authorizations"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut open = Vec::new();
    for url in urls.iter().take(names.len()) {
        let url = client.address(url)?;
        let (authorization, _) = client.read_object(&url).await?;
        match authorization["status"].as_str() {
            Some("valid") => continue,
            Some("pending") => {}
            _ => return Err(invalid(&authorization)),
        }
        let challenge = choose(client, names, &authorization, solver)?;
        solver.prepare(&challenge).await?;
        open.push((url, challenge));
    }
    // All of them first: the time that the DNS needs passes for all at once.
    for (_, challenge) in &open {
        solver.ready(challenge).await;
        client.post(&challenge.url, Some(&json!({}))).await?;
    }
    for (url, _) in &open {
        look(client, url, &["valid"]).await?;
    }
    Ok(())
}

fn choose(
    client: &Client,
    names: &[String],
    authorization: &Value,
    solver: &Solver,
) -> Result<Challenge, AcmeError> {
    let name = authorization["identifier"]["value"].as_str().unwrap_or_default();
    // The domain of a wildcard stands there without it (RFC 8555 §7.1.4).
    let asked = |asked: &String| {
        asked
            .strip_prefix("*.")
            .unwrap_or(asked)
            .eq_ignore_ascii_case(name)
    };
    if !names.iter().any(asked) {
        return Err(AcmeError::Answer(format!(
            "{} was not asked for",
            crate::error::shown(name)
        )));
    }
    let kind = solver.kind();
    let offered = authorization["challenges"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let found = offered.iter().find(|one| one["type"] == kind.word());
    let found = found.ok_or_else(|| AcmeError::NoChallenge {
        name: crate::error::shown(name),
        challenge: kind.word(),
    })?;
    let token = found["token"].as_str().unwrap_or_default();
    Challenge::new(
        name,
        token,
        client.address(&found["url"])?,
        client.key.authorization(token),
    )
}

/// Asks until it has one of these states (RFC 8555 §7.5.1).
async fn look(client: &Client, url: &str, wanted: &[&str]) -> Result<Value, AcmeError> {
    for _ in 0..LOOKS_MAX_COUNT {
        let (found, answer) = client.read_object(url).await?;
        let status = found["status"].as_str().unwrap_or_default();
        if wanted.contains(&status) {
            return Ok(found);
        }
        if !matches!(status, "pending" | "processing" | "ready") {
            return Err(invalid(&found));
        }
        let pause = answer
            .header("retry-after")
            .and_then(retry_after)
            .unwrap_or(LOOK_AGAIN_AFTER);
        tokio::time::sleep(pause.min(LOOK_AGAIN_AFTER_MAX)).await;
    }
    Err(AcmeError::Timeout)
}

/// Why an order or an authorization is no longer of use: its own problem, or that of its challenge.
fn invalid(found: &Value) -> AcmeError {
    let name = found["identifier"]["value"].as_str().unwrap_or_default();
    let challenges = found["challenges"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let problem = challenges
        .iter()
        .chain([found])
        .find_map(|one| one.get("error"))
        .map(Problem::of_value);
    let status = || Problem {
        kind: "invalid".to_owned(),
        detail: crate::error::shown(found["status"].as_str().unwrap_or_default()),
        ..Problem::default()
    };
    let problem = problem.unwrap_or_else(status);
    if name.is_empty() {
        return AcmeError::Problem(problem);
    }
    AcmeError::Validation {
        name: crate::error::shown(name),
        problem,
    }
}

/// A request for a certificate (RFC 2986) for that key.
fn signing_request(names: &[String], key: &str) -> Result<String, AcmeError> {
    let failed = |error: rcgen::Error| AcmeError::Tls(error.to_string());
    let key = rcgen::KeyPair::from_pem(key).map_err(failed)?;
    let mut params = rcgen::CertificateParams::new(names.to_vec()).map_err(failed)?;
    // The names stand in the extension; a subject is no longer wanted.
    params.distinguished_name = rcgen::DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(failed)?;
    Ok(base64url(request.der()))
}
