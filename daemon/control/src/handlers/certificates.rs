//! The server's certificates.

use events::Scope;
use events::kinds::server::ConfigurationChanged;
use shared::Refusal;
use shared::model::Certificate;
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
        tell(context, caller, &added.names.join(", "), "added");
        Ok(shown(added))
    }
}

impl Handle for CertificateRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        let id = self.id.clone();
        on_disk(context, move |tls| tls.remove(&id)).await?;
        tell(context, caller, &self.id, "removed");
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
