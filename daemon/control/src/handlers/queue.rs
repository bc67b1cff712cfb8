//! The queue.

use base64::Engine as _;
use events::kinds::delivery::QueueChanged;
use events::{MessageId, Scope};
use shared::Refusal;
use shared::protocol::*;

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

impl Handle for QueueRead {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Text64, Fault> {
        // An answer is one line of bounded length: a text that does not fit is refused, not cut.
        let max = LINE_LENGTH_MAX_BYTES as u64 / 2;
        let text = context.queue.read(id(&self.id)?).await?;
        if text.len() > max {
            return Err(Refusal::new("message-too-large-to-show")
                .with("size", text.len())
                .with("max", max)
                .into());
        }
        let disk = context.disk.clone();
        let read =
            tokio::task::spawn_blocking(move || text.read_range(disk.as_ref(), 0, text.len() as usize)).await;
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
