//! Support of the whole-server tests.
