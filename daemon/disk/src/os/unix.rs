//! Unix: `pread`, `pwrite`, `fdatasync`, and `fsync` of directories.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

pub(crate) const SYNCS_DIRECTORIES: bool = true;

/// Mail is for the server and its group, not for other accounts of the machine.
const FILE_MODE: u32 = 0o640;
const DIRECTORY_MODE: u32 = 0o750;

/// Names that are not durable yet: Unix needs no such list.
#[derive(Debug, Default)]
pub(crate) struct PendingNames;

impl PendingNames {
    #[expect(clippy::unused_self, reason = "the other system's list needs it")]
    pub(crate) fn add(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "the other system's list needs it")]
    pub(crate) fn forget(&self, _path: &Path) {}

    #[expect(clippy::unused_self, reason = "the other system's list needs it")]
    pub(crate) fn sync(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

pub(crate) fn prepare(options: &mut OpenOptions) {
    options.mode(FILE_MODE);
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(DIRECTORY_MODE).create(path)
}

pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(buffer, offset)
}

pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

pub(crate) fn available_bytes(path: &Path) -> io::Result<u64> {
    let stat = nix::sys::statvfs::statvfs(path)?;
    // The widths differ between the systems.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    Ok((stat.blocks_available() as u64).saturating_mul(stat.fragment_size() as u64))
}

pub(crate) fn set_private_permissions(path: &Path) -> io::Result<()> {
    let mode = if fs::metadata(path)?.is_dir() {
        0o700
    } else {
        0o600
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

pub(crate) fn keep_files_private() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
}

pub(crate) fn raise_open_file_limit() -> io::Result<Option<u64>> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(Some(hard))
}

pub(crate) fn process_memory_bytes() -> Option<u64> {
    // Linux: the second figure is the resident size in pages.
    let figures = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = figures.split_whitespace().nth(1)?.parse().ok()?;
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(page).ok()?)
}

pub(crate) fn prepare_tree(command: &mut Command) {
    command.process_group(0);
}

/// The process group of a program that leads one.
#[derive(Debug)]
pub(crate) struct Tree(Pid);

impl Tree {
    pub(crate) fn of(leader: u32) -> io::Result<Self> {
        match i32::try_from(leader) {
            // 0 would be the server's own group, 1 the whole machine.
            Ok(leader) if leader > 1 => Ok(Self(Pid::from_raw(leader))),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    #[expect(clippy::unused_self, reason = "the other system has something to let go")]
    pub(crate) fn release(self) {}

    /// A group of which nobody is left is no error.
    pub(crate) fn end(self) {
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}
