//! Keys that sign mail (DKIM).

use std::time::{SystemTime, UNIX_EPOCH};

use authenticity::{Algorithm, KeyFault, Secret};
use shared::model::DkimKey;
use shared::protocol::*;
use shared::{DomainName, Refusal};

use super::directory::domain_filter;
use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for DkimList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<DkimKey>, Fault> {
        let domain = domain_filter(&self.domain)?;
        Ok(context.directory.dkim_keys(domain.as_ref(), self.page).await?)
    }
}

impl Handle for DkimGet {
    async fn handle(self, context: &Context, _: &Caller) -> Result<DkimKey, Fault> {
        let domain = DomainName::parse(&self.domain)?;
        let found = context.directory.dkim_key(&domain, &self.selector).await?;
        found.ok_or_else(|| Refusal::new("dkim-unknown").with("name", &self.selector).into())
    }
}

impl Handle for DkimAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<DkimKey, Fault> {
        let domain = DomainName::parse(&self.domain)?;
        let algorithm = match self.algorithm.as_str() {
            "" | "rsa" => Algorithm::RsaSha256,
            "ed25519" => Algorithm::Ed25519Sha256,
            other => {
                return Err(Refusal::new("algorithm-unknown")
                    .with("algorithm", other)
                    .field("algorithm")
                    .into());
            }
        };
        let pem = self.private_key;
        // Making a key takes a moment of a whole core.
        let made = tokio::task::spawn_blocking(move || match pem.trim() {
            "" => Secret::generate(algorithm),
            pem => Secret::from_pem(pem),
        });
        let secret = match made.await {
            Ok(Ok(secret)) => secret,
            Ok(Err(KeyFault::Unreadable)) => {
                return Err(Refusal::new("dkim-key-unreadable").field("private_key").into());
            }
            Ok(Err(KeyFault::NoRandom)) | Err(_) => {
                return Err(Refusal::new("unavailable")
                    .with("reason", "the system gives no random bytes")
                    .into());
            }
        };
        let created = now();
        let selector = match self.selector.trim().to_ascii_lowercase() {
            selector if selector.is_empty() => {
                free_selector(context, &domain, secret.algorithm, created).await?
            }
            selector => selector,
        };
        let key = DkimKey {
            record_name: format!("{selector}._domainkey.{domain}"),
            domain,
            selector,
            algorithm: name(secret.algorithm).to_owned(),
            active: self.active,
            created,
            record: secret.record,
            revision: 0,
        };
        let added = context
            .directory
            .add_dkim_key(key, secret.private, &caller.name)
            .await?;
        Ok(added)
    }
}

impl Handle for DkimSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Changed, Fault> {
        let domain = DomainName::parse(&self.domain)?;
        Ok(Changed {
            revision: context
                .directory
                .set_dkim_key(&domain, &self.selector, self.active, &caller.name)
                .await?,
        })
    }
}

impl Handle for DkimRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let domain = DomainName::parse(&self.domain)?;
        context
            .directory
            .remove_dkim_key(&domain, &self.selector, &caller.name)
            .await?;
        Ok(Done {})
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RsaSha256 => "rsa",
        Algorithm::Ed25519Sha256 => "ed25519",
    }
}

/// The kind of key and a number that was not used before: a selector that comes again would be looked up in old caches.
async fn free_selector(
    context: &Context,
    domain: &DomainName,
    algorithm: Algorithm,
    created: i64,
) -> Result<String, Fault> {
    let mut number = created;
    loop {
        let selector = format!("{}{number}", name(algorithm));
        if context.directory.dkim_key(domain, &selector).await?.is_none() {
            return Ok(selector);
        }
        number += 1;
    }
}

/// Unix seconds.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}
