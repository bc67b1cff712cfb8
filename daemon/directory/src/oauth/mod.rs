//! Tokens of an identity provider (OAUTHBEARER, XOAUTH2): whose they are.
//!
//! Two ways, by what is set: a token that is signed is checked with the provider's keys (JWKS, from the web or a file), any other is shown to the
//! provider (introspection, RFC 7662). The keys are kept for an hour, and read anew when a token names one that is not known, once a minute at
//! most, so that nobody can make this server ask without end. What the provider said of a token is kept for a minute.
//!
//! Must not know: the web; somebody hands in what asks it.

mod jwt;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::settings::Settings;
use tokio::sync::Mutex;

use crate::Unavailable;
use jwt::{Key, Token};

/// Keys older than that are read anew.
const KEYS_LIFE: Duration = Duration::from_hours(1);
/// They serve that long if they can't be read.
const KEYS_LIFE_MAX: Duration = Duration::from_hours(24);
/// They are not read more often.
const KEYS_PAUSE: Duration = Duration::from_mins(1);
const ANSWERS_KEPT_MAX: u64 = 10_000;
const ANSWER_LIFE: Duration = Duration::from_mins(1);
/// How far the clocks of two hosts may be apart, in seconds.
const LEEWAY_S: i64 = 60;

/// What asks an identity provider. An error says why, for the log.
pub trait Provider: Send + Sync {
    /// The text at an address of the web, or in a file.
    fn read(&self, place: String) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;
    /// The answer to a token's introspection (RFC 7662 §2), made as that client.
    fn introspect(
        &self,
        url: String,
        client: String,
        token: String,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;
}

pub(crate) struct OAuth {
    provider: ArcSwapOption<Arc<dyn Provider>>,
    keys: Mutex<Keys>,
    /// By the hash of the token.
    answers: Cache<[u8; 32], Value>,
}

#[derive(Default)]
struct Keys {
    /// Where they were read.
    place: String,
    set: Arc<Vec<Key>>,
    read: Option<Instant>,
    tried: Option<Instant>,
}

/// Whether tokens are taken at all.
pub(crate) fn is_configured(settings: &Settings) -> bool {
    let set = |key: &str| !settings.text(key).is_empty();
    set("oauth.issuer") && (set("oauth.keys") || set("oauth.introspection-url"))
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            provider: ArcSwapOption::empty(),
            keys: Mutex::default(),
            answers: Cache::builder()
                .max_capacity(ANSWERS_KEPT_MAX)
                .time_to_live(ANSWER_LIFE)
                .build(),
        }
    }
}

impl OAuth {
    pub(crate) fn set_provider(&self, provider: Arc<dyn Provider>) {
        self.provider.store(Some(Arc::new(provider)));
    }

    /// The user whom a valid token names, as the provider writes the name.
    pub(crate) async fn user(&self, settings: &Settings, token: &str) -> Result<Option<String>, Unavailable> {
        if !is_configured(settings) {
            return Ok(None);
        }
        let claims = match (Token::parse(token), settings.text("oauth.keys")) {
            (Some(token), place) if !place.is_empty() => self.signed(place, token).await?,
            _ if settings.text("oauth.introspection-url").is_empty() => None,
            _ => self.introspected(settings, token).await?,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Ok(claims.and_then(|claims| named(settings, &claims, now)))
    }

    async fn signed(&self, place: &str, token: Token<'_>) -> Result<Option<Value>, Unavailable> {
        // Held while they are read: those who come meanwhile wait for the same answer.
        let mut kept = self.keys.lock().await;
        if kept.place != place {
            *kept = Keys {
                place: place.to_owned(),
                ..Keys::default()
            };
        }
        let old = kept.read.is_none_or(|read| read.elapsed() > KEYS_LIFE);
        let rested = kept.tried.is_none_or(|tried| tried.elapsed() > KEYS_PAUSE);
        if (old || !token.knows(&kept.set)) && rested {
            kept.tried = Some(Instant::now());
            let read = self.provider()?.read(place.to_owned()).await;
            match read.and_then(|text| jwt::keys(&text).ok_or_else(|| "no set of keys".to_owned())) {
                Ok(keys) => {
                    kept.set = Arc::new(keys);
                    kept.read = Some(Instant::now());
                }
                Err(reason) if kept.read.is_none_or(|read| read.elapsed() > KEYS_LIFE_MAX) => {
                    return Err(Unavailable(format!("the keys at {place}: {reason}")));
                }
                // Those at hand serve on.
                Err(_) => {}
            }
        }
        if kept.read.is_none() {
            return Err(Unavailable(format!("the keys at {place} could not be read")));
        }
        let keys = Arc::clone(&kept.set);
        drop(kept);
        Ok(token.verify(&keys))
    }

    async fn introspected(&self, settings: &Settings, token: &str) -> Result<Option<Value>, Unavailable> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(answer) = self.answers.get(&hash) {
            return Ok(Some(answer));
        }
        let url = settings.text("oauth.introspection-url").to_owned();
        let client = settings.text("oauth.client-id").to_owned();
        let asked = self.provider()?.introspect(url, client, token.to_owned()).await;
        let answer = asked.map_err(|reason| Unavailable(format!("the identity provider: {reason}")))?;
        let claims: Value = serde_json::from_slice(&answer)
            .map_err(|error| Unavailable(format!("the identity provider's answer: {error}")))?;
        // RFC 7662 §2.2. What is not valid now may become so: only what is is kept.
        if claims.get("active").and_then(Value::as_bool) != Some(true) {
            return Ok(None);
        }
        self.answers.insert(hash, claims.clone());
        Ok(Some(claims))
    }

    fn provider(&self) -> Result<Arc<dyn Provider>, Unavailable> {
        let provider = self.provider.load_full();
        let provider =
            provider.ok_or_else(|| Unavailable("nothing asks identity providers here".to_owned()))?;
        Ok(Arc::clone(&provider))
    }
}

/// The user whom the claims name, if they are from the issuer, for us, and valid now.
fn named(settings: &Settings, claims: &Value, now: i64) -> Option<String> {
    let number = |name: &str| claims.get(name).and_then(Value::as_f64);
    // Introspection need not name the issuer, whose answer it is; a signed token has to (its key may sign for others too).
    let issuer = claims.get("iss").and_then(Value::as_str);
    let introspected = claims.get("active").is_some();
    let from_issuer = issuer.map_or(introspected, |issuer| issuer == settings.text("oauth.issuer"));
    let audience = settings.text("oauth.audience");
    let for_us = audience.is_empty()
        || match claims.get("aud") {
            Some(Value::String(text)) => text == audience,
            Some(Value::Array(list)) => list.iter().any(|text| text == audience),
            _ => false,
        };
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are exact in a double"
    )]
    let (soonest, latest) = ((now - LEEWAY_S) as f64, (now + LEEWAY_S) as f64);
    // RFC 7519 §4.1.4, §4.1.5
    let lives = number("exp").map_or(introspected, |until| soonest < until)
        && number("nbf").is_none_or(|from| from <= latest);
    let claim = settings.text("oauth.user-claim");
    // Anybody may call himself what he likes until the provider has made sure of it.
    let unverified = claim == "email"
        && claims
            .get("email_verified")
            .is_some_and(|verified| verified == false);
    if !from_issuer || !for_us || !lives || unverified {
        return None;
    }
    let user = claims.get(claim)?.as_str()?;
    (!user.is_empty()).then(|| user.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.set("oauth.issuer", "https://id.example").unwrap();
        settings.set("oauth.audience", "mail").unwrap();
        settings.set("oauth.keys", "https://id.example/keys").unwrap();
        settings
    }

    // Each of these is a token that somebody else was given, or that was good once.
    #[test]
    fn claims_hold_for_us_now_and_from_the_issuer() {
        let good =
            json!({"iss": "https://id.example", "aud": ["web", "mail"], "exp": 2000, "email": "anna@a.test"});
        assert_eq!(named(&settings(), &good, 1000).as_deref(), Some("anna@a.test"));
        for (field, value) in [
            ("iss", json!("https://else.example")),
            ("iss", Value::Null),
            ("aud", json!("web")),
            ("aud", Value::Null),
            ("exp", json!(900)),
            ("exp", Value::Null),
            ("nbf", json!(1100)),
            ("email", json!(7)),
            ("email", json!("")),
            ("email_verified", json!(false)),
        ] {
            let mut bad = good.clone();
            bad[field] = value.clone();
            assert_eq!(named(&settings(), &bad, 1000), None, "{field} {value}");
        }
        let answer = json!({"active": true, "aud": "mail", "email": "anna@a.test"});
        assert_eq!(named(&settings(), &answer, 1000).as_deref(), Some("anna@a.test"));
    }
}
