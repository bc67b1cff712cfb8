//! POP3 (RFC 1939, RFC 2449, RFC 2595, RFC 5034, RFC 6856): one session, one file per command.
//!
//! A session sees the INBOX as it was at the login. One POP3 session at a time has an owner's maildrop; IMAP sessions are not
//! excluded. Nothing is removed before QUIT.
//!
//! Must not know: how mail is stored, sockets.

mod apop;
mod auth;
mod capa;
mod delay;
mod dele;
mod lang;
mod list;
mod login;
mod maildrop;
mod noop;
mod pass;
mod quit;
mod replies;
mod retr;
mod rset;
mod send;
mod session;
mod stat;
mod stls;
mod top;
mod uidl;
mod user;
mod utf8;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use directory::Directory;
use disk::SharedDisk;
use mailbox::Mailboxes;
use net::Conn;
use parking_lot::Mutex;
use shared::model::OwnerId;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What all sessions share.
pub struct Server {
    directory: Directory,
    mailboxes: Mailboxes,
    /// Where large texts are read from.
    disk: SharedDisk,
    /// Owners whose maildrop a session has (RFC 1939 §4).
    locked: Mutex<HashSet<OwnerId>>,
    /// Told when one was given back.
    freed: Notify,
    /// When owners logged in last, while there is a delay between logins (RFC 2449 §6.5).
    logins: Mutex<HashMap<OwnerId, Instant>>,
}

impl Server {
    pub fn new(directory: Directory, mailboxes: Mailboxes, disk: SharedDisk) -> Arc<Self> {
        Arc::new(Self {
            directory,
            mailboxes,
            disk,
            locked: Mutex::default(),
            freed: Notify::new(),
            logins: Mutex::default(),
        })
    }
}

/// Serves a session to its end.
pub fn serve(conn: Conn, server: Arc<Server>) -> impl Future<Output = ()> + Send {
    session::run(conn, server)
}
