//! Windows: reads and writes at a position, `FlushFileBuffers`, and names that are made durable one by one.
//!
//! There is no sync of a directory. NTFS writes a name's change to its log together with the file that it belongs
//! to, so each file that was created, renamed or linked is opened by its new name, flushed, and opened once more
//! to see that the name is there.
#![allow(
    unsafe_code,
    reason = "calls of the system that have no safe wrapper: free space, memory, error, jobs"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::FileExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::process::Command;

use parking_lot::Mutex;
use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
};
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, PROCESS_SET_QUOTA, PROCESS_TERMINATE,
};

pub(crate) const SYNCS_DIRECTORIES: bool = false;

/// Names of one directory that are remembered until its sync; a further one is flushed at once.
const PENDING_NAMES_MAX: usize = 4096;

/// Names that were made since their directory was synced.
#[derive(Debug, Default)]
pub(crate) struct PendingNames {
    by_directory: Mutex<BTreeMap<PathBuf, BTreeSet<PathBuf>>>,
}

impl PendingNames {
    pub(crate) fn add(&self, path: &Path) -> io::Result<()> {
        let mut by_directory = self.by_directory.lock();
        let names = by_directory
            .entry(crate::contract::parent(path).to_path_buf())
            .or_default();
        if names.len() < PENDING_NAMES_MAX {
            names.insert(path.to_path_buf());
            return Ok(());
        }
        drop(by_directory);
        flush_by_name(path)
    }

    pub(crate) fn forget(&self, path: &Path) {
        let mut by_directory = self.by_directory.lock();
        if let Some(names) = by_directory.get_mut(crate::contract::parent(path)) {
            names.remove(path);
            if names.is_empty() {
                by_directory.remove(crate::contract::parent(path));
            }
        }
    }

    pub(crate) fn sync(&self, directory: &Path) -> io::Result<()> {
        let names = self.by_directory.lock().remove(directory).unwrap_or_default();
        for (done, name) in names.iter().enumerate() {
            if let Err(error) = flush_by_name(name) {
                let rest = names.iter().skip(done).cloned();
                self.by_directory
                    .lock()
                    .entry(directory.to_path_buf())
                    .or_default()
                    .extend(rest);
                return Err(error);
            }
        }
        Ok(())
    }
}

fn flush_by_name(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        // Renamed away or removed by a way of its own: nothing is to be made durable.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        // A directory's name is in the log with the first file made in it.
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => {}
    }
    OpenOptions::new().read(true).write(true).open(path)?.sync_all()?;
    File::open(path).map(drop)
}

pub(crate) fn prepare(_options: &mut OpenOptions) {}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}

pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.seek_write(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn available_bytes(path: &Path) -> io::Result<u64> {
    let wide: Vec<u16> = path.as_os_str().encode_wide().chain(Some(0)).collect();
    let mut available = 0_u64;
    // SAFETY: `wide` ends with a zero, `available` lives through the call, the other results are not asked for.
    let done = unsafe {
        GetDiskFreeSpaceExW(
            wide.as_ptr(),
            &raw mut available,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    if done == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(available)
    }
}

pub(crate) fn set_private_permissions(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Files take over the access list of their directory.
pub(crate) fn keep_files_private() {}

pub(crate) fn raise_open_file_limit() -> io::Result<Option<u64>> {
    Ok(None)
}

pub(crate) fn process_memory_bytes() -> Option<u64> {
    let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).ok()?;
    let mut counters = PROCESS_MEMORY_COUNTERS {
        cb: size,
        ..Default::default()
    };
    // SAFETY: the handle of the own process is always valid, `counters` has the size that is told.
    let done = unsafe { K32GetProcessMemoryInfo(GetCurrentProcess(), &raw mut counters, size) };
    (done != 0).then_some(counters.WorkingSetSize as u64)
}

pub(crate) fn prepare_tree(_: &mut Command) {}

/// A job that ends what is in it when its last handle is closed. What the program started before it was in the job stays out of it.
#[derive(Debug)]
pub(crate) struct Tree(OwnedHandle);

impl Tree {
    pub(crate) fn of(process_id: u32) -> io::Result<Self> {
        // SAFETY: neither attributes nor a name are given; the handle, if it is one, is nobody else's.
        let job = unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) };
        if job.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above.
        let tree = Self(unsafe { OwnedHandle::from_raw_handle(job) });
        tree.limit(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
        // SAFETY: plain numbers; the handle, if it is one, is nobody else's.
        let process = unsafe { OpenProcess(PROCESS_SET_QUOTA | PROCESS_TERMINATE, 0, process_id) };
        if process.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above.
        let process = unsafe { OwnedHandle::from_raw_handle(process) };
        // SAFETY: both handles are open.
        let done = unsafe { AssignProcessToJobObject(tree.0.as_raw_handle(), process.as_raw_handle()) };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(tree)
    }

    fn limit(&self, flags: u32) -> io::Result<()> {
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = flags;
        let size = u32::try_from(size_of_val(&limits)).map_err(io::Error::other)?;
        // SAFETY: the handle is open, `limits` is what this kind of information is, and has the size that is told.
        let done = unsafe {
            SetInformationJobObject(
                self.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                size,
            )
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    pub(crate) fn release(self) {
        // If it fails, what the program left running ends with it.
        let _ = self.limit(0);
    }

    /// Closing the handle does it.
    #[allow(clippy::unused_self, reason = "the handle is closed with it")]
    pub(crate) fn end(self) {}
}
