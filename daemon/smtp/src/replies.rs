//! Every reply of this room that is a constant (RFC 5321 §4.2, RFC 3463), in one place.

pub(crate) const OK: &str = "250 2.0.0 Ok\r\n";
pub(crate) const RESET: &str = "250 2.0.0 Reset\r\n";
pub(crate) const SENDER_OK: &str = "250 2.1.0 Ok\r\n";
pub(crate) const RECIPIENT_OK: &str = "250 2.1.5 Ok\r\n";
pub(crate) const CHUNK_OK: &str = "250 2.0.0 Chunk received\r\n";
pub(crate) const GO_AHEAD: &str = "354 End data with <CR><LF>.<CR><LF>\r\n";
pub(crate) const READY_FOR_TLS: &str = "220 2.0.0 Ready to start TLS\r\n";
pub(crate) const LOGGED_IN: &str = "235 2.7.0 Authentication successful\r\n";
pub(crate) const BYE: &str = "221 2.0.0 Bye\r\n";
/// RFC 5321 §3.5.3: says nothing of who exists.
pub(crate) const VRFY: &str = "252 2.0.0 Send mail and it will be tried\r\n";
pub(crate) const HELP: &str =
    "214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP STARTTLS AUTH VRFY HELP QUIT\r\n";

pub(crate) const CLOSING: &str = "421 4.3.2 Service closing, try again later\r\n";
pub(crate) const TIMEOUT: &str = "421 4.4.2 Timeout\r\n";
pub(crate) const TOO_MANY_ERRORS: &str = "421 4.7.0 Too many errors\r\n";
pub(crate) const TOO_MANY_COMMANDS: &str = "421 4.7.0 Too many commands without a message\r\n";
pub(crate) const TOO_MANY_LOGINS: &str = "421 4.7.0 Too many failed logins, try again later\r\n";
pub(crate) const QUEUE_UNAVAILABLE: &str = "451 4.3.1 The message can't be stored now, try again later\r\n";
pub(crate) const DIRECTORY_UNAVAILABLE: &str =
    "451 4.3.0 The directory can't be reached now, try again later\r\n";
pub(crate) const TOO_MANY_RECIPIENTS: &str = "452 4.5.3 Too many recipients\r\n";
pub(crate) const TLS_UNAVAILABLE: &str = "454 4.7.0 TLS not available\r\n";
pub(crate) const LOGIN_UNAVAILABLE: &str = "454 4.7.0 Temporary authentication failure\r\n";

pub(crate) const LINE_TOO_LONG: &str = "500 5.5.2 Line too long\r\n";
pub(crate) const BAD_BASE64: &str = "501 5.5.2 Bad base64\r\n";
pub(crate) const NOT_AN_ADDRESS: &str = "501 5.1.3 Not an address\r\n";
pub(crate) const LOGIN_CANCELLED: &str = "501 5.7.0 Authentication cancelled\r\n";
pub(crate) const LOGIN_MALFORMED: &str = "501 5.5.2 Malformed authentication data\r\n";
pub(crate) const NOT_IMPLEMENTED: &str = "502 5.5.1 Command not implemented\r\n";
pub(crate) const NEEDS_EHLO: &str = "503 5.5.1 Send EHLO first\r\n";
pub(crate) const NEEDS_LHLO: &str = "503 5.5.1 Send LHLO first\r\n";
pub(crate) const NEEDS_MAIL: &str = "503 5.5.1 Send MAIL first\r\n";
pub(crate) const NEEDS_RCPT: &str = "503 5.5.1 No valid recipients\r\n";
pub(crate) const IN_TRANSACTION: &str = "503 5.5.1 Not in a mail transaction, send RSET first\r\n";
pub(crate) const IN_CHUNKS: &str = "503 5.5.1 Chunks have begun, only BDAT may follow\r\n";
pub(crate) const NEEDS_CHUNKS: &str = "503 5.5.1 BODY=BINARYMIME comes with BDAT only\r\n";
pub(crate) const TLS_ALREADY: &str = "503 5.5.1 TLS is on already\r\n";
pub(crate) const LOGGED_IN_ALREADY: &str = "503 5.5.1 Already authenticated\r\n";
pub(crate) const WRONG_PROTOCOL: &str = "500 5.5.1 Not the greeting of this protocol\r\n";
pub(crate) const NO_SUCH_MECHANISM: &str = "504 5.5.4 Unrecognized authentication mechanism\r\n";
pub(crate) const NEEDS_LOGIN: &str = "530 5.7.0 Authentication required\r\n";
pub(crate) const LOGIN_REFUSED: &str = "535 5.7.8 Authentication credentials invalid\r\n";
pub(crate) const LOGIN_NOT_ALLOWED: &str = "535 5.7.1 This account may not use this service\r\n";
pub(crate) const LOGIN_NEEDS_TLS: &str = "538 5.7.11 Encryption required for this mechanism\r\n";
pub(crate) const UNKNOWN_USER: &str = "550 5.1.1 No such user here\r\n";
pub(crate) const DISABLED_USER: &str = "550 5.2.1 This mailbox takes no mail now\r\n";
pub(crate) const OVER_QUOTA: &str = "452 4.2.2 The mailbox is full\r\n";
pub(crate) const NO_RELAY: &str = "550 5.7.1 Relaying denied\r\n";
pub(crate) const NO_LITERAL: &str = "550 5.1.2 Mail to address literals is not taken\r\n";
pub(crate) const TOO_LARGE: &str = "552 5.3.4 Message is larger than this server takes\r\n";
pub(crate) const BAD_SENDER: &str = "553 5.1.7 This sender address can't be used\r\n";
pub(crate) const NOT_YOUR_ADDRESS: &str = "553 5.7.1 You may not send with this sender address\r\n";
pub(crate) const LARGE_HEADER: &str = "552 5.3.4 The header is larger than this server takes\r\n";
pub(crate) const NOT_YOUR_FROM: &str = "553 5.7.1 You may not send with this From address\r\n";
pub(crate) const COMMANDS_BEFORE_TLS: &str = "554 5.5.1 Commands were sent ahead of the TLS handshake\r\n";
pub(crate) const BAD_LINE_ENDS: &str = "554 5.6.0 Bare CR or LF in the message, lines must end with CRLF\r\n";
pub(crate) const NUL: &str = "554 5.6.0 NUL in the message\r\n";
pub(crate) const LOOP: &str = "554 5.4.6 Too many Received fields, this looks like a mail loop\r\n";
pub(crate) const LOOPBACK_ONLY: &str = "554 5.7.1 LMTP is for this host only\r\n";
pub(crate) const UNKNOWN_PARAMETER: &str = "555 5.5.4 Parameter not supported\r\n";
