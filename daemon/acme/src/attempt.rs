//! One try with the authority: an account, an order that is taken up again or begun, the certificate.
//!
//! Must not know: the list of what is wanted, whether it comes to be used.

use std::path::PathBuf;
use std::time::Duration;

use events::Scope;
use events::kinds::server::{CertificateDamaged, ChallengeStays};
use http::Http;
use serde_json::json;

use crate::challenge::Solver;
use crate::client::Client;
use crate::command::{self, Command};
use crate::store::{Account, Pending, Wanted};
use crate::work::{blocking, from_tls};
use crate::{AcmeError, Inner, Kind, Options, order, renewal};

/// For a whole order, and for each of its names; the wait for the DNS comes on top, and what its program may need.
const ORDER_TIMEOUT: Duration = Duration::from_mins(15);
const NAME_TIMEOUT: Duration = Duration::from_secs(20);
/// For taking back what was prepared for all names.
const CLEAR_TIMEOUT: Duration = Duration::from_mins(10);
/// How often an order of which only the certificate is missing is taken up again; then a new one is better.
const PENDING_TRIES_MAX_COUNT: u32 = 5;

impl Inner {
    /// The certificate with its chain and key, one PEM text.
    pub(crate) async fn order(&self, wanted: &Wanted, options: &Options) -> Result<String, AcmeError> {
        // What is wrong in the folder is told before the authority is asked, not after.
        let tls = self.parts.tls.clone();
        let read = blocking(move || tls.reload().map_err(|error| from_tls(&error)));
        if let Err(error) = read.await {
            let reason = error.to_string();
            self.parts
                .events
                .emit(Scope::default(), CertificateDamaged { reason });
        }
        let mut solver = Solver {
            kind: options.challenge,
            tokens: self.tokens.clone(),
            tls: self.parts.tls.clone(),
            dns: self.parts.dns.clone(),
            command: (!options.dns_command.is_empty()).then(|| Command {
                program: PathBuf::from(&options.dns_command),
            }),
            dns_wait: options.dns_wait,
            dns_until: None,
            prepared: Vec::new(),
        };
        let limit = limit(wanted.names.len(), options);
        let tried = tokio::time::timeout(limit, self.ask(wanted, options, &mut solver)).await;
        // A program that hangs for each of many names must not hold up other orders.
        let cleared = tokio::time::timeout(CLEAR_TIMEOUT, solver.clear()).await;
        if let Err(error) = cleared.unwrap_or(Err(AcmeError::Timeout)) {
            let reason = error.to_string();
            self.parts
                .events
                .emit(Scope::default(), ChallengeStays { reason });
        }
        tried.unwrap_or(Err(AcmeError::Timeout))
    }

    async fn ask(
        &self,
        wanted: &Wanted,
        options: &Options,
        solver: &mut Solver,
    ) -> Result<String, AcmeError> {
        let names = &wanted.names;
        let (mut client, mut account) = self.account(options).await?;
        if let Some(pending) = self.pending(names, &options.directory).await? {
            match order::finish(&client, &pending).await {
                Err(error) if !error.leaves_the_order() => {}
                done => return done,
            }
            // The order has lapsed, or the authority knows it no longer: a new one.
        }
        let replaced = self.parts.tls.der(&wanted.id).filter(|_| !wanted.id.is_empty());
        let replaced = replaced.and_then(|certificate| renewal::name(&certificate));
        // RFC 9773 §5: only where the directory says that it is understood.
        let replaced = replaced.filter(|_| !client.directory.renewal_info.is_empty());
        let replaced = replaced.as_deref();
        let begun = match order::begin(&client, names, replaced, solver).await {
            // The authority has lost the account, or was set up anew: the same key makes it again.
            Err(error) if error.is_unknown_account() => {
                self.register(&mut client, &mut account, options).await?;
                order::begin(&client, names, replaced, solver).await
            }
            begun => begun,
        };
        let mut pending = begun?;
        pending.directory.clone_from(&options.directory);
        let pending = self.keep_pending(pending).await?;
        order::finish(&client, &pending).await
    }

    /// The order for these names that only lacks the certificate, counted as taken up once more.
    async fn pending(&self, names: &[String], directory: &str) -> Result<Option<Pending>, AcmeError> {
        let (store, name) = (self.store.clone(), names.first().cloned().unwrap_or_default());
        let found = blocking(move || Ok(store.pending(&name))).await?;
        let same = |found: &Pending| {
            found.names == names && found.directory == directory && found.tries < PENDING_TRIES_MAX_COUNT
        };
        match found.filter(same) {
            Some(mut pending) => {
                pending.tries += 1;
                Ok(Some(self.keep_pending(pending).await?))
            }
            None => Ok(None),
        }
    }

    async fn keep_pending(&self, pending: Pending) -> Result<Pending, AcmeError> {
        let store = self.store.clone();
        blocking(move || store.keep_pending(&pending).map(|()| pending)).await
    }

    /// The authority, with an account at it.
    pub(crate) async fn account(&self, options: &Options) -> Result<(Client, Account), AcmeError> {
        let (store, directory) = (self.store.clone(), options.directory.clone());
        let authority = options.authority.clone();
        let (mut account, roots) = blocking(move || {
            let account = match store.account(&directory)? {
                Some(account) => account,
                None => {
                    let account = Account::new(&directory)?;
                    store.keep_account(&account)?;
                    account
                }
            };
            let roots = match authority.as_str() {
                "" => None,
                path => Some(store.authority(path)?),
            };
            Ok((account, roots))
        })
        .await?;
        let mut http = Http::new(self.parts.dns.clone()).with_roots(self.parts.tls.roots());
        if let Some(roots) = roots {
            let added = http.with_pem_roots(&roots);
            http = added.map_err(|error| AcmeError::Disk(format!("{}: {error}", options.authority)))?;
        }
        let mut client = Client::open(http, &options.directory, account.key()?).await?;
        if let Some(next) = account.next_key()? {
            // A change of keys whose answer was lost: the authority knows which it has.
            let changed = client.with_key(next);
            let known = changed.known().await?;
            let done = known.is_some_and(|known| known == account.url);
            account.end_change(done);
            self.write_account(&account).await?;
            if done {
                client = changed;
            }
        }
        client.account.clone_from(&account.url);
        if account.url.is_empty() {
            self.register(&mut client, &mut account, options).await?;
        } else if account.contact != options.contact {
            // RFC 8555 §7.3.2
            let contact = json!({"contact": options.contact});
            match client.post(&account.url, Some(&contact)).await {
                Ok(_) => self.keep_account(&mut account, options).await?,
                Err(error) if error.is_unknown_account() => {
                    self.register(&mut client, &mut account, options).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok((client, account))
    }

    async fn register(
        &self,
        client: &mut Client,
        account: &mut Account,
        options: &Options,
    ) -> Result<(), AcmeError> {
        let secret = self.parts.external_key.clone();
        let secret = blocking(move || Ok(secret())).await?;
        // The key itself is in this request, not the account's address.
        client.account.clear();
        client.register(options, secret.as_deref()).await?;
        account.url.clone_from(&client.account);
        self.keep_account(account, options).await
    }

    async fn keep_account(&self, account: &mut Account, options: &Options) -> Result<(), AcmeError> {
        account.contact.clone_from(&options.contact);
        self.write_account(account).await
    }

    pub(crate) async fn write_account(&self, account: &Account) -> Result<(), AcmeError> {
        let (store, account) = (self.store.clone(), account.clone());
        blocking(move || store.keep_account(&account)).await
    }
}

/// The program for the DNS is called for one name after the other.
fn limit(names: usize, options: &Options) -> Duration {
    let each = match options.challenge {
        Kind::Dns => NAME_TIMEOUT + command::TIMEOUT,
        Kind::Http | Kind::TlsAlpn => NAME_TIMEOUT,
    };
    let each = each.saturating_mul(u32::try_from(names).unwrap_or(u32::MAX));
    ORDER_TIMEOUT
        .saturating_add(options.dns_wait)
        .saturating_add(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    // An order of a hundred names would end before its last record is there.
    #[test]
    fn the_time_for_an_order_grows_with_its_names() {
        let options = |challenge| Options {
            challenge,
            dns_wait: Duration::from_mins(1),
            ..Options::default()
        };
        let minutes = |names, challenge| limit(names, &options(challenge)).as_secs() / 60;
        assert_eq!(minutes(1, Kind::Http), 16);
        assert_eq!(minutes(1, Kind::Dns), 18);
        assert_eq!(minutes(100, Kind::Http), 49);
        assert_eq!(minutes(100, Kind::Dns), 249);
    }
}
