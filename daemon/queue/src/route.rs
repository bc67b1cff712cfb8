//! Another way out for messages that wait: an administrator sends them to a host of his choice.

use events::MessageId;
use rusqlite::params;

use crate::admin::Found;
use crate::record::Head;
use crate::rows::stored;
use crate::{Queue, QueueError};

impl Queue {
    /// Sends messages by `route` (`host` or `host:port`) instead of where their recipients' domains lead; `None`: the usual way again. They are
    /// tried at once, unless they are held. One that is being tried goes the new way the next time. How many.
    pub async fn set_route(&self, ids: &[MessageId], route: Option<&str>) -> Result<u64, QueueError> {
        let mut changed = 0;
        for &id in ids {
            let mut done = self.route_one(id, route).await?;
            if done == 0 {
                // It came back to be tried just then.
                done = self.route_one(id, route).await?;
            }
            changed += done;
        }
        self.inner.notice();
        Ok(changed)
    }

    async fn route_one(&self, id: MessageId, route: Option<&str>) -> Result<u64, QueueError> {
        let route = route.map(str::to_owned);
        match self.find(id, |live| live.head.route.clone_from(&route)) {
            Found::Taken => Ok(1),
            // It is durable when the row is.
            Found::Idle => self.park_idle(id).await.map(|()| 1),
            Found::Row => self.route_row(id, route).await,
        }
    }

    async fn route_row(&self, id: MessageId, route: Option<String>) -> Result<u64, QueueError> {
        let changed = self.inner.waiting.call(move |connection| {
            let Some(stored) = stored(connection, id)? else {
                return Ok(0);
            };
            let Some(head) = stored.head() else { return Ok(0) };
            let json = serde_json::to_vec(&Head { route, ..head }).unwrap_or(stored.head);
            let sql = "UPDATE message SET head = ?2, next_try = 0 WHERE id = ?1";
            connection.execute(sql, params![id.0 as i64, json])
        });
        Ok(changed.await? as u64)
    }
}
