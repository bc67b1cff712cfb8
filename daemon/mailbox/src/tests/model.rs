//! Random operations against a mailbox that is only a list.

use std::collections::BTreeMap;

use super::*;

/// A folder as anybody would write it.
#[derive(Clone, Debug, Default)]
struct Model {
    messages: BTreeMap<Uid, (String, Flags, Vec<String>)>,
    next: Uid,
    gone: Vec<Uid>,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(sides)) as u32
    }

    fn some(&mut self, model: &Model) -> Vec<Uid> {
        model
            .messages
            .keys()
            .copied()
            .filter(|_| self.roll(3) == 0)
            .collect()
    }
}

async fn compare(
    owner: &Owner,
    folder: FolderId,
    name: &str,
    model: &Model,
    since: &mut ModSeq,
    seen: &mut BTreeMap<Uid, Row>,
) {
    let selected = owner.select(name, false).await.unwrap();
    let names = |row: &Row| -> Vec<String> {
        let bits = selected
            .keywords
            .iter()
            .enumerate()
            .filter(|(bit, _)| row.keywords >> bit & 1 != 0);
        let mut names: Vec<String> = bits.map(|(_, name)| name.clone()).collect();
        names.sort();
        names
    };
    let rows = super::rows(owner, folder, 0).await;
    assert!(selected.uids.iter().eq(rows.iter().map(|row| row.uid)));
    let unseen = rows.iter().find(|row| !row.flags.contains(Flags::SEEN));
    assert_eq!(selected.first_unseen, unseen.map(|row| row.uid));
    let found: Vec<_> = rows.iter().map(|row| (row.uid, row.flags, names(row))).collect();
    let expected: Vec<_> = model
        .messages
        .iter()
        .map(|(uid, (_, flags, names))| (*uid, *flags, names.clone()))
        .collect();
    assert_eq!(found, expected);
    let count = |test: &dyn Fn(Flags) -> bool| {
        model.messages.values().filter(|message| test(message.1)).count() as u64
    };
    let status = selected.status;
    assert_eq!(status.messages, model.messages.len() as u64);
    assert_eq!(status.unseen, count(&|flags| !flags.contains(Flags::SEEN)));
    assert_eq!(status.deleted, count(&|flags| flags.contains(Flags::DELETED)));
    assert_eq!(status.uid_next, model.next);
    let subjects: Vec<String> = texts(owner, name)
        .await
        .unwrap()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let written: Vec<String> = model
        .messages
        .values()
        .map(|message| String::from_utf8(super::message(&message.0)).unwrap())
        .collect();
    assert_eq!(subjects, written);
    // A session that only hears of changes knows the same.
    let known = seen.keys().next_back().copied().unwrap_or(0);
    let changes = owner.changes(folder, *since, known, false).await.unwrap();
    seen.retain(|uid, _| changes.uids.contains(*uid));
    for uid in super::gone(owner, folder, *since).await {
        assert!(!seen.contains_key(&uid));
    }
    for row in &changes.rows {
        seen.insert(row.uid, *row);
    }
    for row in super::rows(owner, folder, *since).await {
        seen.insert(row.uid, row);
    }
    *since = changes.highest_modseq;
    assert_eq!(seen.values().copied().collect::<Vec<_>>(), rows);
    // And one that comes back after a long time hears of all that went.
    assert_eq!(super::gone(owner, folder, 0).await, model.gone);
}

fn expunge(model: &mut Model, uids: &[Uid]) {
    for uid in uids {
        model.messages.remove(uid);
        model.gone.push(*uid);
    }
    model.gone.sort_unstable();
}

#[test]
fn a_mailbox_is_a_list_of_messages() {
    for seed in 1..6 {
        let dir = tempfile::tempdir().unwrap();
        runtime().block_on(story(seed, dir.path()));
    }
}

async fn story(seed: u64, dir: &Path) {
    let mut dice = Dice(seed);
    let mut world = World::real(dir);
    let mut models = [
        Model {
            next: 1,
            ..Model::default()
        },
        Model {
            next: 1,
            ..Model::default()
        },
    ];
    let mut known = [(0, BTreeMap::new()), (0, BTreeMap::new())];
    let names = ["INBOX", "Archive"];
    for number in 0..150 {
        let mut owner = world.boxes.owner(ALICE);
        if dice.roll(25) == 0 {
            drop(owner);
            world.close().await;
            world = World::real(dir);
            owner = world.boxes.owner(ALICE);
        }
        let at = dice.roll(2) as usize;
        let folders = [
            owner.folder("INBOX").await.unwrap().id,
            owner.folder("Archive").await.unwrap().id,
        ];
        let folder = folders[at];
        let uids = dice.some(&models[at]);
        match dice.roll(7) {
            0..=2 => {
                let appended = owner
                    .append(folder, vec![append(&number.to_string())])
                    .await
                    .unwrap();
                let model = &mut models[at];
                assert_eq!(appended[0].uid, model.next);
                model
                    .messages
                    .insert(model.next, (number.to_string(), Flags::NONE, Vec::new()));
                model.next += 1;
            }
            3 => store(&mut dice, &owner, folder, &uids, &mut models[at]).await,
            4 => {
                let gone = owner.expunge(folder, None).await.unwrap();
                let expected = models[at]
                    .messages
                    .iter()
                    .filter(|(_, message)| message.1.contains(Flags::DELETED));
                assert_eq!(gone, expected.map(|(uid, _)| *uid).collect::<Vec<_>>());
                expunge(&mut models[at], &gone);
            }
            what => {
                let to = dice.roll(2) as usize;
                let copied = if what == 5 {
                    owner.copy(folder, &uids, &owner, folders[to]).await.unwrap()
                } else {
                    owner.move_to(folder, &uids, &owner, folders[to]).await.unwrap()
                };
                assert_eq!(copied.source, uids);
                for (source, target) in uids.iter().zip(&copied.target) {
                    assert_eq!(*target, models[to].next);
                    let message = models[at].messages[source].clone();
                    models[to].messages.insert(*target, message);
                    models[to].next += 1;
                }
                if what != 5 {
                    expunge(&mut models[at], &uids);
                }
            }
        }
        for which in 0..2 {
            let (since, seen) = &mut known[which];
            compare(&owner, folders[which], names[which], &models[which], since, seen).await;
        }
    }
    assert_eq!(world.boxes.owner(ALICE).check(false).await.unwrap().problems, []);
    world.close().await;
}

/// STORE with random flags.
async fn store(dice: &mut Dice, owner: &Owner, folder: FolderId, uids: &[Uid], model: &mut Model) {
    let action = [FlagAction::Add, FlagAction::Remove, FlagAction::Replace][dice.roll(3) as usize];
    let flags = Flags(dice.roll(32) as u8);
    let keyword = format!("$k{}", dice.roll(5));
    owner
        .store(folder, uids, change(action, flags, &[&keyword]))
        .await
        .unwrap();
    for uid in uids {
        let (_, had, names) = model.messages.get_mut(uid).unwrap();
        match action {
            FlagAction::Add => *had = had.with(flags),
            FlagAction::Remove => *had = had.without(flags),
            FlagAction::Replace => *had = flags,
        }
        names.retain(|name| *name != keyword && action != FlagAction::Replace);
        if action != FlagAction::Remove {
            names.push(keyword.clone());
            names.sort();
        }
    }
}
