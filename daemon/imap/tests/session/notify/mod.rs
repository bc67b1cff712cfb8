//! NOTIFY: a client is told of what happens, in the selected mailbox and in others, while it says nothing.

mod others;
mod selected;
mod shared;

use crate::support::*;

/// A second program of the same user.
async fn another(world: &World) -> Client {
    world.user().await
}

async fn boris(world: &World) -> Client {
    let mut client = world.connect().await;
    client.ok(&format!("LOGIN {OTHER} \"{PASSWORD}\"")).await;
    client
}

/// What was said before the answer to a NOOP: nothing is left unsaid after it.
async fn said(client: &mut Client) -> Vec<String> {
    all(client, "NOOP").await
}

async fn all(client: &mut Client, command: &str) -> Vec<String> {
    let lines = client.ok(command).await.into_iter();
    lines
        .map(|line| plain(&line))
        .filter(|line| !line.is_empty())
        .collect()
}

/// What is told next; without what is told of recent messages.
async fn told(client: &mut Client) -> String {
    loop {
        let line = plain(&client.line().await);
        if !line.is_empty() {
            return line;
        }
    }
}

fn plain(line: &str) -> String {
    if line.ends_with(" RECENT") {
        return String::new();
    }
    line.replace("\\Recent ", "").replace("\\Recent", "")
}

fn items(line: &str) -> &str {
    line.split_once(" (").unwrap().1
}
