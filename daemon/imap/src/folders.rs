//! CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8; RFC 6154 §3).

use shared::Rights;
use wire::imap::{CreateArgs, MailboxName};

use crate::namespace::DELIMITER;
use crate::place::Space;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

impl Session {
    pub(crate) async fn create(&mut self, args: CreateArgs) -> Outcome {
        // RFC 9051 §6.3.4: a trailing delimiter only says that more will be made below it.
        let name = args.mailbox.as_str();
        let name = name.strip_suffix(DELIMITER).unwrap_or(name);
        if args.unknown_use || args.special_uses.len() > 1 {
            return Ok(Answer::no("this special use can't be had").with("USEATTR"));
        }
        let special_use = args.special_uses.first().map(|special| special.attribute());
        let spot = match self.room_for(name).await {
            Ok(spot) => spot,
            Err(answer) => return Ok(answer),
        };
        // Special uses are the owner's to say (RFC 6154 §3).
        if special_use.is_some() && !spot.is_own() {
            return Ok(Answer::no("this special use can't be had").with("USEATTR"));
        }
        let created = match spot.space {
            Space::Public => spot.owner.create_in_tree(&spot.inner, special_use).await,
            _ => spot.owner.create(&spot.inner, special_use).await,
        };
        Ok(match created {
            // RFC 8474 §4.1
            Ok(folder) => Answer::ok(COMPLETED).with(format!(
                "MAILBOXID ({})",
                mailbox::mailbox_id(spot.owner.id(), folder.id)
            )),
            Err(mailbox::MailboxError::NotAllowed(_)) if special_use.is_some() => {
                Answer::no("this special use can't be had").with("USEATTR")
            }
            Err(error) => error.into(),
        })
    }

    pub(crate) async fn delete(&mut self, name: &MailboxName) -> Outcome {
        let place = match self.place(name.as_str(), Rights::DELETE).await {
            Ok(place) => place,
            Err(answer) => return Ok(answer),
        };
        let owner = &place.spot.owner;
        let shared = owner
            .rights()
            .await
            .is_ok_and(|table| table.contains_key(&place.folder.id));
        let deleted = owner.delete(&place.folder.name).await;
        if deleted.is_ok() && shared {
            // The hint may name too many; the next change of rights mends it.
            let _ = self.change_shares(owner, None, async { Ok(()) }).await;
        }
        if deleted.is_ok()
            && self.view.as_ref().is_some_and(|view| {
                view.folder.id == place.folder.id && view.place.spot.owner.id() == owner.id()
            })
        {
            self.unselect();
        }
        Ok(done(deleted))
    }

    pub(crate) async fn rename(&mut self, from: &MailboxName, to: &MailboxName) -> Outcome {
        let to = to.as_str().strip_suffix(DELIMITER).unwrap_or(to.as_str());
        let from = match self.place(from.as_str(), Rights::DELETE).await {
            Ok(place) => place,
            Err(answer) => return Ok(answer),
        };
        let to = match self.room_for(to).await {
            Ok(spot) => spot,
            Err(answer) => return Ok(answer),
        };
        let owner = &from.spot.owner;
        // A mailbox belongs to its owner; and the inbox of somebody else is not to be emptied.
        let is_inbox = from.folder.name == "INBOX";
        if owner.id() != to.owner.id() || (is_inbox && !from.spot.is_own()) {
            return Ok(Answer::no("this mailbox can't be renamed so").with("CANNOT"));
        }
        Ok(done(match to.space {
            Space::Public => owner.rename_in_tree(&from.folder.name, &to.inner).await,
            _ => owner.rename(&from.folder.name, &to.inner).await,
        }))
    }

    pub(crate) async fn subscribe(&mut self, name: &MailboxName, on: bool) -> Outcome {
        // Subscriptions are names; one's own need not be there, of others only what is seen.
        let spot = match self.spot(name.as_str()).await {
            Ok(spot) => Some(spot),
            Err(answer) if on => return Ok(answer),
            Err(_) => None,
        };
        if on
            && spot.is_some_and(|spot| !spot.is_own())
            && let Err(answer) = self.place(name.as_str(), Rights::LOOKUP).await
        {
            return Ok(answer);
        }
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        Ok(done(user.home.subscribe(name.as_str(), on).await))
    }
}

fn done(result: mailbox::Result<()>) -> Answer {
    match result {
        Ok(()) => Answer::ok(COMPLETED),
        Err(error) => error.into(),
    }
}
