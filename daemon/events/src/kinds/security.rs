//! Logins and what protects the server.

events! {
    LoginSucceeded "login-succeeded" Security Info { service: String, user: String, mechanism: String }
    LoginFailed "login-failed" Security Warning { service: String, user: String, mechanism: String, reason: String }
    RelayDenied "relay-denied" Security Info { recipient: String }
}
