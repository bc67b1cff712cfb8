//! What the system grants the process and its files: permissions, open files, memory.

use std::io;
use std::path::Path;

use crate::os;

/// Lets only the account of the server read and write a file (0600), or look into a directory (0700). On Windows
/// the access list of the data directory is inherited and was set by the installer; nothing is done there.
pub fn set_private_permissions(path: &Path) -> io::Result<()> {
    os::set_private_permissions(path)
}

/// Files and directories made from now on are for the account of the server alone, whatever the directory they lie in lets others
/// do. For the whole process. On Windows the access list of the data directory does that.
pub fn keep_files_private() {
    os::keep_files_private();
}

/// Raises the number of files that the process may hold open as far as the system allows without privileges, and
/// says what it is now; `None` where there is no such limit.
pub fn raise_open_file_limit() -> io::Result<Option<u64>> {
    os::raise_open_file_limit()
}

/// Memory of the process that is resident, in bytes; `None` where the system does not tell.
pub fn process_memory_bytes() -> Option<u64> {
    os::process_memory_bytes()
}
