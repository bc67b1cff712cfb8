//! Two who ask at the same time: authorities give few certificates a week, and one for nobody is one less.

use super::authority::Gate;
use super::*;

/// Asks for these names, and comes back when it waits for what comes of it, as the so-manieth.
async fn asks(
    house: &House,
    names: &[&str],
    number: usize,
) -> tokio::task::JoinHandle<Result<Ordered, AcmeError>> {
    let acme = house.acme.clone();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let asking = tokio::spawn(async move { acme.obtain(&names, true).await });
    let waiting = || {
        house
            .acme
            .inner
            .busy
            .lock()
            .iter()
            .map(|running| running.waiting())
            .sum::<usize>()
    };
    while waiting() < number {
        tokio::task::yield_now().await;
    }
    asking
}

#[tokio::test]
async fn two_who_ask_for_the_same_names_get_one_certificate() {
    let house = House::open().await;
    let gate = Gate::default();
    house.authority.script.lock().gate = Some(("/certificate", gate.clone()));
    let first = asks(&house, &["mail.example.test"], 1).await;
    gate.reached.notified().await;
    let second = asks(&house, &["mail.example.test"], 2).await;
    gate.open.notify_one();
    // Should there be another, it gets its certificate as well.
    gate.open.notify_one();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert_eq!(first.id, second.id);
    assert_eq!(house.authority.asked("/order").len(), 1);
    // Later it is another question.
    gate.open.notify_one();
    assert_ne!(house.obtain().await.unwrap().id, first.id);
}

#[tokio::test]
async fn both_hear_why_there_is_none() {
    let house = House::open().await;
    let gate = Gate::default();
    house.authority.script.lock().gate = Some(("/order", gate.clone()));
    let refused = problem("rateLimited", "too many");
    house
        .authority
        .instead("/order", "429 Too Many Requests", "", refused);
    let first = asks(&house, &["mail.example.test"], 1).await;
    gate.reached.notified().await;
    let second = asks(&house, &["mail.example.test"], 2).await;
    gate.open.notify_one();
    for asked in [first, second] {
        assert_eq!(
            asked.await.unwrap().unwrap_err().to_string(),
            "rateLimited: too many"
        );
    }
    assert_eq!(house.authority.asked("/order").len(), 1);
}

/// The certificate without the name that was asked for last would be in use.
#[tokio::test]
async fn who_asks_for_other_names_gets_these() {
    let house = House::open().await;
    let gate = Gate::default();
    house.authority.script.lock().gate = Some(("/certificate", gate.clone()));
    let first = asks(&house, &["mail.example.test"], 1).await;
    gate.reached.notified().await;
    let second = asks(&house, &["mail.example.test", "imap.example.test"], 2).await;
    gate.open.notify_one();
    assert!(matches!(first.await.unwrap(), Err(AcmeError::Forgotten)));
    gate.open.notify_one();
    let second = second.await.unwrap().unwrap();
    assert_eq!(second.names, ["mail.example.test", "imap.example.test"]);
    assert!(!second.id.is_empty());
}
