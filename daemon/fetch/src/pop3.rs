//! A POP3 server, spoken to as a client (RFC 1939, RFC 2449, RFC 2595 §4, RFC 5034): what can be asked, and what it answers.
//!
//! Must not know: what is fetched and what is deleted.

use bytes::Buf;
use shared::external::ExternalMechanism;
use wire::pop3::client::{RESPONSE_LINE_MAX_BYTES, Status, Unstuffer, listed, status, timestamp, unique};
use wire::sasl::Mechanism;

use crate::connect::Security;
use crate::intake::Incoming;
use crate::link::Link;
use crate::login::{self, Offers, Way};
use crate::problem::{Problem, quote};

/// Messages that one server may list.
pub(crate) const MESSAGES_MAX_COUNT: usize = 200_000;
/// Lines of an answer to CAPA.
const CAPABILITIES_MAX_COUNT: usize = 200;

pub(crate) struct Pop3 {
    pub(crate) link: Link,
    /// In upper case, a capability with its arguments each.
    capabilities: Vec<String>,
    /// For APOP.
    timestamp: Option<String>,
    /// What was logged in with.
    pub(crate) mechanism: &'static str,
}

/// A message over there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) number: u32,
    pub(crate) bytes: u64,
    pub(crate) unique: Option<String>,
}

/// A login that was refused, and what was said.
enum No {
    /// It has nothing to do with the password.
    NotNow(String),
    Login(String),
    /// The server had a proof that we know the password, and owed one of its own.
    AfterProof(String),
}

impl Pop3 {
    /// Greeting and TLS.
    pub(crate) async fn open(link: Link, security: &Security) -> Result<Self, Problem> {
        let mut pop3 = Self {
            link,
            capabilities: Vec::new(),
            timestamp: None,
            mechanism: "",
        };
        let greeting = pop3.answer("the greeting").await?;
        pop3.timestamp = timestamp(&greeting).map(str::to_owned);
        pop3.ask_capabilities().await?;
        if !security.starts_later() {
            return Ok(pop3);
        }
        if !pop3.capabilities.iter().any(|capability| capability == "STLS") {
            return Err(Problem::NoTls);
        }
        pop3.command("STLS").await?;
        pop3.link = security.shake(pop3.link).await?;
        // What was said before could be somebody else's (RFC 2595 §4).
        pop3.ask_capabilities().await?;
        Ok(pop3)
    }

    /// The first way that works.
    pub(crate) async fn log_in(
        &mut self,
        wanted: ExternalMechanism,
        user: &str,
        password: &str,
    ) -> Result<(), Problem> {
        let sasl = self
            .capabilities
            .iter()
            .find_map(|capability| capability.strip_prefix("SASL "));
        let offers = Offers {
            sasl: sasl.unwrap_or_default().split_ascii_whitespace().collect(),
            apop: self.timestamp.is_some(),
            login: true,
            secure: self.link.is_secure(),
        };
        let ways = login::ways(wanted, &offers)?;
        let mut refused = Problem::NoPassword;
        for way in ways {
            self.mechanism = way.name();
            match self.try_way(way, user, password).await? {
                Ok(()) => return Ok(()),
                Err(No::NotNow(answer)) => return Err(Problem::refused(way.name(), &answer)),
                // Either the password is wrong or the server does not know it: whichever it is, it does not get to see it.
                Err(No::AfterProof(answer)) => return Err(Problem::Login(quote(answer.as_bytes()))),
                Err(No::Login(answer)) => refused = Problem::Login(quote(answer.as_bytes())),
            }
        }
        Err(refused)
    }

    async fn try_way(&mut self, way: Way, user: &str, password: &str) -> Result<Result<(), No>, Problem> {
        let last = match way {
            Way::Sasl(mechanism) => return self.sasl(mechanism, user, password).await,
            Way::Apop => {
                let digest = wire::sasl::apop(self.timestamp.as_deref().unwrap_or_default(), password);
                self.say(&format!("APOP {user} {digest}")).await?
            }
            Way::Login => match self.say(&format!("USER {user}")).await? {
                Status::Ok(_) => self.say(&format!("PASS {password}")).await?,
                other => other,
            },
        };
        Ok(verdict(last))
    }

    async fn sasl(
        &mut self,
        mechanism: Mechanism,
        user: &str,
        password: &str,
    ) -> Result<Result<(), No>, Problem> {
        let mut client = login::client(mechanism, user, password)?;
        // Without the initial response, which not all know (RFC 5034 §4).
        let mut said = self.say(&format!("AUTH {}", mechanism.name())).await?;
        while let Status::Challenge(challenge) = said {
            let response;
            (client, response) = login::respond(client, challenge).await?;
            said = match response {
                Some(response) => self.say(&wire::base64::encode(&response)).await?,
                None => {
                    // Nothing fits that challenge.
                    self.say("*").await?;
                    return Err(login::no_proof());
                }
            };
        }
        if matches!(said, Status::Ok(_)) && !client.is_satisfied() {
            return Err(login::no_proof());
        }
        Ok(match verdict(said) {
            Err(No::Login(answer)) if client.has_proved() => Err(No::AfterProof(answer)),
            other => other,
        })
    }

    /// Numbers and bytes of the messages, with their unique ids if the server has such.
    pub(crate) async fn list(&mut self) -> Result<Vec<Listed>, Problem> {
        self.command("LIST").await?;
        let mut messages: Vec<Listed> = Vec::new();
        while let Some(line) = self.item(messages.len()).await? {
            let (number, bytes) = listed(&line).ok_or_else(|| Problem::garbage(&line))?;
            messages.push(Listed {
                number,
                bytes,
                unique: None,
            });
        }
        match self.say("UIDL").await? {
            Status::Ok(_) => {}
            Status::Err { .. } => return Ok(messages),
            Status::Challenge(_) => return Err(Problem::garbage(b"+")),
        }
        messages.sort_by_key(|message| message.number);
        let mut count = 0;
        while let Some(line) = self.item(count).await? {
            count += 1;
            let (number, id) = unique(&line).ok_or_else(|| Problem::garbage(&line))?;
            if let Ok(at) = messages.binary_search_by_key(&number, |message| message.number)
                && let Some(message) = messages.get_mut(at)
            {
                message.unique = Some(id.to_owned());
            }
        }
        Ok(messages)
    }

    /// The number of messages.
    pub(crate) async fn count(&mut self) -> Result<u64, Problem> {
        let text = self.command("STAT").await?;
        let count = text.split(' ').next().and_then(|count| count.parse().ok());
        count.ok_or_else(|| Problem::garbage(text.as_bytes()))
    }

    /// Reads a message to its end, or until it is larger than it may be: then nothing more can be said on this connection.
    pub(crate) async fn retrieve(&mut self, number: u32, incoming: &mut Incoming<'_>) -> Result<(), Problem> {
        self.command(&format!("RETR {number}")).await?;
        let (mut unstuffer, mut text) = (Unstuffer::new(), Vec::new());
        loop {
            let input = self.link.input();
            let fed = unstuffer.feed(input, &mut text);
            input.advance(fed.consumed);
            incoming.feed(&text).await?;
            text.clear();
            if fed.ended || incoming.is_over() {
                return Ok(());
            }
            self.link.fill().await?;
        }
    }

    pub(crate) async fn delete(&mut self, number: u32) -> Result<(), Problem> {
        self.command(&format!("DELE {number}")).await.map(drop)
    }

    /// Only now messages are deleted (RFC 1939 §6).
    pub(crate) async fn quit(mut self) -> Result<(), Problem> {
        self.link.grant_answer();
        self.command("QUIT").await.map(drop)
    }

    async fn ask_capabilities(&mut self) -> Result<(), Problem> {
        self.capabilities.clear();
        if !matches!(self.say("CAPA").await?, Status::Ok(_)) {
            return Ok(());
        }
        let mut count = 0;
        while let Some(line) = self.item(count).await? {
            count += 1;
            if count <= CAPABILITIES_MAX_COUNT {
                self.capabilities
                    .push(String::from_utf8_lossy(&line).trim().to_ascii_uppercase());
            }
        }
        Ok(())
    }

    /// A line of a list, after `count` others; `None` at its end.
    async fn item(&mut self, count: usize) -> Result<Option<Vec<u8>>, Problem> {
        if count > MESSAGES_MAX_COUNT {
            return Err(Problem::TooMany(MESSAGES_MAX_COUNT));
        }
        let line = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
        Ok((line != b".").then_some(line))
    }

    async fn command(&mut self, line: &str) -> Result<String, Problem> {
        self.link.send(format!("{line}\r\n").as_bytes()).await?;
        self.answer(line).await
    }

    /// A positive answer.
    async fn answer(&mut self, command: &str) -> Result<String, Problem> {
        match self.read_status().await? {
            Status::Ok(text) => Ok(text),
            Status::Err { text, .. } => Err(Problem::refused(command, &text)),
            Status::Challenge(_) => Err(Problem::garbage(b"+")),
        }
    }

    async fn say(&mut self, line: &str) -> Result<Status, Problem> {
        self.link.send(format!("{line}\r\n").as_bytes()).await?;
        self.read_status().await
    }

    async fn read_status(&mut self) -> Result<Status, Problem> {
        let line = self.link.line(RESPONSE_LINE_MAX_BYTES).await?;
        status(&line).ok_or_else(|| Problem::garbage(&line))
    }
}

/// Response codes of refusals that say nothing of the password (RFC 2449 §8.1, RFC 3206 §4).
fn verdict(said: Status) -> Result<(), No> {
    match said {
        Status::Ok(_) => Ok(()),
        Status::Err { code, text } => {
            let elsewhere = matches!(
                code.as_deref(),
                Some("IN-USE" | "LOGIN-DELAY" | "SYS/TEMP" | "SYS/PERM")
            );
            Err(if elsewhere {
                No::NotNow(text)
            } else {
                No::Login(text)
            })
        }
        Status::Challenge(_) => Err(No::Login("+".to_owned())),
    }
}
