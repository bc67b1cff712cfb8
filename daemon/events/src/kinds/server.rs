//! The life of the daemon and changes of its configuration.

events! {
    Started "server-started" Application Info { version: String, data: String }
    Stopping "server-stopping" Application Info { reason: String }
    ConfigurationChanged "configuration-changed" Application Info { kind: String, name: String, action: String, by: String }
    CertificateMade "certificate-made" Application Info { host: String }
    /// A certificate that is served ends within two weeks (`days`; negative: it has ended).
    CertificateExpires "certificate-expires" Application Warning { names: String, days: i64 }
    /// `issuer`: who vouches for it; `days`: how long it holds.
    CertificateObtained "certificate-obtained" Application Info { names: String, issuer: String, days: i64 }
    /// `minutes`: until the next try.
    CertificateNotObtained "certificate-not-obtained" Application Warning { names: String, reason: String, minutes: i64 }
    /// A record in the DNS that showed an authority whose a name is could not be taken away.
    ChallengeStays "challenge-stays" Application Warning { reason: String }
    /// `reason`: the word by which it was asked for.
    CertificateRevoked "certificate-revoked" Application Info { names: String, reason: String }
    /// The authority wants a certificate renewed at another time. `url`: where it says why.
    RenewalAdvised "renewal-advised" Application Info { names: String, url: String }
    /// `directory`: the authority's.
    AccountKeyChanged "account-key-changed" Application Info { directory: String }
    /// Something in `tls/` can't be read; what was in use of it stays so.
    CertificateDamaged "certificate-damaged" Application Warning { reason: String }
    /// The list of certificates that are renewed can't be read: nothing is renewed.
    OrdersUnreadable "certificate-orders-unreadable" Errors Error { reason: String }
    /// Such a list was put away, so that a new one can be written. `file`: where it is now.
    OrdersPutAside "certificate-orders-put-aside" Application Warning { file: String }
    InternalFault "internal-fault" Errors Error { place: String, reason: String }
}
