//! Whose turn it is: a corrected password at once, and no more visits at a time than are allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::fake::{Act, Fake};
use super::{House, NAME, PASSWORD, USER, address, protocol};

// Who has corrected a password and fetches would be told that it is wrong.
#[tokio::test]
async fn a_corrected_password_is_tried_behind_a_visit_with_the_old_one() {
    let (began, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, moment) = (began.clone(), goes_on.clone());
    let fake = Fake::pop3(move |_, line| match line {
        "PASS wrong" => {
            told.notify_one();
            Act::SayAfter(moment.clone(), b"-ERR [AUTH] no\r\n".to_vec())
        }
        _ => Act::Usual,
    })
    .await;
    fake.put("one");
    let house = House::at(&fake).await;
    house.change_with(Some("wrong"), |_| {}).await;
    house.fetch.now(&address(USER), NAME, false).await.unwrap();
    began.notified().await;
    house.change_with(Some(PASSWORD), |_| {}).await;
    let (state, ()) = tokio::join!(house.visit(), async { goes_on.notify_one() });
    assert_eq!((state.fetched, state.problem), (1, None));
}

// An administrator who allows one at a time has a reason.
#[tokio::test]
async fn no_more_accounts_than_allowed_are_visited_at_once() {
    for allowed in [1, 2] {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (at_work, highest) = (now.clone(), most.clone());
        let fake = Fake::pop3(move |_, line| {
            match line {
                "" => {
                    let count = at_work.fetch_add(1, Ordering::Relaxed) + 1;
                    highest.fetch_max(count, Ordering::Relaxed);
                }
                "QUIT" => {
                    at_work.fetch_sub(1, Ordering::Relaxed);
                }
                _ => {}
            }
            Act::Usual
        })
        .await;
        let house = House::new().await;
        house.setting("fetch.concurrency", &allowed.to_string()).await;
        house.until_known().await;
        let mut changes = house.parts.directory.changes();
        for number in 0..6 {
            house
                .named(
                    &format!("number {number}"),
                    protocol(&fake),
                    fake.port,
                    |account| {
                        account.enabled = true;
                    },
                )
                .await;
        }
        let mut ended = 0;
        while ended < 6 {
            ended += usize::from(changes.recv().await.unwrap().kind == "external-state");
        }
        assert!(most.load(Ordering::Relaxed) <= allowed, "{allowed}");
    }
}
