//! Routes: mail would go to the wrong host, with the wrong login, or be given up because an administrator mistyped a name.

use shared::Route;
use shared::route::{RouteProtocol, RouteTls};

use super::fake::{Fake, Manner};
use super::*;

pub(super) async fn with_routes(
    dns: Dns,
    settings: &[(&str, &str)],
    routes: Vec<(Route, Option<&str>)>,
) -> House {
    let house = House::with_dns(dns, settings).await;
    for (route, password) in routes {
        house
            .parts
            .directory
            .add_route(route, password, "test")
            .await
            .unwrap();
    }
    house
}

pub(super) fn route(name: &str, to: &[&str], from: &[&str], host: &str) -> Route {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Route {
        to: texts(to),
        from: texts(from),
        hosts: vec![host.to_owned()],
        ..Route::new(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_and_senders_have_routes_of_their_own() {
    let manner = Manner {
        offers: &["AUTH PLAIN"],
        ..Manner::default()
    };
    let (one, two, smart) = (
        Fake::start(manner.clone()).await,
        Fake::start(manner.clone()).await,
        Fake::start(manner).await,
    );
    let smarthost = smart.address.to_string();
    let mut second = route("second", &[], &["ann@example.test"], &two.address.to_string());
    second.user = "me".to_owned();
    let routes = vec![
        (
            route(
                "first",
                &["*.far.test", "far.test"],
                &[],
                &one.address.to_string(),
            ),
            None,
        ),
        (second, Some("other secret")),
    ];
    let house = with_routes(
        Dns::scripted(Scripted::new()),
        &[("outgoing.smarthost", &smarthost)],
        routes,
    )
    .await;
    house
        .send(&["a@far.test", "b@deep.far.test", "c@other.test"], TEXT)
        .await;
    let mut bobs = envelope(&["d@other.test"]);
    bobs.sender = Some(address("bob@example.test"));
    house.send_as(bobs, TEXT).await;
    house.until_empty().await;
    let to = |fake: &Fake| {
        let lines = fake.lines().into_iter();
        lines.filter(|line| line.starts_with("RCPT")).collect::<Vec<_>>()
    };
    assert_eq!(to(&one), ["RCPT TO:<a@far.test>", "RCPT TO:<b@deep.far.test>"]);
    assert_eq!(
        one.texts().len(),
        1,
        "one transaction for all that go the same way"
    );
    assert_eq!(to(&two), ["RCPT TO:<c@other.test>"]);
    let login = format!("AUTH PLAIN {}", wire::base64::encode(b"\0me\0other secret"));
    assert!(two.lines().contains(&login));
    assert_eq!(to(&smart), ["RCPT TO:<d@other.test>"], "what no route takes");
    let answer = house
        .delivery
        .route(Some(&address("ann@example.test")), &address("c@other.test"))
        .await;
    assert_eq!((answer.by.as_str(), answer.route.as_str()), ("route", "second"));
    assert_eq!((answer.user.as_str(), answer.hosts.len()), ("me", 1));
    let answer = house.delivery.route(None, &address("c@other.test")).await;
    assert_eq!(answer.by, "smarthost");
    assert_eq!(
        house.delivery.route(None, &address("bob@example.test")).await.by,
        "here"
    );
}

/// RFC 2033: who was refused is told so, the others have their mail.
#[tokio::test(flavor = "multi_thread")]
async fn lmtp_answers_for_each_recipient() {
    let fake = Fake::start(Manner {
        lmtp: Some(&[("full@", "452 4.2.2 full"), ("gone@", "550 5.1.1 gone")]),
        rcpt: &[("nobody@", "550 5.1.1 nobody")],
        ..Manner::default()
    })
    .await;
    let mut lmtp = route("lmtp", &["box.test"], &[], &fake.address.to_string());
    lmtp.protocol = RouteProtocol::Lmtp;
    let house = with_routes(Dns::scripted(Scripted::new()), &[], vec![(lmtp, None)]).await;
    let all = [
        "good@box.test",
        "full@box.test",
        "gone@box.test",
        "nobody@box.test",
    ];
    house.send(&all, TEXT).await;
    house
        .until("one waits and the sender was told of the others", async |queue| {
            put_off(queue).await.is_some() && queue.counts().messages == 1
        })
        .await;
    let told = house.inbox("ann@example.test").await;
    assert_eq!(told.len(), 1);
    for (who, is_told) in [
        ("gone@", true),
        ("nobody@", true),
        ("full@", false),
        ("good@", false),
    ] {
        let found = told[0].contains(&format!("Final-Recipient: rfc822;{who}"));
        assert_eq!(found, is_told, "{who}: {}", told[0]);
    }
    assert_eq!(fake.texts(), [TEXT_OUT]);
}

/// A typing error in a route must not bounce everybody's mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_to_nowhere_puts_off() {
    let routes = vec![(route("typo", &[], &[], "no-such-host.test"), None)];
    let house = with_routes(Dns::scripted(Scripted::new()), &[], routes).await;
    house.send(&["a@far.test"], TEXT).await;
    let reply = house.until_put_off().await;
    assert!(reply.starts_with("451 4.4.4"), "{reply}");
    let answer = house.delivery.route(None, &address("a@far.test")).await;
    assert_eq!((answer.problem, answer.hosts.len()), (reply, 0));
}

/// A password would be sent to whoever listens.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_with_verified_tls_says_nothing_without_it() {
    let (wrong, _) = certificate("another.test");
    for tls in [None, Some(wrong)] {
        let offers: &[&str] = if tls.is_some() {
            &["STARTTLS", "AUTH PLAIN"]
        } else {
            &["AUTH PLAIN"]
        };
        let fake = Fake::start(Manner {
            offers,
            tls,
            ..Manner::default()
        })
        .await;
        let mut strict = route("strict", &[], &[], &format!("far.test:{}", fake.address.port()));
        strict.tls = RouteTls::Verified;
        strict.user = "me".to_owned();
        let dns = Dns::scripted(Scripted::new().with_address("far.test", fake.address.ip()));
        let house = with_routes(dns, &[], vec![(strict, Some("secret"))]).await;
        house.send(&["a@far.test"], TEXT).await;
        let reply = house.until_put_off().await;
        assert!(reply.starts_with("451 4.7.5 far.test"), "{reply}");
        let lines = fake.lines();
        assert!(
            !lines
                .iter()
                .any(|line| line.starts_with("AUTH") || line.starts_with("MAIL"))
        );
    }
}

/// An administrator sends what hangs another way by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_where_an_administrator_sends_it() {
    let fake = Fake::start(Manner::default()).await;
    let house = House::with_dns(Dns::scripted(Scripted::unreachable()), &[]).await;
    house.send(&["a@one.test", "b@two.test"], TEXT).await;
    house.until_put_off().await;
    let ids: Vec<_> = house
        .parts
        .queue
        .list(shared::protocol::Page::default())
        .await
        .unwrap()
        .rows
        .iter()
        .map(|row| row.id.parse().unwrap())
        .collect();
    let address = fake.address.to_string();
    // Once: it holds also if it comes while the try before it is being written down.
    house.parts.queue.set_route(&ids, Some(&address)).await.unwrap();
    house.parts.queue.retry(&ids).await.unwrap();
    house.until_empty().await;
    assert_eq!(fake.texts(), [TEXT_OUT]);
}
