//! One try to get one certificate, and what is kept of it.
//!
//! Must not know: who asked for it.

use std::path::PathBuf;
use std::time::Duration;

use events::Scope;
use events::kinds::server::{CertificateNotObtained, CertificateObtained, ChallengeStays};
use http::Http;
use serde_json::json;
use tls::Listed;

use crate::challenge::Solver;
use crate::client::Client;
use crate::command::Command;
use crate::store::{Account, Wanted};
use crate::{AcmeError, Inner, Kind, Options, order, schedule};

/// For a whole order; the wait for the DNS comes on top.
const ORDER_TIMEOUT: Duration = Duration::from_mins(15);

/// Orders that are kept.
const ORDERS_MAX_COUNT: usize = 1000;
/// Seconds until the next try if the server dies in the middle of one.
const AFTER_CRASH_S: i64 = 3600;

impl Inner {
    /// What can be known to fail before anything is asked.
    pub(crate) fn answerable(&self, options: &Options) -> Result<(), AcmeError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        if options.directory.is_empty() {
            return Err(AcmeError::Off);
        }
        match options.challenge {
            Kind::Http | Kind::TlsAlpn if !self.parts.web => Err(AcmeError::NoWeb),
            Kind::Dns if options.dns_command.is_empty() => {
                Err(AcmeError::Command("there is none".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Keeps an order; the one that begins with the same name is replaced by it, and what it had stays until then.
    pub(crate) async fn want(&self, names: Vec<String>) -> Result<(), AcmeError> {
        {
            let mut all = self.wanted.lock();
            let count = all.len();
            let same = all
                .iter_mut()
                .find(|wanted| wanted.names.first() == names.first());
            match same {
                Some(wanted) if wanted.names == names => {}
                // Should it not come to a try, it is made up for.
                Some(wanted) => (wanted.names, wanted.next_try) = (names, 0),
                None if count >= ORDERS_MAX_COUNT => return Err(AcmeError::TooMany),
                None => all.push(Wanted {
                    names,
                    ..Wanted::default()
                }),
            }
        }
        self.keep().await
    }

    pub(crate) async fn drop_order(&self, which: impl Fn(&Wanted) -> bool) -> Result<(), AcmeError> {
        let dropped = {
            let mut all = self.wanted.lock();
            let before = all.len();
            all.retain(|wanted| !which(wanted));
            before != all.len()
        };
        if !dropped {
            return Err(AcmeError::Unknown);
        }
        self.keep().await
    }

    /// Tries once. `now`: whether or not it is due.
    pub(crate) async fn work(&self, name: &str, now: bool) -> Result<(), AcmeError> {
        let _one = self.one.lock().await;
        let find = |wanted: &&Wanted| wanted.name() == name;
        let found = self.wanted.lock().iter().find(find).cloned();
        let wanted = found.ok_or(AcmeError::Unknown)?;
        if !now && wanted.next_try > schedule::now() {
            return Ok(());
        }
        self.begun(&wanted).await?;
        let options = (self.parts.options)();
        let done = match self.answerable(&options) {
            Ok(()) => self.order(&wanted.names, &options).await,
            Err(error) => Err(error),
        };
        self.note(&wanted, &done);
        let kept = self.keep().await;
        self.changed.notify_one();
        done?;
        kept
    }

    /// A crash in the middle is a failure too: a server that dies of it again and again must not ask the authority each time.
    async fn begun(&self, wanted: &Wanted) -> Result<(), AcmeError> {
        let after = schedule::now().saturating_add(AFTER_CRASH_S);
        if let Some(kept) = self
            .wanted
            .lock()
            .iter_mut()
            .find(|kept| kept.names == wanted.names)
        {
            kept.next_try = after;
        }
        self.keep().await
    }

    /// Writes down what came of it, and tells.
    fn note(&self, wanted: &Wanted, done: &Result<Listed, AcmeError>) {
        let now = schedule::now();
        let mut after = wanted.clone();
        match done {
            Ok(listed) => {
                after.id.clone_from(&listed.id);
                (after.not_before, after.not_after) = (listed.not_before, listed.not_after);
                after.next_try = schedule::renewal(listed.not_before, listed.not_after, schedule::dice())
                    .max(schedule::not_before_again(now, listed.not_after));
                (after.failures, after.reason) = (0, String::new());
                let event = CertificateObtained {
                    names: wanted.names.join(", "),
                    issuer: listed.issuer.clone(),
                    days: (listed.not_after - now).div_euclid(86_400),
                };
                self.parts.events.emit(Scope::default(), event);
            }
            Err(error) => {
                after.failures = after.failures.saturating_add(1);
                let pause = error.pause(after.failures, schedule::left(now, after.not_after));
                after.next_try = schedule::later(now, pause, schedule::dice());
                after.reason = error.to_string();
                let event = CertificateNotObtained {
                    names: wanted.names.join(", "),
                    reason: after.reason.clone(),
                    minutes: (after.next_try - now).div_euclid(60),
                };
                self.parts.events.emit(Scope::default(), event);
            }
        }
        let mut all = self.wanted.lock();
        // It may have been dropped, or be wanted for other names by now.
        if let Some(kept) = all.iter_mut().find(|kept| kept.names == wanted.names) {
            *kept = after;
        }
    }

    /// Writes the list.
    async fn keep(&self) -> Result<(), AcmeError> {
        let _writing = self.writing.lock().await;
        let (store, all) = (self.store.clone(), self.wanted.lock().clone());
        blocking(move || store.keep_list(all)).await
    }

    async fn order(&self, names: &[String], options: &Options) -> Result<Listed, AcmeError> {
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
        let limit = ORDER_TIMEOUT + options.dns_wait;
        let tried = tokio::time::timeout(limit, self.ask(names, options, &mut solver)).await;
        if let Err(error) = solver.clear().await {
            let reason = error.to_string();
            self.parts
                .events
                .emit(Scope::default(), ChallengeStays { reason });
        }
        let pem = tried.unwrap_or(Err(AcmeError::Timeout))?;
        let tls = self.parts.tls.clone();
        blocking(move || {
            tls.import(&pem)
                .map_err(|error| AcmeError::Tls(error.to_string()))
        })
        .await
    }

    async fn ask(
        &self,
        names: &[String],
        options: &Options,
        solver: &mut Solver,
    ) -> Result<String, AcmeError> {
        let (mut client, mut account) = self.account(options).await?;
        let tried = order::obtain(&client, names, solver).await;
        match &tried {
            // The authority has lost the account, or was set up anew: the same key makes it again.
            Err(error) if error.is_unknown_account() => {}
            _ => return tried,
        }
        self.register(&mut client, &mut account, options).await?;
        order::obtain(&client, names, solver).await
    }

    /// The authority, with an account at it.
    async fn account(&self, options: &Options) -> Result<(Client, Account), AcmeError> {
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
        let (store, account) = (self.store.clone(), account.clone());
        blocking(move || store.keep_account(&account)).await
    }
}

/// Reads or writes files, off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AcmeError> + Send + 'static,
) -> Result<T, AcmeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(AcmeError::Disk(error.to_string())),
    }
}
