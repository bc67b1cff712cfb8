//! `setting …`, `storage …`, `check`, `rpc` and `shutdown`

use clap::ArgMatches;
use serde_json::Value;
use shared::Refusal;
use shared::protocol::{Check, SettingList, SettingSet, Shutdown, StorageShow};

use super::{Outcome, optional, text};
use crate::arguments::say;
use crate::ctl::{Session, Trouble, refusal_text};

pub(super) async fn settings(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    let values = session.call(SettingList {}).await?;
    if verb == "set" {
        let (key, value) = (text(arguments, "key"), text(arguments, "value"));
        let changed = session
            .call(SettingSet {
                key,
                value,
                revision: values.revision,
            })
            .await?;
        out.show(&changed, |_| out.say("done-change", &[]));
        return Ok(());
    }
    out.show(&values, |values| {
        let cells = values
            .values
            .iter()
            .map(|(key, value)| vec![key.clone(), value.clone()]);
        out.table(&["setting", "value"], &cells.collect::<Vec<_>>());
    });
    Ok(())
}

pub(super) async fn storage(session: &Session) -> Outcome {
    let storage = session.call(StorageShow {}).await?;
    let out = session.out;
    out.show(&storage, |storage| {
        let cells = storage.kinds.iter().map(|placing| {
            vec![
                placing.kind.clone(),
                placing.database.clone(),
                placing.driver.clone(),
                placing.location.clone(),
            ]
        });
        out.table(
            &["kind", "database", "driver", "location"],
            &cells.collect::<Vec<_>>(),
        );
    });
    Ok(())
}

/// Exits with 1 if something is wrong that was not repaired.
pub(super) async fn check(session: &Session, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    let request = Check {
        user: optional(arguments, "user"),
        repair: arguments.get_flag("repair"),
    };
    let report = session.call(request).await?;
    out.show(&report, |report| {
        for problem in &report.problems {
            let key = if problem.repaired {
                "cli-problem-repaired"
            } else {
                "cli-problem"
            };
            let reason = refusal_text(out.language, &problem.refusal);
            let args = [("owner", problem.owner.clone().into()), ("reason", reason.into())];
            say(&i18n::format(out.language, key, &args));
        }
        let args = [
            ("mailboxes", report.mailboxes.into()),
            ("messages", report.messages.into()),
            ("problems", (report.problems.len() as u64).into()),
        ];
        out.say("done-check", &args);
    });
    let open = report.problems.iter().any(|problem| !problem.repaired);
    if open { Err(Trouble::Told) } else { Ok(()) }
}

pub(super) async fn rpc(session: &Session, arguments: &ArgMatches) -> Outcome {
    let params = match optional(arguments, "params") {
        Some(text) => {
            serde_json::from_str(&text).map_err(|error| Refusal::new("json-invalid").with("reason", error))?
        }
        None => Value::Object(serde_json::Map::new()),
    };
    let reply = session
        .client
        .call_raw(&text(arguments, "method"), params)
        .await?;
    say(&serde_json::to_string_pretty(&reply).unwrap_or_default());
    Ok(())
}

pub(super) async fn shutdown(session: &Session) -> Outcome {
    let done = session.call(Shutdown {}).await?;
    session.out.show(&done, |_| session.out.say("done-shutdown", &[]));
    Ok(())
}
