//! Folders: making, renaming, removing, subscriptions and rights.

use journal::RecordId;
use shared::Rights;

use crate::ctx::Ctx;
use crate::record::{NewFolder, Op};
use crate::types::{Folder, FolderId, RightsAction, Transfer};
use crate::{MailboxError, Result, names};

/// Folders of one owner.
const FOLDERS_MAX: usize = 10_000;
/// Names that one owner is subscribed to; folders of others count, and what is gone.
const SUBSCRIPTIONS_MAX: usize = 10_000;
/// Identifiers that may have rights on one folder.
const IDENTIFIERS_MAX: usize = 1000;
/// UIDs that a new folder may give before it reserves more.
const FIRST_UIDS: u32 = 1000;

/// Whether the topmost folders of an owner lie below INBOX in respect of rights: so in public trees, where INBOX stands for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Mailbox,
    Tree,
}

/// Makes a folder and the levels above it. Durable when it returns: what a session has seen under a UIDVALIDITY must not come back as another.
pub(crate) fn create(
    ctx: &mut Ctx<'_>,
    name: &str,
    special_use: Option<&str>,
    shape: Shape,
) -> Result<Folder> {
    let name = names::canonical(name)?;
    if ctx.store.folder_named(&name).is_some() {
        return Err(MailboxError::FolderExists);
    }
    let made: Vec<(String, Option<String>)> = names::parents(&name)
        .filter(|parent| ctx.store.folder_named(&canonical_level(parent)).is_none())
        .map(|parent| (canonical_level(parent), None))
        .chain([(name.clone(), special_use.map(str::to_owned))])
        .collect();
    let (modseq, folders) = new_folders(ctx, made)?;
    // Before the folder itself: what is durable of a folder has its rights.
    for (identifier, rights) in inherited(ctx, &name, shape)? {
        for new in &folders {
            let (folder, identifier, rights) = (new.id, identifier.clone(), rights.clone());
            ctx.record(
                &Op::Rights {
                    folder,
                    identifier,
                    rights,
                },
                None,
            )?;
        }
    }
    ctx.record_durably(&Op::Create { modseq, folders })?;
    folder(ctx, &name)
}

/// RFC 4314 §4: a new folder has the rights of the one above it.
fn inherited(ctx: &mut Ctx<'_>, name: &str, shape: Shape) -> Result<Vec<(String, String)>> {
    let above = names::parents(name)
        .filter_map(|parent| ctx.store.folder_named(&canonical_level(parent)))
        .last()
        .or_else(|| match shape {
            Shape::Mailbox => None,
            Shape::Tree => ctx.store.folder_named(names::INBOX),
        })
        .map(|row| FolderId(row.id));
    let Some(above) = above else {
        return Ok(Vec::new());
    };
    Ok(ctx.store.rights()?.get(&above).cloned().unwrap_or_default())
}

/// A level named INBOX in any case is INBOX.
fn canonical_level(name: &str) -> String {
    if name.eq_ignore_ascii_case(names::INBOX) {
        names::INBOX.to_owned()
    } else {
        name.to_owned()
    }
}

fn new_folders(ctx: &mut Ctx<'_>, made: Vec<(String, Option<String>)>) -> Result<(u64, Vec<NewFolder>)> {
    if ctx.store.folders.len() + made.len() > FOLDERS_MAX {
        return Err(MailboxError::TooMany("too many folders"));
    }
    let first = ctx.take_modseqs(made.len() as u64)?;
    let now = u32::try_from(crate::now()).unwrap_or(u32::MAX);
    let mut uid_validity = ctx.store.state.uid_validity;
    let mut folders = Vec::with_capacity(made.len());
    for ((name, special_use), id) in made.into_iter().zip(first..) {
        uid_validity = now.max(uid_validity.saturating_add(1));
        folders.push(NewFolder {
            id: id as i64,
            name,
            special_use,
            uid_validity,
            uid_reserved: FIRST_UIDS,
        });
    }
    Ok((ctx.store.state.modseq, folders))
}

/// The folder of that name.
pub(crate) fn folder(ctx: &mut Ctx<'_>, name: &str) -> Result<Folder> {
    let name = names::canonical(name)?;
    let listing = ctx.store.listing()?;
    listing
        .iter()
        .find(|folder| folder.name == name)
        .cloned()
        .ok_or(MailboxError::NoSuchFolder)
}

/// RFC 3501 §6.3.5.
pub(crate) fn rename(ctx: &mut Ctx<'_>, name: &str, to: &str, shape: Shape) -> Result<Option<RecordId>> {
    let (name, to) = (names::canonical(name)?, names::canonical(to)?);
    let id = ctx
        .store
        .folder_named(&name)
        .ok_or(MailboxError::NoSuchFolder)?
        .id;
    if ctx.store.folder_named(&to).is_some() {
        return Err(MailboxError::FolderExists);
    }
    if name == names::INBOX {
        return rename_inbox(ctx, id, &to).map(Some);
    }
    if names::below(&to, &name).is_some() {
        return Err(MailboxError::NotAllowed("a folder can't be moved into itself"));
    }
    let mut renamed = vec![(id, to.clone())];
    for row in ctx.store.folders.values() {
        if let Some(rest) = names::below(&row.name, &name) {
            renamed.push((row.id, names::canonical(&format!("{to}{rest}"))?));
        }
    }
    let taken = |new: &String| {
        ctx.store
            .folder_named(new)
            .is_some_and(|row| !renamed.iter().any(|(id, _)| *id == row.id))
    };
    if renamed.iter().any(|(_, new)| taken(new)) {
        return Err(MailboxError::FolderExists);
    }
    if let Some((parent, _)) = to.rsplit_once('/')
        && ctx.store.folder_named(&canonical_level(parent)).is_none()
    {
        create(ctx, parent, None, shape)?;
    }
    let modseq = ctx.take_modseq()?;
    ctx.record(
        &Op::Rename {
            modseq,
            names: renamed,
        },
        None,
    )
    .map(Some)
}

/// INBOX stays, and stays empty; what lies below it stays too.
fn rename_inbox(ctx: &mut Ctx<'_>, inbox: i64, to: &str) -> Result<RecordId> {
    let target = create(ctx, to, None, Shape::Mailbox)?;
    let mut uids = Vec::new();
    ctx.store.rows(inbox, 0, u32::MAX, |row| uids.push(row.uid))?;
    let (_, record) = crate::write::copy::within(ctx, FolderId(inbox), &uids, target.id, Transfer::MOVE)?;
    match record {
        Some(record) => Ok(record),
        None => ctx.record(&Op::Mark, None),
    }
}

pub(crate) fn delete(ctx: &mut Ctx<'_>, name: &str) -> Result<RecordId> {
    let name = names::canonical(name)?;
    if name == names::INBOX {
        return Err(MailboxError::NotAllowed("INBOX can't be removed"));
    }
    let folder = ctx
        .store
        .folder_named(&name)
        .ok_or(MailboxError::NoSuchFolder)?
        .id;
    let modseq = ctx.take_modseq()?;
    ctx.record(&Op::Delete { modseq, folder }, None)
}

pub(crate) fn subscribe(ctx: &mut Ctx<'_>, name: &str, on: bool) -> Result<RecordId> {
    let name = names::canonical(name)?;
    if on {
        check_room(&ctx.store.subscriptions()?, &name)?;
    }
    ctx.record(&Op::Subscribe { name, on }, None)
}

/// What is there already can be subscribed to again. `known` is sorted.
fn check_room(known: &[String], name: &str) -> Result<()> {
    let found = known.binary_search_by(|known| known.as_str().cmp(name));
    if known.len() >= SUBSCRIPTIONS_MAX && found.is_err() {
        return Err(MailboxError::TooMany("too many subscriptions"));
    }
    Ok(())
}

/// Changes one identifier's rights on a folder; `None`: they are so already.
pub(crate) fn change_rights(
    ctx: &mut Ctx<'_>,
    name: &str,
    identifier: &str,
    action: RightsAction,
    rights: Rights,
) -> Result<Option<RecordId>> {
    let folder = folder(ctx, name)?.id;
    let table = ctx.store.rights()?;
    let known = table.get(&folder).map(Vec::as_slice).unwrap_or_default();
    let old = known.iter().find(|(other, _)| other == identifier);
    if old.is_none() && known.len() >= IDENTIFIERS_MAX {
        return Err(MailboxError::TooMany("too many rights on this folder"));
    }
    let had = old.map_or(Rights::NONE, |(_, letters)| {
        Rights::parse(letters).unwrap_or_default()
    });
    let has = match action {
        RightsAction::Replace => rights,
        RightsAction::Add => had.with(rights),
        RightsAction::Remove => had.without(rights),
    };
    if has == had && old.is_some() != has.is_empty() {
        return Ok(None);
    }
    let (folder, identifier, rights) = (folder.0, identifier.to_owned(), has.to_string());
    ctx.record(
        &Op::Rights {
            folder,
            identifier,
            rights,
        },
        None,
    )
    .map(Some)
}

/// The bit in the target of each bit in the source, and the keywords that the target has yet to learn.
type KeywordMap = (Vec<(u8, u8)>, Vec<String>);

/// Keywords of a folder as they come to be in another: by name.
pub(crate) fn map_keywords(ctx: &Ctx<'_>, from: i64, to: i64, used: u64) -> Result<KeywordMap> {
    let known = &ctx.store.folder(FolderId(from))?.keywords;
    let bits: Vec<usize> = (0..known.len()).filter(|bit| used >> bit & 1 != 0).collect();
    let names: Vec<String> = bits.iter().filter_map(|bit| known.get(*bit).cloned()).collect();
    let (_, new) = ctx.keyword_bits(to, &names, true)?;
    let target = &ctx.store.folder(FolderId(to))?.keywords;
    let place = |name: &String| {
        target
            .iter()
            .chain(&new)
            .position(|other| other.eq_ignore_ascii_case(name))
    };
    let map = bits
        .iter()
        .zip(&names)
        .filter_map(|(bit, name)| Some((*bit as u8, place(name)? as u8)))
        .collect();
    Ok((map, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_have_an_end() {
        let known: Vec<String> = (0..SUBSCRIPTIONS_MAX).map(|n| format!("f{n:05}")).collect();
        assert!(matches!(
            check_room(&known, "other"),
            Err(MailboxError::TooMany(_))
        ));
        assert!(check_room(&known, "f00007").is_ok());
        assert!(check_room(&known[1..], "other").is_ok());
    }
}
