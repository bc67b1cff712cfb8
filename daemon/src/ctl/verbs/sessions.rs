//! `session …`, `service …` and `monitor`

use clap::ArgMatches;
use shared::protocol::*;

use super::{Outcome, number, page, text};
use crate::arguments::say;
use crate::ctl::Session;
use crate::ctl::output::{Output, time};

pub(super) async fn sessions(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    if verb == "end" {
        let done = session
            .call(SessionEnd {
                id: number(arguments, "id").unwrap_or_default(),
            })
            .await?;
        out.show(&done, |_| out.say("done-session-end", &[]));
        return Ok(());
    }
    let rows = session
        .call(SessionList {
            page: page(arguments),
        })
        .await?;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|row| {
            vec![
                row.id.to_string(),
                row.service.clone(),
                row.peer.clone(),
                row.user.clone(),
                row.state.clone(),
                out.yes_no(row.tls),
                time(row.since),
                out.bytes(row.bytes_in),
                out.bytes(row.bytes_out),
            ]
        });
        let columns = [
            "id",
            "service",
            "peer",
            "user",
            "state",
            "tls",
            "since",
            "bytes-in",
            "bytes-out",
        ];
        out.table(&columns, &cells.collect::<Vec<_>>());
        out.rest(rows.rows.len(), rows.total);
    });
    Ok(())
}

pub(super) async fn services(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    let state = match verb {
        "start" => ServiceState::Running,
        "pause" => ServiceState::Paused,
        "stop" => ServiceState::Stopped,
        _ => {
            let rows = session.call(ServiceList {}).await?;
            out.show(&rows, |rows| service_table(out, &rows.rows));
            return Ok(());
        }
    };
    let done = session
        .call(ServiceSet {
            service: text(arguments, "service"),
            state,
        })
        .await?;
    out.show(&done, |_| out.say("done-change", &[]));
    Ok(())
}

fn service_table(out: Output, rows: &[ServiceRow]) {
    let cells = rows.iter().map(|row| {
        let state = match row.state {
            ServiceState::Running => "service-running",
            ServiceState::Paused => "service-paused",
            ServiceState::Stopped => "service-stopped",
        };
        vec![
            row.service.clone(),
            out.text(state),
            format!("{}/{}", row.active, row.max),
            row.total.to_string(),
            row.listeners.join(", "),
        ]
    });
    out.table(
        &["service", "state", "active", "total", "listeners"],
        &cells.collect::<Vec<_>>(),
    );
}

pub(super) async fn monitor(session: &Session) -> Outcome {
    let monitor = session.call(MonitorGet {}).await?;
    let out = session.out;
    out.show(&monitor, |monitor| {
        out.facts(&[
            (
                "uptime",
                i18n::format(out.language, "cli-seconds", &[("count", monitor.uptime_s.into())]),
            ),
            ("queue", monitor.queue_messages.to_string()),
            ("accepted", monitor.accepted_total.to_string()),
            ("delivered", monitor.delivered_total.to_string()),
            ("bytes-in", out.bytes(monitor.bytes_in_total)),
            ("bytes-out", out.bytes(monitor.bytes_out_total)),
            ("memory", out.bytes(monitor.memory_bytes)),
        ]);
        say("");
        service_table(out, &monitor.services);
    });
    Ok(())
}
