//! Aggregate reports (DMARC) that wait.

use shared::Refusal;
use shared::protocol::*;

use crate::dispatch::Handle;
use crate::{Caller, Context, Fault};

impl Handle for DmarcList {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Rows<DmarcWaiting>, Fault> {
        let rows = context.delivery.dmarc_waiting().await.map_err(unavailable)?;
        Ok(Rows {
            total: rows.len() as u64,
            rows,
        })
    }
}

impl Handle for DmarcSend {
    async fn handle(self, context: &Context, _: &Caller) -> Result<Count, Fault> {
        let count = context.delivery.send_dmarc_reports().await.map_err(unavailable)?;
        Ok(Count { count })
    }
}

fn unavailable(error: delivery::ReportError) -> Fault {
    Refusal::new("unavailable").with("reason", error).into()
}
