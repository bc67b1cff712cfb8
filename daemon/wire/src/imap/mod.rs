//! IMAP grammar.
