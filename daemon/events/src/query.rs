//! Reading stored rows back from the JSON lines, newest first, a block at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use i18n::Language;
use shared::protocol::{LogFilter, LogRow};

use crate::files::files;
use crate::text::tell;

const BLOCK_BYTES: u64 = 64 * 1024;
const ROWS_MAX: u64 = 10_000;
const ROWS_DEFAULT: u64 = 200;

/// The newest stored row's number; 0 if there is none.
pub(crate) fn last_seq(dir: &Path) -> io::Result<u64> {
    let mut last = 0;
    for path in files(dir, "jsonl")? {
        backwards(&path, &mut |line| {
            last = serde_json::from_slice::<LogRow>(line).map_or(0, |row| row.seq);
            last == 0
        })?;
        if last > 0 {
            break;
        }
    }
    Ok(last)
}

/// The newest rows that pass the filter, newest last.
pub(crate) fn rows(dir: &Path, filter: &LogFilter, language: Language) -> io::Result<Vec<LogRow>> {
    let limit = if filter.limit == 0 {
        ROWS_DEFAULT
    } else {
        filter.limit.min(ROWS_MAX)
    };
    let wanted = filter.contains.to_lowercase();
    let mut found = Vec::new();
    for path in files(dir, "jsonl")? {
        backwards(&path, &mut |line| {
            let Ok(mut row) = serde_json::from_slice::<LogRow>(line) else {
                return true;
            };
            if (filter.before == 0 || row.seq < filter.before) && passes(&row, filter) {
                tell(&mut row, language);
                if wanted.is_empty() || mentions(&row, &wanted) {
                    found.push(row);
                }
            }
            (found.len() as u64) < limit
        })?;
        if found.len() as u64 >= limit {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

/// Whether a row passes a filter's channels, session and message; its text is not looked at.
pub(crate) fn passes(row: &LogRow, filter: &LogFilter) -> bool {
    (filter.channels.is_empty() || filter.channels.contains(&row.channel))
        && filter.session.is_none_or(|session| row.session == Some(session))
        && filter
            .message
            .as_ref()
            .is_none_or(|message| row.message.as_ref() == Some(message))
}

fn mentions(row: &LogRow, wanted: &str) -> bool {
    row.text.to_lowercase().contains(wanted) || row.fields.to_string().to_lowercase().contains(wanted)
}

/// Calls `take` with each line from the last to the first, until it says `false`.
fn backwards(path: &Path, take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut end = file.seek(SeekFrom::End(0))?;
    // The beginning of a line whose rest was in the block before.
    let mut rest: Vec<u8> = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let mut block = vec![0; usize::try_from(end - start).unwrap_or_default()];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        block.append(&mut rest);
        let mut lines = block.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default().to_vec();
        let whole: Vec<&[u8]> = lines.collect();
        for line in whole.into_iter().rev().filter(|line| !line.is_empty()) {
            if !take(line) {
                return Ok(());
            }
        }
        rest = first;
        end = start;
    }
    if !rest.is_empty() {
        take(&rest);
    }
    Ok(())
}
