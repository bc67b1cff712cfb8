#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

#[test]
fn stub() {
    assert_eq!(Message::parse(b"").root.lines, 0);
}
