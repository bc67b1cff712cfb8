//! A VFS of SQLite on top of a [`Disk`], so that databases live through the power cuts of the simulated disk.
//!
//! On the machine's own disk BatPost uses SQLite's own VFS; this one is for everything else. It has no shared
//! memory: WAL works with `PRAGMA locking_mode=EXCLUSIVE`, set before the database is first read. Locks hold
//! within the process, between connections of one registration.
#![allow(unsafe_code, reason = "SQLite calls its VFS through C function pointers")]

mod file;
mod locks;

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use rusqlite::ffi;

use crate::{File, Open, SharedDisk, SimDisk, contract};
use file::{OpenFile, VfsFile};
use locks::Locks;

/// Longest path that SQLite may ask for, in bytes.
const PATH_BYTES_MAX: c_int = 1024;

/// What one name stands for: the disk of the latest registration, and its locks.
struct Mounted {
    disk: SharedDisk,
    locks: Arc<Mutex<Locks>>,
}

/// Lives as long as the process: SQLite keeps a pointer to it.
struct Registered {
    mounted: Mutex<Mounted>,
}

static REGISTERED: LazyLock<Mutex<HashMap<String, &'static Registered>>> = LazyLock::new(Mutex::default);

/// Makes a disk known to SQLite under a name (`Connection::open_with_flags_and_vfs`). The same name once more means
/// another disk from then on; connections that are open keep theirs.
pub fn register(name: &str, disk: SharedDisk) -> io::Result<()> {
    let mut registered = REGISTERED.lock();
    let mounted = Mounted {
        disk,
        locks: Arc::default(),
    };
    if let Some(known) = registered.get(name) {
        *known.mounted.lock() = mounted;
        return Ok(());
    }
    let c_name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
    let app_data: &'static Registered = Box::leak(Box::new(Registered {
        mounted: Mutex::new(mounted),
    }));
    let vfs = ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<VfsFile>() as c_int,
        mxPathname: PATH_BYTES_MAX,
        pNext: std::ptr::null_mut(),
        zName: c_name.into_raw(),
        pAppData: std::ptr::from_ref(app_data).cast_mut().cast(),
        xOpen: Some(x_open),
        xDelete: Some(x_delete),
        xAccess: Some(x_access),
        xFullPathname: Some(x_full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(x_randomness),
        xSleep: Some(x_sleep),
        xCurrentTime: Some(x_current_time),
        xGetLastError: Some(x_get_last_error),
        xCurrentTimeInt64: Some(x_current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the structure, its name and its data are leaked on purpose, so they outlive SQLite; all the
    // functions that version 2 requires are there.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
    if code != ffi::SQLITE_OK {
        return Err(io::Error::other(format!("SQLite refuses the VFS {name}: {code}")));
    }
    registered.insert(name.to_owned(), app_data);
    Ok(())
}

/// # Safety
/// `vfs` is one that [`register`] made.
unsafe fn mounted(vfs: *mut ffi::sqlite3_vfs) -> (SharedDisk, Arc<Mutex<Locks>>) {
    // SAFETY: register() put a reference there that lives for ever.
    let registered = unsafe { &*(*vfs).pAppData.cast::<Registered>() };
    let mounted = registered.mounted.lock();
    (Arc::clone(&mounted.disk), Arc::clone(&mounted.locks))
}

/// # Safety
/// `name` is a string that ends with a zero.
unsafe fn path_of(name: *const c_char) -> PathBuf {
    // SAFETY: as above; SQLite's names are UTF-8.
    PathBuf::from(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}

unsafe extern "C" fn x_open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives szOsFile bytes for the file. No methods means: xClose is not to be called.
    unsafe { (*file).pMethods = std::ptr::null() };
    // SAFETY: `vfs` is ours.
    let (disk, locks) = unsafe { mounted(vfs) };
    let opened = if name.is_null() {
        // A temporary file: on a disk of its own, which goes with it.
        let temporary = SimDisk::new(0).shared();
        open_file(
            temporary,
            locks,
            PathBuf::from("temporary"),
            flags | ffi::SQLITE_OPEN_CREATE,
        )
    } else {
        // SAFETY: a name that is not null ends with a zero.
        open_file(disk, locks, unsafe { path_of(name) }, flags)
    };
    let Ok(opened) = opened else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: the place has the size of a VfsFile; `out_flags` may be null.
    unsafe {
        VfsFile::place(file, opened);
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

fn open_file(
    disk: SharedDisk,
    locks: Arc<Mutex<Locks>>,
    path: PathBuf,
    flags: c_int,
) -> io::Result<OpenFile> {
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let how = match () {
        () if flags & ffi::SQLITE_OPEN_READONLY != 0 => Open::Read,
        () if create && flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0 => Open::CreateNew,
        () => Open::ReadWrite { create },
    };
    let created = create && !disk.exists(&path)?;
    let file: Box<dyn File> = disk.open(&path, how)?;
    let delete_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    Ok(OpenFile::new(file, disk, locks, path, created, delete_on_close))
}

unsafe extern "C" fn x_delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    // SAFETY: `vfs` is ours, `name` ends with a zero.
    let ((disk, _), path) = unsafe { (mounted(vfs), path_of(name)) };
    match disk.remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => return ffi::SQLITE_IOERR_DELETE,
    }
    if sync_dir != 0 && disk.sync_dir(contract::parent(&path)).is_err() {
        return ffi::SQLITE_IOERR_DIR_FSYNC;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: `vfs` is ours, `name` ends with a zero.
    let ((disk, _), path) = unsafe { (mounted(vfs), path_of(name)) };
    let there = match disk.metadata(&path) {
        // SQLite takes an empty journal for none.
        Ok(metadata) => flags != ffi::SQLITE_ACCESS_EXISTS || metadata.is_dir || metadata.len > 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(_) => return ffi::SQLITE_IOERR_ACCESS,
    };
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *result = c_int::from(there) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    out_bytes: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: `name` ends with a zero.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > out_bytes as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has room for `out_bytes`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_randomness(_vfs: *mut ffi::sqlite3_vfs, bytes: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite always has a VFS of the system; it gets its own pointer and the caller's buffer.
    unsafe {
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        (*system).xRandomness.map_or(0, |call| call(system, bytes, out))
    }
}

unsafe extern "C" fn x_sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(std::time::Duration::from_micros(
        u64::try_from(microseconds).unwrap_or(0),
    ));
    microseconds
}

unsafe extern "C" fn x_current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: as in x_randomness.
    unsafe {
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        (*system)
            .xCurrentTime
            .map_or(ffi::SQLITE_ERROR, |call| call(system, out))
    }
}

unsafe extern "C" fn x_current_time_int64(
    _vfs: *mut ffi::sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: as in x_randomness.
    unsafe {
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        (*system)
            .xCurrentTimeInt64
            .map_or(ffi::SQLITE_ERROR, |call| call(system, out))
    }
}

unsafe extern "C" fn x_get_last_error(
    _vfs: *mut ffi::sqlite3_vfs,
    _bytes: c_int,
    _out: *mut c_char,
) -> c_int {
    0
}

/// The directory whose sync makes the file's name durable.
fn directory_of(path: &Path) -> &Path {
    contract::parent(path)
}
