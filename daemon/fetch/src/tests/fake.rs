//! Other servers: a plain POP3 or IMAP server over a few messages, which a test makes peculiar command by command.

use std::sync::Arc;

use parking_lot::Mutex;
use tls::Tls;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What a server does at a command instead of the usual.
pub(super) enum Act {
    Say(Vec<u8>),
    /// And the connection is gone.
    SayAndClose(Vec<u8>),
    /// Not before that.
    SayAfter(Arc<Notify>, Vec<u8>),
    /// And goes on as usual.
    Usual,
}

/// A message over there.
#[derive(Clone)]
pub(super) struct Mail {
    pub(super) uid: u32,
    pub(super) unique: String,
    pub(super) text: Vec<u8>,
    pub(super) flags: Vec<String>,
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) mails: Vec<Mail>,
    /// All commands of all connections.
    pub(super) said: Vec<String>,
    pub(super) validity: u32,
    /// The last that was given.
    uids: u32,
    /// POP3: numbers to be deleted at QUIT.
    deleted: Vec<u32>,
}

type Behave = dyn Fn(&mut Model, &str) -> Act + Send + Sync;

#[derive(Clone)]
pub(super) struct Fake {
    pub(super) port: u16,
    pub(super) model: Arc<Mutex<Model>>,
    behave: Arc<Behave>,
    pub(super) imap: bool,
    /// Of a server that offers STARTTLS and STLS.
    tls: Option<Tls>,
    /// TLS from the first byte on.
    at_once: bool,
}

/// Nothing peculiar.
pub(super) fn usual(_: &mut Model, _: &str) -> Act {
    Act::Usual
}

/// A command's tag, which POP3 has none of, and the rest.
pub(super) fn of_command(imap: bool, line: &str) -> (&str, &str) {
    if imap {
        line.split_once(' ').unwrap_or((line, ""))
    } else {
        ("", line)
    }
}

/// Answers commands that begin so otherwise; `TAG` stands for the tag. The empty one is the greeting.
pub(super) fn at(
    imap: bool,
    command: &'static str,
    said: impl AsRef<[u8]> + Send + Sync + 'static,
    closes: bool,
) -> impl Fn(&mut Model, &str) -> Act + Send + Sync {
    move |_, line| {
        let (tag, rest) = of_command(imap, line);
        let is_meant = if command.is_empty() {
            line.is_empty()
        } else {
            rest.starts_with(command)
        };
        if !is_meant {
            return Act::Usual;
        }
        let mut text = said.as_ref().to_vec();
        while let Some(at) = text.windows(3).position(|window| window == b"TAG") {
            text.splice(at..at + 3, tag.bytes());
        }
        if closes {
            Act::SayAndClose(text)
        } else {
            Act::Say(text)
        }
    }
}

impl Fake {
    pub(super) async fn pop3(behave: impl Fn(&mut Model, &str) -> Act + Send + Sync + 'static) -> Self {
        Self::start(false, None, false, behave).await
    }

    pub(super) async fn imap(behave: impl Fn(&mut Model, &str) -> Act + Send + Sync + 'static) -> Self {
        Self::start(true, None, false, behave).await
    }

    pub(super) async fn start(
        imap: bool,
        tls: Option<Tls>,
        at_once: bool,
        behave: impl Fn(&mut Model, &str) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            port: listener.local_addr().unwrap().port(),
            model: Arc::new(Mutex::new(Model {
                validity: 7,
                ..Model::default()
            })),
            behave: Arc::new(behave),
            imap,
            tls,
            at_once,
        };
        let served = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = served.clone();
                tokio::spawn(async move {
                    let mut next: Option<Box<dyn Both>> = Some(Box::new(stream));
                    let (mut greet, mut shake) = (true, fake.at_once);
                    while let Some(mut stream) = next.take() {
                        if shake {
                            let acceptor = fake.tls.as_ref().unwrap().acceptor();
                            let Ok(shaken) = acceptor.tokio().accept(stream).await else {
                                return;
                            };
                            stream = Box::new(shaken);
                        }
                        next = fake.serve(stream, greet).await;
                        (greet, shake) = (false, true);
                    }
                });
            }
        });
        fake
    }

    pub(super) fn put(&self, subject: &str) {
        self.put_text(super::message(subject));
    }

    pub(super) fn put_text(&self, text: Vec<u8>) {
        let mut model = self.model.lock();
        model.uids += 1;
        let uid = model.uids;
        model.mails.push(Mail {
            uid,
            unique: format!("id{uid}"),
            text,
            flags: Vec::new(),
        });
    }

    pub(super) fn left(&self) -> usize {
        self.uids().len()
    }

    /// What lies there.
    pub(super) fn uids(&self) -> Vec<u32> {
        self.model.lock().mails.iter().map(|mail| mail.uid).collect()
    }

    /// The flags of each.
    pub(super) fn flags(&self) -> Vec<Vec<String>> {
        self.model
            .lock()
            .mails
            .iter()
            .map(|mail| mail.flags.clone())
            .collect()
    }

    /// How often a command was given that begins so (after the tag).
    pub(super) fn count(&self, command: &str) -> usize {
        let model = self.model.lock();
        let is_meant = |line: &&String| of_command(self.imap, line).1.starts_with(command);
        model.said.iter().filter(is_meant).count()
    }

    /// Gives the connection back for a handshake.
    async fn serve(&self, stream: Box<dyn Both>, greet: bool) -> Option<Box<dyn Both>> {
        let mut stream = BufReader::new(stream);
        self.model.lock().deleted.clear();
        if greet {
            let behaviour = (self.behave)(&mut self.model.lock(), "");
            let greeting = match behaviour {
                Act::Usual if self.imap => Act::Say(b"* OK ready\r\n".to_vec()),
                Act::Usual => Act::Say(b"+OK ready <1.2@fake.test>\r\n".to_vec()),
                other => other,
            };
            if !say(&mut stream, greeting).await {
                return None;
            }
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            let act = {
                let mut model = self.model.lock();
                model.said.push(line.clone());
                match (self.behave)(&mut model, &line) {
                    Act::Usual if self.imap => Act::Say(imap(&mut model, &line, self.tls.is_some())),
                    Act::Usual => Act::Say(pop3(&mut model, &line, self.tls.is_some())),
                    other => other,
                }
            };
            if !say(&mut stream, act).await {
                return None;
            }
            if self.tls.is_some() && (line == "STLS" || line.ends_with(" STARTTLS")) {
                return Some(stream.into_inner());
            }
        }
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Both for S {}

async fn say(stream: &mut (impl AsyncWrite + Unpin), act: Act) -> bool {
    let (text, goes_on) = match act {
        Act::Say(text) => (text, true),
        Act::SayAndClose(text) => (text, false),
        Act::SayAfter(moment, text) => {
            moment.notified().await;
            (text, true)
        }
        Act::Usual => (Vec::new(), true),
    };
    // The client may have gone.
    let said = stream.write_all(&text).await.is_ok() && stream.flush().await.is_ok();
    said && goes_on
}

/// The usual answer.
pub(super) fn pop3(model: &mut Model, line: &str, tls: bool) -> Vec<u8> {
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let number: u32 = argument.parse().unwrap_or(0);
    let mut out = b"+OK\r\n".to_vec();
    match verb {
        "CAPA" => {
            out.extend_from_slice(b"UIDL\r\nUSER\r\n");
            if tls {
                out.extend_from_slice(b"STLS\r\n");
            }
            out.extend_from_slice(b".\r\n");
        }
        "PASS" if argument != super::PASSWORD => return b"-ERR [AUTH] no\r\n".to_vec(),
        "APOP" => return b"-ERR [AUTH] not here\r\n".to_vec(),
        "STAT" => return format!("+OK {} 0\r\n", model.mails.len()).into_bytes(),
        "LIST" | "UIDL" => {
            for (index, mail) in model.mails.iter().enumerate() {
                let value = if verb == "LIST" {
                    mail.text.len().to_string()
                } else {
                    mail.unique.clone()
                };
                out.extend_from_slice(format!("{} {value}\r\n", index + 1).as_bytes());
            }
            out.extend_from_slice(b".\r\n");
        }
        "RETR" => {
            let text = &model.mails[number as usize - 1].text;
            wire::pop3::stuff(text, &mut out);
        }
        "DELE" => model.deleted.push(number),
        "QUIT" => {
            let deleted = std::mem::take(&mut model.deleted);
            let mut number = 0;
            model.mails.retain(|_| {
                number += 1;
                !deleted.contains(&number)
            });
        }
        _ => {}
    }
    out
}

/// The usual answer.
pub(super) fn imap(model: &mut Model, line: &str, tls: bool) -> Vec<u8> {
    let mut words = line.splitn(3, ' ');
    let (tag, verb, rest) = (
        words.next().unwrap(),
        words.next().unwrap_or(""),
        words.next().unwrap_or(""),
    );
    let mut out = Vec::new();
    let mut end = format!("{tag} OK done\r\n");
    match verb {
        "CAPABILITY" => {
            let starttls = if tls { " STARTTLS" } else { "" };
            out.extend_from_slice(format!("* CAPABILITY IMAP4rev1 UIDPLUS{starttls}\r\n").as_bytes());
        }
        "LOGIN" if !rest.contains(super::PASSWORD) => end = format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n"),
        "SELECT" | "EXAMINE" => {
            let text = format!(
                "* {} EXISTS\r\n* OK [UIDVALIDITY {}] valid\r\n",
                model.mails.len(),
                model.validity
            );
            out.extend_from_slice(text.as_bytes());
        }
        "UID" => uid(model, rest, &mut out),
        _ => {}
    }
    out.extend_from_slice(end.as_bytes());
    out
}

fn uid(model: &mut Model, rest: &str, out: &mut Vec<u8>) {
    let (verb, rest) = rest.split_once(' ').unwrap();
    let set = rest.split(' ').next().unwrap();
    let last = model.mails.last().map_or(0, |mail| mail.uid);
    let inside = |uid: u32| {
        set.split(',').any(|range| {
            let (from, to) = range.split_once(':').unwrap_or((range, range));
            let bound = |text: &str| if text == "*" { last } else { text.parse().unwrap() };
            let (from, to) = (bound(from), bound(to));
            (from.min(to)..=from.max(to)).contains(&uid)
        })
    };
    match verb {
        "FETCH" => {
            for (index, mail) in model
                .mails
                .iter()
                .enumerate()
                .filter(|(_, mail)| inside(mail.uid))
            {
                let head = format!("* {} FETCH (UID {} ", index + 1, mail.uid);
                out.extend_from_slice(head.as_bytes());
                if rest.contains("BODY.PEEK[]") {
                    out.extend_from_slice(format!("BODY[] {{{}}}\r\n", mail.text.len()).as_bytes());
                    out.extend_from_slice(&mail.text);
                    out.extend_from_slice(b")\r\n");
                } else {
                    out.extend_from_slice(format!("RFC822.SIZE {})\r\n", mail.text.len()).as_bytes());
                }
            }
        }
        "STORE" => {
            let flag = rest.split(['(', ')']).nth(1).unwrap().to_owned();
            for mail in model.mails.iter_mut().filter(|mail| inside(mail.uid)) {
                mail.flags.push(flag.clone());
            }
        }
        "EXPUNGE" => model
            .mails
            .retain(|mail| !(inside(mail.uid) && mail.flags.iter().any(|flag| flag == "\\Deleted"))),
        _ => {}
    }
}
