//! Tidiness is a test: layout, floors, sizes of files and functions, texts for people, documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod documents;
mod floors;
mod layout;
mod sizes;
mod source;
mod texts;
