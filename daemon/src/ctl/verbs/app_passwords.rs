//! `user app-password …`

use clap::ArgMatches;
use shared::model::Protocol;
use shared::protocol::{AppPasswordAdd, AppPasswordList, AppPasswordRemove};

use super::{Outcome, protocols, text};
use crate::arguments::say;
use crate::ctl::Session;
use crate::ctl::output::time;

pub(super) async fn run(session: &Session, arguments: &ArgMatches) -> Outcome {
    let Some((verb, arguments)) = arguments.subcommand() else {
        return Ok(());
    };
    match verb {
        "add" => add(session, arguments).await,
        "list" => list(session, arguments).await,
        _ => remove(session, arguments).await,
    }
}

/// Prints the password alone on the standard output, so that a script can take it.
async fn add(session: &Session, arguments: &ArgMatches) -> Outcome {
    let request = AppPasswordAdd {
        address: text(arguments, "address"),
        label: text(arguments, "label"),
        protocols: protocols(arguments, "protocol")?,
    };
    let made = session.call(request).await?;
    session.out.show(&made, |made| {
        say(&made.password);
    });
    Ok(())
}

async fn list(session: &Session, arguments: &ArgMatches) -> Outcome {
    let rows = session
        .call(AppPasswordList {
            address: text(arguments, "address"),
        })
        .await?;
    let out = session.out;
    out.show(&rows, |rows| {
        let cells = rows.iter().map(|row| {
            let protocols: Vec<String> = row.protocols.iter().map(name).collect();
            vec![
                row.label.clone(),
                protocols.join(", "),
                time(row.made_at),
                row.used_at.map(time).unwrap_or_default(),
            ]
        });
        out.table(
            &["label", "protocols", "made", "used"],
            &cells.collect::<Vec<_>>(),
        );
    });
    Ok(())
}

fn name(protocol: &Protocol) -> String {
    format!("{protocol:?}").to_lowercase()
}

async fn remove(session: &Session, arguments: &ArgMatches) -> Outcome {
    let request = AppPasswordRemove {
        address: text(arguments, "address"),
        label: text(arguments, "label"),
    };
    let done = session.call(request).await?;
    session.out.show(&done, |_| session.out.say("done-remove", &[]));
    Ok(())
}
