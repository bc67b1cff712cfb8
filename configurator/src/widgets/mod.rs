//! Widgets of this program: they draw with the tokens and know nothing of the model.

pub mod basic;
pub mod field;
pub mod mark;
pub mod plot;
pub mod table;

pub use basic::*;
