//! SQLite's memory comes from the program's own allocator: one that is quick for many small pieces from many threads serves both.
//!
//! In front of each piece stands its size, which Rust's allocators want back.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ffi::{c_int, c_void};

use rusqlite::ffi;

/// The size, before each piece; SQLite wants pieces aligned to 8 bytes.
const HEAD_BYTES: usize = 8;
const ALIGN: usize = 8;

/// What SQLite calls.
pub(super) fn methods() -> ffi::sqlite3_mem_methods {
    ffi::sqlite3_mem_methods {
        xMalloc: Some(x_malloc),
        xFree: Some(x_free),
        xRealloc: Some(x_realloc),
        xSize: Some(x_size),
        xRoundup: Some(x_roundup),
        xInit: Some(x_init),
        xShutdown: Some(x_shutdown),
        pAppData: std::ptr::null_mut(),
    }
}

/// Of a piece with its head; `None`: larger than anything may be.
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_add(HEAD_BYTES)?, ALIGN).ok()
}

/// # Safety
/// `start` begins a piece of `bytes` with its head, or is null.
unsafe fn headed(start: *mut u8, bytes: usize) -> *mut c_void {
    if start.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: the head is within the piece and aligned.
    unsafe {
        start.cast::<u64>().write_unaligned(bytes as u64);
        start.add(HEAD_BYTES).cast()
    }
}

/// # Safety
/// `piece` came from these functions and was not freed.
unsafe fn start_and_size(piece: *mut c_void) -> (*mut u8, usize) {
    // SAFETY: the head stands before the piece.
    unsafe {
        let start = piece.cast::<u8>().sub(HEAD_BYTES);
        (start, start.cast::<u64>().read_unaligned() as usize)
    }
}

unsafe extern "C" fn x_malloc(bytes: c_int) -> *mut c_void {
    let Some((bytes, layout)) = usize::try_from(bytes)
        .ok()
        .and_then(|bytes| Some((bytes, layout(bytes)?)))
    else {
        return std::ptr::null_mut();
    };
    // SAFETY: the layout is not empty.
    unsafe { headed(alloc(layout), bytes) }
}

unsafe extern "C" fn x_free(piece: *mut c_void) {
    if piece.is_null() {
        return;
    }
    // SAFETY: SQLite gives back what it got, once.
    unsafe {
        let (start, bytes) = start_and_size(piece);
        if let Some(layout) = layout(bytes) {
            dealloc(start, layout);
        }
    }
}

unsafe extern "C" fn x_realloc(piece: *mut c_void, bytes: c_int) -> *mut c_void {
    if piece.is_null() {
        // SAFETY: as for a new piece.
        return unsafe { x_malloc(bytes) };
    }
    let Ok(bytes) = usize::try_from(bytes) else {
        return std::ptr::null_mut();
    };
    // SAFETY: SQLite gives a piece that it got. The old layout was made when it was allocated, the new one is tried here.
    unsafe {
        let (start, old) = start_and_size(piece);
        match (layout(old), layout(bytes)) {
            (Some(layout), Some(new)) => headed(realloc(start, layout, new.size()), bytes),
            _ => std::ptr::null_mut(),
        }
    }
}

unsafe extern "C" fn x_size(piece: *mut c_void) -> c_int {
    if piece.is_null() {
        return 0;
    }
    // SAFETY: SQLite gives a piece that it got; its size was a `c_int`.
    unsafe { start_and_size(piece).1 as c_int }
}

unsafe extern "C" fn x_roundup(bytes: c_int) -> c_int {
    bytes.saturating_add(7) & !7
}

unsafe extern "C" fn x_init(_: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_shutdown(_: *mut c_void) {}
