//! The form of a route of outgoing mail.

use shared::protocol::{RouteAdd, RouteSet};
use shared::route::{Route, RouteProtocol, RouteTls};

use super::forms::{Call, Check, Errors, names, number};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteForm {
    pub was: Option<Route>,
    pub name: String,
    pub place: String,
    pub enabled: bool,
    pub to: String,
    pub from: String,
    pub hosts: String,
    pub tls: RouteTls,
    pub protocol: RouteProtocol,
    pub user: String,
    /// Empty: the one that is kept.
    pub password: String,
    pub comment: String,
}

impl RouteForm {
    pub fn new() -> Self {
        Self {
            was: None,
            ..Self::of(&Route::new(""))
        }
    }

    pub fn of(route: &Route) -> Self {
        Self {
            was: Some(route.clone()),
            name: route.name.clone(),
            place: route.place.to_string(),
            enabled: route.enabled,
            to: route.to.join("\n"),
            from: route.from.join("\n"),
            hosts: route.hosts.join("\n"),
            tls: route.tls,
            protocol: route.protocol,
            user: route.user.clone(),
            password: String::new(),
            comment: route.comment.clone(),
        }
    }

    pub(super) fn calls(&self) -> Result<Vec<Call>, Errors> {
        let mut check = Check::default();
        let place = check.one("place", self.place.trim(), number);
        let route = Route {
            place: place.unwrap_or_default(),
            enabled: self.enabled,
            to: names(&self.to),
            from: names(&self.from),
            hosts: names(&self.hosts),
            tls: self.tls,
            protocol: self.protocol,
            user: self.user.trim().to_owned(),
            comment: self.comment.trim().to_owned(),
            revision: self.was.as_ref().map_or(0, |was| was.revision),
            ..Route::new(self.name.trim())
        };
        let route = match route.check() {
            Ok(route) => Some(route),
            Err(refusal) => {
                let field = refusal.field.clone().unwrap_or_default();
                check.wrong(&field, refusal);
                None
            }
        };
        let route = check.done(route)?;
        let password = match (self.password.is_empty(), route.user.is_empty()) {
            (false, _) => Some(self.password.clone()),
            // Without a login none is kept.
            (true, true) => Some(String::new()),
            (true, false) => None,
        };
        Ok(vec![if self.was.is_some() {
            Call::of(&RouteSet { route, password })
        } else {
            Call::of(&RouteAdd { route, password })
        }])
    }
}
