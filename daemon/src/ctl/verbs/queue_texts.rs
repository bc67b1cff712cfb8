//! `queue read` and `queue export`: the texts of messages, in pieces of bounded size.

use std::io::Write;
use std::path::Path;

use clap::ArgMatches;
use shared::Refusal;
use shared::protocol::*;

use super::{Outcome, Trouble, text, texts};
use crate::ctl::Session;

/// Messages of one page of the list.
const PAGE_MESSAGES: u64 = 1000;

/// The message's text as it is, or as JSON if asked.
pub(super) async fn read(session: &Session, arguments: &ArgMatches) -> Outcome {
    let id = text(arguments, "id");
    if session.out.json {
        let request = QueueRead {
            id,
            offset: 0,
            limit: None,
        };
        let text = session.call(request).await?;
        session.out.show(&text, |_| {});
        return Ok(());
    }
    copy(session, &id, &mut std::io::stdout()).await
}

/// Writes each message as `ID.eml` and what the queue knows of it as `ID.json`; without ids all messages.
pub(super) async fn export(session: &Session, arguments: &ArgMatches) -> Outcome {
    let folder = text(arguments, "directory");
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
    let mut ids = texts(arguments, "id");
    let all = ids.is_empty();
    if all {
        ids = all_ids(session).await?;
    }
    let mut count = Count { count: 0 };
    for id in ids {
        let message = match session.call(QueueShow { id: id.clone() }).await {
            Ok(message) => message,
            // Delivered since the list was read.
            Err(error) if all && is_gone(&error) => continue,
            Err(error) => return Err(error),
        };
        // It comes from the other side, and names a file here.
        if !id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(unwritable(&id).into());
        }
        let path = folder.join(format!("{id}.eml"));
        let mut file = std::fs::File::create(&path).map_err(|error| unwritable(&error))?;
        match copy(session, &id, &mut file).await {
            Err(error) if all && is_gone(&error) => {
                let _ = std::fs::remove_file(&path);
                continue;
            }
            done => done?,
        }
        let json = serde_json::to_vec_pretty(&message).map_err(|error| unwritable(&error))?;
        std::fs::write(folder.join(format!("{id}.json")), json).map_err(|error| unwritable(&error))?;
        count.count += 1;
    }
    session.out.show(&count, |count| {
        session.out.say("done-queue", &[("count", count.count.into())]);
    });
    Ok(())
}

/// Whether the message was delivered or removed meanwhile.
fn is_gone(error: &Trouble) -> bool {
    matches!(error, Trouble::Call(error) if error.is_gone())
}

async fn all_ids(session: &Session) -> Result<Vec<String>, Trouble> {
    let mut ids = Vec::new();
    loop {
        let page = Page {
            offset: ids.len() as u64,
            limit: PAGE_MESSAGES,
            ..Page::default()
        };
        let rows = session.call(QueueList { page }).await?;
        if rows.rows.is_empty() {
            return Ok(ids);
        }
        ids.extend(rows.rows.into_iter().map(|row| row.id));
    }
}

async fn copy(session: &Session, id: &str, to: &mut impl Write) -> Outcome {
    let mut pieces = session.client.queued_text(id);
    while let Some(piece) = pieces.next().await? {
        to.write_all(&piece).map_err(|error| unwritable(&error))?;
    }
    to.flush().map_err(|error| unwritable(&error).into())
}

fn unwritable(reason: &dyn std::fmt::Display) -> Refusal {
    Refusal::new("output-unwritable").with("reason", reason.to_string())
}
