//! `route …`

use clap::ArgMatches;
use shared::protocol::*;
use shared::route::{Route, RouteProtocol, RouteTls};
use shared::{Address, Refusal};

use super::users::read_password;
use super::{Outcome, number, optional, page, text, texts};
use crate::ctl::{Session, Trouble};

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    match verb {
        "add" => {
            let mut route = Route::new(&text(arguments, "name"));
            fill(&mut route, arguments)?;
            let password = password(session, arguments)?;
            let changed = session.call(RouteAdd { route, password }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "list" => list(session, arguments).await?,
        "show" => {
            let route = find(session, &text(arguments, "name")).await?;
            out.show(&route, |route| {
                out.facts(&[
                    ("name", route.name.clone()),
                    ("place", route.place.to_string()),
                    ("enabled", out.yes_no(route.enabled)),
                    ("recipients", route.to.join(", ")),
                    ("sender", route.from.join(", ")),
                    ("hosts", route.hosts.join(", ")),
                    ("tls", route.tls.word().to_owned()),
                    ("protocol", route.protocol.word().to_owned()),
                    ("login", route.user.clone()),
                    ("comment", route.comment.clone()),
                ]);
            });
        }
        "set" => {
            let mut route = find(session, &text(arguments, "name")).await?;
            fill(&mut route, arguments)?;
            let password = password(session, arguments)?;
            let changed = session.call(RouteSet { route, password }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "test" => test(session, arguments).await?,
        _ => {
            let name = text(arguments, "name");
            let done = session.call(RouteRemove { name }).await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}

async fn list(session: &Session, arguments: &ArgMatches) -> Outcome {
    let page = page(arguments);
    let rows = session.call(RouteList { page }).await?;
    let out = session.out;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|route| {
            vec![
                route.place.to_string(),
                route.name.clone(),
                out.yes_no(route.enabled),
                route.to.join(", "),
                route.from.join(", "),
                route.hosts.join(", "),
                route.tls.word().to_owned(),
            ]
        });
        let columns = ["place", "name", "enabled", "recipients", "sender", "hosts", "tls"];
        out.table(&columns, &cells.collect::<Vec<_>>());
        out.rest(rows.rows.len(), rows.total);
    });
    Ok(())
}

async fn test(session: &Session, arguments: &ArgMatches) -> Outcome {
    let to = Address::parse(&text(arguments, "address"))?.to_string();
    let from = optional(arguments, "sender");
    let answer = session.call(RouteTest { to, from }).await?;
    let out = session.out;
    out.show(&answer, |answer| {
        out.say(
            &format!("route-by-{}", answer.by),
            &[("name", answer.route.as_str().into())],
        );
        if !answer.user.is_empty() {
            out.facts(&[("login", answer.user.clone())]);
        }
        let cells = answer.hosts.iter().map(|host| {
            vec![
                host.host.clone(),
                host.address.clone(),
                answer.protocol.word().to_owned(),
                host.security.clone(),
            ]
        });
        let cells: Vec<_> = cells.collect();
        if !cells.is_empty() {
            out.table(&["host", "address", "protocol", "tls"], &cells);
        }
        if !answer.problem.is_empty() {
            out.facts(&[("last-reply", answer.problem.clone())]);
        }
    });
    Ok(())
}

async fn find(session: &Session, name: &str) -> Result<Route, Trouble> {
    let page = Page {
        limit: 10_000,
        ..Page::default()
    };
    let rows = session.call(RouteList { page }).await?;
    let found = rows
        .rows
        .into_iter()
        .find(|route| route.name.to_lowercase() == name.to_lowercase());
    found.ok_or_else(|| Refusal::new("route-unknown").with("name", name).into())
}

fn fill(route: &mut Route, arguments: &ArgMatches) -> Result<(), Refusal> {
    for (id, list) in [
        ("recipient", &mut route.to),
        ("sender", &mut route.from),
        ("host", &mut route.hosts),
    ] {
        if arguments.contains_id(id) {
            // The empty one alone takes all away.
            *list = texts(arguments, id)
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect();
        }
    }
    if let Some(place) = number(arguments, "place") {
        route.place = u32::try_from(place).unwrap_or(u32::MAX);
    }
    if let Some(enabled) = arguments.get_one::<bool>("enabled") {
        route.enabled = *enabled;
    }
    if let Some(mode) = optional(arguments, "encryption") {
        route.tls = RouteTls::parse(&mode)?;
    }
    if let Some(protocol) = optional(arguments, "over") {
        route.protocol = RouteProtocol::parse(&protocol)?;
    }
    if let Some(user) = optional(arguments, "login") {
        route.user = user;
    }
    if let Some(comment) = optional(arguments, "comment") {
        route.comment = comment;
    }
    Ok(())
}

/// The new password if there is one; the empty one takes it away.
fn password(session: &Session, arguments: &ArgMatches) -> Result<Option<String>, Trouble> {
    if arguments.get_flag("password-stdin") {
        return read_password(session, true).map(Some);
    }
    // Without a login a password is of no use.
    Ok(optional(arguments, "login").filter(String::is_empty))
}
