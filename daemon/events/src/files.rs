//! Log files: one a day of each form, old ones removed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The beginning of every log file's name.
const PREFIX: &str = "batpost-";

/// A day as it stands in a file's name, in UTC.
pub(crate) fn day_of(at_us: i64) -> String {
    let at = Timestamp::from_microsecond(at_us).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// One form of the log, in a file for each day.
#[derive(Debug)]
pub(crate) struct DailyFile {
    dir: PathBuf,
    extension: &'static str,
    day: String,
    out: Option<BufWriter<File>>,
}

impl DailyFile {
    pub(crate) fn new(dir: &Path, extension: &'static str) -> Self {
        Self {
            dir: dir.to_owned(),
            extension,
            day: String::new(),
            out: None,
        }
    }

    /// Writes a line into the file of that day; says whether a new day has begun.
    pub(crate) fn line(&mut self, day: &str, line: &str) -> io::Result<bool> {
        let new = self.day != day || self.out.is_none();
        if new {
            self.flush()?;
            let path = self.dir.join(format!("{PREFIX}{day}.{}", self.extension));
            self.out = Some(BufWriter::new(
                OpenOptions::new().create(true).append(true).open(path)?,
            ));
            day.clone_into(&mut self.day);
        }
        if let Some(out) = &mut self.out {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
        }
        Ok(new)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The files of one form, newest day first.
pub(crate) fn files(dir: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let ours = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if ours && path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found.reverse();
    Ok(found)
}

/// Removes files of days before the newest `keep_days` calendar days.
pub(crate) fn remove_old(dir: &Path, now_us: i64, keep_days: u32) -> io::Result<()> {
    let oldest = day_of(now_us - i64::from(keep_days) * 86_400_000_000);
    for extension in ["log", "jsonl"] {
        for path in files(dir, extension)? {
            let name = path
                .file_stem()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if name.strip_prefix(PREFIX).is_some_and(|day| day < oldest.as_str()) {
                std::fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}
