//! The administrator's program that puts records into the DNS: `PROGRAM add|remove NAME VALUE`.
//!
//! No shell has part in it. It has two minutes, and its first words on the standard error are what the administrator is told if it fails.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::AcmeError;
use crate::error::shown;

/// For one call.
const TIMEOUT: Duration = Duration::from_mins(2);
/// Bytes of its complaints that are read.
const WORDS_MAX_BYTES: u64 = 4096;

#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) program: PathBuf,
}

impl Command {
    pub(crate) async fn run(&self, verb: &str, name: &str, value: &str) -> Result<(), AcmeError> {
        let done = tokio::time::timeout(TIMEOUT, self.call(verb, name, value)).await;
        let failed = match done {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(words))) => words,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not done within {} s", TIMEOUT.as_secs()),
        };
        Err(AcmeError::Command(format!(
            "{} {verb} {name}: {failed}",
            self.program.display()
        )))
    }

    /// What it complains of, if it fails.
    async fn call(&self, verb: &str, name: &str, value: &str) -> std::io::Result<Option<String>> {
        let mut child = tokio::process::Command::new(&self.program)
            .args([verb, name, value])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // One that takes too long is given up.
            .kill_on_drop(true)
            .spawn()?;
        let mut words = Vec::new();
        if let Some(mut stderr) = child.stderr.take() {
            (&mut stderr)
                .take(WORDS_MAX_BYTES)
                .read_to_end(&mut words)
                .await?;
            // What is over the limit is read away, so that the program does not wait for a reader.
            tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
        }
        let status = child.wait().await?;
        if status.success() {
            return Ok(None);
        }
        Ok(Some(format!(
            "{status}: {}",
            shown(&String::from_utf8_lossy(&words))
        )))
    }
}
