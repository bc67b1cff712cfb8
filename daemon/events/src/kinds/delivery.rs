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
    QueueChanged "queue-changed" Delivery Info { action: String, by: String }
}
