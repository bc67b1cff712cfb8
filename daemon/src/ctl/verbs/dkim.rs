//! `dkim …`

use std::path::PathBuf;

use clap::ArgMatches;
use shared::Refusal;
use shared::model::DkimKey;
use shared::protocol::{DkimAdd, DkimGet, DkimList, DkimRemove, DkimSet, Page};

use super::{Outcome, page, text};
use crate::ctl::Session;
use crate::ctl::output::time;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    let (domain, selector) = (text(arguments, "domain"), text(arguments, "selector"));
    match verb {
        "add" => {
            let key = session
                .call(DkimAdd {
                    domain,
                    selector,
                    algorithm: text(arguments, "algorithm"),
                    private_key: key_file(arguments)?,
                    active: arguments.get_flag("active"),
                })
                .await?;
            out.show(&key, |key| {
                facts(session, key);
                if !key.active {
                    out.say("done-dkim-add", &[("selector", key.selector.as_str().into())]);
                }
            });
        }
        "list" => {
            let rows = session
                .call(DkimList {
                    domain,
                    page: page(arguments),
                })
                .await?;
            out.show(&rows, |rows| {
                let cells = rows.rows.iter().map(|key| {
                    vec![
                        key.domain.unicode(),
                        key.selector.clone(),
                        key.algorithm.clone(),
                        out.yes_no(key.active),
                        time(key.created),
                    ]
                });
                out.table(
                    &["domain", "selector", "algorithm", "signs", "made"],
                    &cells.collect::<Vec<_>>(),
                );
                out.rest(rows.rows.len(), rows.total);
            });
        }
        "show" if selector.is_empty() => {
            let page = Page::default();
            let rows = session.call(DkimList { domain, page }).await?;
            out.show(&rows, |rows| rows.rows.iter().for_each(|key| facts(session, key)));
        }
        "show" => {
            let key = session.call(DkimGet { domain, selector }).await?;
            out.show(&key, |key| facts(session, key));
        }
        "enable" | "disable" => {
            let active = verb == "enable";
            let changed = session
                .call(DkimSet {
                    domain,
                    selector,
                    active,
                })
                .await?;
            out.show(&changed, |_| out.say("done-change", &[]));
        }
        _ => {
            let done = session.call(DkimRemove { domain, selector }).await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}

/// The text of the file that is to be taken; empty: a key is to be made.
fn key_file(arguments: &ArgMatches) -> Result<String, Refusal> {
    let Some(path) = arguments.get_one::<PathBuf>("key-file") else {
        return Ok(String::new());
    };
    std::fs::read_to_string(path).map_err(|error| {
        Refusal::new("file-unreadable")
            .with("file", path.display())
            .with("reason", error)
    })
}

fn facts(session: &Session, key: &DkimKey) {
    let out = session.out;
    out.facts(&[
        ("domain", key.domain.unicode()),
        ("selector", key.selector.clone()),
        ("algorithm", key.algorithm.clone()),
        ("signs", out.yes_no(key.active)),
        ("made", time(key.created)),
        ("record-name", key.record_name.clone()),
        ("record-type", "TXT".to_owned()),
        ("record", key.record.clone()),
    ]);
}
