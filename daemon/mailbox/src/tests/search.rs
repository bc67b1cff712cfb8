//! Searches and what they keep.

use wire::imap::{SearchKey, TextField};

use super::*;

pub(super) fn header(name: &str, text: &str) -> SearchKey {
    SearchKey::Text(TextField::Header(name.to_owned()), text.to_owned())
}

pub(super) async fn found(owner: &Owner, key: SearchKey) -> Vec<Uid> {
    let inbox = owner.folder("INBOX").await.unwrap().id;
    owner.search(inbox, Arc::new(key), 0).await.unwrap()
}

pub(super) async fn count(owner: &Owner, table: &'static str) -> i64 {
    let count = move |ctx: &mut ctx::Ctx<'_>| {
        let sql = format!("SELECT count(*) FROM {table}");
        Ok(ctx.store.conn.query_row(&sql, [], |row| row.get(0))?)
    };
    owner.handle.core.run(&owner.slot, count).await.unwrap()
}

fn with_header(header: &str) -> Append {
    Append {
        text: Blob::Bytes(Bytes::from(format!("{header}\r\nbody\r\n").into_bytes())),
        ..append("")
    }
}

#[test]
fn header_keys_are_kept_and_go_with_their_text() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        let long = format!(
            "To: {}last@example.test\r\n",
            "someone@example.test,\r\n ".repeat(200)
        );
        let mails = vec![
            append("Straße"),
            with_header("From: =?koi8-r?B?8NLJ18XU?= <p@example.test>\r\nSubject:\r\nCc: x@y\r\nCc: z@y\r\n"),
            with_header(&long),
        ];
        owner.append(inbox, mails).await.unwrap();
        // Twice: the first time they are made.
        for _ in 0..2 {
            for (name, text, expected) in [
                ("FROM", "ADA", vec![1]),
                ("from", "привет", vec![2]),
                ("FROM", "", vec![1, 2]),
                ("SUBJECT", "STRASSE", vec![1]),
                ("SUBJECT", "", vec![1, 2]),
                ("CC", "Z@y", vec![2]),
                ("CC", "y\nz", vec![]),
                ("TO", "last@", vec![3]),
                ("TO", "last@ ", vec![]),
                ("BCC", "", vec![]),
                ("Date", "jul 1996", vec![1]),
            ] {
                assert_eq!(
                    found(&owner, header(name, text)).await,
                    expected,
                    "{name} {text:?}"
                );
            }
            assert_eq!(count(&owner, "keys").await, 3);
        }
        owner.remove_messages(inbox, &[1, 3]).await.unwrap();
        assert_eq!(count(&owner, "keys").await, 1);
        world.close().await;
    });
}
