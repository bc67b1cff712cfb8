//! The larger pieces of a record's head.

use bytes::Bytes;
use shared::model::OwnerId;
use wire::imap::Flags;

use super::{Append, Copy, Item, ItemText, NewFolder, Place};
use crate::codec::{self, Malformed, Read};
use crate::types::Annotation;

pub(super) fn get_byte(from: &mut Bytes) -> Read<u8> {
    codec::take(from, 1)?.first().copied().ok_or(Malformed)
}

pub(super) fn get_list<T>(from: &mut Bytes, one: impl Fn(&mut Bytes) -> Read<T>) -> Read<Vec<T>> {
    let count = codec::get_count(from)?;
    (0..count).map(|_| one(from)).collect()
}

pub(super) fn put_names(out: &mut Vec<u8>, names: &[String]) {
    codec::put_u64(out, names.len() as u64);
    for name in names {
        codec::put_text(out, name);
    }
}

pub(super) fn get_names(from: &mut Bytes) -> Read<Vec<String>> {
    get_list(from, codec::get_text)
}

pub(super) fn put_annotations(out: &mut Vec<u8>, entries: &[Annotation]) {
    codec::put_u64(out, entries.len() as u64);
    for Annotation { user, entry, value } in entries {
        codec::put_u64(out, user.0);
        codec::put_text(out, entry);
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            codec::put_u64(out, value.len() as u64);
            out.extend_from_slice(value);
        }
    }
}

pub(super) fn get_annotation(from: &mut Bytes) -> Read<Annotation> {
    let (user, entry) = (OwnerId(codec::get_u64(from)?), codec::get_text(from)?);
    let value = if get_byte(from)? == 0 {
        None
    } else {
        let len = codec::get_u64(from)?;
        Some(codec::take(from, len)?.to_vec())
    };
    Ok(Annotation { user, entry, value })
}

pub(super) fn put_place(out: &mut Vec<u8>, place: &Place) {
    codec::put_u64(out, place.message);
    codec::put_u64(out, u64::from(place.target));
    codec::put_i64(out, place.folder);
    codec::put_u64(out, u64::from(place.uid));
    codec::put_u64(out, place.modseq);
    codec::put_i64(out, place.received);
}

pub(super) fn get_place(from: &mut Bytes) -> Read<Place> {
    let message = codec::get_u64(from)?;
    Ok(Place {
        message,
        first: message,
        target: codec::get_u32(from)?,
        folder: codec::get_i64(from)?,
        uid: codec::get_u32(from)?,
        modseq: codec::get_u64(from)?,
        received: codec::get_i64(from)?,
    })
}

pub(super) fn put_append(out: &mut Vec<u8>, append: &Append) {
    codec::put_i64(out, append.folder);
    put_names(out, &append.names);
    match &append.source {
        None => out.push(0),
        Some((owner, folder, uids)) => {
            out.push(1);
            codec::put_u64(out, owner.0);
            codec::put_i64(out, *folder);
            codec::put_ranges(out, uids);
        }
    }
    codec::put_u64(out, append.items.len() as u64);
    for item in &append.items {
        codec::put_u64(out, u64::from(item.uid));
        codec::put_u64(out, item.modseq);
        out.push(item.flags.0);
        codec::put_u64(out, item.keywords);
        codec::put_i64(out, item.received.0);
        codec::put_i64(out, i64::from(item.received.1));
        match item.key {
            None => out.push(0),
            Some((message, target)) => {
                out.push(1);
                codec::put_u64(out, message);
                codec::put_u64(out, u64::from(target));
            }
        }
        match &item.text {
            ItemText::Large => out.push(0),
            ItemText::Small(text) => {
                out.push(1);
                codec::put_u64(out, text.len() as u64);
            }
        }
    }
}

pub(super) fn get_append(from: &mut Bytes) -> Read<Append> {
    let folder = codec::get_i64(from)?;
    let names = get_names(from)?;
    let source = match get_byte(from)? {
        0 => None,
        _ => Some((
            OwnerId(codec::get_u64(from)?),
            codec::get_i64(from)?,
            codec::get_ranges(from)?,
        )),
    };
    let read = get_list(from, |from| {
        let item = Item {
            uid: codec::get_u32(from)?,
            modseq: codec::get_u64(from)?,
            flags: Flags(get_byte(from)?),
            keywords: codec::get_u64(from)?,
            received: (
                codec::get_i64(from)?,
                i16::try_from(codec::get_i64(from)?).map_err(|_| Malformed)?,
            ),
            key: match get_byte(from)? {
                0 => None,
                _ => Some((codec::get_u64(from)?, codec::get_u32(from)?)),
            },
            text: ItemText::Large,
        };
        let len = if get_byte(from)? == 0 {
            None
        } else {
            Some(codec::get_u64(from)?)
        };
        Ok((item, len))
    })?;
    let mut items = Vec::with_capacity(read.len());
    for (mut item, len) in read {
        if let Some(len) = len {
            item.text = ItemText::Small(codec::take(from, len)?);
        }
        items.push(item);
    }
    Ok(Append {
        folder,
        names,
        items,
        source,
    })
}

pub(super) fn put_copy(out: &mut Vec<u8>, copy: &Copy) {
    codec::put_i64(out, copy.from);
    codec::put_i64(out, copy.to);
    codec::put_u64(out, copy.modseq);
    put_names(out, &copy.names);
    codec::put_u64(out, copy.keywords.len() as u64);
    out.extend(copy.keywords.iter().flat_map(|&(from, to)| [from, to]));
    codec::put_ranges(out, &copy.uids);
    codec::put_u64(out, u64::from(copy.first));
    out.push(u8::from(copy.expunge));
}

pub(super) fn get_copy(from: &mut Bytes) -> Read<Copy> {
    Ok(Copy {
        from: codec::get_i64(from)?,
        to: codec::get_i64(from)?,
        modseq: codec::get_u64(from)?,
        names: get_names(from)?,
        keywords: get_list(from, |from| Ok((get_byte(from)?, get_byte(from)?)))?,
        uids: codec::get_ranges(from)?,
        first: codec::get_u32(from)?,
        expunge: get_byte(from)? != 0,
    })
}

fn put_folder(out: &mut Vec<u8>, folder: &NewFolder) {
    codec::put_i64(out, folder.id);
    codec::put_text(out, &folder.name);
    codec::put_text(out, folder.special_use.as_deref().unwrap_or_default());
    codec::put_u64(out, u64::from(folder.uid_validity));
    codec::put_u64(out, u64::from(folder.uid_reserved));
}

pub(super) fn get_folder(from: &mut Bytes) -> Read<NewFolder> {
    Ok(NewFolder {
        id: codec::get_i64(from)?,
        name: codec::get_text(from)?,
        special_use: Some(codec::get_text(from)?).filter(|text| !text.is_empty()),
        uid_validity: codec::get_u32(from)?,
        uid_reserved: codec::get_u32(from)?,
    })
}

pub(super) fn put_folders(out: &mut Vec<u8>, folders: &[NewFolder]) {
    codec::put_u64(out, folders.len() as u64);
    for folder in folders {
        put_folder(out, folder);
    }
}

pub(super) fn put_renamed(out: &mut Vec<u8>, names: &[(i64, String)]) {
    codec::put_u64(out, names.len() as u64);
    for (folder, name) in names {
        codec::put_i64(out, *folder);
        codec::put_text(out, name);
    }
}
