//! Routes of outgoing mail.

use std::sync::Arc;

use drivers::{Batch, Row, kinds};
use shared::model::OwnerId;
use shared::protocol::{Page, Rows};
use shared::route::{ROUTE_TEXT_LENGTH_MAX_BYTES, Route};
use shared::{Address, Refusal};

use super::domains::first;
use crate::core::{Core, query};
use crate::{ChangeError, Unavailable, Way, records};

/// Routes of a server: all of them are looked at for each message.
const ROUTES_MAX_COUNT: u64 = 1000;
/// The one key of the cache that holds all of them.
const ALL: &str = "";

pub(crate) async fn list(core: &Core, page: Page) -> Result<Rows<Route>, Unavailable> {
    let sort = match page.sort.as_str() {
        "name" => "key",
        "comment" => "comment",
        _ => "place",
    };
    let found = core
        .driver(&kinds::ROUTE)
        .page(&kinds::ROUTE, query(&page, None, sort))
        .await?;
    let rows = found.rows.iter().map(records::route).collect::<Result<_, _>>()?;
    Ok(Rows {
        total: found.total,
        rows,
    })
}

/// The first route that takes that mail. Cached.
pub(crate) async fn way(
    core: &Core,
    sender: Option<&Address>,
    recipient: &Address,
) -> Result<Option<Arc<Way>>, Unavailable> {
    let ways = ways(core).await?;
    Ok(ways
        .iter()
        .find(|way| way.route.takes(sender, recipient))
        .cloned())
}

/// All routes in their order.
async fn ways(core: &Core) -> Result<Arc<Vec<Arc<Way>>>, Unavailable> {
    if let Some(found) = core.caches.ways.get(ALL) {
        return Ok(found);
    }
    let epoch = core.caches.epoch();
    let mut ways = Vec::new();
    for row in core
        .driver(&kinds::ROUTE)
        .scan(&kinds::ROUTE, None, None, ROUTES_MAX_COUNT)
        .await?
    {
        let route = records::route(&row)?;
        let sealed = row.bytes("sealed");
        // A password that can't be opened is none: the host will say so, and the administrator is told by that.
        let password = core.seal.open(OwnerId(0), &record(&route.name), sealed);
        ways.push(Arc::new(Way { route, password }));
    }
    ways.sort_by_cached_key(|way| (way.route.place, way.route.name.to_lowercase()));
    let ways = Arc::new(ways);
    core.caches
        .keep(&core.caches.ways, ALL.to_owned(), ways.clone(), epoch);
    Ok(ways)
}

pub(crate) async fn add(
    core: &Core,
    route: Route,
    password: Option<&str>,
    by: &str,
) -> Result<u64, ChangeError> {
    let route = route.check()?;
    let _changing = core.changing.lock().await;
    let page = Page {
        limit: 1,
        ..Page::default()
    };
    if list(core, page).await?.total >= ROUTES_MAX_COUNT {
        return Err(Refusal::new("too-many").with("max", ROUTES_MAX_COUNT).into());
    }
    let sealed = sealed(core, &route.name, password, None)?;
    let batch = Batch::new().insert(records::route_row(&route, sealed));
    let revision = first(core.write(batch, "route", &route.name).await?);
    done(core, &route.name, "added", by);
    Ok(revision)
}

pub(crate) async fn set(
    core: &Core,
    route: Route,
    password: Option<&str>,
    by: &str,
) -> Result<u64, ChangeError> {
    let route = route.check()?;
    let _changing = core.changing.lock().await;
    let old = core.get(&kinds::ROUTE, &route.name.to_lowercase()).await?;
    let old = old.ok_or_else(|| Refusal::new("route-unknown").with("name", &route.name))?;
    let sealed = sealed(core, &route.name, password, Some(&old))?;
    let batch = Batch::new().update(
        old.key(),
        records::route_row(&route, sealed),
        Some(route.revision),
    );
    let revision = first(core.write(batch, "route", &route.name).await?);
    done(core, &route.name, "changed", by);
    Ok(revision)
}

pub(crate) async fn remove(core: &Core, name: &str, by: &str) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let batch = Batch::new().delete(&kinds::ROUTE, vec![name.trim().to_lowercase().into()], None);
    core.write(batch, "route", name).await?;
    done(core, name, "removed", by);
    Ok(())
}

/// What is kept of the password: the new one, none if that is empty, what was there if there is no new one.
fn sealed(
    core: &Core,
    name: &str,
    password: Option<&str>,
    old: Option<&Row>,
) -> Result<Option<Vec<u8>>, ChangeError> {
    let Some(password) = password else {
        let kept = old.map(|old| old.bytes("sealed").to_vec());
        return Ok(kept.filter(|kept| !kept.is_empty()));
    };
    if password.is_empty() {
        return Ok(None);
    }
    // What AUTH can carry (RFC 4616 §2).
    if password.len() > ROUTE_TEXT_LENGTH_MAX_BYTES || password.contains('\0') {
        return Err(Refusal::new("password-unusable").field("password").into());
    }
    let sealed = core.seal.seal(OwnerId(0), &record(name), &password);
    let sealed = sealed.ok_or_else(|| Unavailable("the system gives no random bytes".to_owned()))?;
    Ok(Some(sealed))
}

/// A route's password can't be put in another's place. No user has the number 0.
fn record(name: &str) -> String {
    format!("route {}", name.to_lowercase())
}

fn done(core: &Core, name: &str, action: &str, by: &str) {
    core.caches.forget_ways();
    core.changed("route", name, action, by);
}
