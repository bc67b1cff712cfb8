//! An IMAP server, spoken to as a client (RFC 3501, RFC 9051, RFC 4315): what can be asked, and what it answers.
//!
//! Must not know: what is fetched and what is deleted.

use std::collections::BinaryHeap;
use std::fmt::Write;

use shared::external::ExternalMechanism;
use wire::imap::client::{
    Condition, Fetch, Follows, RESPONSE_LINE_MAX_BYTES, Response, capabilities, challenge, code, literal,
    quoted, response,
};
use wire::imap::encode_utf7;
use wire::sasl::Mechanism;

use crate::connect::Security;
use crate::intake::Incoming;
use crate::link::Link;
use crate::login::{self, Offers, Way};
use crate::problem::{Problem, quote};

/// Messages of one listing; the rest is listed after them.
pub(crate) const LISTING_MAX_COUNT: usize = 5000;
/// Bytes of a literal that nobody asked for.
const FOREIGN_LITERAL_MAX_BYTES: u64 = 1 << 20;
/// Pieces of one response.
const PIECES_MAX_COUNT: usize = 100;

pub(crate) struct Imap {
    pub(crate) link: Link,
    tag: u32,
    /// In upper case.
    capabilities: Vec<String>,
    authenticated: bool,
    /// What was logged in with.
    pub(crate) mechanism: &'static str,
}

/// A folder that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) validity: u32,
    pub(crate) messages: u32,
}

/// What became of a message that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Text,
    /// It is not there any more.
    Nothing,
    /// It is larger than it may be; nothing more can be said on this connection.
    Over,
}

/// The end of a command.
struct Ended {
    condition: Condition,
    text: String,
    /// The server had a proof that we know the password, and owed one of its own.
    after_proof: bool,
}

impl Ended {
    fn new(condition: Condition, text: String) -> Self {
        Self {
            condition,
            text,
            after_proof: false,
        }
    }
}

impl Imap {
    /// Greeting and TLS.
    pub(crate) async fn open(link: Link, security: &Security) -> Result<Self, Problem> {
        let mut imap = Self {
            link,
            tag: 0,
            capabilities: Vec::new(),
            authenticated: false,
            mechanism: "",
        };
        let line = imap.link.line(RESPONSE_LINE_MAX_BYTES).await?;
        match response(&line) {
            Some(Response::Condition { condition, text }) => match condition {
                Condition::Ok => {}
                // Without TLS nobody knows who says that; a server that is sure of us before the handshake can't be asked for one (RFC 9051 §7.1.4).
                Condition::PreAuth if !security.starts_later() => imap.authenticated = true,
                Condition::PreAuth => return Err(Problem::NoTls),
                _ => return Err(Problem::refused("the greeting", &text)),
            },
            _ => return Err(Problem::garbage(&line)),
        }
        imap.ask_capabilities().await?;
        if security.starts_later() {
            if !imap.has("STARTTLS") {
                return Err(Problem::NoTls);
            }
            imap.command("STARTTLS", |_| {}).await?;
            imap.link = security.shake(imap.link).await?;
            // What was said before could be somebody else's (RFC 9051 §6.2.1).
            imap.ask_capabilities().await?;
        }
        Ok(imap)
    }

    /// The first way that works.
    pub(crate) async fn log_in(
        &mut self,
        wanted: ExternalMechanism,
        user: &str,
        password: &str,
    ) -> Result<(), Problem> {
        if self.authenticated {
            return Ok(());
        }
        let offers = Offers {
            sasl: self
                .capabilities
                .iter()
                .filter_map(|word| word.strip_prefix("AUTH="))
                .collect(),
            apop: false,
            login: !self.has("LOGINDISABLED"),
            secure: self.link.is_secure(),
        };
        let ways = login::ways(wanted, &offers)?;
        let mut refused = Problem::NoPassword;
        for way in ways {
            self.mechanism = way.name();
            let ended = match way {
                Way::Sasl(mechanism) => self.authenticate(mechanism, user, password).await?,
                Way::Login | Way::Apop => self.login(user, password).await?,
            };
            if ended.condition == Condition::Ok {
                // They may have changed (RFC 9051 §6.2.3).
                return self.ask_capabilities().await;
            }
            // RFC 5530 §3: it has nothing to do with the password.
            if code(&ended.text)
                .is_some_and(|(code, _)| matches!(code.as_str(), "UNAVAILABLE" | "INUSE" | "LIMIT"))
            {
                return Err(Problem::refused(way.name(), &ended.text));
            }
            refused = Problem::Login(quote(ended.text.as_bytes()));
            if ended.after_proof {
                // Either the password is wrong or the server does not know it: whichever it is, it does not get to see it.
                break;
            }
        }
        Err(refused)
    }

    async fn authenticate(
        &mut self,
        mechanism: Mechanism,
        user: &str,
        password: &str,
    ) -> Result<Ended, Problem> {
        let mut client = login::client(mechanism, user, password)?;
        let tag = self
            .send_command(&format!("AUTHENTICATE {}", mechanism.name()))
            .await?;
        loop {
            let line = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
            match response(&line) {
                Some(Response::Continue(text)) => {
                    let asked = challenge(text).ok_or_else(|| Problem::garbage(&line))?;
                    let answer;
                    (client, answer) = login::respond(client, asked).await?;
                    let Some(answer) = answer else {
                        // RFC 9051 §6.2.2: `*` cancels.
                        self.link.send(b"*\r\n").await?;
                        return Err(login::no_proof());
                    };
                    let line = wire::base64::encode(&answer);
                    self.link.send(format!("{line}\r\n").as_bytes()).await?;
                }
                Some(Response::Tagged {
                    tag: said,
                    condition,
                    text,
                }) if said == tag.as_bytes() => {
                    if condition == Condition::Ok && !client.is_satisfied() {
                        return Err(login::no_proof());
                    }
                    return Ok(Ended {
                        condition,
                        text,
                        after_proof: client.has_proved(),
                    });
                }
                Some(Response::Tagged { .. }) | None => return Err(Problem::garbage(&line)),
                Some(_) => {}
            }
        }
    }

    /// LOGIN (RFC 9051 §6.2.4); what can't stand in quotes goes as a literal.
    async fn login(&mut self, user: &str, password: &str) -> Result<Ended, Problem> {
        self.tag += 1;
        let tag = format!("b{}", self.tag);
        let mut line = format!("{tag} LOGIN");
        for text in [user, password] {
            if let Some(text) = quoted(text) {
                line.push(' ');
                line.push_str(&text);
                continue;
            }
            // Writing to a text in memory can't fail.
            let _ = write!(line, " {{{}}}\r\n", text.len());
            self.link.send(line.as_bytes()).await?;
            let said = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
            match response(&said) {
                Some(Response::Continue(_)) => {}
                Some(Response::Tagged { condition, text, .. }) => return Ok(Ended::new(condition, text)),
                _ => return Err(Problem::garbage(&said)),
            }
            text.clone_into(&mut line);
        }
        self.link.send(format!("{line}\r\n").as_bytes()).await?;
        self.ended(&tag, |_| {}).await
    }

    /// `change`: it may be changed.
    pub(crate) async fn select(&mut self, folder: &str, change: bool) -> Result<Selected, Problem> {
        let verb = if change { "SELECT" } else { "EXAMINE" };
        let name = quoted(&encode_utf7(folder)).ok_or_else(|| Problem::refused(verb, folder))?;
        let (mut validity, mut messages) = (None, 0);
        let each = |said: &Response<'_>| match said {
            Response::Exists(count) => messages = *count,
            Response::Condition { text, .. } => {
                if let Some((name, value)) = code(text)
                    && name == "UIDVALIDITY"
                {
                    validity = value.trim().parse().ok();
                }
            }
            _ => {}
        };
        self.command(&format!("{verb} {name}"), each).await?;
        let validity = validity.ok_or_else(|| Problem::garbage(b"a folder without UIDVALIDITY"))?;
        Ok(Selected { validity, messages })
    }

    /// UIDs and sizes of the messages after a UID, ascending, the first so many.
    pub(crate) async fn list(&mut self, after: u32) -> Result<Vec<(u32, u64)>, Problem> {
        let Some(first) = after.checked_add(1) else {
            return Ok(Vec::new());
        };
        // `n:*` names the last message even if its UID is below (RFC 9051 §9, seq-range).
        self.listing(&format!("{first}:*"), |uid| uid >= first).await
    }

    /// The same of some messages, as far as they are there.
    pub(crate) async fn sizes(&mut self, uids: &[u32]) -> Result<Vec<(u32, u64)>, Problem> {
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        self.listing(&set.join(","), |uid| uids.contains(&uid)).await
    }

    async fn listing(
        &mut self,
        set: &str,
        is_asked: impl Fn(u32) -> bool,
    ) -> Result<Vec<(u32, u64)>, Problem> {
        let mut lowest: BinaryHeap<(u32, u64)> = BinaryHeap::new();
        let mut bad = None;
        let each = |said: &Response<'_>| {
            let Response::Fetch(items) = said else { return };
            let mut fetch = Fetch::default();
            match (fetch.piece(items), fetch.uid, fetch.size) {
                (Some(_), Some(uid), size) if is_asked(uid) => {
                    lowest.push((uid, size.unwrap_or(0)));
                    if lowest.len() > LISTING_MAX_COUNT {
                        lowest.pop();
                    }
                }
                (Some(_), ..) => {}
                (None, ..) => bad = Some(Problem::garbage(items)),
            }
        };
        self.command(&format!("UID FETCH {set} (UID RFC822.SIZE)"), each)
            .await?;
        if let Some(problem) = bad {
            return Err(problem);
        }
        let mut listed = lowest.into_sorted_vec();
        listed.dedup_by_key(|(uid, _)| *uid);
        Ok(listed)
    }

    /// Reads a message; it is complete only if this is `Ok(Got::Text)`. It is not marked as seen.
    pub(crate) async fn text(&mut self, uid: u32, incoming: &mut Incoming<'_>) -> Result<Got, Problem> {
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[])");
        let tag = self.send_command(&command).await?;
        let mut got = Got::Nothing;
        loop {
            let line = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
            match response(&line).ok_or_else(|| Problem::garbage(&line))? {
                Response::Fetch(items) => match self.items(items, uid, got, incoming).await? {
                    Got::Over => return Ok(Got::Over),
                    Got::Text => got = Got::Text,
                    Got::Nothing => {}
                },
                Response::Tagged {
                    tag: said,
                    condition,
                    text,
                } if said == tag.as_bytes() => {
                    return match condition {
                        Condition::Ok => Ok(got),
                        _ => Err(Problem::refused(&command, &text)),
                    };
                }
                Response::Tagged { .. } | Response::Continue(_) => return Err(Problem::garbage(&line)),
                _ => self.rest(&line).await?,
            }
        }
    }

    /// One FETCH response: the text, or news of other messages.
    async fn items(
        &mut self,
        first: &[u8],
        uid: u32,
        had: Got,
        incoming: &mut Incoming<'_>,
    ) -> Result<Got, Problem> {
        let (mut fetch, mut piece, mut got) = (Fetch::default(), first.to_vec(), Got::Nothing);
        for _ in 0..PIECES_MAX_COUNT {
            match fetch.piece(&piece).ok_or_else(|| Problem::garbage(&piece))? {
                Follows::Nothing => {
                    if let Some(text) = fetch.quoted.take() {
                        incoming.feed(&text).await?;
                        got = Got::Text;
                    }
                    if got == Got::Text && (had == Got::Text || fetch.uid != Some(uid)) {
                        return Err(Problem::garbage(
                            b"the text of another message than was asked for",
                        ));
                    }
                    return Ok(got);
                }
                Follows::Text(bytes) => {
                    let mut left = bytes;
                    while left > 0 {
                        let some = self.link.some(left).await?;
                        left -= some.len() as u64;
                        incoming.feed(&some).await?;
                        if incoming.is_over() {
                            return Ok(Got::Over);
                        }
                    }
                    got = Got::Text;
                }
                Follows::Literal(bytes) => self.discard(bytes).await?,
            }
            piece = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
        }
        Err(Problem::garbage(&piece))
    }

    /// Marks messages: `\Seen`, `\Deleted`.
    pub(crate) async fn mark(&mut self, set: &str, flag: &str) -> Result<(), Problem> {
        self.command(&format!("UID STORE {set} +FLAGS.SILENT ({flag})"), |_| {})
            .await
    }

    /// Whether [`Self::expunge`] removes these messages and no others (RFC 4315).
    pub(crate) fn expunges_by_uid(&self) -> bool {
        self.has("UIDPLUS") || self.has("IMAP4REV2")
    }

    pub(crate) async fn expunge(&mut self, set: &str) -> Result<(), Problem> {
        self.command(&format!("UID EXPUNGE {set}"), |_| {}).await
    }

    /// The answer is of no interest.
    pub(crate) async fn log_out(mut self) {
        let _ = self.command("LOGOUT", |_| {}).await;
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    async fn ask_capabilities(&mut self) -> Result<(), Problem> {
        let mut found = Vec::new();
        let each = |said: &Response<'_>| match said {
            Response::Capability(words) => found.clone_from(words),
            Response::Condition { text, .. } => {
                if let Some((name, words)) = code(text)
                    && name == "CAPABILITY"
                {
                    found = capabilities(words);
                }
            }
            _ => {}
        };
        self.command("CAPABILITY", each).await?;
        self.capabilities = found;
        Ok(())
    }

    async fn send_command(&mut self, command: &str) -> Result<String, Problem> {
        self.tag += 1;
        let tag = format!("b{}", self.tag);
        self.link.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    /// A command that must succeed; `each` sees the beginning of every untagged response.
    async fn command(&mut self, command: &str, each: impl FnMut(&Response<'_>)) -> Result<(), Problem> {
        let tag = self.send_command(command).await?;
        let ended = self.ended(&tag, each).await?;
        match ended.condition {
            Condition::Ok => Ok(()),
            _ => Err(Problem::refused(command, &ended.text)),
        }
    }

    async fn ended(&mut self, tag: &str, mut each: impl FnMut(&Response<'_>)) -> Result<Ended, Problem> {
        loop {
            let line = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
            match response(&line).ok_or_else(|| Problem::garbage(&line))? {
                Response::Tagged {
                    tag: said,
                    condition,
                    text,
                } if said == tag.as_bytes() => {
                    return Ok(Ended::new(condition, text));
                }
                Response::Tagged { .. } | Response::Continue(_) => return Err(Problem::garbage(&line)),
                said => {
                    each(&said);
                    self.rest(&line).await?;
                }
            }
        }
    }

    /// Passes over literals of a response that is of no interest.
    async fn rest(&mut self, line: &[u8]) -> Result<(), Problem> {
        let mut bytes = literal(line);
        for _ in 0..PIECES_MAX_COUNT {
            let Some(len) = bytes else { return Ok(()) };
            self.discard(len).await?;
            bytes = literal(&self.link.line(RESPONSE_LINE_MAX_BYTES).await?);
        }
        Err(Problem::garbage(line))
    }

    async fn discard(&mut self, bytes: u64) -> Result<(), Problem> {
        if bytes > FOREIGN_LITERAL_MAX_BYTES {
            return Err(Problem::garbage(format!("a literal of {bytes} bytes").as_bytes()));
        }
        self.link.discard(bytes).await
    }
}
