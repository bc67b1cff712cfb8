//! Tells once that the disk is full, and once that there is room again, whoever met it and however often.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use disk::SharedDisk;
use disk::space::Full;
use events::kinds::store::{DiskFull, DiskRoom};
use events::{Events, Scope};

/// A full disk is asked for room this often.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// There is room when that many times what was wanted would fit: with less the disk would be full again at once, and that would be told again.
const ROOM_FACTOR: u64 = 2;
/// Bytes that a disk must really take before it is said to work.
const PROBE_BYTES: usize = 64 * 1024;

/// Until the runtime ends. `data`: the data directory.
pub(super) async fn watch(disk: SharedDisk, data: PathBuf, events: Events) {
    let mut space = disk.space().watch();
    loop {
        let full = match space.wait_for(Option::is_some).await {
            Ok(full) => full.clone(),
            Err(_) => return,
        };
        let Some(Full { path, .. }) = full else { continue };
        let path = path.display().to_string();
        // The disk outlives a store that is opened anew.
        if disk.space().tell() {
            events.emit(Scope::default(), DiskFull { path: path.clone() });
        }
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if has_room(&disk, &data).await {
                break;
            }
        }
        disk.space().met_room();
        events.emit(Scope::default(), DiskRoom { path });
    }
}

/// Whether what did not fit would fit now, and a file is really taken: a quota is not always among what the system says is free.
async fn has_room(disk: &SharedDisk, data: &Path) -> bool {
    let Some(full) = disk.space().full() else {
        return true;
    };
    let (disk, data) = (disk.clone(), data.to_owned());
    let asked = tokio::task::spawn_blocking(move || {
        let place = full.path.parent().unwrap_or(&data);
        let free = disk
            .available_bytes(place)
            // What was to be filled may be gone.
            .or_else(|_| disk.available_bytes(&data))?;
        if free < full.wanted_bytes.saturating_mul(ROOM_FACTOR) {
            return Ok(false);
        }
        // Where there was no room: it may be another disk than that of the rest.
        let queue = data.join("queue");
        let place = if disk.exists(place)? {
            place
        } else {
            queue.as_path()
        };
        probe(&disk, place).map(|()| true)
    });
    matches!(asked.await, Ok(Ok(true)))
}

/// Whether the disk takes a file in that folder. Blocks.
pub(super) fn probe(disk: &SharedDisk, folder: &Path) -> io::Result<()> {
    let probe = folder.join("probe");
    let tried = disk.write_atomic(&probe, &vec![0; PROBE_BYTES]);
    // Left behind it does no harm: the next try replaces it.
    let _ = disk.remove_file(&probe);
    tried
}
