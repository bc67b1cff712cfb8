//! The bytes of a simulated file: what a reader sees, what is on the platter, and the writes in between.

use super::random::Random;

/// The disk writes this much at once or not at all.
pub(super) const SECTOR_BYTES: u64 = 512;

/// What a power cut does to everything that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The cache was written out just in time.
    Kept,
    /// Nothing of it was.
    Lost,
    /// Each change has a fate of its own.
    Mixed,
}

impl Fate {
    pub(super) fn draw(random: &mut Random) -> Fate {
        match random.below(8) {
            0 => Fate::Kept,
            1 => Fate::Lost,
            _ => Fate::Mixed,
        }
    }
}

#[derive(Debug)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

#[derive(Debug, Default)]
pub(super) struct FileData {
    current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl FileData {
    pub(super) fn len(&self) -> u64 {
        self.current.len() as u64
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| self.current.get(at..))
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        put(&mut self.current, bytes, offset);
        self.pending.push(Change::Write {
            offset,
            bytes: bytes.to_vec(),
        });
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.current.resize(len as usize, 0);
        self.pending.push(Change::SetLen(len));
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write { offset, bytes } => put(&mut self.durable, &bytes, offset),
                Change::SetLen(len) => self.durable.resize(len as usize, 0),
            }
        }
    }

    /// A failed sync: each pending change reached the platter or did not, and the system forgets that it has not.
    /// Readers go on seeing all of them.
    pub(super) fn sync_fails(&mut self, random: &mut Random) {
        self.settle_durable(random, Fate::Mixed);
    }

    /// The power cut: what is read afterwards.
    pub(super) fn settle(&mut self, random: &mut Random, fate: Fate) {
        self.settle_durable(random, fate);
        self.current.clone_from(&self.durable);
    }

    /// Turns the bytes over, on the platter and in the cache.
    pub(super) fn corrupt(&mut self, offset: u64, len: u64) {
        for bytes in [&mut self.current, &mut self.durable] {
            for at in offset..offset.saturating_add(len) {
                if let Some(byte) = bytes.get_mut(at as usize) {
                    *byte ^= 0xff;
                }
            }
        }
    }

    fn settle_durable(&mut self, random: &mut Random, fate: Fate) {
        for change in std::mem::take(&mut self.pending) {
            // Dropping an earlier change and keeping a later one is what reordering amounts to.
            let kept = match fate {
                Fate::Kept => 2,
                Fate::Lost => 0,
                Fate::Mixed => random.below(3),
            };
            match change {
                Change::SetLen(len) if kept == 2 || (kept == 1 && random.coin()) => {
                    self.durable.resize(len as usize, 0);
                }
                Change::Write { offset, bytes } if kept == 2 => put(&mut self.durable, &bytes, offset),
                Change::Write { offset, bytes } if kept == 1 => {
                    tear(&mut self.durable, &bytes, offset, random);
                }
                Change::SetLen(_) | Change::Write { .. } => {}
            }
        }
    }
}

fn put(target: &mut Vec<u8>, bytes: &[u8], offset: u64) {
    let start = offset as usize;
    let end = start + bytes.len();
    if target.len() < end {
        target.resize(end, 0);
    }
    target[start..end].copy_from_slice(bytes);
}

/// Writes some of the sectors. The file may have grown to the end of the write although its last sectors were not
/// written: then they read as zeros.
fn tear(target: &mut Vec<u8>, bytes: &[u8], offset: u64, random: &mut Random) {
    let end = offset + bytes.len() as u64;
    if random.coin() && (target.len() as u64) < end {
        target.resize(end as usize, 0);
    }
    let mut at = offset;
    while at < end {
        let next = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(end);
        if random.coin() {
            put(
                target,
                &bytes[(at - offset) as usize..(next - offset) as usize],
                at,
            );
        }
        at = next;
    }
}
