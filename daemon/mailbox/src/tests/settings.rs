//! The power is cut while annotations (RFC 5464) and rights (RFC 4314) are changed: what was answered is there, what was not is there as a whole or
//! not at all, and a folder never shows itself without the rights that it inherits.

use std::collections::BTreeMap;

use super::cuts::Dice;
use super::*;

const ABOVE: &str = "Archive";
const USERS: [u64; 3] = [0, 7, 8];
const ENTRIES: [&str; 3] = ["/shared/comment", "/private/comment", "/shared/vendor/x"];
const WHO: [&str; 3] = ["anyone", "user:7", "group:3"];
/// Folders that are made below [`ABOVE`], from first to last.
const BELOW_MAX: usize = 4;

/// Whose entry of which folder (`None`: of the mailbox).
type Entry = (Option<FolderId>, u64, String);
/// Rights of a folder.
type Given = BTreeMap<String, String>;

/// All that can be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Settings {
    entries: BTreeMap<Entry, Vec<u8>>,
    /// By name.
    rights: BTreeMap<String, Given>,
    below: usize,
}

impl Settings {
    async fn read(owner: &Owner) -> Result<Self> {
        let mut found = Self::default();
        let (folders, table) = owner.folders_and_rights().await?;
        let places = folders.iter().map(|folder| Some(folder.id)).chain([None]);
        for place in places {
            for user in USERS {
                for (entry, value) in owner.annotations(place, OwnerId(user), |_| true).await? {
                    // Shared entries come with everybody's own.
                    let whose = if entry.starts_with("/shared") { 0 } else { user };
                    found.entries.insert((place, whose, entry), value);
                }
            }
        }
        for folder in folders.iter() {
            let given: Given = table.get(&folder.id).into_iter().flatten().cloned().collect();
            if !given.is_empty() {
                found.rights.insert(folder.name.clone(), given);
            }
            found.below += usize::from(folder.name.starts_with("Archive/"));
        }
        Ok(found)
    }
}

struct Story {
    dice: Dice,
    /// What was answered.
    sure: Settings,
    /// What is there instead if the change that had no answer was made.
    perhaps: Option<Settings>,
    made: u32,
}

impl Story {
    async fn act(&mut self, world: &World, owner: &Owner) -> Result<()> {
        match self.dice.roll(8) {
            0..=2 => self.annotate(owner).await,
            3..=4 => self.give(owner).await,
            5 => self.create(owner).await,
            6 => {
                let inbox = owner.folder("INBOX").await?.id;
                owner.append(inbox, vec![append("a")]).await.map(drop)
            }
            _ => {
                let _ = world.journal.trim();
                Ok(())
            }
        }
    }

    /// Several entries at once: all or none.
    async fn annotate(&mut self, owner: &Owner) -> Result<()> {
        let place = match self.dice.pick(&["", "INBOX", ABOVE]) {
            "" => None,
            name => Some(owner.folder(name).await?.id),
        };
        let mut after = self.sure.clone();
        let mut entries = Vec::new();
        for name in ENTRIES {
            let user = if name.starts_with("/shared") {
                0
            } else {
                self.dice.pick(&[7, 8])
            };
            let key = (place, user, name.to_owned());
            self.made += 1;
            let value = (self.dice.roll(4) > 0).then(|| format!("value {}", self.made).into_bytes());
            match &value {
                Some(value) => after.entries.insert(key, value.clone()),
                None => after.entries.remove(&key),
            };
            entries.push(Annotation {
                user: OwnerId(user),
                entry: name.to_owned(),
                value,
            });
        }
        self.perhaps = Some(after);
        owner.annotate(place, entries).await?;
        self.answered();
        Ok(())
    }

    async fn give(&mut self, owner: &Owner) -> Result<()> {
        let who = self.dice.pick(&WHO);
        let rights = Rights::parse(self.dice.pick(&["", "lr", "lrsw", "lrswipkxtea"])).unwrap();
        let mut after = self.sure.clone();
        let given = after.rights.entry(ABOVE.to_owned()).or_default();
        if rights.is_empty() {
            given.remove(who);
        } else {
            given.insert(who.to_owned(), rights.to_string());
        }
        if given.is_empty() {
            after.rights.remove(ABOVE);
        }
        self.perhaps = Some(after);
        owner
            .change_rights(ABOVE, who, RightsAction::Replace, rights)
            .await?;
        self.answered();
        Ok(())
    }

    async fn create(&mut self, owner: &Owner) -> Result<()> {
        if self.sure.below == BELOW_MAX {
            return Ok(());
        }
        let mut after = self.sure.clone();
        after.below += 1;
        let name = format!("{ABOVE}/{}", after.below);
        if let Some(given) = self.sure.rights.get(ABOVE).cloned() {
            after.rights.insert(name.clone(), given);
        }
        self.perhaps = Some(after);
        owner.create(&name, None).await?;
        self.answered();
        Ok(())
    }

    fn answered(&mut self) {
        if let Some(after) = self.perhaps.take() {
            self.sure = after;
        }
    }

    /// What is there is what was answered, with or without the last change.
    async fn after(&mut self, owner: &Owner) -> Result<()> {
        let found = Settings::read(owner).await?;
        let perhaps = self.perhaps.take();
        if perhaps.as_ref() == Some(&found) {
            self.sure = found;
        } else {
            assert_eq!(found, self.sure, "or {perhaps:?}");
        }
        assert_eq!(owner.check(false).await?.problems, []);
        Ok(())
    }
}

fn story(seed: u64) {
    let runtime = runtime();
    let mut disk = SimDisk::new(seed);
    disk.shared().create_dir_all_synced(Path::new("/data")).unwrap();
    let mut story = Story {
        dice: Dice::new(seed),
        sure: Settings::default(),
        perhaps: None,
        made: 0,
    };
    for boot in 0..5 {
        let last = boot == 4;
        if !last {
            let length = story.dice.pick(&[20, 100, 600]);
            disk.crash_at(disk.steps() + 1 + story.dice.roll(length));
        }
        let lived = World::simulated(&disk, "settings").and_then(|world| {
            runtime.block_on(async {
                let owner = world.boxes.owner(ALICE);
                story.after(&owner).await?;
                for _ in 0..story.dice.roll(30) {
                    if last {
                        break;
                    }
                    story.act(&world, &owner).await?;
                }
                Ok(())
            })
        });
        assert!(
            disk.is_off() || lived.is_ok(),
            "seed {seed}, boot {boot}: {lived:?}"
        );
        disk = if story.dice.roll(4) == 0 {
            disk.process_death()
        } else {
            disk.restart()
        };
    }
}

/// In CI some hundred; `MAILBOX_SEEDS=FROM..TO` for more.
#[test]
fn power_cuts_while_settings_are_changed() {
    let range = std::env::var("MAILBOX_SEEDS").unwrap_or_else(|_| "0..150".to_owned());
    let (from, to) = range.split_once("..").unwrap();
    for seed in from.parse().unwrap()..to.parse().unwrap() {
        story(seed);
    }
}
