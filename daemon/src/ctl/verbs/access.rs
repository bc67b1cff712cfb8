//! `allow …` and `block …`

use clap::ArgMatches;
use shared::model::{ListEntry, Side};
use shared::protocol::{AccessAdd, AccessList, AccessRemove};

use super::{Outcome, page, text};
use crate::ctl::Session;

pub(super) async fn run(session: &Session, noun: &str, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    let side = if noun == "allow" { Side::Allow } else { Side::Block };
    match verb {
        "add" => {
            let (pattern, comment) = (text(arguments, "pattern"), text(arguments, "comment"));
            let changed = session
                .call(AccessAdd {
                    entry: ListEntry {
                        side,
                        pattern,
                        comment,
                        revision: 0,
                    },
                })
                .await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "list" => {
            let rows = session
                .call(AccessList {
                    side: Some(side),
                    page: page(arguments),
                })
                .await?;
            out.show(&rows, |rows| {
                let cells = rows
                    .rows
                    .iter()
                    .map(|entry| vec![entry.pattern.clone(), entry.comment.clone()]);
                out.table(&["pattern", "comment"], &cells.collect::<Vec<_>>());
                out.rest(rows.rows.len(), rows.total);
            });
        }
        _ => {
            let done = session
                .call(AccessRemove {
                    side,
                    pattern: text(arguments, "pattern"),
                })
                .await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}
