//! What this room writes into the journal.
//!
//! One record per operation, with its outcome: the numbers that were given, never how to find new ones. So a replay does what the
//! first run did, however often it is done. A payload is: version (1 byte), owner, moment (Unix seconds), tag (1 byte), the fields of the
//! operation, then the small texts that it brings, one after the other. Numbers are LEB128 (see `codec.rs`).
//!
//! Version 1: the first, without the moment. Version 2: with it, for dates of saving (RFC 8514). A version or a tag that is not known here was written by a
//! newer program: nothing is opened then, for to pass over such a record would lose what it says. (Programs before tag 13 do pass over it.)

mod parts;

use bytes::Bytes;
use shared::model::OwnerId;
use wire::imap::Flags;

use crate::codec::{self, Malformed};
use crate::types::{Annotation, FlagAction};
use parts::{
    get_annotation, get_append, get_byte, get_copy, get_folder, get_list, get_names, get_place,
    put_annotations, put_append, put_copy, put_folders, put_names, put_place, put_renamed,
};

pub(crate) const VERSION: u8 = 2;

/// One operation on one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Numbers up to and including `upto` may be given from now on: UIDs of a folder, or (folder 0) MODSEQs. Durable before the first is.
    Reserve {
        folder: i64,
        upto: u64,
    },
    /// A delivery whose text is in the queue's record, as long as that lives.
    Place(Place),
    /// New messages with their texts.
    Append(Append),
    /// What `action` makes of the flags of these UIDs.
    Flags {
        folder: i64,
        modseq: u64,
        action: FlagAction,
        flags: Flags,
        keywords: u64,
        names: Vec<String>,
        uids: Ranges,
    },
    Expunge {
        folder: i64,
        modseq: u64,
        uids: Ranges,
    },
    Copy(Copy),
    Create {
        modseq: u64,
        folders: Vec<NewFolder>,
    },
    /// New names by folder.
    Rename {
        modseq: u64,
        names: Vec<(i64, String)>,
    },
    Delete {
        modseq: u64,
        folder: i64,
    },
    Subscribe {
        name: String,
        on: bool,
    },
    Rights {
        folder: i64,
        identifier: String,
        rights: String,
    },
    /// Annotations of a folder (0: the mailbox) as they are now.
    Annotate {
        folder: i64,
        entries: Vec<Annotation>,
    },
    /// The mailbox is removed; what came before is not replayed.
    Destroy,
    /// Keeps a place in the order of the log and does nothing.
    Mark,
}

/// Ascending, disjoint, inclusive.
pub(crate) type Ranges = Vec<(u32, u32)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The queue's record that has the text.
    pub(crate) message: u64,
    /// The message's first record: with the target the key of the delivery.
    pub(crate) first: u64,
    pub(crate) target: u32,
    pub(crate) folder: i64,
    pub(crate) uid: u32,
    pub(crate) modseq: u64,
    pub(crate) received: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Append {
    pub(crate) folder: i64,
    /// Keywords that the folder learns, in the order of their bits.
    pub(crate) names: Vec<String>,
    pub(crate) items: Vec<Item>,
    /// A MOVE from another owner: what the source loses once this is durable.
    pub(crate) source: Option<(OwnerId, i64, Ranges)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) uid: u32,
    /// Also the number of the text: never given twice, so that neither is that.
    pub(crate) modseq: u64,
    pub(crate) flags: Flags,
    pub(crate) keywords: u64,
    pub(crate) received: (i64, i16),
    /// The key of a delivery whose text must not depend on the queue.
    pub(crate) key: Option<(u64, u32)>,
    pub(crate) text: ItemText,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ItemText {
    /// Stands in the record.
    Small(Bytes),
    /// Stands in `large/` under the number of the text, durable before the record is written.
    Large,
}

/// Copies of messages within one owner; they share their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) modseq: u64,
    pub(crate) names: Vec<String>,
    /// The bit in the target of each bit in the source.
    pub(crate) keywords: Vec<(u8, u8)>,
    pub(crate) uids: Ranges,
    /// The copies follow one another from here.
    pub(crate) first: u32,
    /// The originals go.
    pub(crate) expunge: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewFolder {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) special_use: Option<String>,
    pub(crate) uid_validity: u32,
    pub(crate) uid_reserved: u32,
}

/// A record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) owner: OwnerId,
    /// When it was written, Unix seconds; records of version 1 don't say.
    pub(crate) at: Option<i64>,
    pub(crate) op: Op,
}

/// The parts of a payload: the head, and the texts, which are not copied.
pub(crate) fn encode<'a>(owner: OwnerId, at: i64, op: &'a Op, head: &'a mut Vec<u8>) -> Vec<&'a [u8]> {
    head.clear();
    head.push(VERSION);
    codec::put_u64(head, owner.0);
    codec::put_i64(head, at);
    put_op(head, op);
    let mut parts: Vec<&[u8]> = vec![head];
    if let Op::Append(append) = op {
        parts.extend(append.items.iter().filter_map(|item| match &item.text {
            ItemText::Small(text) => Some(text.as_ref()),
            ItemText::Large => None,
        }));
    }
    parts
}

/// Why a record can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Another version of the program wrote it.
    Newer,
    Damaged,
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Damaged
    }
}

/// Whose record it is, and what was done when.
pub(crate) fn decode(payload: &Bytes) -> std::result::Result<Read, Unread> {
    let mut from = payload.clone();
    let version = get_byte(&mut from)?;
    if !matches!(version, 1 | VERSION) {
        return Err(Unread::Newer);
    }
    let owner = OwnerId(codec::get_u64(&mut from)?);
    let at = if version == 1 {
        None
    } else {
        Some(codec::get_i64(&mut from)?)
    };
    let op = get_op(&mut from)?;
    Ok(Read { owner, at, op })
}

fn put_op(out: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Mark => out.push(0),
        Op::Reserve { folder, upto } => {
            out.push(1);
            codec::put_i64(out, *folder);
            codec::put_u64(out, *upto);
        }
        Op::Place(place) if place.first == place.message => {
            out.push(2);
            put_place(out, place);
        }
        // One that was put off before.
        Op::Place(place) => {
            out.push(13);
            codec::put_u64(out, place.first);
            put_place(out, place);
        }
        Op::Append(append) => {
            out.push(3);
            put_append(out, append);
        }
        Op::Flags {
            folder,
            modseq,
            action,
            flags,
            keywords,
            names,
            uids,
        } => {
            out.push(4);
            codec::put_i64(out, *folder);
            codec::put_u64(out, *modseq);
            out.push(match action {
                FlagAction::Add => 0,
                FlagAction::Remove => 1,
                FlagAction::Replace => 2,
            });
            out.push(flags.0);
            codec::put_u64(out, *keywords);
            put_names(out, names);
            codec::put_ranges(out, uids);
        }
        Op::Expunge { folder, modseq, uids } => {
            out.push(5);
            codec::put_i64(out, *folder);
            codec::put_u64(out, *modseq);
            codec::put_ranges(out, uids);
        }
        Op::Copy(copy) => {
            out.push(6);
            put_copy(out, copy);
        }
        Op::Create { modseq, folders } => {
            out.push(7);
            codec::put_u64(out, *modseq);
            put_folders(out, folders);
        }
        Op::Rename { modseq, names } => {
            out.push(8);
            codec::put_u64(out, *modseq);
            put_renamed(out, names);
        }
        Op::Delete { modseq, folder } => {
            out.push(9);
            codec::put_u64(out, *modseq);
            codec::put_i64(out, *folder);
        }
        Op::Subscribe { name, on } => {
            out.extend([10, u8::from(*on)]);
            codec::put_text(out, name);
        }
        Op::Rights {
            folder,
            identifier,
            rights,
        } => {
            out.push(11);
            codec::put_i64(out, *folder);
            codec::put_text(out, identifier);
            codec::put_text(out, rights);
        }
        Op::Destroy => out.push(12),
        Op::Annotate { folder, entries } => {
            out.push(40);
            codec::put_i64(out, *folder);
            put_annotations(out, entries);
        }
    }
}

fn get_op(from: &mut Bytes) -> std::result::Result<Op, Unread> {
    Ok(match get_byte(from)? {
        0 => Op::Mark,
        1 => Op::Reserve {
            folder: codec::get_i64(from)?,
            upto: codec::get_u64(from)?,
        },
        2 => Op::Place(get_place(from)?),
        3 => Op::Append(get_append(from)?),
        4 => Op::Flags {
            folder: codec::get_i64(from)?,
            modseq: codec::get_u64(from)?,
            action: match get_byte(from)? {
                0 => FlagAction::Add,
                1 => FlagAction::Remove,
                2 => FlagAction::Replace,
                _ => return Err(Unread::Damaged),
            },
            flags: Flags(get_byte(from)?),
            keywords: codec::get_u64(from)?,
            names: get_names(from)?,
            uids: codec::get_ranges(from)?,
        },
        5 => Op::Expunge {
            folder: codec::get_i64(from)?,
            modseq: codec::get_u64(from)?,
            uids: codec::get_ranges(from)?,
        },
        6 => Op::Copy(get_copy(from)?),
        7 => Op::Create {
            modseq: codec::get_u64(from)?,
            folders: get_list(from, get_folder)?,
        },
        8 => Op::Rename {
            modseq: codec::get_u64(from)?,
            names: get_list(from, |from| Ok((codec::get_i64(from)?, codec::get_text(from)?)))?,
        },
        9 => Op::Delete {
            modseq: codec::get_u64(from)?,
            folder: codec::get_i64(from)?,
        },
        10 => {
            let on = get_byte(from)? != 0;
            Op::Subscribe {
                name: codec::get_text(from)?,
                on,
            }
        }
        11 => Op::Rights {
            folder: codec::get_i64(from)?,
            identifier: codec::get_text(from)?,
            rights: codec::get_text(from)?,
        },
        12 => Op::Destroy,
        13 => {
            let first = codec::get_u64(from)?;
            Op::Place(Place {
                first,
                ..get_place(from)?
            })
        }
        40 => Op::Annotate {
            folder: codec::get_i64(from)?,
            entries: get_list(from, get_annotation)?,
        },
        _ => return Err(Unread::Newer),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn annotate() -> Op {
        let annotation = |user, entry: &str, value| Annotation {
            user: OwnerId(user),
            entry: entry.to_owned(),
            value,
        };
        Op::Annotate {
            folder: 0,
            entries: vec![
                annotation(0, "/shared/comment", Some(vec![0, 255])),
                annotation(9, "/private/comment", None),
            ],
        }
    }

    fn all() -> Vec<Op> {
        let item = |text| Item {
            uid: 7,
            modseq: 1 << 40,
            flags: Flags::SEEN,
            keywords: 5,
            received: (-1, -420),
            key: Some((9, 1)),
            text,
        };
        let names = vec!["$Junk".to_owned()];
        vec![
            Op::Mark,
            Op::Reserve {
                folder: 3,
                upto: 2000,
            },
            Op::Place(Place {
                message: 8,
                first: 8,
                target: 2,
                folder: 1,
                uid: 3,
                modseq: 4,
                received: 5,
            }),
            Op::Place(Place {
                message: 8,
                first: 6,
                target: 2,
                folder: 1,
                uid: 3,
                modseq: 4,
                received: 5,
            }),
            Op::Append(Append {
                folder: 1,
                names: names.clone(),
                items: vec![
                    item(ItemText::Small(Bytes::from_static(b"a\r\n"))),
                    item(ItemText::Large),
                    item(ItemText::Small(Bytes::new())),
                ],
                source: Some((OwnerId(4), 2, vec![(1, 9)])),
            }),
            Op::Flags {
                folder: 1,
                modseq: 2,
                action: FlagAction::Remove,
                flags: Flags::ALL,
                keywords: 1,
                names: names.clone(),
                uids: vec![(1, 3)],
            },
            Op::Expunge {
                folder: 1,
                modseq: 2,
                uids: vec![(1, 3), (8, 8)],
            },
            Op::Copy(Copy {
                from: 1,
                to: 2,
                modseq: 3,
                names,
                keywords: vec![(0, 3)],
                uids: vec![(4, 5)],
                first: 6,
                expunge: true,
            }),
            Op::Create {
                modseq: 1,
                folders: vec![NewFolder {
                    id: 9,
                    name: "a/b".into(),
                    special_use: Some("\\Junk".into()),
                    uid_validity: 3,
                    uid_reserved: 4,
                }],
            },
            Op::Rename {
                modseq: 1,
                names: vec![(1, "x".into())],
            },
            Op::Delete { modseq: 1, folder: 2 },
            Op::Subscribe {
                name: "x".into(),
                on: true,
            },
            Op::Rights {
                folder: 1,
                identifier: "anyone".into(),
                rights: "lrs".into(),
            },
            Op::Destroy,
        ]
    }

    #[test]
    fn records_of_version_1_are_read() {
        // What version 1 wrote for Delete { modseq: 1, folder: 2 } of owner 77.
        let payload = Bytes::from_static(&[1, 77, 9, 1, 4]);
        let op = Op::Delete { modseq: 1, folder: 2 };
        let (owner, at) = (OwnerId(77), None);
        assert_eq!(decode(&payload).unwrap(), Read { owner, at, op });
    }

    /// It would be passed over, with what it says of somebody's mail.
    #[test]
    fn what_a_newer_version_wrote_is_known_as_that() {
        let unread = |payload| decode(&Bytes::from_static(payload)).unwrap_err();
        assert_eq!(unread(&[3, 77, 9, 1, 4]), Unread::Newer, "version");
        assert_eq!(unread(&[1, 77, 200, 1]), Unread::Newer, "operation");
        assert_eq!(unread(&[1, 77, 9, 1]), Unread::Damaged);
    }

    #[test]
    fn every_operation_both_ways() {
        for op in all().into_iter().chain([annotate()]) {
            let mut head = Vec::new();
            let payload = Bytes::from(encode(OwnerId(77), 1_700_000_000, &op, &mut head).concat());
            let (owner, at) = (OwnerId(77), Some(1_700_000_000));
            assert_eq!(decode(&payload).unwrap(), Read { owner, at, op });
            for len in 0..payload.len() {
                // A record that is cut off is refused or is another one, but nothing panics.
                let _ = decode(&payload.slice(..len));
            }
        }
    }
}
