//! ClamAV's clamd by its command INSTREAM (clamd(8)), over TCP or a local socket.

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{ANSWER_MAX_BYTES, Answer, Pieces, ScanError};

/// Where clamd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clamd {
    /// `host:port`.
    Tcp(String),
    /// A local socket. On systems without them every scan fails.
    Local(PathBuf),
}

impl Clamd {
    pub(crate) async fn scan(&self, pieces: Pieces) -> Result<Answer, ScanError> {
        match self {
            Self::Tcp(address) => talk(TcpStream::connect(address.as_str()).await?, pieces).await,
            #[cfg(unix)]
            Self::Local(path) => talk(tokio::net::UnixStream::connect(path).await?, pieces).await,
            #[cfg(not(unix))]
            Self::Local(_) => Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into()),
        }
    }
}

/// `z`: commands and answers end with NUL. Each piece has its length before it; the end is a length of 0.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut pieces: Pieces,
) -> Result<Answer, ScanError> {
    stream.write_all(b"zINSTREAM\0").await?;
    while let Some(piece) = pieces.next().await? {
        let length = u32::try_from(piece.len()).map_err(std::io::Error::other)?;
        let sent = async {
            stream.write_all(&length.to_be_bytes()).await?;
            stream.write_all(&piece).await
        };
        // clamd hangs up on a stream over its own limit, after an answer that says so.
        if sent.await.is_err() {
            break;
        }
    }
    // The answer is what counts, also after a failed write.
    let _ = stream.write_all(&0_u32.to_be_bytes()).await;
    let _ = stream.flush().await;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_MAX_BYTES as u64)
        .read_to_end(&mut answer)
        .await?;
    understand(&String::from_utf8_lossy(&answer))
}

/// `stream: OK`, `stream: NAME FOUND`, `REASON ERROR`.
fn understand(answer: &str) -> Result<Answer, ScanError> {
    let answer = answer.trim_end_matches(['\0', '\n', '\r']);
    let said = answer.strip_prefix("stream: ").unwrap_or(answer);
    match (said, said.strip_suffix(" FOUND")) {
        ("OK", _) => Ok(Answer::Clean),
        (_, Some(name)) => Ok(Answer::Infected(name.to_owned())),
        _ => Err(ScanError::Answer(answer.to_owned())),
    }
}
