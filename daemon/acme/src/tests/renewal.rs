//! When the authority wants a certificate renewed (RFC 9773): one that it has to revoke early would be worth nothing before anybody noticed.

use super::*;

fn window(start: i64, end: i64) -> Value {
    let text = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap().to_string();
    json!({"suggestedWindow": {"start": text(start), "end": text(end)}, "explanationURL": "https://ca.test/why"})
}

async fn look(house: &House, said: Value) -> i64 {
    house.authority.script.lock().renewal = Some(said);
    house.acme.inner.follow_advice("mail.example.test").await;
    house.acme.orders().unwrap()[0].next_try
}

#[tokio::test]
async fn the_authority_s_time_is_kept() {
    let house = House::open().await;
    house.obtain().await.unwrap();
    let usual = house.acme.orders().unwrap()[0].next_try;
    let now = schedule::now();
    // Nonsense changes nothing.
    for said in [json!({}), json!([]), window(now + 2000, now + 1000)] {
        assert_eq!(look(&house, said).await, usual);
    }
    let at = look(&house, window(now + 8000, now + 9000)).await;
    assert!((now + 8000..now + 9000).contains(&at), "{at}");
    assert_eq!(look(&house, window(now + 8000, now + 9000)).await, at, "it stays");
    let next = house.acme.inner.wanted.lock()[0].next_look;
    assert!((now + 7200..=schedule::now() + 7200).contains(&next), "{next}");
    // It lasts over a restart.
    let again = open(&house.folder, &house.authority, &house.tls);
    assert_eq!(again.orders().unwrap()[0].next_try, at);
    // A time that has passed: at once, but not order after order.
    let past = window(now - 2000, now - 1000);
    assert!(look(&house, past.clone()).await >= now + 60);
    {
        let mut wanted = house.acme.inner.wanted.lock();
        wanted[0].last_try = now - 7200;
        wanted[0].next_try = now + 7200;
    }
    assert!(look(&house, past).await < now);
}

#[tokio::test]
async fn a_renewal_says_what_it_replaces() {
    let house = House::open().await;
    let now = schedule::now();
    house.authority.script.lock().renewal = Some(window(now + 1000, now + 2000));
    house.obtain().await.unwrap();
    house.acme.inner.follow_advice("mail.example.test").await;
    let asked = house.authority.script.lock().looked.clone();
    // One that was replaced before is no reason to be without a new one.
    let conflict = problem("alreadyReplaced", "twice");
    house.authority.instead("/order", "409 Conflict", "", conflict);
    house.obtain().await.unwrap();
    let replaces: Vec<Value> = house
        .authority
        .asked("/order")
        .into_iter()
        .map(|(_, payload)| payload["replaces"].clone())
        .collect();
    assert_eq!(replaces, [Value::Null, json!(asked[0]), Value::Null]);
}
