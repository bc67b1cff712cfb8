//! Opens the queue: what the journal's records and `waiting.db` say of each message, by the table at the head of the crate.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::SharedDisk;
use disk::blob::Blob;
use events::kinds::store::StoreFailed;
use events::{Events, Scope};
use journal::{Journal, Record, RecordId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::files::Files;
use crate::live::{Inner, Live, Text};
use crate::record::{self, DecodeError, Head, Step};
use crate::waiting::{self, Waiting};
use crate::{KIND_MESSAGE, KIND_STEP, Options, QueueError, SMALL_TEXT_MAX_BYTES, unavailable};

/// What the journal says.
#[derive(Default)]
struct Found {
    /// Messages by record.
    messages: BTreeMap<u64, (Head, Bytes)>,
    gone: HashSet<u64>,
    progress: Vec<Step>,
    /// Marks that messages got by those they caused.
    caused: HashMap<u64, Vec<String>>,
}

pub(crate) fn open(
    disk: SharedDisk,
    journal: Journal,
    replay: &[Record],
    events: Events,
    options: Options,
) -> Result<Arc<Inner>, QueueError> {
    let failed = |error: std::io::Error| unavailable("queue", &error);
    disk.create_dir_all_synced(&options.dir).map_err(failed)?;
    let files = Files::open(disk.clone(), &options.dir).map_err(failed)?;
    // A sync of the queue that was open before may have failed. The database itself needs no such care: what it lacks is still in its log.
    disk.rewrite_synced(&options.dir.join("waiting.db-wal"))
        .map_err(failed)?;
    let connection = open_waiting(&disk, &options, &events)?;
    let mut found = read(replay, &events)?;
    let rows = reconcile(&mut found, &connection).map_err(|error| unavailable("waiting.db", &error))?;
    // The name of its log, before the log is ever folded: an older log under that name, or none, would damage a newer database.
    disk.sync_dir(&options.dir).map_err(failed)?;
    build_indexes(&connection, &events)?;
    for name in &rows {
        files.refer(name);
    }
    let place = waiting::Place {
        disk,
        path: options.dir.join("waiting.db"),
    };
    let (waiting, start) = Waiting::new(connection, place, options.vfs.is_none())?;
    let inner = Arc::new(Inner::new(
        journal,
        events,
        files,
        waiting,
        options.memory_max_bytes,
    ));
    let live = take_up(&inner, found);
    // A released record may still be replayed by the mailboxes, so its file stays until the trim.
    for record in replay
        .iter()
        .filter(|record| record.kind == KIND_MESSAGE && !live.contains(&record.id.0))
    {
        if let Ok((
            Head {
                file: Some((name, _)),
                ..
            },
            _,
        )) = record::decode_message(&record.payload)
        {
            inner.files.refer(&name);
            inner.files.unrefer_when_trimmed(record.id, &name);
        }
    }
    inner.files.remove_unknown().map_err(failed)?;
    let weak = Arc::downgrade(&inner.files);
    inner.journal.after_trim(Box::new(move |below| {
        if let Some(files) = weak.upgrade() {
            files.trimmed(below);
        }
    }));
    let ours = replay
        .iter()
        .filter(|record| matches!(record.kind, KIND_MESSAGE | KIND_STEP));
    for record in ours.filter(|record| !live.contains(&record.id.0)) {
        inner.journal.release(record.id);
    }
    start.start(&inner)?;
    Ok(inner)
}

/// A damaged database is put aside and told, and the queue goes on without it.
fn open_waiting(disk: &SharedDisk, options: &Options, events: &Events) -> Result<Connection, QueueError> {
    let path = options.dir.join("waiting.db");
    let vfs = options.vfs.as_deref();
    match waiting::schema::open(&path, vfs) {
        Ok(connection) => Ok(connection),
        Err((false, error)) => Err(error),
        Err((true, error)) => {
            put_aside(disk, &options.dir).map_err(|error| unavailable("waiting.db", &error))?;
            let reason = format!("{error}; put aside as waiting.db.damaged-…");
            events.emit(
                Scope::default(),
                StoreFailed {
                    store: "queue".to_owned(),
                    reason,
                },
            );
            waiting::schema::open(&path, vfs).map_err(|(_, error)| error)
        }
    }
}

/// A disk that is too full for them is told, and the queue works without.
fn build_indexes(connection: &Connection, events: &Events) -> Result<(), QueueError> {
    match waiting::schema::index(connection) {
        Err(error) if disk::sqlite::is_full(&error) => {
            let reason = format!("waiting.db: no room for indexes ({error}); lists of the queue are slow");
            events.emit(
                Scope::default(),
                StoreFailed {
                    store: "queue".to_owned(),
                    reason,
                },
            );
            Ok(())
        }
        built => built.map_err(|error| unavailable("waiting.db", &error)),
    }
}

fn put_aside(disk: &SharedDisk, dir: &Path) -> std::io::Result<()> {
    let mut number = 1;
    while disk.exists(&dir.join(format!("waiting.db.damaged-{number}")))? {
        number += 1;
    }
    for suffix in ["", "-wal", "-shm"] {
        let from = dir.join(format!("waiting.db{suffix}"));
        if disk.exists(&from)? {
            disk.rename(&from, &dir.join(format!("waiting.db.damaged-{number}{suffix}")))?;
        }
    }
    disk.sync_dir(dir)
}

fn read(replay: &[Record], events: &Events) -> Result<Found, QueueError> {
    let mut found = Found::default();
    for record in replay {
        let read = match record.kind {
            KIND_MESSAGE => read_message(record, &mut found),
            KIND_STEP => read_step(record, &mut found),
            _ => Ok(()),
        };
        match read {
            Ok(()) => {}
            // To go on would lose what it says; the newer program can read it.
            Err(error @ DecodeError::Newer(_)) => return Err(unavailable("journal", &error)),
            Err(error @ DecodeError::Damaged(_)) => {
                let reason = format!("record {}: {error}", record.id.0);
                events.emit(
                    Scope::default(),
                    StoreFailed {
                        store: "queue".to_owned(),
                        reason,
                    },
                );
            }
        }
    }
    Ok(found)
}

fn read_message(record: &Record, found: &mut Found) -> Result<(), DecodeError> {
    let (mut head, text) = record::decode_message(&record.payload)?;
    if let Some(cause) = head.cause.take() {
        found.caused.entry(cause.id).or_default().extend(cause.marks);
    }
    found.messages.insert(record.id.0, (head, text));
    Ok(())
}

fn read_step(record: &Record, found: &mut Found) -> Result<(), DecodeError> {
    match record::decode_step(&record.payload)? {
        Step::Gone { record } => {
            found.gone.insert(record);
        }
        progress @ Step::Progress { .. } => found.progress.push(progress),
    }
    Ok(())
}

/// Leaves in `found` only what is alive and in the database only what is newer; the files that the rows name.
fn reconcile(found: &mut Found, connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let Found {
        messages,
        gone,
        progress,
        caused,
    } = found;
    for step in progress.drain(..) {
        apply(step, messages);
    }
    // Of several records of one message the newest counts, also if it says that the message is gone: an older one was put off, has no row
    // any more since it was revived, and would be delivered once more.
    let mut newest: HashMap<u64, u64> = HashMap::new();
    for (record, (head, _)) in messages.iter() {
        newest.insert(head.id.unwrap_or(*record), *record);
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for (id, record) in &mut newest {
        let row: Option<i64> = connection
            .prepare_cached("SELECT record FROM message WHERE id = ?1")?
            .query_row([*id as i64], |row| row.get(0))
            .optional()?;
        match row {
            Some(row) if (row as u64) < *record => {
                connection.execute("DELETE FROM message WHERE id = ?1", [*id as i64])?;
            }
            // The row came from this record, or from a newer one.
            Some(_) => *record = 0,
            None => {}
        }
    }
    messages.retain(|record, (head, _)| {
        newest.get(&head.id.unwrap_or(*record)) == Some(record) && !gone.contains(record)
    });
    let live: HashSet<u64> = messages
        .iter()
        .map(|(record, (head, _))| head.id.unwrap_or(*record))
        .collect();
    for (id, marks) in caused.iter().filter(|(id, _)| !live.contains(id)) {
        mark_row(connection, *id, marks)?;
    }
    connection.execute_batch("COMMIT")?;
    for (record, (head, _)) in messages.iter_mut() {
        if let Some(marks) = caused.get(&head.id.unwrap_or(*record)) {
            add_marks(head, marks);
        }
    }
    files_of_rows(connection)
}

fn apply(step: Step, messages: &mut BTreeMap<u64, (Head, Bytes)>) {
    let Step::Progress {
        record,
        states,
        marks,
    } = step
    else {
        return;
    };
    let Some((head, _)) = messages.get_mut(&record) else {
        return;
    };
    head.states
        .resize_with(head.envelope.recipients.len(), Default::default);
    for (index, state) in states {
        if let Some(place) = head.states.get_mut(index as usize) {
            *place = state;
        }
    }
    add_marks(head, &marks);
}

fn add_marks(head: &mut Head, marks: &[String]) {
    for mark in marks {
        if !head.marks.contains(mark) {
            head.marks.push(mark.clone());
        }
    }
}

fn mark_row(connection: &Connection, id: u64, marks: &[String]) -> rusqlite::Result<()> {
    let head: Option<Vec<u8>> = connection
        .query_row("SELECT head FROM message WHERE id = ?1", [id as i64], |row| {
            row.get(0)
        })
        .optional()?;
    let Some(mut head) = head.and_then(|head| serde_json::from_slice::<Head>(&head).ok()) else {
        return Ok(());
    };
    let before = head.marks.len();
    add_marks(&mut head, marks);
    if head.marks.len() > before
        && let Ok(json) = serde_json::to_vec(&head)
    {
        connection.execute(
            "UPDATE message SET head = ?2 WHERE id = ?1",
            params![id as i64, json],
        )?;
    }
    Ok(())
}

fn files_of_rows(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT file FROM message WHERE file IS NOT NULL")?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}

/// Makes the live messages due; their records.
fn take_up(inner: &Arc<Inner>, found: Found) -> HashSet<u64> {
    let mut records = HashSet::new();
    for (record, (head, small)) in found.messages {
        records.insert(record);
        let id = head.id.unwrap_or(record);
        let cost = record::memory_cost(
            &head.envelope,
            &Blob::Bytes(small.slice(..small.len().min(SMALL_TEXT_MAX_BYTES))),
        );
        let permit = inner.permit(cost);
        let (text, size) = match &head.file {
            Some((name, len)) => {
                inner.files.refer(name);
                (Text::Here(Blob::File(inner.files.handle(name, *len))), *len)
            }
            // A copy: the slice would hold all that was read with it.
            None if permit.is_some() => (
                Text::Here(Blob::Bytes(Bytes::copy_from_slice(&small))),
                small.len() as u64,
            ),
            None => (Text::InJournal, small.len() as u64),
        };
        let live = Live::new(RecordId(record), head, text, size, permit);
        inner.insert(id, live);
    }
    records
}
