//! The control channel's client.
