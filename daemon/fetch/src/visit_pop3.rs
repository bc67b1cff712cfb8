//! A visit over POP3: what was fetched is known by its unique id (RFC 1939 §7, UIDL), a row of the directory each, for as long as the server lists
//! it.
//!
//! What was marked with DELE goes with QUIT only: a QUIT follows when something was refused on the way, and when the visit's time is over. Without
//! unique ids everything would come again otherwise. A message at which visits break off is passed over in the end: known by its id, or else by its size
//! and by being the oldest of that size.

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
    /// No more in this visit.
    Enough,
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
    let mut end = Ok(());
    let nameless = listed.iter().filter(|message| message.unique.is_none());
    let passed = visit.memory.passes_over(nameless.map(|message| message.bytes));
    let mut passed = passed.into_iter();
    for message in &listed {
        if message.unique.is_none() && passed.next() == Some(true) {
            continue;
        }
        match one(visit, &mut pop3, message, &mut seen, &mut deleted).await {
            Ok(Next::GoOn) => {}
            Ok(Next::Enough) => break,
            Ok(Next::CutOff) => return Ok(()),
            Err(problem @ Problem::Refused { .. }) => {
                end = Err(problem);
                break;
            }
            Err(problem) => return Err(problem),
        }
    }
    pop3.quit().await?;
    // They are gone over there. A server that gives an id once more, against RFC 1939 §7, means another message.
    for piece in deleted.chunks(FORGOTTEN_AT_ONCE) {
        visit.keep(&[], piece).await?;
    }
    end
}

/// One message: fetched, deleted, or neither.
async fn one(
    visit: &mut Visit<'_>,
    pop3: &mut Pop3,
    message: &Listed,
    seen: &mut HashMap<String, ExternalSeen>,
    deleted: &mut Vec<String>,
) -> Result<Next, Problem> {
    let known = message.unique.as_ref().and_then(|unique| seen.get(unique));
    let is_large = |bytes: u64| bytes > visit.way.message_max_bytes;
    match known.map(|seen| (seen.skipped_bytes, seen.at)) {
        Some((None, at)) if !is_over(visit.after(), at) => return Ok(Next::GoOn),
        Some((Some(bytes), _)) if is_large(bytes.max(message.bytes)) => return Ok(Next::GoOn),
        _ => {}
    }
    let is_here = known.is_some_and(|seen| seen.skipped_bytes.is_none());
    if !visit.goes_on() {
        return Ok(Next::Enough);
    }
    if is_here {
        return delete(visit, pop3, message, deleted).await;
    }
    if message.bytes <= visit.way.message_max_bytes && !visit.fits(message.bytes) {
        visit.meets(Problem::MailboxFull);
        return Ok(Next::Enough);
    }
    if message.unique.is_none() && visit.messages > 0 && visit.memory.is_stuck_at(&name(message)) {
        // What was fetched so far would come again: first it goes from there.
        return Ok(Next::Enough);
    }
    fetch(visit, pop3, message, seen, deleted).await
}

/// Deletes a message with the QUIT that follows, and notes it.
async fn delete(
    visit: &mut Visit<'_>,
    pop3: &mut Pop3,
    message: &Listed,
    deleted: &mut Vec<String>,
) -> Result<Next, Problem> {
    match pop3.delete(message.number).await {
        Ok(()) => deleted.extend(message.unique.clone()),
        // One that can't be deleted holds up no others; but without an id it comes again at the next visit, and so might all that follow.
        Err(problem @ Problem::Refused { .. }) if message.unique.is_some() => visit.meets(problem),
        Err(problem) => return Err(problem),
    }
    Ok(Next::GoOn)
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
            visit.meets(problem);
            return Ok(Next::GoOn);
        }
        Err(problem) => {
            if visit.breaks_off(&name(message), &problem) {
                skip(visit, message, Skip::BrokenOff, message.bytes, seen).await?;
            }
            return Err(problem);
        }
    }
    let cut_off = incoming.is_over();
    if cut_off && message.unique.is_none() {
        // What was fetched before it would come again each time: the next visit ends before it, and in the end it is passed over.
        let enough = visit.memory.breaks_off(&name(message));
        if enough {
            visit.memory.set_aside(message.bytes);
        }
    }
    match incoming.finish().await? {
        Arrived::Taken { id, sender, bytes } => {
            visit.took(id, sender, bytes);
            mark(visit, message, None, seen).await?;
            if visit.after() == ExternalAfter::Delete {
                return delete(visit, pop3, message, deleted).await;
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
    visit.skipped(&name(message), why, bytes);
    if why == Skip::BrokenOff && message.unique.is_none() {
        visit.memory.set_aside(message.bytes);
    }
    // Whatever else it is, it is too large for ever.
    let bytes = match why {
        Skip::TooLarge => bytes,
        Skip::Loop | Skip::BrokenOff => i64::MAX.unsigned_abs(),
    };
    mark(visit, message, Some(bytes), seen).await
}

/// The unique id; without one, by the size, since numbers change when others are deleted.
fn name(message: &Listed) -> String {
    let of_size = || format!("({} bytes)", message.bytes);
    message.unique.clone().unwrap_or_else(of_size)
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
