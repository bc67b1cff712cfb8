//! `report …`

use clap::ArgMatches;
use shared::protocol::{ReportKind, ReportList, ReportSend};

use super::{Outcome, optional};
use crate::ctl::Session;
use crate::ctl::output::time;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    if verb == "send" {
        let word = optional(arguments, "kind");
        let kind = ReportKind::ALL
            .into_iter()
            .find(|kind| word.as_deref() == Some(kind.word()));
        let sent = session.call(ReportSend { kind }).await?;
        out.show(&sent, |sent| {
            out.say("done-report-send", &[("count", sent.count.into())]);
        });
        return Ok(());
    }
    let rows = session.call(ReportList {}).await?;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|row| {
            vec![
                row.kind.word().to_owned(),
                row.domain.clone(),
                time(row.day),
                row.count.to_string(),
            ]
        });
        out.table(&["kind", "domain", "day", "count"], &cells.collect::<Vec<_>>());
    });
    Ok(())
}
