//! Where mail for an address would go: what is asked, and the answer.

use shared::Address;
use shared::protocol::{RouteAnswer, RouteTest};

use super::forms::{Call, Check, Errors};

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
    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let to = check.one("to", self.to.trim(), Address::parse);
        let from = check.optional("from", &self.from, Address::parse);
        let to = check.done(to)?.to_string();
        let from = from.map(|from| from.to_string());
        Ok(vec![Call::of(&RouteTest { to, from })])
    }

    pub(super) fn tested(&self, answer: serde_json::Value) -> Option<Tested> {
        Some(Tested {
            to: self.to.trim().to_owned(),
            answer: serde_json::from_value(answer).ok()?,
        })
    }
}
