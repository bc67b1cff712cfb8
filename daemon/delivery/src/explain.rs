//! Where mail for an address would go now, for administrators: the same decisions as delivery makes, without a connection.

use directory::Resolution;
use shared::Address;
use shared::protocol::{RouteAnswer, RouteHost};
use shared::route::{RouteProtocol, RouteTls};

use crate::verdict::Verdict;
use crate::{Inner, remote, way};

pub(crate) async fn explain(inner: &Inner, sender: Option<&Address>, recipient: &Address) -> RouteAnswer {
    let mut answer = RouteAnswer {
        by: "here".to_owned(),
        route: String::new(),
        protocol: RouteProtocol::default(),
        tls: RouteTls::default(),
        user: String::new(),
        hosts: Vec::new(),
        problem: String::new(),
    };
    match inner.parts.directory.resolve(recipient).await {
        Ok(Resolution::NotLocal) => {}
        Ok(_) => return answer,
        Err(error) => {
            answer.problem = error.to_string();
            return answer;
        }
    }
    let way = match way::of(inner, sender, recipient).await {
        Ok(way) => way,
        Err(verdict) => {
            answer.problem = reply(verdict);
            return answer;
        }
    };
    way.by.word().clone_into(&mut answer.by);
    answer.route.clone_from(&way.route);
    answer.protocol = way.protocol;
    answer.tls = way.tls;
    answer.user = way
        .login
        .as_ref()
        .map(|login| login.user.clone())
        .unwrap_or_default();
    // A look, not a try: nobody is told of what it finds.
    match remote::targets(inner, &way, &mut Vec::new()).await {
        Ok(targets) => {
            answer.hosts = targets
                .into_iter()
                .map(|target| RouteHost {
                    host: target.host,
                    address: target.address.to_string(),
                    security: target.security.word().to_owned(),
                })
                .collect();
            if answer.hosts.is_empty() {
                remote::NO_HOST.clone_into(&mut answer.problem);
            }
        }
        Err(verdict) => answer.problem = reply(verdict),
    }
    answer
}

fn reply(verdict: Verdict) -> String {
    match verdict {
        Verdict::Failed { reply, .. } | Verdict::PutOff { reply, .. } => reply,
        _ => String::new(),
    }
}
