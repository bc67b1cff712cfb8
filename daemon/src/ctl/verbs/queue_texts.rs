//! `queue read` and `queue export`: the texts of messages, in pieces of bounded size.

use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use clap::ArgMatches;
use shared::Refusal;
use shared::client::CallError;
use shared::protocol::*;

use super::{Outcome, Trouble, text, texts};
use crate::ctl::Session;

/// Bytes of a text that are asked for at once.
const PIECE_BYTES: u64 = 1024 * 1024;
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
    let Trouble::Call(CallError::Failed(failure)) = error else {
        return false;
    };
    let refusal = failure.data.as_ref();
    refusal.is_some_and(|refusal| refusal.code == "message-unknown")
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
    let mut offset = 0;
    loop {
        let request = QueueRead {
            id: id.to_owned(),
            offset,
            limit: Some(PIECE_BYTES),
        };
        let piece = session.call(request).await?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(&piece.base64)
            .map_err(|error| unwritable(&error))?;
        if bytes.is_empty() {
            return to.flush().map_err(|error| unwritable(&error).into());
        }
        to.write_all(&bytes).map_err(|error| unwritable(&error))?;
        offset += bytes.len() as u64;
    }
}

fn unwritable(reason: &dyn std::fmt::Display) -> Refusal {
    Refusal::new("output-unwritable").with("reason", reason.to_string())
}
