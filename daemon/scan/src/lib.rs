//! Anti-virus plugins: each gets the text of a message and says clean, infected or failed; the first that finds something wins.
//!
//! Must not know: what is done with an infected message, sessions, the queue.

mod clamd;
mod command;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use disk::SharedDisk;
use disk::blob::Blob;

pub use clamd::Clamd;
pub use command::Command;

/// Bytes of a text that are in memory at once while it is handed to a plugin.
const PIECE_BYTES: usize = 256 * 1024;
/// Bytes of a plugin's answer that are looked at.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    Infected {
        plugin: String,
        name: String,
    },
    /// It is not known to be clean: a plugin failed that must not fail.
    Failed {
        plugin: String,
        reason: String,
    },
}

/// What it means when a plugin can't say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Go on with the next one.
    Pass,
    /// The text is not taken now.
    Fail,
}

/// One scanner with its limits.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub name: String,
    pub kind: Kind,
    /// For the whole text.
    pub timeout: Duration,
    /// Larger texts are not shown to it.
    pub size_max_bytes: u64,
    pub on_failure: OnFailure,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Clamd(Clamd),
    Command(Command),
}

/// The plugins in their order.
#[derive(Clone, Debug)]
pub struct Scanner {
    disk: SharedDisk,
    plugins: Vec<Plugin>,
}

/// What one plugin says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Clean,
    Infected(String),
}

/// Why a plugin said nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("no answer in time")]
    Timeout,
    #[error("an answer that means nothing: {0}")]
    Answer(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Scanner {
    pub fn new(disk: SharedDisk, plugins: Vec<Plugin>) -> Self {
        Self { disk, plugins }
    }

    /// Shows a text to the plugins, in their order.
    pub async fn scan(&self, text: &Blob) -> Verdict {
        for plugin in self
            .plugins
            .iter()
            .filter(|plugin| text.len() <= plugin.size_max_bytes)
        {
            let pieces = Pieces {
                disk: self.disk.clone(),
                text: text.clone(),
                at: 0,
            };
            let asked = async {
                match &plugin.kind {
                    Kind::Clamd(clamd) => clamd.scan(pieces).await,
                    Kind::Command(command) => command.scan(pieces).await,
                }
            };
            let answer = tokio::time::timeout(plugin.timeout, asked)
                .await
                .unwrap_or(Err(ScanError::Timeout));
            match answer {
                Ok(Answer::Clean) => {}
                Ok(Answer::Infected(name)) => {
                    return Verdict::Infected {
                        plugin: plugin.name.clone(),
                        name,
                    };
                }
                Err(_) if plugin.on_failure == OnFailure::Pass => {}
                Err(error) => {
                    return Verdict::Failed {
                        plugin: plugin.name.clone(),
                        reason: error.to_string(),
                    };
                }
            }
        }
        Verdict::Clean
    }
}

/// A text in pieces, read off the runtime's threads.
pub(crate) struct Pieces {
    disk: SharedDisk,
    text: Blob,
    at: u64,
}

impl Pieces {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let (disk, text, at) = (self.disk.clone(), self.text.clone(), self.at);
        let piece = match &self.text {
            Blob::Bytes(_) => text.read_range(&*disk, at, PIECE_BYTES)?,
            Blob::File(_) => {
                let read =
                    tokio::task::spawn_blocking(move || text.read_range(&*disk, at, PIECE_BYTES)).await;
                read.map_err(io::Error::other)??
            }
        };
        self.at += piece.len() as u64;
        if piece.is_empty() {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(Some(piece))
        }
    }
}

#[cfg(test)]
mod tests;
