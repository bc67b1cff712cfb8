//! Transactions that stay open for a moment: nothing is lost by it, and others see what was done soon.

use super::*;

/// Segments of the journal that are filled so that those before them may go.
const SEGMENTS: usize = 6;

fn database(dir: &Path, owner: OwnerId) -> std::path::PathBuf {
    dir.join(format!("mail/{:02x}/{:x}/mail.db", owner.0 & 0xff, owner.0))
}

/// The queue's text is trimmed away while the delivery has not been committed.
#[test]
fn a_delivery_survives_the_trim_of_its_text() {
    let disk = SimDisk::new(11);
    disk.shared().create_dir_all_synced(Path::new("/data")).unwrap();
    runtime().block_on(async {
        let world = World::simulated(&disk, "linger-trim").unwrap();
        let text = message("kept");
        let id = world.accept(&text).await.unwrap();
        world.deliver(ALICE, id, 0, &text).await.unwrap();
        world.journal.release(id);
        for _ in 0..SEGMENTS {
            let filler = world.accept(&vec![b'.'; 15 * 1024]).await.unwrap();
            world.journal.release(filler);
        }
        world.journal.trim().unwrap();
        disk.power_cut();
        drop(world);
        let disk = disk.restart();
        let world = World::simulated(&disk, "linger-trim").unwrap();
        let found = texts(&world.boxes.owner(ALICE), "INBOX").await.unwrap();
        assert_eq!(found.len(), 1, "the message was accepted, and is lost");
        assert!(found[0].1.contains("kept"));
        world.close().await;
    });
}

/// A program that reads the database beside us, a backup for one.
#[test]
fn what_was_done_is_in_the_database_soon() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let conn = rusqlite::Connection::open(database(dir.path(), ALICE)).unwrap();
        let count = || -> i64 {
            conn.query_row("SELECT messages FROM folder WHERE name = 'INBOX'", [], |row| {
                row.get(0)
            })
            .unwrap()
        };
        while count() == 0 {
            std::thread::yield_now();
        }
        // One job after the other in one transaction, and none of them is left out.
        for number in 0..600 {
            owner
                .append(inbox, vec![append(&number.to_string())])
                .await
                .unwrap();
        }
        assert!(count() > 300, "a transaction has no end");
        world.close().await;
        assert_eq!(count(), 601);
    });
}

/// The process is killed right after the answer; the machine runs on.
#[test]
fn flags_that_were_answered_outlive_the_process() {
    let disk = SimDisk::new(12);
    disk.shared().create_dir_all_synced(Path::new("/data")).unwrap();
    runtime().block_on(async {
        let world = World::simulated(&disk, "linger-death").unwrap();
        let owner = world.boxes.owner(ALICE);
        let inbox = owner.folder("INBOX").await.unwrap().id;
        owner.append(inbox, vec![append("a")]).await.unwrap();
        let seen = change(FlagAction::Add, Flags::SEEN, &[]);
        owner.store(inbox, &[1], seen).await.unwrap();
        disk.power_cut();
        drop((owner, world));
        let disk = disk.process_death();
        let world = World::simulated(&disk, "linger-death").unwrap();
        let rows = rows(&world.boxes.owner(ALICE), inbox, 0).await;
        assert_eq!(rows.len(), 1);
        assert!(rows[0].flags.contains(Flags::SEEN));
        world.close().await;
    });
}
