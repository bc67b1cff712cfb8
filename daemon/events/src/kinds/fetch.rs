//! What is fetched from mailboxes elsewhere.

events! {
    /// A message of an external account is in the queue.
    ExternalMessage "external-message" Delivery Info { user: String, account: String, sender: String, size: u64 }
    /// A visit that fetched something is over.
    ExternalFetched "external-fetched" Delivery Info { user: String, account: String, host: String, messages: u64, bytes: u64 }
    /// Visits fail from now on, or for another reason than before.
    ExternalFailed "external-failed" Delivery Warning { user: String, account: String, host: String, reason: String }
    /// They don't any more.
    ExternalRecovered "external-recovered" Delivery Info { user: String, account: String, host: String }
    /// A message is not taken and stays over there. `reason`: `too-large`, `loop`, `broken-off`.
    ExternalSkipped "external-skipped" Delivery Warning { user: String, account: String, message: String, reason: String, size: u64 }
    /// The other server can't remove single messages (UIDPLUS): they are marked as deleted only.
    ExternalNotExpunged "external-not-expunged" Delivery Warning { user: String, account: String, folder: String }
}
