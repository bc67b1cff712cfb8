//! The queue.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use events::kinds::delivery::QueueChanged;
use events::{MessageId, Scope};
use shared::protocol::*;
use shared::{DomainName, Refusal};

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

fn id(text: &str) -> Result<MessageId, Fault> {
    text.parse()
        .map_err(|_| Refusal::new("message-unknown").with("id", text).into())
}

fn ids(texts: &[String]) -> Result<Vec<MessageId>, Fault> {
    texts.iter().map(|text| id(text)).collect()
}

fn told(context: &Context, caller: &Caller, ids: &[MessageId], action: &str) {
    let event = || QueueChanged {
        action: action.to_owned(),
        by: caller.name.clone(),
    };
    for id in ids {
        context.events.emit(Scope::message(*id), event());
    }
    if ids.is_empty() {
        context.events.emit(Scope::default(), event());
    }
}

impl Handle for QueueList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<QueueRow>, Fault> {
        Ok(context.queue.list(self.page).await?)
    }
}

impl Handle for QueueShow {
    async fn handle(self, context: &Context, _: &Caller) -> Result<QueueMessage, Fault> {
        Ok(context.queue.show(id(&self.id)?).await?)
    }
}

impl Handle for QueueRetry {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Count, Fault> {
        let ids = ids(&self.ids)?;
        context.delivery.wake_hosts();
        let count = context.queue.retry(&ids).await?;
        told(context, caller, &ids, "retry");
        Ok(Count { count })
    }
}

impl Handle for QueueHold {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Count, Fault> {
        let ids = ids(&self.ids)?;
        let count = context.queue.hold(&ids).await?;
        told(context, caller, &ids, "hold");
        Ok(Count { count })
    }
}

impl Handle for QueueRelease {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Count, Fault> {
        let ids = ids(&self.ids)?;
        context.delivery.wake_hosts();
        let count = context.queue.release(&ids).await?;
        told(context, caller, &ids, "release");
        Ok(Count { count })
    }
}

impl Handle for QueueRemove {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Count, Fault> {
        let ids = ids(&self.ids)?;
        let count = context.queue.remove(&ids, self.bounce).await?;
        told(
            context,
            caller,
            &ids,
            if self.bounce { "bounce" } else { "remove" },
        );
        Ok(Count { count })
    }
}

impl Handle for QueueRoute {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Count, Fault> {
        let ids = ids(&self.ids)?;
        let route = self.route.map(|route| host_and_port(&route)).transpose()?;
        context.delivery.wake_hosts();
        let count = context.queue.set_route(&ids, route.as_deref()).await?;
        told(context, caller, &ids, "route");
        Ok(Count { count })
    }
}

/// `host`, `host:port`, an address, or `[IPv6]:port`, as it was written.
fn host_and_port(text: &str) -> Result<String, Refusal> {
    let bad = || Refusal::new("host-invalid").with("host", text).field("route");
    let text = text.trim();
    if text.parse::<SocketAddr>().is_ok() || text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let host = match text.rsplit_once(':') {
        Some((host, port)) => {
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(bad)?;
            host
        }
        None => text,
    };
    let right = host == "localhost" || DomainName::parse(host).is_ok();
    right.then(|| text.to_owned()).ok_or_else(bad)
}

impl Handle for QueueRead {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Text64, Fault> {
        // An answer is one line of bounded length: a text that does not fit is refused, not cut.
        let max = LINE_LENGTH_MAX_BYTES as u64 / 2;
        let text = context.queue.read(id(&self.id)?).await?;
        let left = text.len().saturating_sub(self.offset);
        let length = self.limit.unwrap_or(left).min(left);
        if length > max {
            return Err(Refusal::new("message-too-large-to-show")
                .with("size", length)
                .with("max", max)
                .into());
        }
        let (disk, offset) = (context.disk.clone(), self.offset);
        let read =
            tokio::task::spawn_blocking(move || text.read_range(disk.as_ref(), offset, length as usize))
                .await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(Refusal::new("unavailable").with("reason", error).into()),
            Err(error) => return Err(Refusal::new("unavailable").with("reason", error).into()),
        };
        Ok(Text64 {
            base64: base64::engine::general_purpose::STANDARD.encode(bytes),
        })
    }
}
