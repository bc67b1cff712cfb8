//! What every disk does in the same way, made of the calls that differ.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Disk, Linked, Open};

/// Bytes copied at a time where no link can be made.
const COPY_CHUNK_BYTES: usize = 256 << 10;

/// The directory that holds the name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ if path.is_absolute() => path,
        _ => Path::new("."),
    }
}

pub(crate) fn create_dir_all<D: Disk + ?Sized>(disk: &D, path: &Path, synced: bool) -> io::Result<()> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at = path;
    while !disk.exists(at)? {
        missing.push(at.to_path_buf());
        let above = parent(at);
        if above == at {
            break;
        }
        at = above;
    }
    for directory in missing.iter().rev() {
        match disk.create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            // Somebody else made it in between; whether its name is durable is not known.
            Ok(()) | Err(_) if synced => disk.sync_dir(parent(directory))?,
            Ok(()) | Err(_) => {}
        }
    }
    if disk.metadata(path)?.is_dir {
        Ok(())
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

pub(crate) fn read<D: Disk + ?Sized>(disk: &D, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Open::Read)?;
    let mut bytes = vec![0; usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

pub(crate) fn write_atomic<D: Disk + ?Sized>(disk: &D, path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Two writers of one name must not share the file beside it. The numbers begin anew with each process, so
    // that what a crash leaves behind is overwritten and does not pile up.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let beside = PathBuf::from(beside);
    let written = write_synced(disk, &beside, bytes).and_then(|()| disk.rename(&beside, path));
    if let Err(error) = written {
        // The cause matters, not whether the half file could be removed.
        let _ = disk.remove_file(&beside);
        return Err(error);
    }
    disk.sync_dir(parent(path))
}

fn write_synced<D: Disk + ?Sized>(disk: &D, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = disk.open(path, Open::ReadWrite { create: true })?;
    file.set_len(0)?;
    file.write_all_at(bytes, 0)?;
    file.sync_all()
}

pub(crate) fn rewrite_synced<D: Disk + ?Sized>(disk: &D, path: &Path) -> io::Result<()> {
    let file = match disk.open(path, Open::ReadWrite { create: false }) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut buffer = vec![0; COPY_CHUNK_BYTES];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return file.sync_all();
        }
        file.write_all_at(&buffer[..read], at)?;
        at += read as u64;
    }
}

pub(crate) fn link_or_copy<D: Disk + ?Sized>(disk: &D, from: &Path, to: &Path) -> io::Result<Linked> {
    use io::ErrorKind as Kind;
    match disk.hard_link(from, to) {
        Ok(()) => Ok(Linked::Link),
        Err(error)
            if matches!(
                error.kind(),
                Kind::NotFound | Kind::AlreadyExists | Kind::StorageFull
            ) =>
        {
            Err(error)
        }
        // EMLINK, EXDEV, and EPERM of FAT: the systems don't agree on what they say, so anything else is tried
        // by a copy, which says what is really wrong.
        Err(_) => match copy_synced(disk, from, to) {
            Ok(()) => Ok(Linked::Copy),
            Err(error) => {
                if error.kind() != Kind::AlreadyExists {
                    let _ = disk.remove_file(to);
                }
                Err(error)
            }
        },
    }
}

fn copy_synced<D: Disk + ?Sized>(disk: &D, from: &Path, to: &Path) -> io::Result<()> {
    let source = disk.open(from, Open::Read)?;
    let target = disk.open(to, Open::CreateNew)?;
    let mut buffer = vec![0; COPY_CHUNK_BYTES];
    let mut at = 0;
    loop {
        let read = source.read_at(&mut buffer, at)?;
        if read == 0 {
            return target.sync_all();
        }
        target.write_all_at(&buffer[..read], at)?;
        at += read as u64;
    }
}
