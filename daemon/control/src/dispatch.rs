//! From a method's name to the request that handles itself.

use std::future::Future;

use serde_json::Value;
use shared::protocol::*;

use crate::{Caller, Context, Fault};

/// A request that can be carried out.
pub(crate) trait Handle: Request {
    fn handle(
        self,
        context: &Context,
        caller: &Caller,
    ) -> impl Future<Output = Result<Self::Reply, Fault>> + Send;
}

async fn run<R: Handle>(context: &Context, caller: &Caller, params: Value) -> Result<Value, Fault> {
    // A request without parameters may leave them out.
    let params = if params.is_null() {
        Value::Object(serde_json::Map::new())
    } else {
        params
    };
    let request: R = serde_json::from_value(params).map_err(|error| Fault::Protocol {
        code: code::INVALID_PARAMS,
        reason: error.to_string(),
    })?;
    let reply = request.handle(context, caller).await?;
    serde_json::to_value(reply).map_err(|error| Fault::Protocol {
        code: code::INTERNAL,
        reason: error.to_string(),
    })
}

macro_rules! methods {
    ($($request:ident),* $(,)?) => {
        /// Carries out a request. `hello`, `subscribe` and `unsubscribe` belong to the connection and don't come here.
        pub(crate) async fn dispatch(
            context: &Context,
            caller: &Caller,
            method: &str,
            params: Value,
        ) -> Result<Value, Fault> {
            match method {
                $( <$request as Request>::METHOD => run::<$request>(context, caller, params).await, )*
                _ => Err(Fault::Protocol { code: code::METHOD_NOT_FOUND, reason: method.to_owned() }),
            }
        }

        #[cfg(test)]
        const DISPATCHED: &[&str] = &[$( <$request as Request>::METHOD ),*];
    };
}

methods!(
    MonitorGet,
    DomainList,
    DomainGet,
    DomainAdd,
    DomainSet,
    DomainRemove,
    UserList,
    UserGet,
    UserAdd,
    UserSet,
    UserRename,
    UserPassword,
    UserRemove,
    UserImport,
    AppPasswordList,
    AppPasswordAdd,
    AppPasswordRemove,
    UserCertificateList,
    UserCertificateAdd,
    UserCertificateRemove,
    ExternalList,
    ExternalAdd,
    ExternalSet,
    ExternalRemove,
    ExternalFetch,
    ExternalTest,
    AliasList,
    AliasAdd,
    AliasSet,
    AliasRemove,
    GroupList,
    GroupAdd,
    GroupSet,
    GroupRemove,
    FolderList,
    FolderAdd,
    FolderRename,
    FolderRemove,
    FolderRights,
    TreeList,
    TreeAdd,
    TreeSet,
    TreeRemove,
    AccessList,
    AccessAdd,
    AccessRemove,
    DkimList,
    DkimGet,
    DkimAdd,
    DkimSet,
    DkimRemove,
    ReportList,
    ReportSend,
    RouteList,
    RouteAdd,
    RouteSet,
    RouteRemove,
    RouteTest,
    QueueList,
    QueueShow,
    QueueRetry,
    QueueHold,
    QueueRelease,
    QueueRemove,
    QueueRoute,
    QueueRead,
    SessionList,
    SessionEnd,
    ServiceList,
    ServiceSet,
    LogQuery,
    CertificateList,
    CertificateAdd,
    CertificateRemove,
    CertificateReload,
    CertificateObtain,
    CertificateOrders,
    CertificateForget,
    CertificateRevoke,
    CertificateRekey,
    SettingList,
    SettingSet,
    StorageShow,
    Check,
    Shutdown,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_protocol_is_carried_out() {
        for method in METHODS {
            let here = DISPATCHED.contains(method) || ["hello", "subscribe", "unsubscribe"].contains(method);
            assert!(here, "{method} is in the protocol and goes nowhere");
        }
    }
}
