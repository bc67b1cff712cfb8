//! Judges peers, senders and recipients: facts in, a verdict and who decided it out.
//!
//! The order is: white list, black list, temporary bans (and rules, once there are some); the first that decides wins. Lists
//! are compiled into a snapshot that is replaced whole when they change, so that judging never waits for a database; the
//! connection's host name is the one thing asked of DNS, and only if a list names hosts. Loopback and own networks are exempt
//! from temporary bans; the lists hold for them too.
//! Must not know: the socket of a session, what a message says.

mod bans;
mod lists;
mod ranges;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use directory::{Directory, LoginGuard, Unavailable};
use dns::Dns;
use shared::Address;
use shared::model::Protocol;
use tokio::sync::broadcast::error::RecvError;

use bans::Bans;
pub use bans::{Ban, Offence};
use lists::{List, Snapshot};

/// How long the host name of a peer is waited for.
const HOST_NAME_TIMEOUT: Duration = Duration::from_secs(5);
/// Host names of one peer that are looked at.
const HOST_NAMES_MAX: usize = 10;
/// Entries of the lists read at a time.
const PIECE_ENTRIES: u64 = 10_000;
/// After a failure the lists are read again after that time.
const RETRY: Duration = Duration::from_secs(5);

/// The moments at which something is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Connect,
    Ehlo,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    Delivery,
}

impl Stage {
    /// As rules and the simulator name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Ehlo => "ehlo",
            Self::Auth => "auth",
            Self::MailFrom => "mail-from",
            Self::RcptTo => "rcpt-to",
            Self::Data => "data",
            Self::Delivery => "delivery",
        }
    }
}

/// What is known when something is judged.
#[derive(Clone, Debug)]
pub struct Facts {
    pub protocol: Protocol,
    pub peer: IpAddr,
    pub tls: bool,
    /// What the peer calls itself.
    pub ehlo: Option<String>,
    /// Who logged in.
    pub user: Option<Address>,
    /// `None`: the empty reverse-path, or not said yet.
    pub sender: Option<Address>,
    pub recipient: Option<Address>,
    /// The recipient's domain is ours.
    pub recipient_local: bool,
    /// What SPF, DKIM, DMARC and ARC say of the message; `None`: nothing was checked.
    pub authenticity: Option<Arc<authenticity::Results>>,
    /// The connection was found on the white list: [`Decision::white`] of `connect`.
    pub white: bool,
}

impl Facts {
    pub fn new(protocol: Protocol, peer: IpAddr) -> Self {
        Self {
            protocol,
            peer,
            tls: false,
            ehlo: None,
            user: None,
            sender: None,
            recipient: None,
            recipient_local: false,
            authenticity: None,
            white: false,
        }
    }
}

/// An SMTP reply; other protocols take its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub enhanced: &'static str,
    pub text: &'static str,
}

/// The replies of this room.
pub mod reply {
    use super::Reply;

    pub const BLOCKED: Reply = Reply {
        code: 554,
        enhanced: "5.7.1",
        text: "Your host is not welcome here",
    };
    pub const BANNED: Reply = Reply {
        code: 421,
        enhanced: "4.7.0",
        text: "Too many failures from your address, try again later",
    };
    pub const SENDER_BLOCKED: Reply = Reply {
        code: 550,
        enhanced: "5.7.1",
        text: "Sender is not welcome here",
    };
    pub const RECIPIENT_BLOCKED: Reply = Reply {
        code: 550,
        enhanced: "5.7.1",
        text: "Recipient takes no mail from outside",
    };
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// For good.
    Refuse(Reply),
    /// For now.
    PutOff(Reply),
    /// Close without a word.
    Drop,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Nothing was against it.
    Default,
    WhiteList,
    BlackList,
    TemporaryList,
    Rule,
}

/// A verdict and where it comes from, for the log and the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub stage: Stage,
    pub verdict: Verdict,
    pub decided_by: By,
    /// The entry, kind of offence or rule.
    pub name: String,
    /// Put it into the [`Facts`] of the later stages.
    pub white: bool,
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// What decided and which entry of it, for the log, e.g. `black-list: 192.0.2.0/24`.
    pub fn reason(&self) -> String {
        let by = match self.decided_by {
            By::Default => "default",
            By::WhiteList => "white-list",
            By::BlackList => "black-list",
            By::TemporaryList => "temporary-list",
            By::Rule => "rule",
        };
        format!("{by}: {}", self.name)
    }

    fn new(stage: Stage, verdict: Verdict, decided_by: By, name: impl Into<String>) -> Self {
        Self {
            stage,
            verdict,
            decided_by,
            name: name.into(),
            white: decided_by == By::WhiteList,
        }
    }

    fn default(stage: Stage) -> Self {
        Self::new(stage, Verdict::Allow, By::Default, "")
    }
}

/// The judge. Cheap to clone.
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    directory: Directory,
    dns: Option<Dns>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    bans: Arc<Bans>,
}

/// What the directory asks before a login; it does not hold the directory.
struct Guard {
    snapshot: Arc<ArcSwap<Snapshot>>,
    bans: Arc<Bans>,
}

impl LoginGuard for Guard {
    fn may_try(&self, peer: IpAddr) -> bool {
        let snapshot = self.snapshot.load();
        let peer = peer.to_canonical();
        snapshot.is_exempt(peer)
            || self.bans.find(peer, Instant::now()).is_none()
            || snapshot.allow.address(peer).is_some()
    }

    fn failed(&self, peer: IpAddr, attempt: Option<u64>) {
        if !self.snapshot.load().is_exempt(peer.to_canonical()) {
            self.bans
                .offence(peer, Offence::LoginFailed, attempt, Instant::now());
        }
    }
}

impl Policy {
    /// Reads the lists and follows their changes from then on; makes itself the guard of the directory's logins. Must be
    /// called within a runtime. Without `dns` entries that name hosts match nobody.
    pub async fn new(directory: Directory, dns: Option<Dns>) -> Result<Self, Unavailable> {
        let changes = directory.changes();
        let snapshot = Arc::new(ArcSwap::from_pointee(read(&directory).await?));
        let bans = Arc::new(Bans::default());
        directory.set_guard(Arc::new(Guard {
            snapshot: Arc::clone(&snapshot),
            bans: Arc::clone(&bans),
        }));
        let inner = Arc::new(Inner {
            directory,
            dns,
            snapshot,
            bans,
        });
        tokio::spawn(follow(Arc::downgrade(&inner), changes));
        Ok(Self { inner })
    }

    /// Judges a connection by all that can be known of it; may ask DNS for the peer's name.
    /// Whoever asks tells the log, since it knows the session.
    pub async fn connect(&self, peer: IpAddr) -> Decision {
        self.connect_judged(peer).await
    }

    /// Judges a connection by its address alone: never waits, emits no event.
    pub fn connect_by_address(&self, peer: IpAddr) -> Decision {
        let peer = peer.to_canonical();
        let snapshot = self.inner.snapshot.load();
        let white = snapshot.allow.address(peer);
        let black = snapshot.block.address(peer);
        self.decide_connection(&snapshot, peer, white, black)
    }

    /// Judges a sender.
    pub fn mail_from(&self, facts: &Facts) -> Decision {
        self.judge_address(
            Stage::MailFrom,
            facts,
            facts.sender.as_ref(),
            reply::SENDER_BLOCKED,
        )
    }

    /// Judges a recipient. Whether it exists and may be relayed to is for the session to ask.
    pub fn rcpt_to(&self, facts: &Facts) -> Decision {
        self.judge_address(
            Stage::RcptTo,
            facts,
            facts.recipient.as_ref(),
            reply::RECIPIENT_BLOCKED,
        )
    }

    /// Judges a message that is complete. What was found out about its sender is a fact for rules; it decides nothing by itself.
    pub fn data(&self, facts: &Facts) -> Decision {
        if facts.white {
            return Decision::new(Stage::Data, Verdict::Allow, By::WhiteList, "");
        }
        Decision::default(Stage::Data)
    }

    /// Never an open relay: a recipient elsewhere is for those who logged in. No list changes that.
    pub fn may_relay(&self, facts: &Facts) -> bool {
        facts.recipient_local || facts.user.is_some()
    }

    /// Loopback and own networks.
    pub fn is_exempt(&self, peer: IpAddr) -> bool {
        self.inner.snapshot.load().is_exempt(peer.to_canonical())
    }

    /// Whether that is a proxy, which says by the PROXY protocol for whom it connects.
    pub fn is_proxy(&self, peer: IpAddr) -> bool {
        self.inner.snapshot.load().is_proxy(peer.to_canonical())
    }

    /// A peer did what, done often enough, gets it banned for a while.
    pub fn offence(&self, peer: IpAddr, offence: Offence) {
        if !self.is_exempt(peer) {
            self.inner.bans.offence(peer, offence, None, Instant::now());
        }
    }

    /// Who is banned now.
    pub fn bans(&self) -> Vec<Ban> {
        self.inner.bans.list(Instant::now())
    }

    /// Ends a ban and forgets the offences. Says whether there was one.
    pub fn lift(&self, peer: IpAddr) -> bool {
        self.inner.bans.lift(peer, Instant::now())
    }

    async fn connect_judged(&self, peer: IpAddr) -> Decision {
        let by_address = self.connect_by_address(peer);
        let snapshot = self.inner.snapshot.load_full();
        let (Some(dns), true) = (&self.inner.dns, snapshot.names_hosts()) else {
            return by_address;
        };
        if by_address.decided_by == By::WhiteList {
            return by_address;
        }
        let peer = peer.to_canonical();
        let names = host_names(dns, peer).await;
        // Nobody vouches for a name: the white list wants that the name knows the address too.
        let mut confirmed = names.iter().filter(|(_, confirmed)| *confirmed);
        let white = confirmed.find_map(|(name, _)| snapshot.allow.host(name));
        let black = names.iter().find_map(|(name, _)| snapshot.block.host(name));
        let black = black.or_else(|| snapshot.block.address(peer));
        self.decide_connection(&snapshot, peer, white, black)
    }

    fn decide_connection(
        &self,
        snapshot: &Snapshot,
        peer: IpAddr,
        white: Option<String>,
        black: Option<String>,
    ) -> Decision {
        let stage = Stage::Connect;
        if let Some(entry) = white {
            return Decision::new(stage, Verdict::Allow, By::WhiteList, entry);
        }
        if let Some(entry) = black {
            return Decision::new(stage, Verdict::Refuse(reply::BLOCKED), By::BlackList, entry);
        }
        match self
            .inner
            .bans
            .find(peer, Instant::now())
            .filter(|_| !snapshot.is_exempt(peer))
        {
            Some(offence) => Decision::new(
                stage,
                Verdict::PutOff(reply::BANNED),
                By::TemporaryList,
                offence.name(),
            ),
            None => Decision::default(stage),
        }
    }

    fn judge_address(
        &self,
        stage: Stage,
        facts: &Facts,
        address: Option<&Address>,
        blocked: Reply,
    ) -> Decision {
        if facts.white {
            return Decision::new(stage, Verdict::Allow, By::WhiteList, "");
        }
        // The empty reverse-path is nobody's.
        let Some(address) = address else {
            return Decision::default(stage);
        };
        let snapshot = self.inner.snapshot.load();
        if let Some(entry) = snapshot.allow.mail(address) {
            return Decision::new(stage, Verdict::Allow, By::WhiteList, entry);
        }
        match snapshot.block.mail(address) {
            Some(entry) => Decision::new(stage, Verdict::Refuse(blocked), By::BlackList, entry),
            None => Decision::default(stage),
        }
    }
}

/// The peer's names, each with whether the name knows the address. No answer is no name.
async fn host_names(dns: &Dns, peer: IpAddr) -> Vec<(String, bool)> {
    let asked = async {
        let mut names = Vec::new();
        for name in dns
            .names(peer)
            .await
            .unwrap_or_default()
            .into_iter()
            .take(HOST_NAMES_MAX)
        {
            let addresses = dns.addresses(&name).await.unwrap_or_default();
            names.push((
                name.trim_end_matches('.').to_lowercase(),
                addresses.contains(&peer),
            ));
        }
        names
    };
    tokio::time::timeout(HOST_NAME_TIMEOUT, asked)
        .await
        .unwrap_or_default()
}

/// Compiles what the directory has now.
async fn read(directory: &Directory) -> Result<Snapshot, Unavailable> {
    let (mut allow, mut block) = (List::default(), List::default());
    let mut after = None;
    loop {
        let piece = directory.access_after(after.as_ref(), PIECE_ENTRIES).await?;
        for entry in &piece {
            match entry.side {
                shared::model::Side::Allow => allow.add(&entry.pattern),
                shared::model::Side::Block => block.add(&entry.pattern),
            }
        }
        match piece.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    let settings = directory.settings();
    let (own, proxies) = (settings.text("server.own-networks"), settings.text("net.proxies"));
    Ok(Snapshot::new(allow, block, own, proxies))
}

/// Reads the lists again when they change, for as long as the policy lives.
async fn follow(
    policy: Weak<Inner>,
    mut changes: tokio::sync::broadcast::Receiver<shared::protocol::Change>,
) {
    loop {
        match changes.recv().await {
            Ok(change) if change.kind != "access" && change.kind != "setting" => continue,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
        loop {
            let Some(inner) = policy.upgrade() else { return };
            match read(&inner.directory).await {
                Ok(snapshot) => {
                    inner.snapshot.store(Arc::new(snapshot));
                    break;
                }
                // The lists as they were hold until the database answers.
                Err(Unavailable(_)) => drop(inner),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
