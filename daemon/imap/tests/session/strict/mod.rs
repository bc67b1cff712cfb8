//! Tables of what no client should send, or hardly ever does: the answer that the RFC asks for, and a session that lives on.

mod raw;
mod selected;
mod stranger;
mod user;

use crate::support::*;

/// A command and how its tagged answer begins.
type Case = (&'static str, &'static str);

/// After each case the session must still answer.
async fn play(client: &mut Client, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (command, expected) in cases {
        let answer = client.answer(command).await;
        if !answer.starts_with(expected) {
            wrong.push(format!("{command:?}: expected {expected}, got {answer}"));
        }
        client.ok("NOOP").await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn before_the_login() {
    let world = World::new().await;
    play(&mut world.connect().await, stranger::STRANGER).await;
}

#[tokio::test]
async fn with_nothing_selected() {
    let world = World::new().await;
    play(&mut world.user().await, user::USER).await;
}

#[tokio::test]
async fn with_a_folder_selected() {
    let world = World::new().await;
    play(&mut world.inbox(3).await, selected::SELECTED).await;
}

#[tokio::test]
async fn with_an_empty_folder_selected() {
    let world = World::new().await;
    play(&mut world.inbox(0).await, selected::EMPTY).await;
}
