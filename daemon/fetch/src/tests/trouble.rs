//! What one message, one folder or one slow visit would hold up: all the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shared::external::ExternalAfter;

use super::fake::{Act, Fake, at, of_command, usual};
use super::{House, message, protocol};

// The messages behind one that is damaged over there would never come; and once it can be had it would be lost, or be deleted unread.
#[tokio::test]
async fn a_message_that_is_refused_holds_up_no_others_and_comes_later() {
    for imap in [false, true] {
        let damaged = Arc::new(AtomicBool::new(true));
        let said = damaged.clone();
        let fake = Fake::start(imap, None, false, move |_, line| {
            let (tag, command) = of_command(imap, line);
            let is_text = command == "RETR 1" || command.starts_with("UID FETCH 1 (UID BODY");
            match (is_text && said.load(Ordering::Relaxed), imap) {
                (true, false) => Act::Say(b"-ERR damaged\r\n".to_vec()),
                (true, true) => Act::Say(format!("{tag} NO damaged\r\n").into_bytes()),
                _ => Act::Usual,
            }
        })
        .await;
        fake.put("damaged");
        fake.put("whole");
        let house = House::deleting_at(&fake).await;
        for _ in 0..2 {
            let state = house.visit().await;
            assert_eq!(state.problem.unwrap().code, "external-command-refused");
            assert_eq!(
                (state.failures, state.last_success),
                (0, 0),
                "it is told of, and the account is visited no less often"
            );
            assert_eq!(fake.uids(), [1], "{imap}");
        }
        assert_eq!(house.subjects().await, ["whole"]);
        damaged.store(false, Ordering::Relaxed);
        fake.put("new");
        assert_eq!(house.problem().await, "fine");
        let mut subjects = house.subjects().await;
        subjects.sort();
        assert_eq!(
            (subjects, fake.left()),
            (vec!["damaged".to_owned(), "new".to_owned()], 0)
        );
    }
}

// It was here for a moment only: the three days count from now, and not from the visit that it was refused at.
#[tokio::test]
async fn what_comes_late_is_not_deleted_too_early() {
    let damaged = Arc::new(AtomicBool::new(true));
    let said = damaged.clone();
    let fake = Fake::imap(move |_, line| match of_command(true, line) {
        (tag, "UID FETCH 1 (UID BODY.PEEK[])") if said.load(Ordering::Relaxed) => {
            Act::Say(format!("{tag} NO damaged\r\n").into_bytes())
        }
        _ => Act::Usual,
    })
    .await;
    fake.put("damaged");
    let house = House::at(&fake).await;
    house
        .change(|account| account.after = ExternalAfter::Days(3))
        .await;
    house.visit().await;
    house.days_pass(4).await;
    damaged.store(false, Ordering::Relaxed);
    house.visit().await;
    assert_eq!(
        (house.subjects().await, fake.left()),
        (vec!["damaged".to_owned()], 1)
    );
}

// A folder full of messages that can't be had ends each visit early, and the next one comes further.
#[tokio::test]
async fn many_refusals_end_a_folder_for_one_visit_only() {
    let fake = Fake::imap(|_, line| match of_command(true, line) {
        (tag, command) if command.ends_with("BODY.PEEK[])") && !command.starts_with("UID FETCH 30 ") => {
            Act::Say(format!("{tag} NO damaged\r\n").into_bytes())
        }
        _ => Act::Usual,
    })
    .await;
    for number in 0..29 {
        fake.put(&format!("damaged {number}"));
    }
    fake.put("whole");
    let house = House::at(&fake).await;
    assert_eq!(house.visit().await.fetched, 0);
    assert_eq!(fake.count("UID FETCH"), 1 + 20);
    assert_eq!(house.visit().await.fetched, 1);
    assert_eq!(house.subjects().await, ["whole"]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_holds_up_no_others() {
    let fake = Fake::imap(at(true, "EXAMINE \"Gone\"", "TAG NO [NONEXISTENT] no\r\n", false)).await;
    fake.put("one");
    let house = House::at(&fake).await;
    house
        .change(|account| account.folders = vec!["Gone".to_owned(), "INBOX".to_owned()])
        .await;
    assert_eq!(house.problem().await, "external-command-refused");
    assert_eq!(house.subjects().await, ["one"]);
}

#[tokio::test]
async fn a_folder_in_which_nothing_can_be_deleted_holds_up_no_others() {
    for refused in ["UID STORE", "UID EXPUNGE"] {
        let fake = Fake::imap(at(true, refused, "TAG NO [NOPERM] no\r\n", false)).await;
        fake.put("one");
        let house = House::at(&fake).await;
        house
            .change(|account| {
                account.after = ExternalAfter::Delete;
                account.folders = vec!["Shared".to_owned(), "INBOX".to_owned()];
            })
            .await;
        assert_eq!(house.problem().await, "external-command-refused");
        assert_eq!(house.taken().await.len(), 2, "{refused}");
        house.visit().await;
        assert_eq!(house.taken().await.len(), 0, "{refused}");
    }
}

#[tokio::test]
async fn a_message_that_can_not_be_deleted_holds_up_no_others() {
    let fake = Fake::pop3(at(false, "DELE 1", "-ERR no\r\n", false)).await;
    fake.put("one");
    fake.put("two");
    let house = House::deleting_at(&fake).await;
    for _ in 0..2 {
        assert_eq!(house.problem().await, "external-command-refused");
        assert_eq!(fake.uids(), [1]);
    }
    assert_eq!(house.subjects().await, ["one", "two"]);
    assert_eq!(fake.count("DELE 1"), 2);
}

// Without ids it comes at each visit; whatever follows it must not.
#[tokio::test]
async fn without_ids_a_refused_deletion_brings_one_message_again_and_no_more() {
    let fake = Fake::pop3(|_, line| match line {
        "UIDL" => Act::Say(b"-ERR what?\r\n".to_vec()),
        "DELE 2" => Act::Say(b"-ERR no\r\n".to_vec()),
        _ => Act::Usual,
    })
    .await;
    for subject in ["one", "two", "three"] {
        fake.put(subject);
    }
    let house = House::deleting_at(&fake).await;
    let state = house.visit().await;
    assert_eq!(state.problem.unwrap().code, "external-command-refused");
    assert_eq!((state.failures, fake.uids()), (1, vec![2, 3]));
    assert_eq!(house.subjects().await, ["one", "two"]);
}

// Nothing would come from that folder any more, for ever.
#[tokio::test]
async fn any_number_of_messages_is_left_out() {
    let fake = Fake::imap(usual).await;
    let large = [message("large"), vec![b'x'; 3000]].concat();
    for _ in 0..1100 {
        fake.put_text(large.clone());
    }
    fake.put("behind");
    let house = House::at(&fake).await;
    house.setting("smtp.message-size-max", "2000").await;
    house
        .change(|account| account.after = ExternalAfter::Delete)
        .await;
    let state = house.visit().await;
    assert_eq!(
        (state.fetched, state.skipped_total, state.problem),
        (1, 1100, None)
    );
    assert_eq!(
        (house.subjects().await, fake.left()),
        (vec!["behind".to_owned()], 1100)
    );
}

// A visit that takes too long and is cut off deletes nothing: all of it would come again, for ever.
#[tokio::test]
async fn a_visit_whose_time_is_over_ends_well_and_the_next_one_goes_on() {
    for imap in [false, true] {
        let fake = Fake::start(imap, None, false, |_, line| match line {
            "UIDL" => Act::Say(b"-ERR what?\r\n".to_vec()),
            _ => Act::Usual,
        })
        .await;
        for subject in ["one", "two", "three"] {
            fake.put(subject);
        }
        // Over as soon as it begins: a message a visit.
        let house = House::with(|timeouts| timeouts.visit = Duration::ZERO).await;
        house
            .account(protocol(&fake), fake.port, |account| {
                account.after = ExternalAfter::Delete;
            })
            .await;
        for left in [2, 1, 0] {
            let state = house.visit().await;
            assert_eq!(
                (state.fetched, state.problem, fake.left()),
                (1, None, left),
                "{imap}"
            );
        }
        assert_eq!(house.subjects().await, ["one", "two", "three"]);
    }
}

// A message that ends every visit, damaged over there or too slow, would hold up all that is behind it for ever.
#[tokio::test]
async fn a_message_at_which_every_visit_breaks_off_is_passed_over_in_the_end() {
    for imap in [false, true] {
        let command = if imap { "UID FETCH 1 (UID BODY" } else { "RETR 1" };
        let fake = Fake::start(imap, None, false, at(imap, command, "", true)).await;
        fake.put("damaged");
        fake.put("whole");
        let house = House::deleting_at(&fake).await;
        for _ in 0..6 {
            assert_eq!(house.problem().await, "external-closed", "{imap}");
        }
        let state = house.visit().await;
        assert_eq!((state.fetched, state.skipped_total, state.problem), (1, 1, None));
        assert_eq!(
            (house.subjects().await, fake.uids()),
            (vec!["whole".to_owned()], vec![1])
        );
        assert_eq!(house.problem().await, "fine");
        assert_eq!(fake.count(command), 6, "{imap}");
    }
}

// Without ids all that lies before it would come again with each visit, and what lies behind it would never come.
#[tokio::test]
async fn without_ids_such_a_message_is_passed_over_too_and_what_lies_before_it_is_deleted_first() {
    let fake = Fake::pop3(|model, line| match line {
        "UIDL" => Act::Say(b"-ERR what?\r\n".to_vec()),
        "RETR 1" if model.mails.len() == 2 => Act::SayAndClose(Vec::new()),
        "RETR 3" => Act::SayAndClose(Vec::new()),
        _ => Act::Usual,
    })
    .await;
    for subject in ["one", "three", "the damaged one", "behind"] {
        fake.put(subject);
    }
    let house = House::deleting_at(&fake).await;
    assert_eq!(house.problem().await, "external-closed");
    assert_eq!(house.problem().await, "fine");
    assert_eq!(fake.uids(), [3, 4]);
    for _ in 0..5 {
        assert_eq!(house.problem().await, "external-closed");
    }
    assert_eq!(house.subjects().await, ["one", "three", "one", "three"]);
    let state = house.visit().await;
    assert_eq!((state.fetched, state.skipped_total, state.problem), (1, 1, None));
    // It is as long as the damaged one.
    fake.put("another message");
    let state = house.visit().await;
    assert_eq!((state.fetched, state.skipped_total, state.problem), (1, 1, None));
    assert_eq!(house.subjects().await, ["behind", "another message"]);
    assert_eq!(fake.uids(), [3], "what is not here stays there");
    // Once somebody has looked after the account it is asked for again.
    house.change(|account| account.into = "Old".to_owned()).await;
    fake.put("new");
    assert_eq!(house.problem().await, "external-closed");
}
