//! The journal, the mailboxes and the databases.

events! {
    /// The last stop was not clean; what was accepted has been replayed.
    JournalReplayed "journal-replayed" Drivers Warning { records: u64 }
    /// A write or sync failed: nothing is acknowledged until the store is opened again.
    StoreFailed "store-failed" Errors Error { store: String, reason: String }
    /// A write or sync has failed: everything new is put off until the disk works again.
    StoreStopped "store-stopped" Errors Error { reason: String }
    /// The disk works again: the store is being opened anew.
    StoreResumed "store-resumed" Errors Warning { reason: String }
    /// Something did not fit on the disk: what needs more room is put off. Told once.
    DiskFull "disk-full" Errors Error { path: String }
    /// What did not fit would fit now.
    DiskRoom "disk-room" Errors Warning { path: String }
    MailboxDamaged "mailbox-damaged" Errors Error { owner: String, reason: String }
    DatabaseUnavailable "database-unavailable" Drivers Error { database: String, reason: String }
    /// More happened at once than the logs could take.
    EventsMissed "events-missed" Errors Warning { count: u64 }
}
