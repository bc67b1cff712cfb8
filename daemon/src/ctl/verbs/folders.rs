//! `folder …`

use clap::ArgMatches;
use shared::protocol::{FolderAdd, FolderList, FolderRemove, FolderRename, FolderRights};

use super::{Outcome, optional, text};
use crate::ctl::Session;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    let user = text(arguments, "user");
    if verb == "list" {
        let rows = session.call(FolderList { user }).await?;
        out.show(&rows, |rows| {
            let cells = rows.rows.iter().map(|folder| {
                let rights: Vec<String> = folder
                    .rights
                    .iter()
                    .map(|(who, what)| format!("{who}={what}"))
                    .collect();
                vec![
                    folder.name.clone(),
                    folder.messages.to_string(),
                    folder.unseen.to_string(),
                    out.bytes(folder.bytes),
                    folder.special_use.clone().unwrap_or_default(),
                    rights.join(" "),
                ]
            });
            out.table(
                &["folder", "messages", "unseen", "size", "special-use", "rights"],
                &cells.collect::<Vec<_>>(),
            );
        });
        return Ok(());
    }
    let name = text(arguments, "folder");
    let done = match verb {
        "add" => {
            session
                .call(FolderAdd {
                    user,
                    name,
                    special_use: optional(arguments, "special-use"),
                })
                .await?
        }
        "rename" => {
            session
                .call(FolderRename {
                    user,
                    name,
                    to: text(arguments, "to"),
                })
                .await?
        }
        "rights" => {
            let (identifier, rights) = (text(arguments, "identifier"), text(arguments, "rights"));
            session
                .call(FolderRights {
                    user,
                    name,
                    identifier,
                    rights,
                })
                .await?
        }
        _ => session.call(FolderRemove { user, name }).await?,
    };
    out.show(&done, |_| out.say("done-change", &[]));
    Ok(())
}
