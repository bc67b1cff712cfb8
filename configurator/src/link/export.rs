//! Writing what the daemon has to files, page by page and piece by piece, so that no answer grows with it: stored log rows, messages of the queue.

use std::path::Path;

use serde_json::Value;
use shared::client::{CallError, Client};
use shared::protocol::{LogFilter, LogQuery, LogRow, QueueShow};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

use super::Failed;

/// Rows asked for at a time.
const PAGE_ROWS: u64 = 2_000;

/// Writes the rows, newest first as the daemon pages them: JSON lines if the file is named `.json` or `.jsonl`, else
/// text with tabs between the columns. Answers with their number.
pub(super) async fn log(client: &Client, mut filter: LogFilter, path: &Path) -> Result<Value, Failed> {
    let json = path
        .extension()
        .is_some_and(|ext| ext == "json" || ext == "jsonl");
    let mut file = BufWriter::new(File::create(path).await.map_err(local)?);
    let mut written: u64 = 0;
    filter.limit = PAGE_ROWS;
    filter.before = 0;
    loop {
        let page = client
            .call(LogQuery {
                query: filter.clone(),
            })
            .await
            .map_err(failed)?
            .rows;
        let Some(oldest) = page.first() else { break };
        filter.before = oldest.seq;
        for row in page.iter().rev() {
            file.write_all(line(row, json).as_bytes()).await.map_err(local)?;
            written += 1;
        }
        if (page.len() as u64) < PAGE_ROWS {
            break;
        }
    }
    file.flush().await.map_err(local)?;
    file.into_inner().sync_all().await.map_err(local)?;
    Ok(Value::from(written))
}

/// Writes each message as `ID.eml` and what the queue knows of it as `ID.json`; what has left the queue meanwhile is left out. Answers with their
/// number.
pub(super) async fn messages(client: &Client, ids: &[String], folder: &Path) -> Result<Value, Failed> {
    tokio::fs::create_dir_all(folder).await.map_err(local)?;
    let mut written: u64 = 0;
    for id in ids {
        // It comes from the other side, and names a file here.
        if id.is_empty()
            || !id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(Failed::Local(id.clone()));
        }
        let message = match client.call(QueueShow { id: id.clone() }).await {
            Ok(message) => message,
            Err(error) if error.is_gone() => continue,
            Err(error) => return Err(failed(error)),
        };
        let path = folder.join(format!("{id}.eml"));
        if !text(client, id, &path).await? {
            let _ = tokio::fs::remove_file(&path).await;
            continue;
        }
        let json = serde_json::to_vec_pretty(&message).map_err(|error| Failed::Local(error.to_string()))?;
        tokio::fs::write(folder.join(format!("{id}.json")), json)
            .await
            .map_err(local)?;
        written += 1;
    }
    Ok(Value::from(written))
}

/// Writes the text of a message. `false`: it has gone.
async fn text(client: &Client, id: &str, path: &Path) -> Result<bool, Failed> {
    let mut file = BufWriter::new(File::create(path).await.map_err(local)?);
    let mut pieces = client.queued_text(id);
    loop {
        match pieces.next().await {
            Ok(Some(piece)) => file.write_all(&piece).await.map_err(local)?,
            Ok(None) => break,
            Err(error) if error.is_gone() => return Ok(false),
            Err(error) => return Err(failed(error)),
        }
    }
    file.flush().await.map_err(local)?;
    file.into_inner().sync_all().await.map_err(local)?;
    Ok(true)
}

pub(super) fn failed(error: CallError) -> Failed {
    match error {
        CallError::Failed(failure) => Failed::Daemon(failure),
        CallError::Lost | CallError::NoDaemon(_) => Failed::Lost,
        CallError::Garbled(text) => Failed::Local(text),
    }
}

fn local(error: std::io::Error) -> Failed {
    Failed::Local(error.to_string())
}

fn line(row: &LogRow, json: bool) -> String {
    if json {
        return serde_json::to_string(row).unwrap_or_default() + "\n";
    }
    let at = jiff::Timestamp::from_microsecond(row.at_us)
        .map(|at| at.to_string())
        .unwrap_or_default();
    let session = row.session.map(|id| id.to_string()).unwrap_or_default();
    format!(
        "{at}\t{}\t{}\t{session}\t{}\t{}\n",
        row.channel,
        row.severity,
        row.code,
        row.text.replace(['\n', '\t'], " ")
    )
}
