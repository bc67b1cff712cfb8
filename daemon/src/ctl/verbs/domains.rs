//! `domain …`

use clap::ArgMatches;
use shared::mechanisms::{MECHANISMS, Mechanisms};
use shared::model::Domain;
use shared::protocol::{DomainAdd, DomainGet, DomainList, DomainRemove, DomainSet};
use shared::{Address, DomainName};

use super::{Outcome, number, optional, page, parsed, text, texts};
use crate::ctl::Session;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    match verb {
        "add" => add(session, arguments).await,
        "list" => list(session, arguments).await,
        "show" => show(session, arguments).await,
        "set" => set(session, arguments).await,
        "logins" => logins(session, arguments).await,
        _ => remove(session, arguments).await,
    }
}

async fn add(session: &Session, arguments: &ArgMatches) -> Outcome {
    let mut domain = Domain::new(DomainName::parse(&text(arguments, "name"))?);
    fill(&mut domain, arguments)?;
    let name = domain.name.to_string();
    let changed = session.call(DomainAdd { domain }).await?;
    session.out.show(&changed, |_| {
        session.out.say("done-domain-add", &[("name", name.into())]);
    });
    Ok(())
}

/// Takes over what the options say.
fn fill(domain: &mut Domain, arguments: &ArgMatches) -> Result<(), shared::Refusal> {
    if let Some(description) = optional(arguments, "description") {
        domain.description = description;
    }
    if let Some(enabled) = arguments.get_one::<bool>("enabled") {
        domain.enabled = *enabled;
    }
    if let Some(address) = optional(arguments, "catch-all") {
        domain.catch_all = if address.is_empty() {
            None
        } else {
            Some(Address::parse(&address)?)
        };
    }
    if let Some(bytes) = number(arguments, "user-quota") {
        domain.user_quota_bytes = (bytes > 0).then_some(bytes);
    }
    if arguments.contains_id("alias") {
        domain.aliases = parsed(arguments, "alias")?;
    }
    if let Some(language) = optional(arguments, "language") {
        domain.language = language.replace("default", "");
    }
    if arguments.contains_id("mechanism") {
        domain.mechanisms = texts(arguments, "mechanism");
        // How the standard is named on the command line, where a list can't be empty.
        domain
            .mechanisms
            .retain(|name| !name.eq_ignore_ascii_case("standard"));
    }
    Ok(())
}

/// The ways to log in, with what each costs.
async fn logins(session: &Session, arguments: &ArgMatches) -> Outcome {
    let domain = session
        .call(DomainGet {
            name: text(arguments, "name"),
        })
        .await?;
    let out = session.out;
    let on = Mechanisms::of(&domain.mechanisms);
    let ways: Vec<_> = MECHANISMS
        .iter()
        .map(|mechanism| (mechanism.name, on.has(mechanism.name)))
        .collect();
    out.show(&ways, |_| {
        let cells = MECHANISMS.iter().map(|mechanism| {
            vec![
                mechanism.name.to_owned(),
                out.yes_no(on.has(mechanism.name)),
                i18n::text(out.language, mechanism.costs),
            ]
        });
        out.table(&["mechanism", "enabled", "costs"], &cells.collect::<Vec<_>>());
    });
    Ok(())
}

async fn list(session: &Session, arguments: &ArgMatches) -> Outcome {
    let rows = session
        .call(DomainList {
            page: page(arguments),
        })
        .await?;
    let out = session.out;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|row| {
            let domain = &row.domain;
            vec![
                domain.name.unicode(),
                row.users.to_string(),
                out.yes_no(domain.enabled),
                domain.description.clone(),
            ]
        });
        out.table(
            &["domain", "users", "enabled", "description"],
            &cells.collect::<Vec<_>>(),
        );
        out.rest(rows.rows.len(), rows.total);
    });
    Ok(())
}

async fn show(session: &Session, arguments: &ArgMatches) -> Outcome {
    let domain = session
        .call(DomainGet {
            name: text(arguments, "name"),
        })
        .await?;
    let out = session.out;
    out.show(&domain, |domain| {
        let aliases: Vec<String> = domain.aliases.iter().map(DomainName::unicode).collect();
        out.facts(&[
            ("domain", domain.name.unicode()),
            ("enabled", out.yes_no(domain.enabled)),
            ("description", domain.description.clone()),
            ("aliases", aliases.join(", ")),
            (
                "catch-all",
                domain
                    .catch_all
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            (
                "user-quota",
                domain
                    .user_quota_bytes
                    .map(|bytes| out.bytes(bytes))
                    .unwrap_or_default(),
            ),
            ("language", domain.language.clone()),
        ]);
    });
    Ok(())
}

async fn set(session: &Session, arguments: &ArgMatches) -> Outcome {
    let mut domain = session
        .call(DomainGet {
            name: text(arguments, "name"),
        })
        .await?;
    fill(&mut domain, arguments)?;
    let changed = session.call(DomainSet { domain }).await?;
    session
        .out
        .show(&changed, |_| session.out.say("done-change", &[]));
    Ok(())
}

async fn remove(session: &Session, arguments: &ArgMatches) -> Outcome {
    let request = DomainRemove {
        name: text(arguments, "name"),
        with_users: arguments.get_flag("with-users"),
    };
    let done = session.call(request).await?;
    session.out.show(&done, |_| session.out.say("done-remove", &[]));
    Ok(())
}
