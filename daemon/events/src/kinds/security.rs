//! Logins and what protects the server.

events! {
    /// `app_password`: the label of the one that was used; empty: none.
    LoginSucceeded "login-succeeded" Security Info { service: String, user: String, mechanism: String, app_password: String }
    LoginFailed "login-failed" Security Warning { service: String, user: String, mechanism: String, reason: String }
    RelayDenied "relay-denied" Security Info { recipient: String }
}
