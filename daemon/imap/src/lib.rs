//! IMAP sessions: IMAP4rev1 (RFC 3501) and the parts of IMAP4rev2 (RFC 9051) that the capabilities name.
//!
//! `session.rs` reads commands one at a time and answers them in order; every command has a file of its own;
//! `view.rs` is the folder that a client has selected, as that client knows it. The grammar lies in `wire::imap`, mail in
//! `mailbox`, users in `directory`.
//!
//! Must not know: how commands are spelt, how mail is stored, sockets.

mod acl;
mod append;
mod capability;
mod catenate;
mod close;
mod compress;
mod contexts;
mod copy;
mod dispatch;
mod enable;
mod esearch;
mod expunge;
mod fetch;
mod folders;
mod fresh;
mod id;
mod idle;
mod list;
mod login;
mod lsub;
mod metadata;
mod multisearch;
mod namespace;
mod notify;
mod patience;
mod place;
mod qresync;
mod quota;
mod replace;
mod reply;
mod rights;
mod search;
mod select;
mod session;
mod sort;
mod starttls;
mod status;
mod store;
mod switched;
mod thread;
mod tree;
mod unauthenticate;
mod view;

use std::sync::Arc;

use directory::Directory;
use disk::SharedDisk;
use mailbox::Mailboxes;
use net::Conn;
use queue::Queue;

/// What all sessions share.
pub struct Server {
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    /// Takes in the texts of APPEND.
    pub queue: Queue,
    /// Where large texts are read from.
    pub disk: SharedDisk,
}

/// Serves one connection until its end.
pub fn serve(conn: Conn, server: Arc<Server>) -> impl Future<Output = ()> + Send {
    // Boxed: a future holds what is moved into it and through it several times.
    Box::new(session::Session::new(conn, server)).run()
}
