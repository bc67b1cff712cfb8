//! `queue …`

use clap::ArgMatches;
use shared::protocol::*;

use super::queue_texts as texts_of;
use super::{Outcome, optional, page, text, texts};
use crate::arguments::say;
use crate::ctl::Session;
use crate::ctl::output::time;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let count = match verb {
        "list" => return list(session, arguments).await,
        "show" => return show(session, arguments).await,
        "read" => return texts_of::read(session, arguments).await,
        "export" => return texts_of::export(session, arguments).await,
        "route" => {
            let request = QueueRoute {
                ids: texts(arguments, "id"),
                route: optional(arguments, "to"),
            };
            session.call(request).await?
        }
        "retry" => {
            session
                .call(QueueRetry {
                    ids: texts(arguments, "id"),
                })
                .await?
        }
        "hold" => {
            session
                .call(QueueHold {
                    ids: texts(arguments, "id"),
                })
                .await?
        }
        "release" => {
            session
                .call(QueueRelease {
                    ids: texts(arguments, "id"),
                })
                .await?
        }
        _ => {
            let request = QueueRemove {
                ids: texts(arguments, "id"),
                bounce: arguments.get_flag("bounce"),
            };
            session.call(request).await?
        }
    };
    session.out.show(&count, |count| {
        session.out.say("done-queue", &[("count", count.count.into())]);
    });
    Ok(())
}

async fn list(session: &Session, arguments: &ArgMatches) -> Outcome {
    let rows = session
        .call(QueueList {
            page: page(arguments),
        })
        .await?;
    let out = session.out;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|row| {
            let state = if row.held {
                out.text("held")
            } else {
                row.next_try.map(time).unwrap_or_default()
            };
            vec![
                row.id.clone(),
                time(row.arrived),
                format!("<{}>", row.sender),
                row.recipients.join(", "),
                out.bytes(row.size),
                row.attempts.to_string(),
                state,
                row.last_reply.clone(),
            ]
        });
        let columns = [
            "id",
            "arrived",
            "sender",
            "recipients",
            "size",
            "attempts",
            "next-try",
            "last-reply",
        ];
        out.table(&columns, &cells.collect::<Vec<_>>());
        out.rest(rows.rows.len(), rows.total);
    });
    Ok(())
}

async fn show(session: &Session, arguments: &ArgMatches) -> Outcome {
    let message = session
        .call(QueueShow {
            id: text(arguments, "id"),
        })
        .await?;
    let out = session.out;
    out.show(&message, |message| {
        let row = &message.row;
        out.facts(&[
            ("id", row.id.clone()),
            ("sender", format!("<{}>", row.sender)),
            ("size", out.bytes(row.size)),
            ("arrived", time(row.arrived)),
            ("attempts", row.attempts.to_string()),
            ("held", out.yes_no(row.held)),
            ("route", message.route.clone().unwrap_or_default()),
        ]);
        say("");
        let cells = message.states.iter().map(|state| {
            let next = state.next_try.map(time).unwrap_or_default();
            let word = out.text(&format!("state-{}", state.state));
            vec![
                state.address.clone(),
                word,
                state.attempts.to_string(),
                next,
                state.last_reply.clone(),
            ]
        });
        out.table(
            &["recipient", "state", "attempts", "next-try", "last-reply"],
            &cells.collect::<Vec<_>>(),
        );
    });
    Ok(())
}
