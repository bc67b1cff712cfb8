//! A visit over IMAP: what was fetched is known by the folder's UIDVALIDITY and the last UID (RFC 9051 §2.3.1.1), which become durable after each
//! message.

use events::Scope;
use events::kinds::fetch::ExternalNotExpunged;
use shared::external::ExternalAfter;

use crate::imap::{Got, Imap};
use crate::intake::{Arrived, Incoming, Skip};
use crate::memory::Position;
use crate::now;
use crate::problem::Problem;
use crate::visit::Visit;

const DAY_S: i64 = 86_400;
/// Messages of one folder that were skipped and are remembered.
const SKIPPED_MAX_COUNT: usize = 1000;
/// Ranges of UIDs in one command.
const RANGES_AT_ONCE: usize = 50;

#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    /// No more in this visit.
    Enough,
    /// The connection is of no use any more.
    CutOff,
}

pub(crate) async fn visit(visit: &mut Visit<'_>, mut imap: Imap) -> Result<(), Problem> {
    for folder in visit.account.external.sources() {
        match self::folder(visit, &mut imap, &folder).await? {
            Next::GoOn => {}
            Next::Enough => break,
            Next::CutOff => return Ok(()),
        }
    }
    imap.log_out().await;
    Ok(())
}

async fn folder(visit: &mut Visit<'_>, imap: &mut Imap, folder: &str) -> Result<Next, Problem> {
    let after = visit.after();
    let marks_seen = visit.account.external.mark_seen && after != ExternalAfter::Delete;
    let changes = marks_seen || after != ExternalAfter::Keep;
    let selected = imap.select(folder, changes).await?;
    let position = visit.memory.folders.entry(folder.to_owned()).or_default();
    if position.validity != selected.validity {
        // All UIDs are others now: whatever was fetched comes once more (RFC 9051 §2.3.1.1).
        *position = Position {
            validity: selected.validity,
            ..Position::default()
        };
    }
    loop {
        let last = position_of(visit, folder).last;
        let listed = imap.list(last).await?;
        if listed.is_empty() {
            break;
        }
        for (uid, bytes) in listed {
            match message(visit, imap, folder, (uid, bytes), marks_seen).await? {
                Next::GoOn => {}
                other => return Ok(other),
            }
        }
    }
    delete(visit, imap, folder).await?;
    Ok(Next::GoOn)
}

async fn message(
    visit: &mut Visit<'_>,
    imap: &mut Imap,
    folder: &str,
    (uid, bytes): (u32, u64),
    marks_seen: bool,
) -> Result<Next, Problem> {
    if visit.is_stopped() {
        return Ok(Next::Enough);
    }
    if bytes > visit.way.message_max_bytes {
        skip(visit, folder, uid, Skip::TooLarge, bytes)?;
        done(visit, folder, uid).await?;
        return Ok(Next::GoOn);
    }
    if !visit.fits(bytes) {
        visit.trouble = Some(Problem::MailboxFull);
        return Ok(Next::Enough);
    }
    let mut incoming = Incoming::begin(&visit.way, u64::from(uid));
    let got = imap.text(uid, &mut incoming).await?;
    let mut taken = false;
    if got == Got::Nothing {
        // It is gone, or its text was not given: then it must not be deleted with the others.
        leave(visit, folder, uid)?;
    } else {
        match incoming.finish().await? {
            Arrived::Taken { id, sender, bytes } => {
                visit.took(id, sender, bytes);
                taken = true;
            }
            Arrived::Skipped { skip: why, bytes } => skip(visit, folder, uid, why, bytes)?,
        }
    }
    done(visit, folder, uid).await?;
    if taken && marks_seen && got != Got::Over {
        match imap.mark(&uid.to_string(), "\\Seen").await {
            Err(problem @ Problem::Refused { .. }) => visit.trouble = Some(problem),
            marked => marked?,
        }
    }
    Ok(if got == Got::Over {
        Next::CutOff
    } else {
        Next::GoOn
    })
}

fn skip(visit: &mut Visit<'_>, folder: &str, uid: u32, why: Skip, bytes: u64) -> Result<(), Problem> {
    leave(visit, folder, uid)?;
    visit.skipped(&format!("{folder} {uid}"), why, bytes);
    Ok(())
}

/// A message is not deleted over there, nor when the account is set to delete later on.
fn leave(visit: &mut Visit<'_>, folder: &str, uid: u32) -> Result<(), Problem> {
    let position = position_of(visit, folder);
    if position.skipped.len() >= SKIPPED_MAX_COUNT {
        // More can't be remembered, and what is forgotten would be deleted.
        return Err(Problem::TooMany(SKIPPED_MAX_COUNT));
    }
    position.skipped.push(uid);
    Ok(())
}

/// A message need not be asked for again.
async fn done(visit: &mut Visit<'_>, folder: &str, uid: u32) -> Result<(), Problem> {
    let (today, kept) = (today(), days_kept(visit.after()));
    position_of(visit, folder).advance(uid, today, kept);
    visit.keep_positions().await
}

/// Deletes what is old enough.
async fn delete(visit: &mut Visit<'_>, imap: &mut Imap, folder: &str) -> Result<(), Problem> {
    let (today, after) = (today(), visit.after());
    let position = position_of(visit, folder);
    let last = match after {
        ExternalAfter::Keep => return Ok(()),
        ExternalAfter::Delete => position.last,
        ExternalAfter::Days(days) => position.done_before(today, i64::from(days)),
    };
    let ranges = position.without_skipped(last);
    for piece in ranges.chunks(RANGES_AT_ONCE) {
        let set = piece.join(",");
        imap.mark(&set, "\\Deleted").await?;
        // Without UIDPLUS others' messages would go with ours: EXPUNGE is not ours to say.
        if imap.expunges_by_uid() {
            imap.expunge(&set).await?;
        }
    }
    if !ranges.is_empty() && !imap.expunges_by_uid() {
        let event = ExternalNotExpunged {
            user: visit.account.external.user.to_string(),
            account: visit.account.external.name.clone(),
            folder: folder.to_owned(),
        };
        visit.inner.parts.events.emit(Scope::default(), event);
    }
    Ok(())
}

/// Days since 1970.
fn today() -> i64 {
    now() / DAY_S
}

fn days_kept(after: ExternalAfter) -> i64 {
    match after {
        ExternalAfter::Days(days) => i64::from(days),
        ExternalAfter::Keep | ExternalAfter::Delete => 0,
    }
}

fn position_of<'a>(visit: &'a mut Visit<'_>, folder: &str) -> &'a mut Position {
    visit.memory.folders.entry(folder.to_owned()).or_default()
}
