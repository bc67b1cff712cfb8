//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033): one session, one file per command.
//!
//! A session reads lines and message data with `wire`, asks `directory` who exists and may do what, and hands messages to
//! `queue`, whose `Committed` is the only thing that a 250 for a message is made of. Everything that came in one packet is
//! answered in one packet.
//!
//! Must not know: how mail is delivered or stored, sockets.

mod auth;
mod bdat;
mod check;
mod data;
mod ehlo;
mod expn;
mod from;
mod help;
mod judge;
mod limits;
mod lmtp;
mod mail;
mod noop;
mod quit;
mod rcpt;
mod replies;
mod rset;
mod session;
mod starttls;
mod submit;
mod text;
mod trace;
mod vrfy;

use std::net::IpAddr;
use std::sync::Arc;

use authenticity::Results;
use directory::Directory;
use dns::Dns;
use limits::Limits;
use mailbox::Mailboxes;
use net::Conn;
use parking_lot::Mutex;
use policy::Policy;
use queue::Queue;
use shared::settings::Settings;

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Mail from everywhere for the users of this server, and from its users for everywhere.
    Mx,
    /// Mail from the users of this server (RFC 6409): nothing without a login.
    Submission,
    /// Mail from programs on this host for the users of this server (RFC 2033).
    Lmtp,
}

/// Hears what was found out about a message, and whose connection it came over.
pub type Told = Box<dyn Fn(&Results, IpAddr) + Send + Sync>;

/// What checking senders takes.
pub struct Checks {
    pub dns: Dns,
    /// Is told what was found out about the sender of each message that was accepted.
    pub told: Told,
}

/// What all sessions share.
pub struct Server {
    directory: Directory,
    queue: Queue,
    policy: Option<Policy>,
    /// `None`: senders are not checked.
    checks: Option<Checks>,
    /// For what LMTP says of each recipient; `None`: every mailbox has room.
    mailboxes: Option<Mailboxes>,
    /// The limits with the settings that they were read from.
    limits: Mutex<Option<(Arc<Settings>, Arc<Limits>)>>,
}

impl Server {
    /// A server that asks nobody about senders and recipients but the directory.
    pub fn new(directory: Directory, queue: Queue) -> Arc<Self> {
        Self::build(directory, queue, None, None, None)
    }

    /// A server that asks `policy` as well: for senders, for recipients, and tells it who guesses addresses.
    pub fn with_policy(directory: Directory, queue: Queue, policy: Policy) -> Arc<Self> {
        Self::build(directory, queue, Some(policy), None, None)
    }

    /// The same, and senders are checked (SPF, DKIM, DMARC, ARC); LMTP asks `mailboxes` for their room.
    pub fn with_checks(
        directory: Directory,
        queue: Queue,
        policy: Policy,
        checks: Checks,
        mailboxes: Option<Mailboxes>,
    ) -> Arc<Self> {
        Self::build(directory, queue, Some(policy), Some(checks), mailboxes)
    }

    fn build(
        directory: Directory,
        queue: Queue,
        policy: Option<Policy>,
        checks: Option<Checks>,
        mailboxes: Option<Mailboxes>,
    ) -> Arc<Self> {
        Arc::new(Self {
            directory,
            queue,
            policy,
            checks,
            mailboxes,
            limits: Mutex::default(),
        })
    }

    /// The limits as they are now; read anew only when a setting changed.
    fn limits(&self) -> Arc<Limits> {
        let settings = self.directory.settings();
        let mut cached = self.limits.lock();
        if let Some((of, limits)) = &*cached
            && Arc::ptr_eq(of, &settings)
        {
            return limits.clone();
        }
        let limits = Arc::new(Limits::read(&settings));
        *cached = Some((settings, limits.clone()));
        limits
    }
}

/// Serves a session to its end.
pub fn serve(conn: Conn, server: Arc<Server>, role: Role) -> impl Future<Output = ()> + Send {
    session::run(conn, server, role)
}
