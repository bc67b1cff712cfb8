//! By which host messages of the queue go.

use shared::protocol::QueueRoute;

use super::forms::Call;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct NextHostForm {
    pub ids: Vec<String>,
    /// Empty: the usual way.
    pub route: String,
}

impl NextHostForm {
    pub(super) fn calls(&self) -> Vec<Call> {
        let route = self.route.trim();
        vec![Call::of(&QueueRoute {
            ids: self.ids.clone(),
            route: (!route.is_empty()).then(|| route.to_owned()),
        })]
    }
}
