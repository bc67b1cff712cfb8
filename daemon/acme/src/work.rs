//! The list of what is wanted, one try to get one of it, and what is kept of the try.
//!
//! Must not know: who asked for it, what is said to the authority.

use events::Scope;
use events::kinds::server::{CertificateNotObtained, CertificateObtained, OrdersPutAside};
use tls::{Listed, TlsError};

use crate::busy::Running;
use crate::store::Wanted;
use crate::{AcmeError, Inner, Kind, Options, schedule};

/// Orders that are kept.
const ORDERS_MAX_COUNT: usize = 1000;
/// Seconds until the next try if the server dies in the middle of one.
const AFTER_CRASH_S: i64 = 3600;

impl Inner {
    /// What can be known to fail before anything is asked.
    pub(crate) fn answerable(&self, options: &Options) -> Result<(), AcmeError> {
        answerable_at_all(options)?;
        match options.challenge {
            Kind::Http | Kind::TlsAlpn if !self.parts.web => Err(AcmeError::NoWeb),
            Kind::Dns if options.dns_command.is_empty() => {
                Err(AcmeError::Command("there is none".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Reads the list if it could not be read so far. `aside`: one that makes no sense is put away, and a new one begun.
    pub(crate) async fn read_again(&self, aside: bool) -> Result<(), AcmeError> {
        let _writing = self.writing.lock().await;
        if self.broken.lock().is_none() {
            return Ok(());
        }
        let store = self.store.clone();
        let read = blocking(move || match store.list() {
            Err(AcmeError::Damaged(_)) if aside => {
                let file = store.put_aside(schedule::now())?;
                Ok((Vec::new(), Some(file)))
            }
            read => Ok((read?, None)),
        });
        let (list, file) = read.await?;
        *self.wanted.lock() = list;
        *self.broken.lock() = None;
        if let Some(file) = file {
            let event = OrdersPutAside {
                file: file.display().to_string(),
            };
            self.parts.events.emit(Scope::default(), event);
        }
        Ok(())
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

    /// The caller holds `taking`.
    pub(crate) async fn drop_order(&self, which: impl Fn(&Wanted) -> bool) -> Result<(), AcmeError> {
        let mut dropped: Vec<Wanted> = Vec::new();
        self.wanted.lock().retain(|wanted| {
            let goes = which(wanted);
            if goes {
                dropped.push(wanted.clone());
            }
            !goes
        });
        if dropped.is_empty() {
            return Err(AcmeError::Unknown);
        }
        for wanted in dropped {
            self.drop_pending(wanted.name()).await;
        }
        self.keep().await
    }

    /// Removes a certificate from the folder of `tls`.
    pub(crate) async fn remove_certificate(&self, id: &str) -> Result<(), AcmeError> {
        let (tls, id) = (self.parts.tls.clone(), id.to_owned());
        blocking(move || tls.remove(&id).map_err(|error| from_tls(&error))).await
    }

    /// The first names of the orders that are worked on or wait for their turn.
    pub(crate) fn names_at_work(&self) -> Vec<String> {
        let all = self.busy.lock();
        all.iter().map(|running| running.name().to_owned()).collect()
    }

    /// Tries once. `now`: whether or not it is due.
    pub(crate) async fn work(&self, running: &Running, now: bool) -> Result<(), AcmeError> {
        let _one = self.one.lock().await;
        let wanted = {
            let all = self.wanted.lock();
            let found = all.iter().find(|wanted| wanted.name() == running.name());
            let wanted = found.cloned().ok_or(AcmeError::Unknown)?;
            if !now && schedule::due(schedule::now(), &wanted) > schedule::now() {
                return Ok(());
            }
            running.asks(&wanted.names);
            wanted
        };
        let options = (self.parts.options)();
        let tried = match self.begun(&wanted).await.and_then(|()| self.answerable(&options)) {
            Ok(()) => self.order(&wanted, &options).await,
            Err(error) => Err(error),
        };
        let done = {
            let _taking = self.taking.lock().await;
            let done = match tried {
                Ok(pem) => self.take(&wanted.names, pem).await,
                Err(error) => Err(error),
            };
            self.note(&wanted, &done);
            done
        };
        if !done.as_ref().is_err_and(AcmeError::leaves_the_order) {
            self.drop_pending(wanted.name()).await;
        }
        let kept = self.keep().await;
        self.changed.notify_one();
        done?;
        kept
    }

    /// Takes a certificate into use, if it is still wanted and is what was asked for.
    async fn take(&self, names: &[String], pem: String) -> Result<Listed, AcmeError> {
        if !self.wanted.lock().iter().any(|wanted| wanted.names == names) {
            return Err(AcmeError::Forgotten);
        }
        // RFC 8555 §7.4: the order, the request and so the certificate are for the same names.
        let mut got = tls::names_in(&pem).map_err(|error| from_tls(&error))?;
        let mut wanted = names.to_vec();
        got.sort_unstable();
        got.dedup();
        wanted.sort_unstable();
        if got != wanted {
            return Err(AcmeError::OtherNames {
                got: crate::error::shown(&got.join(", ")),
                wanted: wanted.join(", "),
            });
        }
        let tls = self.parts.tls.clone();
        blocking(move || tls.import(&pem).map_err(|error| from_tls(&error))).await
    }

    /// A crash in the middle is a failure too: a server that dies of it again and again must not ask the authority each time.
    async fn begun(&self, wanted: &Wanted) -> Result<(), AcmeError> {
        let now = schedule::now();
        if let Some(kept) = self
            .wanted
            .lock()
            .iter_mut()
            .find(|kept| kept.names == wanted.names)
        {
            (kept.last_try, kept.next_try) = (now, now.saturating_add(AFTER_CRASH_S));
        }
        self.keep().await
    }

    /// Writes down what came of it, and tells.
    fn note(&self, wanted: &Wanted, done: &Result<Listed, AcmeError>) {
        let now = schedule::now();
        let mut after = wanted.clone();
        after.last_try = now;
        match done {
            // Nobody waits for it.
            Err(AcmeError::Forgotten) => return,
            Ok(listed) => {
                after.id.clone_from(&listed.id);
                (after.not_before, after.not_after) = (listed.not_before, listed.not_after);
                after.next_try = schedule::renewal(listed.not_before, listed.not_after, schedule::dice())
                    .max(schedule::not_before_again(now, listed.not_after));
                (after.failures, after.reason) = (0, String::new());
                // RFC 9773 §4.3: asked for as soon as there is one.
                (after.next_look, after.advised) = (0, 0);
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
    pub(crate) async fn keep(&self) -> Result<(), AcmeError> {
        let _writing = self.writing.lock().await;
        let (store, all) = (self.store.clone(), self.wanted.lock().clone());
        blocking(move || store.keep_list(all)).await
    }

    async fn drop_pending(&self, name: &str) {
        let (store, name) = (self.store.clone(), name.to_owned());
        // One that stays is looked at again with the next order, and taken for what it is.
        let _ = blocking(move || store.drop_pending(&name)).await;
    }
}

pub(crate) fn answerable_at_all(options: &Options) -> Result<(), AcmeError> {
    if options.directory.is_empty() {
        return Err(AcmeError::Off);
    }
    Ok(())
}

/// What the disk did may be over soon; what the certificate is stays as it is.
pub(crate) fn from_tls(error: &TlsError) -> AcmeError {
    match error {
        TlsError::Unknown => AcmeError::NoCertificate,
        TlsError::File { .. } => AcmeError::Disk(error.to_string()),
        error => AcmeError::Tls(error.to_string()),
    }
}

/// Reads or writes files, off the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AcmeError> + Send + 'static,
) -> Result<T, AcmeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(AcmeError::Disk(error.to_string())),
    }
}
