//! Aggregate reports to other domains that wait.

use shared::Refusal;
use shared::protocol::*;

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

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
        let kinds: &[ReportKind] = self.kind.as_ref().map_or(&ReportKind::ALL, std::slice::from_ref);
        let mut count = 0;
        for kind in kinds {
            count += context.delivery.send_reports(*kind).await.map_err(unavailable)?;
        }
        Ok(Count { count })
    }
}

fn unavailable(error: delivery::ReportError) -> Fault {
    Refusal::new("unavailable").with("reason", error).into()
}
