//! What is told of a mailbox that can't do what was asked of it.

use std::path::Path;

use events::Scope;
use events::kinds::store::MailboxDamaged;

use crate::MailboxError;
use crate::core::Core;
use crate::slot::{Run, Slot};

impl Core {
    /// Damage is told once while the mailbox is open; a full disk is noted with the disk, whoever met it; after a failed sync nothing is taken any more.
    pub(crate) fn tell_trouble(&self, slot: &Slot, run: &mut Run, error: &MailboxError) {
        match error {
            MailboxError::Full(_) => self.tell_full(&slot.dir),
            MailboxError::SyncFailed(reason) => self.durability.fail(&slot.dir, reason),
            MailboxError::Damaged(reason) if !std::mem::replace(&mut run.damage_told, true) => {
                let event = MailboxDamaged {
                    owner: slot.id.0.to_string(),
                    reason: reason.clone(),
                };
                self.events.emit(Scope::default(), event);
            }
            _ => {}
        }
    }

    pub(crate) fn tell_full(&self, dir: &Path) {
        let path = dir.join("mail.db");
        self.disk.space().met_full(&path, disk::sqlite::WANTED_BYTES);
    }
}
