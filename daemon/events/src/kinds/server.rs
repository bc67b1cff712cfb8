//! The life of the daemon and changes of its configuration.

events! {
    Started "server-started" Application Info { version: String, data: String }
    Stopping "server-stopping" Application Info { reason: String }
    ConfigurationChanged "configuration-changed" Application Info { kind: String, name: String, action: String, by: String }
    CertificateMade "certificate-made" Application Info { host: String }
    /// A certificate that is served ends within two weeks (`days`; negative: it has ended).
    CertificateExpires "certificate-expires" Application Warning { names: String, days: i64 }
    InternalFault "internal-fault" Errors Error { place: String, reason: String }
}
