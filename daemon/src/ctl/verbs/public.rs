//! `public …`

use clap::ArgMatches;
use shared::Refusal;
use shared::model::TreeOf;
use shared::protocol::{Page, TreeAdd, TreeList, TreeRemove, TreeSet};

use super::{Outcome, number, page, text};
use crate::ctl::Session;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    if verb == "list" {
        let rows = session
            .call(TreeList {
                page: page(arguments),
            })
            .await?;
        out.show(&rows, |rows| {
            let cells = rows.rows.iter().map(|tree| {
                let of = match tree.of {
                    TreeOf::Domain => "cli-tree-of-domain",
                    TreeOf::Group => "cli-tree-of-group",
                };
                vec![
                    tree.name.clone(),
                    out.text(of),
                    tree.quota_bytes.map(|bytes| out.bytes(bytes)).unwrap_or_default(),
                ]
            });
            out.table(&["name", "of", "quota"], &cells.collect::<Vec<_>>());
        });
        return Ok(());
    }
    let name = text(arguments, "name");
    if verb == "remove" {
        let done = session.call(TreeRemove { name }).await?;
        out.show(&done, |_| out.say("done-change", &[]));
        return Ok(());
    }
    let quota_bytes = number(arguments, "tree-quota").filter(|bytes| *bytes > 0);
    let done = if verb == "add" {
        session.call(TreeAdd { name, quota_bytes }).await?
    } else {
        let page = Page {
            filter: name.clone(),
            limit: 10_000,
            ..Page::default()
        };
        let rows = session.call(TreeList { page }).await?.rows;
        let tree = rows
            .into_iter()
            .find(|tree| tree.name.eq_ignore_ascii_case(&name));
        let mut tree = tree.ok_or_else(|| Refusal::new("tree-unknown").with("name", &name))?;
        tree.quota_bytes = quota_bytes;
        session.call(TreeSet { tree }).await?
    };
    out.show(&done, |_| out.say("done-change", &[]));
    Ok(())
}
