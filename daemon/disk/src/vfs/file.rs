//! One open file of SQLite: the functions that it calls.

use std::ffi::{c_int, c_void};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::ffi;

use super::directory_of;
use super::locks::Locks;
use crate::{File, SharedDisk};

/// What the simulated platter writes at once.
const SECTOR_BYTES: c_int = 512;

pub(super) struct OpenFile {
    file: Box<dyn File>,
    disk: SharedDisk,
    locks: Arc<Mutex<Locks>>,
    path: PathBuf,
    /// The name was made by this open and is not durable: the first sync is also one of the directory.
    name_unsynced: bool,
    delete_on_close: bool,
    held: c_int,
}

impl OpenFile {
    pub(super) fn new(
        file: Box<dyn File>,
        disk: SharedDisk,
        locks: Arc<Mutex<Locks>>,
        path: PathBuf,
        created: bool,
        delete_on_close: bool,
    ) -> OpenFile {
        let held = ffi::SQLITE_LOCK_NONE;
        OpenFile {
            file,
            disk,
            locks,
            path,
            name_unsynced: created,
            delete_on_close,
            held,
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.name_unsynced {
            self.disk.sync_dir(directory_of(&self.path))?;
            self.name_unsynced = false;
        }
        Ok(())
    }

    /// Fills the buffer; says whether the file had that many bytes.
    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<bool> {
        let mut done = 0;
        while done < buffer.len() {
            match self.file.read_at(&mut buffer[done..], offset + done as u64)? {
                0 => {
                    buffer[done..].fill(0);
                    return Ok(false);
                }
                read => done += read,
            }
        }
        Ok(true)
    }
}

/// What lies in the memory that SQLite gives for a file.
#[repr(C)]
pub(super) struct VfsFile {
    base: ffi::sqlite3_file,
    open: *mut OpenFile,
}

impl VfsFile {
    /// # Safety
    /// `place` has room for a `VfsFile`, and nothing that must be dropped is in it.
    pub(super) unsafe fn place(place: *mut ffi::sqlite3_file, open: OpenFile) {
        let base = ffi::sqlite3_file {
            pMethods: &raw const METHODS,
        };
        let open = Box::into_raw(Box::new(open));
        // SAFETY: as above; SQLite aligns the place to 8 bytes.
        unsafe {
            place.cast::<VfsFile>().write(VfsFile { base, open });
        }
    }
}

/// # Safety
/// `file` was placed by [`VfsFile::place`] and is not closed; SQLite uses a file from one thread at a time.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: as above.
    unsafe { &mut *(*file.cast::<VfsFile>()).open }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

fn code(result: io::Result<()>, otherwise: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => ffi::SQLITE_FULL,
        Err(_) => otherwise,
    }
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the box was made by place(), and SQLite closes once.
    let open = unsafe { Box::from_raw((*file.cast::<VfsFile>()).open) };
    open.locks
        .lock()
        .lower(&open.path, open.held, ffi::SQLITE_LOCK_NONE);
    if open.delete_on_close {
        code(open.disk.remove_file(&open.path), ffi::SQLITE_IOERR_DELETE)
    } else {
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn x_read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    bytes: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite gives an open file and a buffer of `bytes`.
    let (open, buffer) = unsafe {
        (
            opened(file),
            std::slice::from_raw_parts_mut(out.cast::<u8>(), bytes as usize),
        )
    };
    match open.read(buffer, offset as u64) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn x_write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite gives an open file and a buffer of `count` bytes.
    let (open, bytes) = unsafe {
        (
            opened(file),
            std::slice::from_raw_parts(bytes.cast::<u8>(), count as usize),
        )
    };
    code(
        open.file.write_all_at(bytes, offset as u64),
        ffi::SQLITE_IOERR_WRITE,
    )
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite gives an open file.
    code(
        unsafe { opened(file) }.file.set_len(size as u64),
        ffi::SQLITE_IOERR_TRUNCATE,
    )
}

unsafe extern "C" fn x_sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    code(unsafe { opened(file) }.sync(), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    match unsafe { opened(file) }.file.len() {
        Ok(len) => {
            // SAFETY: as above.
            unsafe { *out = len as i64 };
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

unsafe extern "C" fn x_lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { opened(file) };
    if open.held >= wanted {
        return ffi::SQLITE_OK;
    }
    open.held = open.locks.lock().raise(&open.path, open.held, wanted);
    if open.held >= wanted {
        ffi::SQLITE_OK
    } else {
        ffi::SQLITE_BUSY
    }
}

unsafe extern "C" fn x_unlock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let open = unsafe { opened(file) };
    if open.held > wanted {
        open.locks.lock().lower(&open.path, open.held, wanted);
        open.held = wanted;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    unsafe {
        let open = opened(file);
        *out = c_int::from(open.locks.lock().reserved(&open.path));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_control(
    _file: *mut ffi::sqlite3_file,
    _operation: c_int,
    _arg: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn x_sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_BYTES
}

unsafe extern "C" fn x_device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    // A torn write leaves the sectors beside it alone; more is not promised.
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
