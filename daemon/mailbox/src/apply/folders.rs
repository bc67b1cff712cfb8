//! What operations on folders do to the database: names, subscriptions and rights.

use std::sync::Arc;

use journal::RecordId;
use rusqlite::params;

use super::expunge;
use crate::core::Core;
use crate::feed::{Happening, What};
use crate::record::NewFolder;
use crate::store::{FolderRow, Store};
use crate::types::FolderId;
use crate::{Result, uids};

pub(super) fn create(store: &mut Store, modseq: u64, folders: &[NewFolder]) -> Result<()> {
    for new in folders {
        let taken = store.folders.contains_key(&new.id) || store.folder_named(&new.name).is_some();
        store.state.uid_validity = store.state.uid_validity.max(new.uid_validity);
        if taken {
            continue;
        }
        store.conn.execute(
            "INSERT INTO folder VALUES(?1, ?2, ?3, ?4, 1, ?5, ?6, 0, 0, 0, 0, 1, 0, '', 0)",
            params![
                new.id,
                new.name,
                new.special_use,
                new.uid_validity,
                new.uid_reserved,
                modseq as i64
            ],
        )?;
        let row = FolderRow {
            id: new.id,
            name: new.name.clone(),
            special_use: new.special_use.clone(),
            uid_validity: new.uid_validity,
            uid_next: 1,
            uid_reserved: new.uid_reserved,
            highest_modseq: modseq,
            messages: 0,
            unseen: 0,
            deleted: 0,
            recent: 0,
            recent_from: 1,
            bytes: 0,
            keywords: Vec::new(),
            sealed: 0,
            dirty: false,
        };
        store.folders.insert(new.id, row);
        store.state.modseq = store.state.modseq.max(new.id as u64);
        store.happened(Happening::Created {
            folder: FolderId(new.id),
            name: Arc::from(new.name.as_str()),
        });
        // The name may have been another folder's.
        store.touched(new.id, What::Messages);
    }
    folders_changed(store, modseq);
    Ok(())
}

fn folders_changed(store: &mut Store, modseq: u64) {
    store.state.modseq = store.state.modseq.max(modseq);
    store.listing = None;
    store.shares_changed = true;
    store.changed = true;
}

pub(super) fn rename(store: &mut Store, modseq: u64, names: &[(i64, String)]) -> Result<()> {
    // Out of the way first: the new names may be old ones of others.
    for (folder, _) in names {
        store
            .conn
            .execute("UPDATE folder SET name = '/' || id WHERE id = ?1", [folder])?;
    }
    for (folder, name) in names {
        store
            .conn
            .execute("UPDATE folder SET name = ?2 WHERE id = ?1", (folder, name))?;
        if let Some(row) = store.folder_mut(*folder) {
            let from = Arc::from(std::mem::replace(&mut row.name, name.clone()));
            store.happened(Happening::Renamed {
                folder: FolderId(*folder),
                from,
                name: Arc::from(name.as_str()),
            });
            store.touched(*folder, What::Messages);
        }
    }
    folders_changed(store, modseq);
    Ok(())
}

pub(super) fn delete(core: &Core, store: &mut Store, id: RecordId, modseq: u64, folder: i64) -> Result<()> {
    if let Some(row) = store.folders.get_mut(&folder) {
        store.uids.forget(row);
    }
    uids::remove(&store.conn, folder)?;
    expunge(core, store, id, folder, modseq, &vec![(0, u32::MAX)])?;
    if let Some(row) = store.folders.get(&folder) {
        let name = Arc::from(row.name.as_str());
        let granted = granted(store, folder)?;
        store.happened(Happening::Removed { name, granted });
    }
    store
        .conn
        .execute("DELETE FROM expunged WHERE folder = ?1", [folder])?;
    for table in ["rights", "annotation"] {
        store
            .conn
            .execute(&format!("DELETE FROM {table} WHERE folder = ?1"), [folder])?;
    }
    store.rights = None;
    store.conn.execute("DELETE FROM folder WHERE id = ?1", [folder])?;
    store.folders.remove(&folder);
    store.recent_changes.forget(folder);
    store.history.forget(folder);
    folders_changed(store, modseq);
    Ok(())
}

pub(super) fn subscribe(store: &mut Store, name: &str, on: bool) -> Result<()> {
    let sql = if on {
        "INSERT OR IGNORE INTO subscription VALUES(?1)"
    } else {
        "DELETE FROM subscription WHERE name = ?1"
    };
    let changed = store.conn.execute(sql, [name])?;
    store.listing = None;
    store.shares_changed = true;
    if changed > 0 {
        store.happened(Happening::Subscribed {
            name: Arc::from(name),
        });
    }
    Ok(())
}

/// What is given on a folder.
fn granted(store: &mut Store, folder: i64) -> Result<Vec<(String, String)>> {
    Ok(store
        .rights()?
        .get(&FolderId(folder))
        .cloned()
        .unwrap_or_default())
}

pub(super) fn set_rights(store: &mut Store, folder: i64, identifier: &str, rights: &str) -> Result<()> {
    // Those of a new folder are set before it is made.
    if let Some(row) = store.folders.get(&folder) {
        let name = Arc::from(row.name.as_str());
        let before = granted(store, folder)?;
        let mut after = before.clone();
        after.retain(|(other, _)| other != identifier);
        if !rights.is_empty() {
            after.push((identifier.to_owned(), rights.to_owned()));
        }
        store.happened(Happening::Rights { name, before, after });
    }
    if rights.is_empty() {
        store.conn.execute(
            "DELETE FROM rights WHERE folder = ?1 AND identifier = ?2",
            (folder, identifier),
        )?;
    } else {
        store.conn.execute(
            "INSERT OR REPLACE INTO rights VALUES(?1, ?2, ?3)",
            (folder, identifier, rights),
        )?;
    }
    store.rights = None;
    store.shares_changed = true;
    store.rights_changed = true;
    store.changed = true;
    Ok(())
}
