//! `dmarc …`

use shared::protocol::{DmarcList, DmarcSend};

use super::Outcome;
use crate::ctl::Session;
use crate::ctl::output::time;

pub(super) async fn run(session: &Session, verb: &str) -> Outcome {
    let out = session.out;
    if verb == "send" {
        let sent = session.call(DmarcSend {}).await?;
        out.show(&sent, |sent| {
            out.say("done-dmarc-send", &[("count", sent.count.into())]);
        });
        return Ok(());
    }
    let rows = session.call(DmarcList {}).await?;
    out.show(&rows, |rows| {
        let cells = rows
            .rows
            .iter()
            .map(|row| vec![row.domain.clone(), time(row.day), row.messages.to_string()]);
        out.table(&["domain", "day", "messages"], &cells.collect::<Vec<_>>());
    });
    Ok(())
}
