//! Which records are held, and where they lie: eight bytes for each, in the order of the log.

use std::collections::VecDeque;

use crate::format::ALIGNMENT;

/// The place of a record that is not written yet; no record lies in a segment's header.
const NOWHERE: u32 = 0;

/// Where a record lies in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    NotHeld,
    NotWritten,
    At(u64),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Offset in its segment, in units of [`ALIGNMENT`].
    place: u32,
    pins: u32,
}

/// Ids that follow one another without a gap.
#[derive(Debug)]
struct Run {
    first: u64,
    entries: VecDeque<Entry>,
}

/// All records from the oldest held one on.
#[derive(Debug, Default)]
pub(crate) struct Live {
    runs: VecDeque<Run>,
}

impl Live {
    /// Adds a record, held once. Ids rise.
    pub(crate) fn push(&mut self, id: u64, offset: Option<u64>) {
        let entry = Entry {
            place: offset.map_or(NOWHERE, to_place),
            pins: 1,
        };
        match self.runs.back_mut() {
            Some(run) if run.first + run.entries.len() as u64 == id => run.entries.push_back(entry),
            _ => self.runs.push_back(Run {
                first: id,
                entries: VecDeque::from([entry]),
            }),
        }
    }

    /// Tells where a record was written; nothing if it was released meanwhile.
    pub(crate) fn place(&mut self, id: u64, offset: u64) {
        if let Some(entry) = self.entry(id) {
            entry.place = to_place(offset);
        }
    }

    pub(crate) fn find(&mut self, id: u64) -> Place {
        match self.entry(id) {
            Some(entry) if entry.pins == 0 => Place::NotHeld,
            Some(entry) if entry.place == NOWHERE => Place::NotWritten,
            Some(entry) => Place::At(u64::from(entry.place) * ALIGNMENT as u64),
            None => Place::NotHeld,
        }
    }

    /// Holds a held record once more.
    pub(crate) fn pin(&mut self, id: u64) {
        if let Some(entry) = self.entry(id).filter(|entry| entry.pins > 0) {
            entry.pins = entry.pins.saturating_add(1);
        }
    }

    /// Gives back one hold; whether the oldest held record is another one now.
    pub(crate) fn release(&mut self, id: u64) -> bool {
        let Some(entry) = self.entry(id) else { return false };
        entry.pins = entry.pins.saturating_sub(1);
        let before = self.oldest();
        while let Some(run) = self.runs.front_mut() {
            match run.entries.front() {
                Some(entry) if entry.pins > 0 => break,
                Some(_) => {
                    run.entries.pop_front();
                    run.first += 1;
                }
                None => drop(self.runs.pop_front()),
            }
        }
        before != self.oldest()
    }

    /// The oldest record in the list: after a release, the oldest that is held.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.runs
            .front()
            .filter(|run| !run.entries.is_empty())
            .map(|run| run.first)
    }

    fn entry(&mut self, id: u64) -> Option<&mut Entry> {
        let after = self.runs.partition_point(|run| run.first <= id);
        let run = self.runs.get_mut(after.checked_sub(1)?)?;
        run.entries.get_mut(usize::try_from(id - run.first).ok()?)
    }
}

fn to_place(offset: u64) -> u32 {
    // Segments are far smaller than 32 GiB: the size of a record is a u32.
    u32::try_from(offset / ALIGNMENT as u64).unwrap_or(NOWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_held_record_moves_only_when_it_is_released_as_often_as_it_was_held() {
        let mut live = Live::default();
        for id in [3, 4, 5, 100, 101] {
            live.push(id, (id == 3).then_some(512));
        }
        assert_eq!(
            [3, 4, 6].map(|id| live.find(id)),
            [Place::At(512), Place::NotWritten, Place::NotHeld]
        );
        live.place(4, 1024);
        assert_eq!(live.find(4), Place::At(1024));
        live.pin(3);
        assert!(!live.release(4), "3 is older");
        assert!(!live.release(3), "held twice");
        assert!(live.release(3));
        assert_eq!(live.oldest(), Some(5));
        assert!(live.release(5));
        assert_eq!(live.oldest(), Some(100));
        assert!(
            !live.release(5) && !live.release(77),
            "what is not held is not released"
        );
        live.pin(5);
        assert!(live.release(100) && live.release(101));
        assert_eq!(live.oldest(), None);
        live.push(102, None);
        assert_eq!(live.oldest(), Some(102));
    }
}
