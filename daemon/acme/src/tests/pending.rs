//! From the moment in which the authority is asked to make the certificate, an administrator would lose it, and one of the few that authorities give,
//! with each hesitation; and what is given must be what was asked for, and still be wanted.

use super::authority::Gate;
use super::*;

/// Files of orders of which only the certificate is missing.
fn pending(house: &House) -> usize {
    let files = std::fs::read_dir(house.folder.path().join("acme")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("order-")).count()
}

#[tokio::test]
async fn an_authority_that_can_t_answer_after_the_proof_is_asked_again() {
    let house = House::open().await;
    let soon = "Retry-After: 0\r\n";
    let down = || problem("serverInternal", "down");
    for path in ["/finalize", "/order/1", "/certificate"] {
        let authority = &house.authority;
        authority.instead(path, "503 Service Unavailable", soon, down());
        authority.instead(
            path,
            "429 Too Many Requests",
            soon,
            problem("rateLimited", "busy"),
        );
        authority.instead(path, HANGS_UP, "", Value::Null);
    }
    house.obtain().await.unwrap();
    assert_eq!(house.authority.asked("/order").len(), 1);
    assert_eq!(pending(&house), 0);
    // Not for ever.
    for _ in 0..60 {
        house
            .authority
            .instead("/certificate", "502 Bad Gateway", soon, down());
    }
    assert!(house.failure().await.contains("down"));
}

#[tokio::test]
async fn a_certificate_that_could_not_be_fetched_is_fetched_after_a_restart() {
    let house = House::open().await;
    let later = "Retry-After: 90000\r\n";
    let before = schedule::now();
    let down = problem("serverInternal", "down");
    house
        .authority
        .instead("/certificate", "503 Service Unavailable", later, down);
    assert!(house.failure().await.contains("down"));
    assert!(house.acme.orders().unwrap()[0].next_try >= before + 90_000);
    assert_eq!(pending(&house), 1);
    let again = open(&house.folder, &house.authority, &house.tls);
    let order = again.obtain(&["mail.example.test".to_owned()], true).await;
    assert!(!order.unwrap().id.is_empty());
    assert_eq!(house.authority.asked("/order").len(), 1, "no new order");
    assert_eq!(pending(&house), 0);
}

#[tokio::test]
async fn an_order_that_has_lapsed_is_replaced_by_a_new_one() {
    let house = House::open().await;
    let later = "Retry-After: 90000\r\n";
    let down = problem("serverInternal", "down");
    house
        .authority
        .instead("/certificate", "503 Service Unavailable", later, down);
    assert!(house.failure().await.contains("down"));
    let gone = problem("malformed", "no such order");
    house.authority.instead("/order/1", "404 Not Found", "", gone);
    house.obtain().await.unwrap();
    assert_eq!(house.authority.asked("/order").len(), 2);
}

// Whoever forgets an order leaves no key of it behind.
#[tokio::test]
async fn what_is_forgotten_leaves_no_order_behind() {
    let house = House::open().await;
    let later = "Retry-After: 90000\r\n";
    house
        .authority
        .instead("/certificate", "503 Service Unavailable", later, json!({}));
    house.failure().await;
    house.acme.forget("mail.example.test").await.unwrap();
    assert_eq!(pending(&house), 0);
}

// Mail programs would refuse the server under its own name.
#[tokio::test]
async fn a_certificate_for_other_names_is_not_taken() {
    let house = House::open().await;
    for given in [vec!["other.test"], vec!["mail.example.test", "other.test"]] {
        house.authority.script.lock().gives = Some(given.into_iter().map(str::to_owned).collect());
        let said = house.failure().await;
        assert!(
            said.contains("other.test") && said.contains("not for mail.example.test"),
            "{said}"
        );
        assert_eq!(house.tls.certificates().len(), 1);
    }
    house.authority.script.lock().gives = None;
    house.obtain().await.unwrap();
}

// A certificate that was removed came again by itself.
#[tokio::test]
async fn what_is_removed_while_it_is_renewed_does_not_come_again() {
    let house = House::open().await;
    let id = house.obtain().await.unwrap().id;
    let gate = Gate::default();
    house.authority.script.lock().gate = Some(("/certificate", gate.clone()));
    let acme = house.acme.clone();
    let renewal = tokio::spawn(async move { acme.obtain(&["mail.example.test".to_owned()], true).await });
    gate.reached.notified().await;
    house.acme.remove(&id).await.unwrap();
    gate.open.notify_one();
    assert!(matches!(renewal.await.unwrap(), Err(AcmeError::Forgotten)));
    assert!(house.acme.orders().unwrap().is_empty());
    assert_eq!(house.tls.certificates().len(), 1);
}

// A neighbour in the folder is no reason to be without a certificate.
#[tokio::test]
async fn a_damaged_neighbour_does_not_keep_a_certificate_away() {
    let house = House::open().await;
    let neighbour = house.folder.path().join("tls/neighbour");
    std::fs::create_dir(&neighbour).unwrap();
    std::fs::write(neighbour.join("cert.pem"), "nonsense").unwrap();
    let order = house.obtain().await.unwrap();
    assert_eq!(order.failures, 0);
}

// A disk that takes nothing is told, and is no reason to ask the authority without pause.
#[tokio::test]
async fn a_try_that_can_t_be_noted_is_a_failure_like_another() {
    let house = House::open().await;
    house.obtain().await.unwrap();
    let list = house.folder.path().join("acme/certificates.json");
    std::fs::remove_file(&list).unwrap();
    std::fs::create_dir(&list).unwrap();
    let asked = house.authority.script.lock().seen.len();
    let done = Busy::order(&house.acme.inner, &["mail.example.test".to_owned()])
        .wait()
        .await;
    assert!(matches!(done, Err(AcmeError::Disk(_))), "{done:?}");
    let order = &house.acme.orders().unwrap()[0];
    assert!(
        order.failures == 1 && order.reason.contains("certificates.json"),
        "{order:?}"
    );
    assert_eq!(house.authority.script.lock().seen.len(), asked);
}
