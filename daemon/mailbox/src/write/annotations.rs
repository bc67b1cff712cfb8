//! Annotations (RFC 5464): entries of a folder, or of the mailbox as a whole (folder 0), shared by all or private to one user.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use journal::RecordId;
use rusqlite::params;
use shared::model::OwnerId;

use crate::ctx::Ctx;
use crate::feed::Happening;
use crate::record::Op;
use crate::store::Store;
use crate::types::{Annotation, FolderId};
use crate::{ANNOTATIONS_MAX, MailboxError, Result};

/// One user's or everybody's: who the shared ones belong to.
const EVERYBODY: i64 = 0;

/// The shared entries, and those of one user, whose names are wanted; by name.
pub(crate) fn annotations(
    ctx: &Ctx<'_>,
    folder: Option<FolderId>,
    user: OwnerId,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>> {
    let mut statement = ctx.store.conn.prepare_cached(
        "SELECT entry, value FROM annotation WHERE folder = ?1 AND user IN (?2, ?3) ORDER BY entry",
    )?;
    let mut rows = statement.query(params![key(folder), EVERYBODY, user.0 as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let entry: String = row.get(0)?;
        if wanted(&entry) {
            found.push((entry, row.get(1)?));
        }
    }
    Ok(found)
}

/// Sets entries and removes those without a value, all or none.
pub(crate) fn annotate(
    ctx: &mut Ctx<'_>,
    folder: Option<FolderId>,
    entries: Vec<Annotation>,
) -> Result<Option<RecordId>> {
    if let Some(folder) = folder {
        ctx.store.folder(folder)?;
    }
    let mut kept: BTreeMap<OwnerId, Vec<String>> = BTreeMap::new();
    for annotation in &entries {
        let names = match kept.entry(annotation.user) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(names(ctx.store, folder, annotation.user)?),
        };
        names.retain(|name| *name != annotation.entry);
        if annotation.value.is_some() {
            names.push(annotation.entry.clone());
        }
    }
    let adds = entries.iter().any(|annotation| annotation.value.is_some());
    if adds && kept.values().any(|names| names.len() > ANNOTATIONS_MAX) {
        return Err(MailboxError::NotAllowed("too many annotations"));
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let folder = key(folder);
    ctx.record(&Op::Annotate { folder, entries }, None).map(Some)
}

pub(crate) fn apply(store: &mut Store, folder: i64, entries: &[Annotation]) -> Result<()> {
    // The folder may be gone by the time of a replay.
    if folder != 0 && !store.folders.contains_key(&folder) {
        return Ok(());
    }
    for Annotation { user, entry, value } in entries {
        let user = user.0 as i64;
        match value {
            Some(value) => store
                .conn
                .prepare_cached("INSERT OR REPLACE INTO annotation VALUES(?1, ?2, ?3, ?4)")?
                .execute(params![folder, user, entry, value])?,
            None => store
                .conn
                .prepare_cached("DELETE FROM annotation WHERE folder = ?1 AND user = ?2 AND entry = ?3")?
                .execute(params![folder, user, entry])?,
        };
    }
    let name = store.folders.get(&folder).map(|row| Arc::from(row.name.as_str()));
    let mut by_user: BTreeMap<OwnerId, Vec<String>> = BTreeMap::new();
    for Annotation { user, entry, .. } in entries {
        by_user.entry(*user).or_default().push(entry.clone());
    }
    for (user, entries) in by_user {
        let folder = name.clone().map(|name| (FolderId(folder), name));
        store.happened(Happening::Annotated {
            folder,
            user,
            entries,
        });
    }
    Ok(())
}

fn names(store: &Store, folder: Option<FolderId>, user: OwnerId) -> Result<Vec<String>> {
    let mut statement = store
        .conn
        .prepare_cached("SELECT entry FROM annotation WHERE folder = ?1 AND user = ?2")?;
    let names = statement.query_map(params![key(folder), user.0 as i64], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

fn key(folder: Option<FolderId>) -> i64 {
    folder.map_or(0, |folder| folder.0)
}
