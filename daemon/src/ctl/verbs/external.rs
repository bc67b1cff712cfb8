//! `external …`

use clap::ArgMatches;
use shared::external::{
    External, ExternalAfter, ExternalMechanism, ExternalProtocol, ExternalSecurity, ExternalState,
};
use shared::protocol::*;
use shared::{Address, Refusal};

use super::users::read_password;
use super::{Outcome, number, optional, page, text, texts};
use crate::ctl::output::{Output, time};
use crate::ctl::{Session, Trouble, refusal_text};

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    if verb == "list" {
        return list(session, arguments).await;
    }
    let out = session.out;
    let (user, name) = (text(arguments, "address"), text(arguments, "name"));
    match verb {
        "add" => {
            let mut external = External::new(Address::parse(&user)?, &name);
            fill(&mut external, arguments)?;
            let password = read_password(session, arguments.get_flag("password-stdin"))?;
            let request = ExternalAdd {
                external,
                password: Some(password),
            };
            let changed = session.call(request).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "set" => {
            let mut external = find(session, &user, &name).await?.external;
            fill(&mut external, arguments)?;
            let password = if arguments.get_flag("password-stdin") {
                Some(read_password(session, true)?)
            } else {
                None
            };
            let changed = session.call(ExternalSet { external, password }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "show" => {
            let row = find(session, &user, &name).await?;
            out.show(&row, |row| show(out, row));
        }
        "fetch" => {
            let wait = true;
            let state = session.call(ExternalFetch { user, name, wait }).await?;
            out.show(&state, |state| {
                out.say("done-external-fetch", &[("count", state.fetched.into())]);
                if let Some(problem) = &state.problem {
                    out.facts(&[("result", refusal_text(out.language, problem))]);
                }
            });
            // A script sees by the exit code that something is wrong.
            if state.problem.is_some() {
                return Err(Trouble::Told);
            }
        }
        "test" => test(session, user, name).await?,
        _ => {
            let done = session.call(ExternalRemove { user, name }).await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}

async fn list(session: &Session, arguments: &ArgMatches) -> Outcome {
    let request = ExternalList {
        user: text(arguments, "of-user"),
        page: page(arguments),
    };
    let rows = session.call(request).await?;
    let out = session.out;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|row| {
            vec![
                row.external.user.to_string(),
                row.external.name.clone(),
                out.yes_no(row.external.enabled),
                row.external.protocol.word().to_owned(),
                format!("{}:{}", row.external.host, row.external.port()),
                row.external.login.clone(),
                moment(row.state.last_visit),
                row.state.fetched_total.to_string(),
                result(out, &row.state),
            ]
        });
        let columns = [
            "user",
            "name",
            "enabled",
            "protocol",
            "host",
            "login",
            "last-visit",
            "fetched",
            "result",
        ];
        out.table(&columns, &cells.collect::<Vec<_>>());
        out.rest(rows.rows.len(), rows.total);
    });
    Ok(())
}

fn show(out: Output, row: &ExternalRow) {
    let (external, state) = (&row.external, &row.state);
    let after = match external.after {
        ExternalAfter::Keep => "keep".to_owned(),
        ExternalAfter::Delete => "delete".to_owned(),
        ExternalAfter::Days(days) => format!("delete-after {days}"),
    };
    out.facts(&[
        ("user", external.user.to_string()),
        ("name", external.name.clone()),
        ("enabled", out.yes_no(external.enabled)),
        ("protocol", external.protocol.word().to_owned()),
        ("host", format!("{}:{}", external.host, external.port())),
        ("tls", external.security.word().to_owned()),
        ("external-certificate", external.certificate.clone()),
        ("login", external.login.clone()),
        ("mechanism", external.mechanism.word().to_owned()),
        ("folder", external.sources().join(", ")),
        ("into", external.into.clone()),
        ("every", external.interval_minutes.to_string()),
        ("after", after),
        ("comment", external.comment.clone()),
        ("last-visit", moment(state.last_visit)),
        ("next-visit", moment(state.next_visit)),
        ("fetched", state.fetched_total.to_string()),
        ("skipped", state.skipped_total.to_string()),
        ("result", result(out, state)),
    ]);
}

async fn test(session: &Session, user: String, name: String) -> Outcome {
    let answer = session.call(ExternalTest { user, name }).await?;
    let out = session.out;
    out.show(&answer, |answer| {
        let problem = answer.problem.as_ref();
        out.facts(&[
            ("host", answer.server.clone()),
            ("tls", answer.tls.clone()),
            ("fingerprint", answer.certificate.clone()),
            ("mechanism", answer.mechanism.clone()),
            ("messages", answer.messages.to_string()),
            (
                "result",
                problem.map_or_else(
                    || out.text("external-fine"),
                    |problem| refusal_text(out.language, problem),
                ),
            ),
        ]);
    });
    if answer.problem.is_some() {
        return Err(Trouble::Told);
    }
    Ok(())
}

fn result(out: Output, state: &ExternalState) -> String {
    match (&state.problem, state.last_visit) {
        (Some(problem), _) => refusal_text(out.language, problem),
        (None, 0) => String::new(),
        (None, _) => out.text("external-fine"),
    }
}

fn moment(at: i64) -> String {
    if at == 0 { String::new() } else { time(at) }
}

async fn find(session: &Session, user: &str, name: &str) -> Result<ExternalRow, Trouble> {
    let request = ExternalList {
        user: user.to_owned(),
        page: Page {
            limit: 10_000,
            ..Page::default()
        },
    };
    let rows = session.call(request).await?;
    let found = rows
        .rows
        .into_iter()
        .find(|row| row.external.name.to_lowercase() == name.to_lowercase());
    found.ok_or_else(|| Refusal::new("external-unknown").with("name", name).into())
}

fn fill(external: &mut External, arguments: &ArgMatches) -> Result<(), Refusal> {
    for (id, field) in [
        ("server", &mut external.host),
        ("fetch-login", &mut external.login),
        ("into", &mut external.into),
        ("certificate", &mut external.certificate),
        ("comment", &mut external.comment),
    ] {
        if let Some(value) = optional(arguments, id) {
            *field = value;
        }
    }
    // In words, `verify` is what the record says by saying nothing.
    if external.certificate == "verify" {
        external.certificate.clear();
    }
    if let Some(word) = optional(arguments, "fetch-protocol") {
        external.protocol = ExternalProtocol::parse(&word)?;
    }
    if let Some(word) = optional(arguments, "security") {
        external.security = ExternalSecurity::parse(&word)?;
    }
    if let Some(word) = optional(arguments, "fetch-mechanism") {
        external.mechanism = ExternalMechanism::parse(&word)?;
    }
    if let Some(port) = number(arguments, "port") {
        external.port = u16::try_from(port).unwrap_or(u16::MAX);
    }
    if let Some(minutes) = number(arguments, "every") {
        external.interval_minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
    }
    if let Some(enabled) = arguments.get_one::<bool>("enabled") {
        external.enabled = *enabled;
    }
    if let Some(seen) = arguments.get_one::<bool>("mark-seen") {
        external.mark_seen = *seen;
    }
    if arguments.contains_id("source") {
        // The empty one alone takes all away.
        external.folders = texts(arguments, "source");
        external.folders.retain(|folder| !folder.is_empty());
    }
    if let Some(days) = number(arguments, "delete-after") {
        external.after = ExternalAfter::Days(u32::try_from(days).unwrap_or(u32::MAX));
    } else if arguments.get_flag("delete") {
        external.after = ExternalAfter::Delete;
    } else if arguments.get_flag("keep") {
        external.after = ExternalAfter::Keep;
    }
    Ok(())
}
