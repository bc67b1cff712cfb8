//! The server's certificates.

use acme::{AcmeError, Ordered, Reason};
use events::Scope;
use events::kinds::server::{CertificateDamaged, ConfigurationChanged};
use shared::Refusal;
use shared::model::{Certificate, CertificateOrder};
use shared::protocol::*;
use tls::{Listed, Tls, TlsError};

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for CertificateList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Vec<Certificate>, Fault> {
        Ok(context.tls.certificates().into_iter().map(shown).collect())
    }
}

impl Handle for CertificateAdd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Certificate, Fault> {
        let pem = self.pem;
        let added = on_disk(context, move |tls| tls.import(&pem)).await?;
        for reason in context.tls.damaged() {
            context
                .events
                .emit(Scope::default(), CertificateDamaged { reason });
        }
        tell(context, caller, &added.names.join(", "), "added");
        Ok(shown(added))
    }
}

impl Handle for CertificateRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let removed = context.acme.remove(&self.id).await;
        removed.map_err(|error| refusal(&error))?;
        tell(context, caller, &self.id, "removed");
        Ok(Done {})
    }
}

impl Handle for CertificateObtain {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<CertificateOrder, Fault> {
        tell(context, caller, &self.names.join(", "), "ordered");
        let done = context.acme.obtain(&self.names, self.wait).await;
        Ok(ordered(done.map_err(|error| refusal(&error))?))
    }
}

impl Handle for CertificateOrders {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Vec<CertificateOrder>, Fault> {
        let orders = context.acme.orders().map_err(|error| refusal(&error))?;
        Ok(orders.into_iter().map(ordered).collect())
    }
}

impl Handle for CertificateForget {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        context
            .acme
            .forget(&self.name)
            .await
            .map_err(|error| refusal(&error))?;
        tell(context, caller, &self.name, "forgotten");
        Ok(Done {})
    }
}

impl Handle for CertificateRevoke {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let unknown = || {
            Refusal::new("acme-reason")
                .with("name", &self.reason)
                .field("reason")
        };
        let reason = Reason::of_word(&self.reason).ok_or_else(unknown)?;
        let done = context.acme.revoke(&self.name, reason).await;
        done.map_err(|error| refusal(&error))?;
        tell(context, caller, &self.name, "revoked");
        Ok(Done {})
    }
}

impl Handle for CertificateRekey {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let done = context.acme.rekey().await;
        done.map_err(|error| refusal(&error))?;
        tell(context, caller, "", "rekeyed");
        Ok(Done {})
    }
}

impl Handle for CertificateReload {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        on_disk(context, |tls| tls.reload()).await?;
        tell(context, caller, "", "reloaded");
        Ok(Done {})
    }
}

/// Reads or writes files, off the runtime's threads.
async fn on_disk<T: Send + 'static>(
    context: &Context,
    work: impl FnOnce(&Tls) -> Result<T, TlsError> + Send + 'static,
) -> Result<T, Fault> {
    let tls = context.tls.clone();
    let done = tokio::task::spawn_blocking(move || work(&tls)).await;
    let refused = |reason: String| Refusal::new("certificate-refused").with("reason", reason);
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(TlsError::Unknown)) => Err(Refusal::new("certificate-unknown").into()),
        Ok(Err(error)) => Err(refused(error.to_string()).field("pem").into()),
        Err(error) => Err(refused(error.to_string()).into()),
    }
}

fn tell(context: &Context, caller: &Caller, name: &str, action: &str) {
    let event = ConfigurationChanged {
        kind: "certificate".to_owned(),
        name: name.to_owned(),
        action: action.to_owned(),
        by: caller.name.clone(),
    };
    context.events.emit(Scope::default(), event);
}

/// What the administrator can mend has words of its own; the rest is told in those of the authority.
fn refusal(error: &AcmeError) -> Refusal {
    match error {
        AcmeError::Off => Refusal::new("acme-off"),
        AcmeError::Terms(url) => Refusal::new("acme-terms").with("url", url),
        AcmeError::ExternalAccount => Refusal::new("acme-external-account"),
        AcmeError::NoWeb => Refusal::new("acme-no-web"),
        AcmeError::Wildcard(name) => Refusal::new("acme-wildcard").with("name", name).field("names"),
        AcmeError::Name(name) => Refusal::new("acme-name").with("name", name).field("names"),
        AcmeError::Unknown => Refusal::new("acme-unknown"),
        AcmeError::Busy => Refusal::new("acme-busy"),
        AcmeError::NoCertificate => Refusal::new("certificate-unknown"),
        AcmeError::Damaged(reason) => Refusal::new("acme-orders-unreadable").with("reason", reason),
        other => Refusal::new("acme-failed").with("reason", other),
    }
}

fn ordered(ordered: Ordered) -> CertificateOrder {
    CertificateOrder {
        names: ordered.names,
        working: ordered.working,
        id: ordered.id,
        not_after: ordered.not_after,
        next_try: ordered.next_try,
        failures: ordered.failures,
        reason: ordered.reason,
    }
}

fn shown(listed: Listed) -> Certificate {
    Certificate {
        id: listed.id,
        names: listed.names,
        issuer: listed.issuer,
        not_after: listed.not_after,
        self_signed: listed.self_signed,
        served_for: listed.served_for,
        default: listed.default,
    }
}
