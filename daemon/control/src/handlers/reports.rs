//! Aggregate reports to other domains that wait.

use std::time::Duration;

use shared::Refusal;
use shared::protocol::*;
use tokio::time::timeout;

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

/// How long whoever wants reports sent waits for the end of it.
const SEND_WAIT: Duration = Duration::from_mins(1);

impl Handle for ReportList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<ReportWaiting>, Fault> {
        let rows = context.delivery.reports_waiting().await.map_err(unavailable)?;
        Ok(Rows {
            total: rows.len() as u64,
            rows,
        })
    }
}

impl Handle for ReportSend {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Count, Fault> {
        let kinds = self.kind.map_or(ReportKind::ALL.to_vec(), |kind| vec![kind]);
        let delivery = context.delivery.clone();
        let sending = tokio::spawn(async move {
            let mut count = 0;
            for kind in kinds {
                count += delivery.send_reports(kind).await?;
            }
            Ok(count)
        });
        // Domains whose servers are slow must not hold up what else the caller asks.
        match timeout(SEND_WAIT, sending).await {
            Ok(Ok(sent)) => Ok(Count {
                count: sent.map_err(unavailable)?,
            }),
            Ok(Err(panic)) => Err(Refusal::new("unavailable").with("reason", panic).into()),
            Err(_) => Err(Refusal::new("report-goes-on").into()),
        }
    }
}

fn unavailable(error: delivery::ReportError) -> Fault {
    Refusal::new("unavailable").with("reason", error).into()
}
