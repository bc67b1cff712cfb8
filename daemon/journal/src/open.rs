//! Opens the journal: finds the log's records and its end, and begins a segment behind it.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;

use disk::{Disk, SharedDisk};
use parking_lot::Mutex;

use crate::format::{Mark, SegmentHeader};
use crate::live::Live;
use crate::read::Replay;
use crate::scan::{Scan, scan};
use crate::segment::{self, Segment, SegmentFile};
use crate::state::{Door, ID_JUMP, Inner, State};
use crate::{Damage, JournalError, Options, RecordId};

pub(crate) const MARK_FILE: &str = "mark";

/// A segment file with what its header says, and whether the header had to be made up.
struct Found {
    header: SegmentHeader,
    made_up: bool,
    file: SegmentFile,
}

/// What the files hold.
#[derive(Default)]
struct Log {
    live: Vec<(Segment, Vec<(u64, u64)>)>,
    spares: Vec<SegmentFile>,
    damage: Vec<Damage>,
    /// The last record of the log.
    end: u64,
    highest_seen: u64,
}

pub(crate) fn open(disk: SharedDisk, dir: &Path, options: Options) -> Result<(Inner, Replay), JournalError> {
    let io = |what| move |error| JournalError::io(what, error);
    disk.create_dir_all_synced(dir)
        .map_err(io("make the directory"))?;
    let lock = disk.lock(dir).map_err(io("lock the directory"))?;
    let mut damage = Vec::new();
    let found = find(&*disk, dir, &mut damage).map_err(io("read the segments"))?;
    let (mark, clean) = read_mark(&*disk, dir, &found, &mut damage, &options).map_err(io("read the mark"))?;
    let mut log = read_log(&found, &mark, clean).map_err(io("read the log"))?;
    damage.append(&mut log.damage);
    // Names of segments that a killed process made may be in the cache only.
    disk.sync_dir(dir).map_err(io("sync the directory"))?;

    let highest = found
        .iter()
        .map(|found| found.header.first.saturating_sub(1))
        .max()
        .unwrap_or(0);
    let least = (mark.next - 1).max(highest).max(log.highest_seen) + 1;
    let next = if clean { least } else { least + ID_JUMP };
    // What lies between the mark and the first record that is left will never be replayed.
    let first_live = log.live.first().and_then(|(_, records)| records.first());
    let trim_below = first_live.map_or(next, |(id, _)| *id);
    let mark = Mark {
        clean: false,
        trim_below,
        next,
        epoch: mark.epoch + u64::from(!clean),
    };
    // Before a record gets an id from it, or an id that was lost could be given again; and before the first segment is
    // made, so that segments without a mark are damage.
    disk.write_atomic(&dir.join(MARK_FILE), &mark.to_bytes())
        .map_err(io("write the mark"))?;
    let header = SegmentHeader {
        id: found.iter().map(|found| found.header.id).max().unwrap_or(0) + 1,
        first: next,
        previous_last: log.end,
        trim_below: mark.trim_below,
        epoch: mark.epoch,
    };
    let mut numbers: Vec<u32> = segment::numbers(&*disk, dir).map_err(io("read the directory"))?;
    let active =
        begin(&*disk, dir, &mut log.spares, header, &mut numbers, &options).map_err(io("begin a segment"))?;
    drop_spares(&*disk, dir, &mut log.spares, &options).map_err(io("remove a segment"))?;
    let replay = Replay::new(clean, mark.epoch, damage, &log.live);
    let state = state(
        mark,
        log,
        active,
        &options,
        numbers.iter().max().map_or(1, |number| number + 1),
    );
    let inner = Inner {
        disk,
        directory: dir.to_path_buf(),
        options,
        state: Mutex::new(state),
        work: Default::default(),
        chores: Default::default(),
        done: Default::default(),
        room: Default::default(),
        failed: Default::default(),
        trimming: Default::default(),
        on_trim: Default::default(),
        after_trim: Default::default(),
        lock: Mutex::new(Some(lock)),
    };
    Ok((inner, replay))
}

fn find(disk: &dyn Disk, dir: &Path, damage: &mut Vec<Damage>) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for number in segment::numbers(disk, dir)? {
        let file = SegmentFile::open(disk, dir, number)?;
        match file.header()? {
            Some((header, made_up)) => {
                if made_up {
                    damage.push(Damage {
                        file: segment::name(number),
                        first: RecordId(0),
                        last: RecordId(0),
                    });
                }
                found.push(Found {
                    header,
                    made_up,
                    file,
                });
            }
            // Made and never used, or half made.
            None if file.is_blank()? => disk.remove_file(&segment::path(dir, number))?,
            None => damage.push(Damage {
                file: segment::name(number),
                first: RecordId(0),
                last: RecordId(0),
            }),
        }
    }
    found.sort_by_key(|found| found.header.id);
    Ok(found)
}

/// The mark, and whether the last stop was a clean one. Without a mark the segments say the most of it.
fn read_mark(
    disk: &dyn Disk,
    dir: &Path,
    found: &[Found],
    damage: &mut Vec<Damage>,
    options: &Options,
) -> io::Result<(Mark, bool)> {
    for name in disk.read_dir(dir)? {
        // What a crash left of a mark that was being written.
        if name != MARK_FILE && name.starts_with(MARK_FILE) {
            disk.remove_file(&dir.join(name))?;
        }
    }
    let bytes = match disk.read(&dir.join(MARK_FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    if let Some(mark) = Mark::parse(&bytes) {
        return Ok((mark, mark.clean));
    }
    let headers = || found.iter().map(|found| &found.header);
    let fresh = bytes.is_empty() && found.is_empty();
    if !fresh {
        damage.push(Damage {
            file: MARK_FILE.to_owned(),
            first: RecordId(0),
            last: RecordId(0),
        });
    }
    let mark = Mark {
        clean: false,
        trim_below: headers()
            .map(|header| header.trim_below)
            .max()
            .unwrap_or(options.first_id),
        next: options.first_id,
        epoch: headers().map(|header| header.epoch).max().unwrap_or(1),
    };
    Ok((mark, fresh))
}

fn read_log(found: &[Found], mark: &Mark, clean: bool) -> io::Result<Log> {
    let mut log = Log::default();
    for (
        index,
        Found {
            header,
            made_up,
            file,
        },
    ) in found.iter().enumerate()
    {
        let next = found.get(index + 1);
        if next.is_some_and(|next| next.header.first <= mark.trim_below) {
            log.spares.push(file.clone());
            continue;
        }
        if log.live.is_empty() && !made_up && header.previous_last >= mark.trim_below {
            // A segment that should be here is not.
            log.lost("", (mark.trim_below.max(log.end + 1), header.previous_last), mark);
        }
        let mut bytes = vec![0; usize::try_from(file.bytes).map_err(|_| io::ErrorKind::FileTooLarge)?];
        file.file.read_exact_at(&mut bytes, 0)?;
        let ends_with = next
            .filter(|next| !next.made_up)
            .map(|next| next.header.previous_last);
        let mut scan = scan(&bytes, header, ends_with);
        for range in &scan.damage {
            log.lost(&segment::name(file.number), *range, mark);
        }
        if next.is_none() && !clean {
            make_durable(file, &bytes, &scan)?;
        }
        log.highest_seen = log.highest_seen.max(scan.highest_seen).max(scan.durable);
        let last = scan
            .records
            .last()
            .map(|(id, _)| *id)
            .max(Some(scan.durable).filter(|id| *id >= header.first));
        log.end = log.end.max(last.unwrap_or(header.previous_last));
        scan.records.retain(|(id, _)| *id >= mark.trim_below);
        if scan.records.is_empty() {
            log.spares.push(file.clone());
        } else {
            log.live.push((
                Segment {
                    header: *header,
                    file: file.clone(),
                },
                scan.records,
            ));
        }
    }
    Ok(log)
}

/// What a killed process wrote may be in the cache only, and after a failed sync the system may have forgotten that it
/// is: so it is written once more, and synced.
fn make_durable(file: &SegmentFile, bytes: &[u8], scan: &Scan) -> io::Result<()> {
    let from = scan
        .records
        .iter()
        .find(|(id, _)| *id > scan.durable)
        .map_or(scan.end, |(_, offset)| *offset);
    let (from, end) = (from as usize, scan.end as usize);
    file.file
        .write_all_at(&bytes[..crate::format::SEGMENT_HEADER_BYTES as usize], 0)?;
    if from < end {
        file.file.write_all_at(&bytes[from..end], from as u64)?;
    }
    file.file.sync_all()
}

/// Begins the segment that is written to, in a spare file or a new one.
fn begin(
    disk: &dyn Disk,
    dir: &Path,
    spares: &mut Vec<SegmentFile>,
    header: SegmentHeader,
    numbers: &mut Vec<u32>,
    options: &Options,
) -> io::Result<Segment> {
    spares.sort_by_key(|spare| spare.bytes);
    let file = match spares.pop_if(|spare| spare.bytes >= options.segment_bytes_first) {
        Some(spare) => spare,
        None => {
            let number = numbers.iter().max().map_or(1, |number| number + 1);
            numbers.push(number);
            SegmentFile::create(disk, dir, number, options.segment_bytes_first)?
        }
    };
    let segment = file.begin(header)?;
    segment.file.file.sync_all()?;
    Ok(segment)
}

/// Keeps the largest spare files, as many as are allowed.
fn drop_spares(
    disk: &dyn Disk,
    dir: &Path,
    spares: &mut Vec<SegmentFile>,
    options: &Options,
) -> io::Result<()> {
    let useful = |spare: &SegmentFile| {
        (options.segment_bytes_first..=options.segment_bytes_max).contains(&spare.bytes)
    };
    spares.sort_by_key(|spare| (useful(spare), spare.bytes));
    let keep_from = spares.len().saturating_sub(options.spare_segments_max);
    let (mut index, mut dropped) = (0, Vec::new());
    spares.retain(|spare| {
        let keep = index >= keep_from && useful(spare);
        index += 1;
        if !keep {
            dropped.push(spare.number);
        }
        keep
    });
    dropped
        .into_iter()
        .try_for_each(|number| disk.remove_file(&segment::path(dir, number)))
}

fn state(mark: Mark, log: Log, active: Segment, options: &Options, next_number: u32) -> State {
    let mut live = Live::default();
    for (_, records) in &log.live {
        for (id, offset) in records {
            live.push(*id, Some(*offset));
        }
    }
    let room = active.file.bytes - crate::format::SEGMENT_HEADER_BYTES;
    let segments: VecDeque<Segment> = log
        .live
        .into_iter()
        .map(|(segment, _)| segment)
        .chain(Some(active))
        .collect();
    let largest = segments
        .iter()
        .map(|segment| segment.file.bytes)
        .max()
        .unwrap_or(0);
    let next_bytes = largest.clamp(options.segment_bytes_first, options.segment_bytes_max);
    State {
        door: Door::Open,
        next: mark.next,
        written: mark.next - 1,
        durable: mark.next - 1,
        queue: Vec::new(),
        queued_bytes: 0,
        waiters: Vec::new(),
        urgent: false,
        writer_looks: false,
        write_waiters: Vec::new(),
        sync_to: 0,
        live,
        segments,
        spares: log.spares,
        room,
        wanted: 0,
        no_space: false,
        next_bytes,
        next_number,
        trimmed: mark.trim_below,
        mark,
        stop: false,
        records: 0,
        bytes: 0,
        syncs: 0,
        trims: 0,
    }
}

impl Log {
    fn lost(&mut self, file: &str, (first, last): (u64, u64), mark: &Mark) {
        let first = first.max(mark.trim_below);
        if first <= last {
            self.damage.push(Damage {
                file: file.to_owned(),
                first: RecordId(first),
                last: RecordId(last),
            });
        }
    }
}

impl JournalError {
    pub(crate) fn io(what: &'static str, error: io::Error) -> JournalError {
        JournalError::Io {
            what,
            error: Arc::new(error),
        }
    }
}
