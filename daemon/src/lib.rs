//! The daemon's top floor.
