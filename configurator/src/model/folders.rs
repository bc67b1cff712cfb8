//! The folders in sight: those of one user, or of one public tree.

use shared::model::Folder;
use shared::protocol::FolderList;

use super::said::Said;
use super::{Model, Page};

/// The folders of one owner.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// A user's address, or what [`public_owner`] makes of a tree's name.
    pub user: Option<String>,
    pub rows: Option<Vec<Folder>>,
    pub selected: Option<String>,
    pub failed: Option<Said>,
}

/// What stands for a user's address where the public folders of that name are meant.
pub fn public_owner(name: &str) -> String {
    format!("Public/{name}")
}

/// A folder as people name it: `INBOX` of public folders is what all of them are below.
pub fn shown_name(user: &str, folder: &str) -> String {
    if folder == "INBOX" && is_public(user) {
        user.to_owned()
    } else {
        folder.to_owned()
    }
}

/// Whether an owner is a public tree.
pub fn is_public(user: &str) -> bool {
    user.starts_with("Public/")
}

impl Folders {
    fn of(user: Option<String>) -> Self {
        Self {
            user,
            ..Self::default()
        }
    }
}

impl Model {
    /// Another owner was chosen.
    pub(super) fn enter_folders(&mut self, user: Option<String>) {
        self.folders = Folders::of(user);
        self.read_folders();
    }

    /// Puts the owner in place who is selected on the page that is gone to.
    pub(super) fn folders_of_page(&mut self, page: &Page) {
        let user = match page {
            Page::Folders(_) => self.users.selected.clone(),
            Page::Public => self.public.selected.as_deref().map(public_owner),
            _ => return,
        };
        if self.folders.user != user {
            self.folders = Folders::of(user);
        }
    }

    pub(super) fn read_folders(&mut self) {
        let Some(user) = self.folders.user.clone().filter(|_| self.connected()) else {
            return;
        };
        self.ask(&FolderList { user: user.clone() }, move |model, answer| {
            if model.folders.user.as_ref() != Some(&user) {
                return;
            }
            match answer {
                Ok(rows) => {
                    model.folders.rows = Some(rows.rows);
                    model.folders.failed = None;
                }
                Err(failed) => model.folders.failed = Some(Said::failed(&failed)),
            }
        });
    }
}
