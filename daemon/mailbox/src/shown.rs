//! A stored text as a client sees it: as it is, or with headers in ASCII for those that know no international mail (RFC 6858). Of a large text no more
//! than what is asked for is in memory, and what was put in the place of its headers.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use disk::Disk;
use disk::blob::Blob;
use wire::message::Message;
use wire::message::downgrade::{Edits, Piece};
use wire::message::text::Windows;

/// A clone shares it.
#[derive(Clone, Debug)]
pub struct Shown {
    text: Blob,
    downgraded: Option<Arc<Downgraded>>,
}

#[derive(Debug)]
struct Downgraded {
    edits: Edits,
    header_len: u64,
}

impl Shown {
    pub fn as_stored(text: Blob) -> Self {
        Self {
            text,
            downgraded: None,
        }
    }

    /// For clients that must not see headers in UTF-8. Blocks: reads the text once.
    pub fn downgraded(text: Blob, disk: &dyn Disk) -> io::Result<Self> {
        let stored = Self::as_stored(text);
        let downgraded = stored.with_windows(disk, |windows| {
            let structure = Message::parse_text(windows);
            let edits = Edits::of(windows, &structure)?;
            let header_len = edits.moved(structure.root.header.end) as u64;
            Some(Arc::new(Downgraded { edits, header_len }))
        })?;
        Ok(Self { downgraded, ..stored })
    }

    /// Whether it is not as it is stored.
    pub fn is_downgraded(&self) -> bool {
        self.downgraded.is_some()
    }

    /// Bytes of the header with its blank line, if it is downgraded.
    pub fn header_len(&self) -> Option<u64> {
        self.downgraded.as_ref().map(|downgraded| downgraded.header_len)
    }

    /// The file, if the stored text is in one.
    pub fn path(&self) -> Option<&Path> {
        self.text.path()
    }

    pub fn len(&self) -> u64 {
        match &self.downgraded {
            Some(downgraded) => downgraded.edits.len() as u64,
            None => self.text.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads `len` bytes from `at`, fewer at the end. Blocks.
    pub fn read_range(&self, disk: &dyn Disk, at: u64, len: usize) -> io::Result<Bytes> {
        let Some(downgraded) = &self.downgraded else {
            return self.text.read_range(disk, at, len);
        };
        let edits = &downgraded.edits;
        let at = usize::try_from(at).map_err(io::Error::other)?;
        let mut read = Vec::with_capacity(len.min(edits.len().saturating_sub(at)));
        for piece in edits.pieces(at, len) {
            match piece {
                Piece::Put(put) => read.extend_from_slice(put),
                Piece::Kept(range) => {
                    let kept = self.text.read_range(disk, range.start as u64, range.len())?;
                    if kept.len() < range.len() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    // All of it, as a rule: it need not be copied.
                    if kept.len() == read.capacity() {
                        return Ok(kept);
                    }
                    read.extend_from_slice(&kept);
                }
            }
        }
        Ok(read.into())
    }

    /// What `see` makes of the text, of which a window at a time is in memory. Blocks.
    pub fn with_windows<T>(
        &self,
        disk: &dyn Disk,
        see: impl FnOnce(&mut Windows<Reader<'_>>) -> T,
    ) -> io::Result<T> {
        let len = usize::try_from(self.len()).map_err(io::Error::other)?;
        let read: Reader<'_> = Box::new(|at, len| self.read_range(disk, at as u64, len).ok());
        let mut windows = Windows::new(len, read);
        let seen = see(&mut windows);
        if windows.has_failed() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(seen)
    }
}

/// Reads so many octets from an offset on.
pub type Reader<'a> = Box<dyn FnMut(usize, usize) -> Option<Bytes> + 'a>;
