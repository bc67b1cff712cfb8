//! Where mail for an address would go: what is asked, and the answer.

use shared::protocol::{RouteAnswer, RouteTest};

use super::forms::Call;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteTestForm {
    pub to: String,
    /// Empty: a bounce.
    pub from: String,
}

/// An answer with the address that it is about.
#[derive(Clone, Debug)]
pub struct Tested {
    pub to: String,
    pub answer: RouteAnswer,
}

impl RouteTestForm {
    pub(super) fn calls(&self) -> Vec<Call> {
        let from = self.from.trim();
        vec![Call::of(&RouteTest {
            to: self.to.trim().to_owned(),
            from: (!from.is_empty()).then(|| from.to_owned()),
        })]
    }

    pub(super) fn tested(&self, answer: serde_json::Value) -> Option<Tested> {
        Some(Tested {
            to: self.to.trim().to_owned(),
            answer: serde_json::from_value(answer).ok()?,
        })
    }
}
