//! What is asked of each connection: the lists and bans of `policy`, the limits of the settings.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use directory::Directory;
use net::Gate;
use policy::{Policy, Verdict};
use shared::model::Protocol;

pub(super) struct DaemonGate {
    pub(super) directory: Directory,
    pub(super) policy: Policy,
}

impl Gate for DaemonGate {
    fn connect<'a>(
        &'a self,
        peer: SocketAddr,
        _: Protocol,
    ) -> Pin<Box<dyn Future<Output = net::Verdict> + Send + 'a>> {
        Box::pin(async move {
            let decision = self.policy.connect(peer.ip()).await;
            match decision.verdict {
                Verdict::Allow => net::Verdict::Allow,
                Verdict::Refuse(reply) => net::Verdict::Refuse {
                    temporary: false,
                    text: reply.text.to_owned(),
                    reason: decision.reason(),
                },
                Verdict::PutOff(reply) => net::Verdict::Refuse {
                    temporary: true,
                    text: reply.text.to_owned(),
                    reason: decision.reason(),
                },
                Verdict::Drop => net::Verdict::Drop {
                    reason: decision.reason(),
                },
            }
        })
    }

    fn is_exempt(&self, peer: IpAddr) -> bool {
        self.policy.is_exempt(peer)
    }

    fn is_proxy(&self, peer: IpAddr) -> bool {
        self.policy.is_proxy(peer)
    }

    fn sessions_max(&self, service: &str) -> u64 {
        self.directory
            .settings()
            .number(&format!("{service}.sessions-max"))
    }

    fn sessions_per_address_max(&self) -> u64 {
        self.directory.settings().number("net.sessions-per-address-max")
    }
}
