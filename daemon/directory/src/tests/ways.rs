//! Routes: mail would go to the wrong host, or a password would be lost or shown.

use drivers::kinds;
use shared::Route;
use shared::protocol::Page;

use super::*;

fn route(name: &str, place: u32, to: &[&str], host: &str) -> Route {
    Route {
        place,
        to: to.iter().map(|to| (*to).to_owned()).collect(),
        hosts: vec![host.to_owned()],
        ..Route::new(name)
    }
}

#[test]
fn the_first_route_that_fits_decides() {
    on_each(async |directory, _| {
        let by = "test";
        for route in [
            route("b", 100, &["*"], "all.test"),
            route("a", 100, &["*.far.test"], "far.test"),
            route("Z", 10, &["one@deep.far.test"], "one.test"),
        ] {
            directory.add_route(route, None, by).await.unwrap();
        }
        let leads = async |to: &str| {
            let way = directory.way(None, &address(to)).await.unwrap();
            way.map(|way| way.route.name.clone()).unwrap_or_default()
        };
        assert_eq!(leads("one@deep.far.test").await, "Z");
        assert_eq!(leads("two@deep.far.test").await, "a");
        assert_eq!(leads("two@other.test").await, "b");
        directory.remove_route("B", by).await.unwrap();
        assert_eq!(leads("two@other.test").await, "", "a change is seen at once");
        assert_eq!(code(directory.remove_route("b", by).await), "route-unknown");
        let again = route("z", 1, &[], "h.test");
        assert_eq!(code(directory.add_route(again, None, by).await), "route-exists");
        let rows = directory.routes(Page::default()).await.unwrap();
        let names: Vec<&str> = rows.rows.iter().map(|route| route.name.as_str()).collect();
        assert_eq!(names, ["Z", "a"], "as they are asked");
    });
}

#[test]
fn a_password_is_sealed_kept_replaced_and_taken_away() {
    on_each(async |directory, memory| {
        let by = "test";
        let mut mine = route("mine", 100, &[], "h.test");
        mine.user = "me".to_owned();
        directory.add_route(mine, Some("secret"), by).await.unwrap();
        let password = async || {
            let way = directory.way(None, &address("a@b.test")).await.unwrap();
            way.unwrap().password.clone()
        };
        assert_eq!(password().await.as_deref(), Some("secret"));
        for row in memory.scan(&kinds::ROUTE, None, None, 10).await.unwrap() {
            let kept = String::from_utf8_lossy(row.bytes("sealed")).into_owned();
            assert!(!kept.contains("secret"));
        }
        for (given, expected) in [
            (None, Some("secret")),
            (Some("other"), Some("other")),
            (Some(""), None),
        ] {
            let shown = directory.routes(Page::default()).await.unwrap().rows.remove(0);
            assert!(shown.has_password);
            directory.set_route(shown, given, by).await.unwrap();
            assert_eq!(password().await.as_deref(), expected);
        }
        let shown = directory.routes(Page::default()).await.unwrap().rows.remove(0);
        assert!(!shown.has_password);
        let stale = Route { revision: 1, ..shown };
        assert_eq!(code(directory.set_route(stale, None, by).await), "revision-stale");
    });
}
