//! A visit over POP3: what was fetched is known by its unique id (RFC 1939 §7, UIDL), a row of the directory each, for as long as the server lists
//! it.

use std::collections::{HashMap, HashSet};

use directory::ExternalSeen;
use shared::external::ExternalAfter;

use crate::intake::{Arrived, Incoming, Skip};
use crate::now;
use crate::pop3::{Listed, Pop3};
use crate::problem::Problem;
use crate::visit::Visit;

const DAY_S: i64 = 86_400;
/// Rows that are forgotten at a time.
const FORGOTTEN_AT_ONCE: usize = 500;

/// What to do with the connection.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    /// It is of no use any more.
    CutOff,
}

pub(crate) async fn visit(visit: &mut Visit<'_>, mut pop3: Pop3) -> Result<(), Problem> {
    let listed = pop3.list().await?;
    let without_ids = listed.iter().any(|message| message.unique.is_none());
    if without_ids && visit.after() != ExternalAfter::Delete {
        return Err(Problem::NoUniqueIds);
    }
    let mut seen = seen(visit, &listed).await?;
    let mut deleted = Vec::new();
    for message in &listed {
        if visit.is_stopped() {
            break;
        }
        let known = message.unique.as_ref().and_then(|unique| seen.get(unique));
        match known {
            Some(ExternalSeen {
                skipped_bytes: None,
                at,
                ..
            }) => {
                if is_over(visit.after(), *at) {
                    delete(&mut pop3, message, &mut deleted).await?;
                }
                continue;
            }
            Some(ExternalSeen {
                skipped_bytes: Some(bytes),
                ..
            }) if *bytes.max(&message.bytes) > visit.way.message_max_bytes => continue,
            _ => {}
        }
        if message.bytes <= visit.way.message_max_bytes && !visit.fits(message.bytes) {
            visit.trouble = Some(Problem::MailboxFull);
            break;
        }
        if fetch(visit, &mut pop3, message, &mut seen, &mut deleted).await? == Next::CutOff {
            return Ok(());
        }
    }
    pop3.quit().await?;
    // They are gone over there. A server that gives an id once more, against RFC 1939 §7, means another message.
    for piece in deleted.chunks(FORGOTTEN_AT_ONCE) {
        visit.keep(&[], piece).await?;
    }
    Ok(())
}

/// Deletes a message with the QUIT that follows, and notes it.
async fn delete(pop3: &mut Pop3, message: &Listed, deleted: &mut Vec<String>) -> Result<(), Problem> {
    pop3.delete(message.number).await?;
    deleted.extend(message.unique.clone());
    Ok(())
}

/// What is known of the messages that are still there; the rest is forgotten.
async fn seen(visit: &Visit<'_>, listed: &[Listed]) -> Result<HashMap<String, ExternalSeen>, Problem> {
    let (owner, key) = (visit.account.owner, &visit.account.key);
    let seen = visit.inner.parts.directory.external_seen(owner, key).await?;
    let there: HashSet<&str> = listed
        .iter()
        .filter_map(|message| message.unique.as_deref())
        .collect();
    let (kept, gone): (Vec<_>, Vec<_>) = seen
        .into_iter()
        .partition(|seen| there.contains(seen.mark.as_str()));
    let gone: Vec<String> = gone.into_iter().map(|seen| seen.mark).collect();
    for piece in gone.chunks(FORGOTTEN_AT_ONCE) {
        visit.keep(&[], piece).await?;
    }
    Ok(kept.into_iter().map(|seen| (seen.mark.clone(), seen)).collect())
}

/// Whether a message that was fetched then is to be deleted now.
fn is_over(after: ExternalAfter, fetched: i64) -> bool {
    match after {
        ExternalAfter::Keep => false,
        ExternalAfter::Delete => true,
        ExternalAfter::Days(days) => now() >= fetched.saturating_add(i64::from(days) * DAY_S),
    }
}

async fn fetch(
    visit: &mut Visit<'_>,
    pop3: &mut Pop3,
    message: &Listed,
    seen: &mut HashMap<String, ExternalSeen>,
    deleted: &mut Vec<String>,
) -> Result<Next, Problem> {
    if message.bytes > visit.way.message_max_bytes {
        skip(visit, message, Skip::TooLarge, message.bytes, seen).await?;
        return Ok(Next::GoOn);
    }
    let mut incoming = Incoming::begin(&visit.way, u64::from(message.number));
    match pop3.retrieve(message.number, &mut incoming).await {
        Ok(()) => {}
        // One that can't be had holds up no others.
        Err(problem @ Problem::Refused { .. }) => {
            visit.trouble = Some(problem);
            return Ok(Next::GoOn);
        }
        Err(problem) => return Err(problem),
    }
    let cut_off = incoming.is_over();
    match incoming.finish().await? {
        Arrived::Taken { id, sender, bytes } => {
            visit.took(id, sender, bytes);
            mark(visit, message, None, seen).await?;
            if visit.after() == ExternalAfter::Delete {
                delete(pop3, message, deleted).await?;
            }
        }
        Arrived::Skipped { skip: why, bytes } => skip(visit, message, why, bytes, seen).await?,
    }
    Ok(if cut_off { Next::CutOff } else { Next::GoOn })
}

async fn skip(
    visit: &mut Visit<'_>,
    message: &Listed,
    why: Skip,
    bytes: u64,
    seen: &mut HashMap<String, ExternalSeen>,
) -> Result<(), Problem> {
    let name = message
        .unique
        .clone()
        .unwrap_or_else(|| message.number.to_string());
    visit.skipped(&name, why, bytes);
    // What goes in circles is too large for ever.
    let bytes = match why {
        Skip::TooLarge => bytes,
        Skip::Loop => i64::MAX.unsigned_abs(),
    };
    mark(visit, message, Some(bytes), seen).await
}

/// Notes that a message need not be asked for again.
async fn mark(
    visit: &Visit<'_>,
    message: &Listed,
    skipped_bytes: Option<u64>,
    seen: &mut HashMap<String, ExternalSeen>,
) -> Result<(), Problem> {
    let Some(unique) = &message.unique else {
        return Ok(());
    };
    let mark = ExternalSeen {
        mark: unique.clone(),
        at: now(),
        skipped_bytes,
    };
    visit.keep(std::slice::from_ref(&mark), &[]).await?;
    seen.insert(unique.clone(), mark);
    Ok(())
}
