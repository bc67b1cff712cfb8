//! `alias …` and `group …`

use clap::ArgMatches;
use shared::model::{Alias, Group};
use shared::protocol::*;
use shared::{Address, Refusal};

use super::{Outcome, optional, page, parsed, text, texts};
use crate::ctl::Session;

pub(super) async fn aliases(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    match verb {
        "add" => {
            let address = Address::parse(&text(arguments, "address"))?;
            let alias = Alias {
                address,
                targets: parsed(arguments, "target")?,
                enabled: true,
                revision: 0,
            };
            let changed = session.call(AliasAdd { alias }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "list" => {
            let rows = session
                .call(AliasList {
                    domain: text(arguments, "domain"),
                    page: page(arguments),
                })
                .await?;
            out.show(&rows, |rows| {
                let cells = rows.rows.iter().map(|alias| {
                    let targets: Vec<String> = alias.targets.iter().map(ToString::to_string).collect();
                    vec![
                        alias.address.to_string(),
                        targets.join(", "),
                        out.yes_no(alias.enabled),
                    ]
                });
                out.table(&["address", "targets", "enabled"], &cells.collect::<Vec<_>>());
                out.rest(rows.rows.len(), rows.total);
            });
        }
        "set" => {
            let mut alias = find_alias(session, &text(arguments, "address")).await?;
            if arguments.contains_id("target") {
                alias.targets = parsed(arguments, "target")?;
            }
            if let Some(enabled) = arguments.get_one::<bool>("enabled") {
                alias.enabled = *enabled;
            }
            let changed = session.call(AliasSet { alias }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        _ => {
            let done = session
                .call(AliasRemove {
                    address: text(arguments, "address"),
                })
                .await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}

async fn find_alias(session: &Session, address: &str) -> Result<Alias, crate::ctl::Trouble> {
    let wanted = Address::parse(address)?;
    let page = Page {
        // As it is stored: quoted where it must be, in any case of letters.
        filter: wanted.to_string(),
        limit: 10_000,
        ..Page::default()
    };
    let rows = session
        .call(AliasList {
            domain: wanted.domain().to_string(),
            page,
        })
        .await?;
    let found = rows
        .rows
        .into_iter()
        .find(|alias| alias.address.key() == wanted.key());
    found.ok_or_else(|| Refusal::new("alias-unknown").with("name", wanted).into())
}

pub(super) async fn groups(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    match verb {
        "add" => {
            let mut group = Group {
                name: text(arguments, "name"),
                description: String::new(),
                address: None,
                members: Vec::new(),
                member_groups: Vec::new(),
                revision: 0,
            };
            fill(&mut group, arguments)?;
            let changed = session.call(GroupAdd { group }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        "list" => {
            let rows = session
                .call(GroupList {
                    page: page(arguments),
                })
                .await?;
            out.show(&rows, |rows| {
                let cells = rows.rows.iter().map(|group| {
                    let address = group
                        .address
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    vec![
                        group.name.clone(),
                        address,
                        group.members.len().to_string(),
                        group.description.clone(),
                    ]
                });
                out.table(
                    &["group", "address", "members", "description"],
                    &cells.collect::<Vec<_>>(),
                );
                out.rest(rows.rows.len(), rows.total);
            });
        }
        "set" => {
            let name = text(arguments, "name");
            let page = Page {
                filter: name.clone(),
                limit: 10_000,
                ..Page::default()
            };
            let rows = session.call(GroupList { page }).await?;
            let found = rows
                .rows
                .into_iter()
                .find(|group| group.name.to_lowercase() == name.to_lowercase());
            let mut group = found.ok_or_else(|| Refusal::new("group-unknown").with("name", name))?;
            fill(&mut group, arguments)?;
            let changed = session.call(GroupSet { group }).await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        _ => {
            let done = session
                .call(GroupRemove {
                    name: text(arguments, "name"),
                })
                .await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}

fn fill(group: &mut Group, arguments: &ArgMatches) -> Result<(), Refusal> {
    if let Some(description) = optional(arguments, "description") {
        group.description = description;
    }
    if let Some(address) = optional(arguments, "address") {
        group.address = if address.is_empty() {
            None
        } else {
            Some(Address::parse(&address)?)
        };
    }
    if arguments.contains_id("member") {
        group.members = parsed(arguments, "member")?;
    }
    if arguments.contains_id("member-group") {
        group.member_groups = texts(arguments, "member-group");
    }
    Ok(())
}
