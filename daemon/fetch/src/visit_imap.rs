//! A visit over IMAP: what was fetched is known by the folder's UIDVALIDITY and the last UID (RFC 9051 §2.3.1.1), which become durable after each
//! message.
//!
//! What the other server refuses is told of and holds up nothing: the next folder, or the next message, comes after it. A message that was refused
//! is asked for again at each visit, behind the new ones.

use events::Scope;
use events::kinds::fetch::ExternalNotExpunged;
use shared::external::ExternalAfter;

use crate::imap::{Got, Imap};
use crate::intake::{Arrived, Incoming, Skip};
use crate::memory::{Position, SPANS_MAX_COUNT};
use crate::now;
use crate::problem::Problem;
use crate::visit::Visit;

const DAY_S: i64 = 86_400;
/// Ranges of UIDs, or UIDs, in one command.
const RANGES_AT_ONCE: usize = 50;
/// Refusals of messages that one visit takes.
const REFUSALS_MAX_COUNT: usize = 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    /// No more of this folder in this visit.
    OtherFolder,
    /// No more in this visit.
    Enough,
    /// The connection is of no use any more.
    CutOff,
}

pub(crate) async fn visit(visit: &mut Visit<'_>, mut imap: Imap) -> Result<(), Problem> {
    for folder in visit.account.external.sources() {
        match self::folder(visit, &mut imap, &folder).await {
            Ok(Next::GoOn | Next::OtherFolder) => {}
            Ok(Next::Enough) => break,
            Ok(Next::CutOff) => return Ok(()),
            // It may be gone, or not to be read, or not to be changed.
            Err(problem @ Problem::Refused { .. }) => visit.meets(problem),
            Err(problem) => return Err(problem),
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
    let mut next = new_ones(visit, imap, folder, marks_seen).await?;
    if next == Next::GoOn {
        next = refused_ones(visit, imap, folder, marks_seen).await?;
    }
    if next != Next::CutOff && !visit.is_stopped() {
        delete(visit, imap, folder).await?;
    }
    Ok(next)
}

async fn new_ones(
    visit: &mut Visit<'_>,
    imap: &mut Imap,
    folder: &str,
    marks_seen: bool,
) -> Result<Next, Problem> {
    loop {
        let last = position_of(visit, folder).last;
        let listed = imap.list(last).await?;
        if listed.is_empty() {
            return Ok(Next::GoOn);
        }
        for (uid, bytes) in listed {
            match message(visit, imap, folder, (uid, bytes), marks_seen).await? {
                Next::GoOn => {}
                other => return Ok(other),
            }
        }
    }
}

/// Those that were refused at former visits.
async fn refused_ones(
    visit: &mut Visit<'_>,
    imap: &mut Imap,
    folder: &str,
    marks_seen: bool,
) -> Result<Next, Problem> {
    let mut asked = position_of(visit, folder).refused.clone();
    asked.truncate(RANGES_AT_ONCE);
    if asked.is_empty() {
        return Ok(Next::GoOn);
    }
    let listed = imap.sizes(&asked).await?;
    for uid in asked {
        let Some((_, bytes)) = listed.iter().find(|(known, _)| *known == uid) else {
            // It is gone, or hidden: then it must not be deleted with the others.
            leave(visit, folder, uid);
            done(visit, folder, uid).await?;
            continue;
        };
        match message(visit, imap, folder, (uid, *bytes), marks_seen).await? {
            Next::GoOn => {}
            other => return Ok(other),
        }
    }
    Ok(Next::GoOn)
}

async fn message(
    visit: &mut Visit<'_>,
    imap: &mut Imap,
    folder: &str,
    (uid, bytes): (u32, u64),
    marks_seen: bool,
) -> Result<Next, Problem> {
    if !visit.goes_on() {
        return Ok(Next::Enough);
    }
    if bytes > visit.way.message_max_bytes {
        skip(visit, folder, uid, Skip::TooLarge, bytes);
        done(visit, folder, uid).await?;
        return Ok(Next::GoOn);
    }
    if !visit.fits(bytes) {
        visit.meets(Problem::MailboxFull);
        return Ok(Next::Enough);
    }
    let mut incoming = Incoming::begin(&visit.way, u64::from(uid));
    let got = match imap.text(uid, &mut incoming).await {
        Err(problem @ Problem::Refused { .. }) => return refused(visit, folder, uid, problem).await,
        Err(problem) => {
            if visit.breaks_off(&name(folder, uid), &problem) {
                skip(visit, folder, uid, Skip::BrokenOff, bytes);
                done(visit, folder, uid).await?;
            }
            return Err(problem);
        }
        Ok(got) => got,
    };
    let mut taken = false;
    if got == Got::Nothing {
        // It is gone, or its text was not given: then it must not be deleted with the others.
        leave(visit, folder, uid);
    } else {
        match incoming.finish().await? {
            Arrived::Taken { id, sender, bytes } => {
                visit.took(id, sender, bytes);
                taken = true;
            }
            Arrived::Skipped { skip: why, bytes } => skip(visit, folder, uid, why, bytes),
        }
    }
    done(visit, folder, uid).await?;
    if taken && marks_seen && got != Got::Over {
        match imap.mark(&uid.to_string(), "\\Seen").await {
            Err(problem @ Problem::Refused { .. }) => visit.meets(problem),
            marked => marked?,
        }
    }
    Ok(if got == Got::Over {
        Next::CutOff
    } else {
        Next::GoOn
    })
}

/// A message can't be had now: it is asked for again at the next visit.
async fn refused(visit: &mut Visit<'_>, folder: &str, uid: u32, problem: Problem) -> Result<Next, Problem> {
    visit.meets(problem);
    visit.refusals += 1;
    if !position_of(visit, folder).refuse(uid) {
        // What can't be remembered is met again if nothing behind it is taken.
        return Ok(Next::OtherFolder);
    }
    advance(visit, folder, uid).await?;
    Ok(if visit.refusals < REFUSALS_MAX_COUNT {
        Next::GoOn
    } else {
        Next::OtherFolder
    })
}

fn skip(visit: &mut Visit<'_>, folder: &str, uid: u32, why: Skip, bytes: u64) {
    leave(visit, folder, uid);
    visit.skipped(&name(folder, uid), why, bytes);
}

fn name(folder: &str, uid: u32) -> String {
    format!("{folder} {uid}")
}

/// A message is not deleted over there, nor when the account is set to delete later on.
fn leave(visit: &mut Visit<'_>, folder: &str, uid: u32) {
    position_of(visit, folder).leave(uid);
}

/// A message need not be asked for again.
async fn done(visit: &mut Visit<'_>, folder: &str, uid: u32) -> Result<(), Problem> {
    let counts_days = matches!(visit.after(), ExternalAfter::Days(_));
    let position = position_of(visit, folder);
    if position.settle(uid) && counts_days {
        // Its days would count from the visit that it was refused at: it stays over there rather than go too early.
        position.leave(uid);
    }
    advance(visit, folder, uid).await
}

async fn advance(visit: &mut Visit<'_>, folder: &str, uid: u32) -> Result<(), Problem> {
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
    let ranges = position.deletable(last);
    if position.held_from.is_some_and(|held| held <= last) {
        visit.meets(Problem::LeftOut(SPANS_MAX_COUNT));
    }
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
