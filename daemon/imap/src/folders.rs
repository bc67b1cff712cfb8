//! CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8; RFC 6154 §3).

use wire::imap::{CreateArgs, MailboxName};

use crate::namespace::DELIMITER;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::session::Session;

impl Session {
    pub(crate) async fn create(&mut self, args: CreateArgs) -> Outcome {
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        // RFC 9051 §6.3.4: a trailing delimiter only says that more will be made below it.
        let name = args.mailbox.as_str();
        let name = name.strip_suffix(DELIMITER).unwrap_or(name);
        if args.unknown_use || args.special_uses.len() > 1 {
            return Ok(Answer::no("this special use can't be had").with("USEATTR"));
        }
        let special_use = args.special_uses.first().map(|special| special.attribute());
        Ok(match user.owner.create(name, special_use).await {
            Ok(_) => Answer::ok(COMPLETED),
            Err(mailbox::MailboxError::NotAllowed(_)) if special_use.is_some() => {
                Answer::no("this special use can't be had").with("USEATTR")
            }
            Err(error) => error.into(),
        })
    }

    pub(crate) async fn delete(&mut self, name: &MailboxName) -> Outcome {
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        let deleted = user.owner.delete(name.as_str()).await;
        if deleted.is_ok()
            && self
                .view
                .as_ref()
                .is_some_and(|view| view.folder.name == name.as_str())
        {
            self.unselect();
        }
        Ok(done(deleted))
    }

    pub(crate) async fn rename(&mut self, from: &MailboxName, to: &MailboxName) -> Outcome {
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        let to = to.as_str().strip_suffix(DELIMITER).unwrap_or(to.as_str());
        Ok(done(user.owner.rename(from.as_str(), to).await))
    }

    pub(crate) async fn subscribe(&mut self, name: &MailboxName, on: bool) -> Outcome {
        let Some(user) = &self.user else {
            return Ok(Answer::bad("no user"));
        };
        Ok(done(user.owner.subscribe(name.as_str(), on).await))
    }
}

fn done(result: mailbox::Result<()>) -> Answer {
    match result {
        Ok(()) => Answer::ok(COMPLETED),
        Err(error) => error.into(),
    }
}
