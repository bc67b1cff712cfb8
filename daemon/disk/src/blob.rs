//! A text of any size: in memory while it is small, in a file when it is large.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

/// A text. A clone shares it.
#[derive(Clone, Debug)]
pub enum Blob {
    Bytes(Bytes),
    /// A durable file that is never changed in place.
    File(Arc<BlobFile>),
}

/// Where a large text lies, which part of the file it is, and how long it is in bytes.
#[derive(Debug)]
pub struct BlobFile {
    pub path: PathBuf,
    pub len: u64,
}

impl Blob {
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.len,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::File(file) => Some(&file.path),
        }
    }

    /// Reads `len` bytes from `at`, fewer at the end. Blocks: not for a task of the runtime if the text is in a file.
    pub fn read_range(&self, disk: &dyn crate::Disk, at: u64, len: usize) -> std::io::Result<Bytes> {
        match self {
            Self::Bytes(bytes) => {
                let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(len).min(bytes.len());
                Ok(bytes.slice(start..end))
            }
            Self::File(file) => {
                let open = disk.open(&file.path, crate::Open::Read)?;
                let len = usize::try_from(file.len.saturating_sub(at))
                    .unwrap_or(usize::MAX)
                    .min(len);
                let mut out = vec![0; len];
                open.read_exact_at(&mut out, at)?;
                Ok(Bytes::from(out))
            }
        }
    }
}
