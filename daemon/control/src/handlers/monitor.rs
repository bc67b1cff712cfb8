//! The monitor, sessions and services.

use std::cmp::Ordering;

use shared::Refusal;
use shared::protocol::*;

use crate::dispatch::Handle;
use crate::page::cut;
use crate::{Caller, Context, Fault};

/// The monitor's figures now.
pub(crate) fn monitor(context: &Context, missed: u64) -> Monitor {
    let counts = context.queue.counts();
    let (bytes_in_total, bytes_out_total) = context.net.bytes_total();
    Monitor {
        at: now_s(),
        uptime_s: context.started.elapsed().as_secs(),
        services: context.net.services(),
        queue_messages: counts.messages,
        accepted_total: counts.accepted_total,
        delivered_total: counts.delivered_total,
        bytes_in_total,
        bytes_out_total,
        memory_bytes: disk::process_memory_bytes().unwrap_or_default(),
        missed,
    }
}

fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

impl Handle for MonitorGet {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Monitor, Fault> {
        Ok(monitor(context, 0))
    }
}

impl Handle for SessionList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<SessionRow>, Fault> {
        let words = |row: &SessionRow| format!("{} {} {} {}", row.service, row.peer, row.user, row.state);
        Ok(cut(context.net.sessions(), &self.page, words, by_column))
    }
}

fn by_column(column: &str, a: &SessionRow, b: &SessionRow) -> Ordering {
    match column {
        "service" => a.service.cmp(&b.service),
        "peer" => a.peer.cmp(&b.peer),
        "user" => a.user.cmp(&b.user),
        "state" => a.state.cmp(&b.state),
        "since" => a.since.cmp(&b.since),
        "bytes_in" => a.bytes_in.cmp(&b.bytes_in),
        "bytes_out" => a.bytes_out.cmp(&b.bytes_out),
        _ => a.id.cmp(&b.id),
    }
}

impl Handle for SessionEnd {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        if context.net.end(self.id, &caller.name) {
            return Ok(Done {});
        }
        Err(Refusal::new("session-unknown").with("id", self.id).into())
    }
}

impl Handle for ServiceList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<ServiceRow>, Fault> {
        let rows = context.net.services();
        Ok(Rows {
            total: rows.len() as u64,
            rows,
        })
    }
}

impl Handle for ServiceSet {
    async fn handle(self, context: &Context, caller: &Caller) -> Result<Done, Fault> {
        context.net.set(&self.service, self.state, &caller.name).await?;
        Ok(Done {})
    }
}
