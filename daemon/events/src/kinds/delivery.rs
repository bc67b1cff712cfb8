//! What becomes of accepted messages.

events! {
    DeliveredLocally "delivered-locally" Delivery Info { recipient: String, folder: String }
    DeliveredRemotely "delivered-remotely" Delivery Info { recipient: String, host: String, reply: String }
    DeliveryPutOff "delivery-put-off" Delivery Warning { recipient: String, reason: String, next_try: i64 }
    DeliveryFailed "delivery-failed" Delivery Warning { recipient: String, reason: String }
    BounceSent "bounce-sent" Delivery Info { recipient: String, about: String }
    /// A bounce to a bounce is never sent: the message ends here.
    BounceDropped "bounce-dropped" Delivery Warning { reason: String }
    /// A key that should sign can't be opened: mail of its domain leaves without its signature.
    SigningKeyUnusable "signing-key-unusable" Delivery Error { domain: String, selector: String }
    VacationAnswered "vacation-answered" Delivery Info { user: String, recipient: String }
    /// Nothing is said to a host for a while because it can't be reached.
    HostRests "host-rests" Delivery Warning { host: String, address: String, reason: String, seconds: u64 }
    /// A host that has enough of us gets fewer connections.
    HostSlowedDown "host-slowed-down" Delivery Warning { host: String, address: String, connections: u64 }
    /// How the connection to a host is secured. `by`: dane, mta-sts, route, login.
    OutgoingVerified "outgoing-verified" Delivery Info { host: String, by: String }
    OutgoingEncrypted "outgoing-encrypted" Delivery Info { host: String, reason: String }
    OutgoingPlain "outgoing-plain" Delivery Info { host: String, reason: String }
    /// A host without 8BITMIME got the message in 7 bits.
    OutgoingConverted "outgoing-converted" Delivery Info { host: String }
    OutgoingTlsRefused "outgoing-tls-refused" Delivery Warning { host: String, by: String, reason: String }
    /// DANE is on, and the name servers don't let anything be proved.
    DaneUnavailable "dane-unavailable" Delivery Warning { reason: String }
    StsPolicy "sts-policy" Delivery Info { domain: String, hosts: String }
    StsFailed "sts-failed" Delivery Warning { domain: String, reason: String }
    /// An aggregate report (DMARC) is in the queue.
    DmarcReportSent "dmarc-report-sent" Delivery Info { domain: String, messages: u64, to: String }
    /// An aggregate report on connections (TLS-RPT) has reached a web server or the queue.
    TlsReportSent "tls-report-sent" Delivery Info { domain: String, sessions: u64, failures: u64, to: String }
    /// One of those who want a report did not get it.
    TlsReportFailed "tls-report-failed" Delivery Warning { domain: String, to: String, reason: String }
    QueueChanged "queue-changed" Delivery Info { action: String, by: String }
}
