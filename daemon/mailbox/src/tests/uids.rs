//! What is kept of a large folder's UIDs is what its messages are, whatever happens to them.

use super::*;

/// Messages in the inbox of a new mailbox, made by copying.
pub(crate) async fn fill(owner: &Owner, count: u32) -> FolderId {
    let inbox = owner.folder("INBOX").await.unwrap().id;
    owner.append(inbox, vec![append("a")]).await.unwrap();
    let mut there = 1;
    while there < count {
        let uids: Vec<Uid> = (1..=there.min(count - there)).collect();
        owner.copy(inbox, &uids, owner, inbox).await.unwrap();
        there += uids.len() as u32;
    }
    inbox
}

/// How many blocks of a folder are sealed.
pub(crate) async fn sealed(owner: &Owner, folder: FolderId) -> u32 {
    // Blocks are sealed with the commit.
    owner.handle.core.settle_all().unwrap();
    let sealed = move |ctx: &mut ctx::Ctx<'_>| Ok(ctx.store.folder(folder)?.sealed);
    owner.handle.core.run(&owner.slot, sealed).await.unwrap()
}

async fn sql(owner: &Owner, statements: &'static str) {
    let run = |ctx: &mut ctx::Ctx<'_>| Ok(ctx.store.conn.execute_batch(statements)?);
    owner.handle.core.run(&owner.slot, run).await.unwrap();
}

fn close(owner: &Owner) {
    owner.handle.core.close_slot(&owner.slot);
}

/// What SELECT says is what the rows say.
async fn same(owner: &Owner, folder: FolderId, what: &str) {
    let selected = owner.select("INBOX", false).await.unwrap();
    let rows = move |ctx: &mut ctx::Ctx<'_>| {
        let mut rows = Vec::new();
        ctx.store.rows(folder.0, 0, u32::MAX, |row| rows.push(row))?;
        Ok(rows)
    };
    let rows: Vec<Row> = owner.handle.core.run(&owner.slot, rows).await.unwrap();
    assert!(selected.uids.iter().eq(rows.iter().map(|row| row.uid)), "{what}");
    let unseen = rows.iter().find(|row| !row.flags.contains(Flags::SEEN));
    assert_eq!(selected.first_unseen, unseen.map(|row| row.uid), "{what}");
    let deleted = rows
        .iter()
        .filter(|row| row.flags.contains(Flags::DELETED))
        .count() as u64;
    // All these are copies of one message.
    assert_eq!(
        owner.deleted_bytes(folder).await.unwrap(),
        deleted * message("a").len() as u64
    );
    assert_eq!(owner.check(false).await.unwrap().problems, [], "{what}");
}

#[test]
fn a_folder_opens_with_the_messages_that_it_has() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = fill(&owner, 5000).await;
        assert_eq!(sealed(&owner, inbox).await, 4);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut roll = move |sides: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % u64::from(sides)) as u32
        };
        for step in 0..60 {
            let next = owner.status(inbox).await.unwrap().uid_next;
            let first = roll(next) + 1;
            let uids: Vec<Uid> = match roll(3) {
                0 => (first..first + 40).collect(),
                1 => (first..next).step_by(7).take(500).collect(),
                _ => (first..next).take(1500).collect(),
            };
            let (action, set) = [(FlagAction::Add, true), (FlagAction::Remove, false)][roll(2) as usize];
            let what = match roll(6) {
                0 => {
                    owner.remove_messages(inbox, &uids).await.unwrap();
                    "removed"
                }
                1 => {
                    owner.copy(inbox, &uids, &owner, inbox).await.unwrap();
                    "copied"
                }
                2 => {
                    owner.move_to(inbox, &uids, &owner, inbox).await.unwrap();
                    "moved"
                }
                3 => {
                    let all: Vec<Uid> = (1..next).collect();
                    let seen = change(FlagAction::Add, Flags::SEEN, &[]);
                    owner.store(inbox, &all, seen).await.unwrap();
                    "all seen"
                }
                4 if roll(4) == 0 => {
                    owner.expunge(inbox, None).await.unwrap();
                    "expunged"
                }
                _ => {
                    let flag = [Flags::SEEN, Flags::DELETED][roll(2) as usize];
                    owner
                        .store(inbox, &uids, change(action, flag, &[]))
                        .await
                        .unwrap();
                    if set { "flagged" } else { "unflagged" }
                }
            };
            if roll(2) == 0 {
                close(&owner);
            }
            // Half of the time the next change meets a folder that nobody has selected.
            if roll(2) == 0 {
                same(&owner, inbox, &format!("step {step}: {what} from {first} on")).await;
            }
        }
        close(&owner);
        same(&owner, inbox, "at last").await;
        drop(owner);
        world.close().await;
    });
}

#[test]
fn a_damaged_block_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = fill(&owner, 3000).await;
        owner.remove_messages(inbox, &[5, 6, 1500]).await.unwrap();
        let damages = [
            "UPDATE uid_block SET uids = zeroblob(12)",
            "UPDATE uid_block SET uids = (SELECT uids FROM uid_block ORDER BY id DESC LIMIT 1)",
            "DELETE FROM uid_block WHERE id IN (SELECT id FROM uid_block LIMIT 1)",
            "UPDATE uid_block SET uids = 'text' WHERE id IN (SELECT id FROM uid_block LIMIT 1)",
        ];
        for damage in damages {
            // Opened by a client.
            sql(&owner, damage).await;
            close(&owner);
            same(&owner, inbox, damage).await;
            // Found by a check.
            sql(&owner, damage).await;
            let found = owner.check(true).await.unwrap().problems;
            assert!(
                found
                    .iter()
                    .any(|(refusal, repaired)| refusal.code == "mailbox-uids-wrong" && *repaired)
            );
            close(&owner);
            same(&owner, inbox, damage).await;
        }
        sql(&owner, "UPDATE uid_block SET marks = 0").await;
        assert_eq!(owner.check(true).await.unwrap().problems.len(), 1);
        same(&owner, inbox, "repaired").await;
        drop(owner);
        world.close().await;
    });
}

/// The blocks of a removed folder must not be those of another, nor stay.
#[test]
fn a_removed_folder_leaves_no_block() {
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let world = World::real(dir.path());
        let owner = world.boxes.owner(ALICE);
        let inbox = fill(&owner, 2500).await;
        let archive = owner.folder("Archive").await.unwrap().id;
        let uids: Vec<Uid> = (1..=2500).collect();
        owner.copy(inbox, &uids, &owner, archive).await.unwrap();
        owner.delete("Archive").await.unwrap();
        let count = |ctx: &mut ctx::Ctx<'_>| {
            let mut statement = ctx.store.conn.prepare("SELECT count(*) FROM uid_block")?;
            Ok(statement.query_row([], |row| row.get::<_, i64>(0))?)
        };
        // First, for it commits what is open, and that may seal.
        let sealed = sealed(&owner, inbox).await;
        let blocks = owner.handle.core.run(&owner.slot, count).await.unwrap();
        assert_eq!(blocks, i64::from(sealed));
        same(&owner, inbox, "another was removed").await;
        drop(owner);
        world.close().await;
    });
}
