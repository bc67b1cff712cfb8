//! Another mail server, as good or bad as a test wants it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tls::Tls;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// How it behaves.
#[derive(Clone)]
pub(super) struct Manner {
    pub(super) greeting: &'static str,
    pub(super) offers: &'static [&'static str],
    pub(super) mail: &'static str,
    /// The first that is part of the command decides; else yes.
    pub(super) rcpt: &'static [(&'static str, &'static str)],
    pub(super) data: &'static str,
    pub(super) end: &'static str,
    /// Speaks LMTP: after a text an answer for each recipient, which is `end` unless a part of its address stands here.
    pub(super) lmtp: Option<&'static [(&'static str, &'static str)]>,
    /// Closes the connection when it sees this line.
    pub(super) drop_at: &'static str,
    /// Says nothing more from this line on.
    pub(super) hang_at: &'static str,
    /// What it says after its greeting, over and over, whatever it hears.
    pub(super) endless: &'static str,
    /// How long it thinks of each recipient, on a clock that stands still otherwise.
    pub(super) rcpt_takes: Duration,
    pub(super) tls: Option<Tls>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            greeting: "220 other.test",
            offers: &["PIPELINING", "SIZE 100000", "8BITMIME"],
            mail: "250 2.1.0 ok",
            rcpt: &[],
            data: "354 go",
            end: "250 2.0.0 taken",
            lmtp: None,
            drop_at: "never",
            hang_at: "never",
            endless: "",
            rcpt_takes: Duration::ZERO,
            tls: None,
        }
    }
}

/// What it heard: command lines, and the texts that it took.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) lines: Vec<String>,
    pub(super) texts: Vec<String>,
    pub(super) connections: usize,
    /// Connections that are open now.
    pub(super) open: usize,
}

pub(super) struct Fake {
    pub(super) address: SocketAddr,
    pub(super) heard: Arc<Mutex<Heard>>,
}

impl Fake {
    pub(super) async fn start(manner: Manner) -> Self {
        Self::start_at("127.0.0.1:0", manner).await
    }

    pub(super) async fn start_at(address: &str, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let all = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (manner, heard) = (manner.clone(), all.clone());
                heard.lock().connections += 1;
                heard.lock().open += 1;
                tokio::spawn(async move {
                    let _ = session(stream, &manner, &heard).await;
                    heard.lock().open -= 1;
                });
            }
        });
        Self { address, heard }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.heard.lock().lines.clone()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.heard.lock().texts.clone()
    }
}

async fn session(
    mut stream: tokio::net::TcpStream,
    manner: &Manner,
    heard: &Mutex<Heard>,
) -> std::io::Result<()> {
    if manner.hang_at == "greeting" {
        std::future::pending::<()>().await;
    }
    stream
        .write_all(format!("{}\r\n", manner.greeting).as_bytes())
        .await?;
    while !manner.endless.is_empty() {
        stream.write_all(manner.endless.as_bytes()).await?;
    }
    let encrypt = talk(&mut stream, manner, heard).await?;
    if encrypt && let Some(tls) = &manner.tls {
        let mut stream = tls.acceptor().tokio().accept(stream).await?;
        talk(&mut stream, manner, heard).await?;
    }
    Ok(())
}

/// Until the connection ends (`false`) or STARTTLS was answered.
async fn talk(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    manner: &Manner,
    heard: &Mutex<Heard>,
) -> std::io::Result<bool> {
    let mut stream = BufReader::new(stream);
    let mut data: Option<String> = None;
    let mut recipients: Vec<String> = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        if line.starts_with(manner.drop_at) {
            return Ok(false);
        }
        if line.starts_with(manner.hang_at) {
            std::future::pending::<()>().await;
        }
        let answer = if let Some(text) = &mut data {
            if line != "." {
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                text.push_str("\r\n");
                continue;
            }
            let text = data.take().unwrap_or_default();
            heard.lock().texts.push(text);
            let to = std::mem::take(&mut recipients);
            match manner.lmtp {
                None => manner.end.to_owned(),
                Some(ends) => {
                    let end = |to: &String| {
                        let found = ends.iter().find(|(part, _)| to.contains(part));
                        found.map_or(manner.end, |(_, end)| end)
                    };
                    to.iter().map(end).collect::<Vec<_>>().join("\r\n")
                }
            }
        } else {
            heard.lock().lines.push(line.clone());
            match line.split(' ').next().unwrap_or_default() {
                "LHLO" if manner.lmtp.is_none() => "500 no".to_owned(),
                "EHLO" if manner.lmtp.is_some() => "500 no".to_owned(),
                "EHLO" | "LHLO" => {
                    let lines: Vec<String> = std::iter::once(&"other.test")
                        .chain(manner.offers)
                        .map(ToString::to_string)
                        .collect();
                    let (last, first) = lines.split_last().unwrap();
                    let first: Vec<String> = first.iter().map(|line| format!("250-{line}\r\n")).collect();
                    format!("{}250 {last}", first.concat())
                }
                "STARTTLS" => {
                    stream.write_all(b"220 go\r\n").await?;
                    return Ok(true);
                }
                "AUTH" => "235 2.7.0 welcome".to_owned(),
                "MAIL" => manner.mail.to_owned(),
                "RCPT" => {
                    if !manner.rcpt_takes.is_zero() {
                        tokio::time::advance(manner.rcpt_takes).await;
                    }
                    let found = manner.rcpt.iter().find(|(part, _)| line.contains(part));
                    let answer = found.map_or("250 2.1.5 ok", |(_, answer)| answer).to_owned();
                    if answer.starts_with('2') {
                        recipients.push(line.clone());
                    }
                    answer
                }
                "DATA" => {
                    if manner.data.starts_with('3') {
                        data = Some(String::new());
                    }
                    manner.data.to_owned()
                }
                _ => "250 ok".to_owned(),
            }
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}
