//! How the daemon is reached: the local socket or pipe, or `batpostctl stdio` at the other end of an `ssh`.

use std::process::Stdio;

use i18n::Language;
use shared::client::{CallError, Client};
use tokio::process::{Child, Command};

use super::Target;

/// What this client calls itself.
const NAME: &str = "batpost-configurator";

/// A connection, with the process that carries it if one does; the process ends with it.
pub(super) struct Connection {
    pub(super) client: Client,
    _carrier: Option<Child>,
}

pub(super) async fn connect(target: &Target, language: Language) -> Result<Connection, CallError> {
    match target {
        Target::Local(endpoint) => {
            let client = Client::connect(endpoint, NAME, language.code()).await?;
            Ok(Connection {
                client,
                _carrier: None,
            })
        }
        Target::Ssh(host) => over_ssh(host, language).await,
    }
}

async fn over_ssh(host: &str, language: Language) -> Result<Connection, CallError> {
    let gone = |text: String| CallError::NoDaemon(text);
    // `--` keeps a host that begins with a dash from being read as an option.
    let mut child = Command::new("ssh")
        .args([
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "ServerAliveInterval=15",
            "--",
            host,
            "batpostctl",
            "stdio",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| gone(error.to_string()))?;
    let (Some(write), Some(read)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(gone("ssh".to_owned()));
    };
    let client = Client::over(read, write, NAME, language.code()).await?;
    Ok(Connection {
        client,
        _carrier: Some(child),
    })
}
