//! The program driven as a person drives it, with the daemon's part played from recorded replies. egui_kittest fails on
//! a glyph that no font has and on an input without a name, so each page drawn in both languages checks both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dialogs;
mod pages;
mod pictures;
mod played;
mod queue;
mod shared;
