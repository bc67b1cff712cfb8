//! The log: rows as they come, and the stored ones that a filter lets through, read backwards from the newest.

use std::collections::{BTreeSet, VecDeque};

use shared::protocol::{LogFilter, LogRow};

/// The channels of the log.
pub const CHANNELS: [&str; 8] = [
    "smtp",
    "imap",
    "pop3",
    "delivery",
    "security",
    "errors",
    "drivers",
    "application",
];
/// Rows of one reading.
pub const PAGE_ROWS: u64 = 400;
/// Rows kept in the viewer and in the monitor's tail.
const ROWS_MAX: usize = 20_000;
const TAIL_MAX: usize = 500;

/// The rows of a filter, oldest first.
#[derive(Clone, Debug)]
pub struct LogState {
    /// Empty: all.
    pub channels: BTreeSet<String>,
    pub contains: String,
    pub session: Option<u64>,
    pub message: Option<String>,
    pub rows: VecDeque<LogRow>,
    pub selected: Option<u64>,
    /// New rows are shown as they come.
    pub follow: bool,
    /// There is nothing older.
    pub complete: bool,
    pub loading: bool,
    /// Rises with each change of the filter; an answer to an older one is dropped.
    pub version: u64,
    rows_max: usize,
}

impl Default for LogState {
    fn default() -> Self {
        Self {
            channels: BTreeSet::new(),
            contains: String::new(),
            session: None,
            message: None,
            rows: VecDeque::new(),
            selected: None,
            follow: true,
            complete: false,
            loading: false,
            version: 0,
            rows_max: ROWS_MAX,
        }
    }
}

impl LogState {
    /// The monitor's tail, which keeps little.
    pub fn tail() -> Self {
        Self {
            rows_max: TAIL_MAX,
            ..Self::default()
        }
    }

    /// The question for the rows before those that are held.
    pub fn query(&self) -> LogFilter {
        LogFilter {
            channels: self.channels.iter().cloned().collect(),
            session: self.session,
            message: self.message.clone(),
            contains: self.contains.clone(),
            before: self.rows.front().map_or(0, |row| row.seq),
            limit: PAGE_ROWS.min(self.rows_max as u64),
        }
    }

    pub fn filtered(&self) -> bool {
        !self.channels.is_empty()
            || !self.contains.is_empty()
            || self.session.is_some()
            || self.message.is_some()
    }

    /// Begins anew with the filter as it is now.
    pub fn restart(&mut self) {
        self.rows.clear();
        self.complete = false;
        self.loading = false;
        self.version += 1;
    }

    /// Rows that were stored, oldest first.
    pub fn take_older(&mut self, rows: Vec<LogRow>) {
        self.loading = false;
        self.complete = rows.is_empty();
        let before = self.rows.front().map_or(u64::MAX, |row| row.seq);
        for row in rows.into_iter().rev().filter(|row| row.seq < before) {
            if self.rows.len() >= self.rows_max {
                self.complete = true;
                break;
            }
            self.rows.push_front(row);
        }
    }

    /// A row as it comes.
    pub fn take_new(&mut self, row: &LogRow) {
        if !self.follow || !self.passes(row) || self.rows.back().is_some_and(|last| last.seq >= row.seq) {
            return;
        }
        self.rows.push_back(row.clone());
        while self.rows.len() > self.rows_max {
            self.rows.pop_front();
        }
    }

    pub fn row(&self, seq: u64) -> Option<&LogRow> {
        let at = self.rows.binary_search_by_key(&seq, |row| row.seq).ok()?;
        self.rows.get(at)
    }

    /// The daemon's filter, applied to what comes between two readings.
    fn passes(&self, row: &LogRow) -> bool {
        let wanted = self.contains.to_lowercase();
        (self.channels.is_empty() || self.channels.contains(&row.channel))
            && self.session.is_none_or(|id| row.session == Some(id))
            && self
                .message
                .as_ref()
                .is_none_or(|id| row.message.as_ref() == Some(id))
            && (wanted.is_empty()
                || row.text.to_lowercase().contains(&wanted)
                || row.fields.to_string().to_lowercase().contains(&wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: u64, channel: &str, text: &str) -> LogRow {
        LogRow {
            seq,
            at_us: 0,
            channel: channel.to_owned(),
            severity: "info".to_owned(),
            code: "x".to_owned(),
            session: None,
            message: None,
            text: text.to_owned(),
            fields: serde_json::Value::Null,
        }
    }

    #[test]
    fn old_and_new_rows_meet_without_gaps_or_doubles() {
        let mut log = LogState::default();
        log.take_new(&row(10, "smtp", "a"));
        log.take_older(vec![
            row(8, "smtp", "b"),
            row(9, "imap", "c"),
            row(10, "smtp", "a"),
        ]);
        log.take_new(&row(10, "smtp", "a"));
        log.take_new(&row(11, "smtp", "d"));
        assert_eq!(
            log.rows.iter().map(|row| row.seq).collect::<Vec<_>>(),
            [8, 9, 10, 11]
        );
        assert_eq!(log.query().before, 8);
        log.take_older(Vec::new());
        assert!(log.complete);
    }

    #[test]
    fn rows_that_come_pass_the_same_filter() {
        let mut log = LogState {
            contains: "IVAN".to_owned(),
            ..LogState::default()
        };
        log.channels.insert("imap".to_owned());
        log.take_new(&row(1, "imap", "ivan logged in"));
        log.take_new(&row(2, "imap", "maria logged in"));
        log.take_new(&row(3, "smtp", "from ivan"));
        assert_eq!(log.rows.len(), 1);
    }
}
