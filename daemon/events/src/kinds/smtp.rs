//! What happens in SMTP, submission and LMTP sessions.

events! {
    /// A message is durable and was acknowledged.
    MessageAccepted "smtp-message-accepted" Smtp Info { sender: String, recipients: u64, size: u64 }
    /// What SPF, DKIM, DMARC and ARC say of the sender of an accepted message.
    SenderChecked "smtp-sender-checked" Smtp Info { sender: String, spf: String, dkim: String, dmarc: String, arc: String }
    /// A sender, recipient or message was refused.
    SmtpRefused "smtp-refused" Smtp Info { stage: String, subject: String, reply: String }
    /// The end of data was not where an honest client puts it.
    SmugglingRefused "smtp-smuggling-refused" Security Warning { sender: String }
}
