//! Takes in a text of unknown size.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use disk::File;
use disk::blob::Blob;

use crate::files::{CHUNK_BYTES, Files};
use crate::{QueueError, SMALL_TEXT_MAX_BYTES, unavailable};

/// Collects a text; also used for IMAP's APPEND. Dropped without `finish`, it leaves nothing behind.
pub struct Intake {
    files: Arc<Files>,
    buffer: BytesMut,
    file: Option<Spill>,
    len: u64,
}

/// The file of a large text.
struct Spill {
    files: Arc<Files>,
    name: String,
    /// Closed before it is removed: Windows removes no open file.
    file: Option<Box<dyn File>>,
    written: u64,
    sealed: bool,
}

impl Drop for Spill {
    fn drop(&mut self) {
        self.file = None;
        if !self.sealed {
            let (files, name) = (self.files.clone(), std::mem::take(&mut self.name));
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(move || files.discard(&name))),
                Err(_) => files.discard(&name),
            }
        }
    }
}

impl Intake {
    pub(crate) fn new(files: Arc<Files>) -> Self {
        Self {
            files,
            buffer: BytesMut::new(),
            file: None,
            len: 0,
        }
    }

    /// Adds bytes; past 64 KiB they go to a file, off the runtime's threads.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        self.len += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        let large = self.len > SMALL_TEXT_MAX_BYTES as u64;
        if large && self.buffer.len() >= CHUNK_BYTES {
            self.flush(false).await?;
        }
        Ok(())
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text; a file is synced with its directory before this returns.
    pub async fn finish(mut self) -> Result<Blob, QueueError> {
        if self.len <= SMALL_TEXT_MAX_BYTES as u64 {
            return Ok(Blob::Bytes(std::mem::take(&mut self.buffer).freeze()));
        }
        match self.flush(true).await? {
            Some(blob) => Ok(blob),
            None => Err(QueueError::Unavailable("the text was not written".to_owned())),
        }
    }

    /// The same with `top` above everything, for what is known only once the text is complete. A text that went to a file before is
    /// copied under it, in pieces: a file is never changed in place.
    pub async fn finish_under(mut self, top: &[u8]) -> Result<Blob, QueueError> {
        let Some(spill) = self.file.take() else {
            let mut whole = BytesMut::with_capacity(top.len() + self.buffer.len());
            whole.extend_from_slice(top);
            whole.extend_from_slice(&self.buffer);
            self.buffer = whole;
            self.len += top.len() as u64;
            return self.finish().await;
        };
        let (files, top, rest) = (self.files.clone(), top.to_vec(), self.buffer.split().freeze());
        let copied = tokio::task::spawn_blocking(move || copy_under(&files, &top, &spill, &rest)).await;
        copied
            .map_err(|error| unavailable("writing a text", &error))?
            .map_err(|error| unavailable("writing a text", &error))
    }

    /// Writes what is gathered; `seal` makes the file durable.
    async fn flush(&mut self, seal: bool) -> Result<Option<Blob>, QueueError> {
        let chunk: Bytes = self.buffer.split().freeze();
        let (files, spill) = (self.files.clone(), self.file.take());
        let written = tokio::task::spawn_blocking(move || write(&files, spill, &chunk, seal)).await;
        let (spill, blob) = written
            .map_err(|error| unavailable("writing a text", &error))?
            .map_err(|error| unavailable("writing a text", &error))?;
        self.file = Some(spill);
        Ok(blob)
    }
}

fn copy_under(files: &Arc<Files>, top: &[u8], from: &Spill, rest: &[u8]) -> std::io::Result<Blob> {
    let Some(file) = &from.file else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    let (mut to, _) = write(files, None, top, false)?;
    let mut piece = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < from.written {
        let len = usize::try_from(from.written - at).unwrap_or(usize::MAX);
        let piece = &mut piece[..len.min(CHUNK_BYTES)];
        file.read_exact_at(piece, at)?;
        at += piece.len() as u64;
        (to, _) = write(files, Some(to), piece, false)?;
    }
    match write(files, Some(to), rest, true)? {
        (_, Some(blob)) => Ok(blob),
        (_, None) => Err(std::io::ErrorKind::BrokenPipe.into()),
    }
}

fn write(
    files: &Arc<Files>,
    spill: Option<Spill>,
    chunk: &[u8],
    seal: bool,
) -> std::io::Result<(Spill, Option<Blob>)> {
    let mut spill = match spill {
        Some(spill) => spill,
        None => {
            let (name, file) = files.create()?;
            Spill {
                files: files.clone(),
                name,
                file: Some(file),
                written: 0,
                sealed: false,
            }
        }
    };
    let Some(file) = &spill.file else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    file.write_all_at(chunk, spill.written)?;
    let written = spill.written + chunk.len() as u64;
    let blob = if seal {
        Some(files.seal(&spill.name, file.as_ref(), written)?)
    } else {
        None
    };
    spill.written = written;
    spill.sealed = seal;
    Ok((spill, blob))
}
