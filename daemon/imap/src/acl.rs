//! SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314).
//!
//! Whom a folder belongs to always has all rights on it; they are shown first and can't be changed.

use bytes::{BufMut, BytesMut};
use directory::Whose;
use mailbox::RightsAction;
use shared::Rights;
use wire::imap::render::{put_astring, put_mailbox};
use wire::imap::{AclCommand, RightsChange};

use crate::place::{Place, Space, directory_unavailable};
use crate::reply::{Answer, COMPLETED, End, Outcome};
use crate::session::Session;

/// MYRIGHTS needs one of these (RFC 4314 §4).
const MY_RIGHTS: Rights = Rights::LOOKUP
    .with(Rights::READ)
    .with(Rights::INSERT)
    .with(Rights::CREATE)
    .with(Rights::DELETE)
    .with(Rights::ADMIN);

/// An untagged response that begins with a word and the mailbox.
fn begin(out: &mut BytesMut, word: &str, place: &Place, utf8: bool) {
    out.put_slice(b"* ");
    out.put_slice(word.as_bytes());
    out.put_u8(b' ');
    put_mailbox(out, &place.name(), utf8);
}

/// `* MYRIGHTS name rights`; nothing if the rights are not enough to ask for them.
pub(crate) fn put_my_rights(out: &mut BytesMut, name: &str, rights: Rights, utf8: bool) {
    if rights.intersects(MY_RIGHTS) {
        out.put_slice(b"* MYRIGHTS ");
        put_mailbox(out, name, utf8);
        out.put_u8(b' ');
        out.put_slice(rights.with_obsolete().as_bytes());
        out.put_slice(b"\r\n");
    }
}

impl Session {
    pub(crate) async fn acl(&mut self, command: AclCommand) -> Outcome {
        let done = match command {
            AclCommand::Set {
                mailbox,
                identifier,
                change,
                rights,
            } => {
                let Ok(rights) = Rights::parse(&rights) else {
                    return Ok(Answer::bad("unknown right"));
                };
                let action = match change {
                    RightsChange::Replace => RightsAction::Replace,
                    RightsChange::Add => RightsAction::Add,
                    RightsChange::Remove => RightsAction::Remove,
                };
                self.set_acl(mailbox.as_str(), &identifier, action, rights).await
            }
            AclCommand::Delete { mailbox, identifier } => {
                let none = Rights::NONE;
                self.set_acl(mailbox.as_str(), &identifier, RightsAction::Replace, none)
                    .await
            }
            AclCommand::Get { mailbox } => match self.place(mailbox.as_str(), Rights::ADMIN).await {
                Ok(place) => self.get_acl(&place).await?,
                Err(answer) => Err(answer),
            },
            AclCommand::ListRights { mailbox, identifier } => {
                self.list_rights(mailbox.as_str(), &identifier).await
            }
            AclCommand::MyRights { mailbox } => match self.place(mailbox.as_str(), MY_RIGHTS).await {
                Ok(place) => {
                    let utf8 = self.enabled.utf8();
                    put_my_rights(self.conn.output(), &place.name(), place.rights, utf8);
                    Ok(())
                }
                Err(answer) => Err(answer),
            },
        };
        Ok(match done {
            Ok(()) => Answer::ok(COMPLETED),
            Err(answer) => answer,
        })
    }

    /// The identifier in the form that is kept, and whether it means the owner.
    async fn identifier(&self, place: &Place, written: &str) -> Result<(Option<String>, bool), Answer> {
        let kept = self.server.directory.identifier(written).await;
        let kept = kept.map_err(|_| directory_unavailable())?;
        let owner = format!("#{}", place.spot.owner.id().0);
        let is_owner = kept
            .as_deref()
            .is_some_and(|kept| kept.strip_prefix('-').unwrap_or(kept) == owner);
        Ok((kept, is_owner))
    }

    async fn set_acl(
        &self,
        name: &str,
        written: &str,
        action: RightsAction,
        rights: Rights,
    ) -> Result<(), Answer> {
        let place = self.place(name, Rights::ADMIN).await?;
        let (kept, is_owner) = self.identifier(&place, written).await?;
        let gives = action != RightsAction::Remove && !rights.is_empty();
        let kept = match kept {
            Some(kept) => kept,
            // What is kept of those who are gone can still be taken away.
            None if !gives => written.to_owned(),
            None => return Err(Answer::no("there is no such user or group")),
        };
        if is_owner {
            let stays = match action {
                RightsAction::Replace => rights == Rights::ALL,
                RightsAction::Add => true,
                RightsAction::Remove => rights.is_empty(),
            };
            return if stays && !kept.starts_with('-') {
                Ok(())
            } else {
                Err(Answer::no("the owner has all rights").with("CANNOT"))
            };
        }
        let owner = &place.spot.owner;
        let change = owner.change_rights(&place.folder.name, &kept, action, rights);
        let gains = Some(kept.as_str()).filter(|_| gives);
        self.change_shares(owner, gains, change).await
    }

    async fn get_acl(&mut self, place: &Place) -> Result<Result<(), Answer>, End> {
        let (owner, directory) = (&place.spot.owner, &self.server.directory);
        let table = match owner.rights().await {
            Ok(table) => table,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut shown = Vec::new();
        if place.spot.space != Space::Public {
            match directory.whose(owner.id()).await {
                Ok(Some(Whose::User(account))) => shown.push((account.address.to_string(), Rights::ALL)),
                Ok(_) => {}
                Err(_) => return Ok(Err(directory_unavailable())),
            }
        }
        for (kept, letters) in table.get(&place.folder.id).into_iter().flatten() {
            match directory.identifier_name(kept).await {
                Ok(Some(name)) => shown.push((name, Rights::parse(letters).unwrap_or_default())),
                Ok(None) => {}
                Err(_) => return Ok(Err(directory_unavailable())),
            }
        }
        let utf8 = self.enabled.utf8();
        let out = self.conn.output();
        begin(out, "ACL", place, utf8);
        for (name, rights) in shown {
            out.put_u8(b' ');
            put_astring(out, name.as_bytes());
            out.put_u8(b' ');
            out.put_slice(rights.with_obsolete().as_bytes());
        }
        out.put_slice(b"\r\n");
        Ok(Ok(()))
    }

    async fn list_rights(&mut self, name: &str, written: &str) -> Result<(), Answer> {
        let place = self.place(name, Rights::ADMIN).await?;
        let (kept, is_owner) = self.identifier(&place, written).await?;
        if kept.is_none() {
            return Err(Answer::no("there is no such user or group"));
        }
        let utf8 = self.enabled.utf8();
        let out = self.conn.output();
        begin(out, "LISTRIGHTS", &place, utf8);
        out.put_u8(b' ');
        put_astring(out, written.as_bytes());
        if is_owner {
            out.put_u8(b' ');
            out.put_slice(Rights::ALL.with_obsolete().as_bytes());
        } else {
            // None that everybody has; each of the others by itself.
            out.put_slice(b" \"\"");
            let letters = Rights::LETTERS.into_iter().chain(Rights::OBSOLETE);
            for (letter, _) in letters {
                out.put_u8(b' ');
                out.put_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        out.put_slice(b"\r\n");
        Ok(())
    }
}
