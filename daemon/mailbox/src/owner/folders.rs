//! Folders: names, subscriptions, rights, annotations and counters.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::Rights;
use shared::model::OwnerId;

use super::Owner;
use crate::types::{Annotation, Folder, FolderId, RightsAction, RightsTable, Status};
use crate::write::folders::Shape;
use crate::write::{annotations, folders};
use crate::{Result, glance, names};

impl Owner {
    /// All folders, sorted by name, INBOX first.
    pub async fn folders(&self) -> Result<Arc<Vec<Folder>>> {
        self.run(|ctx| ctx.store.listing()).await
    }

    /// The folder of that name; INBOX in any case.
    pub async fn folder(&self, name: &str) -> Result<Folder> {
        if let Some(known) = self.glance(|store| glance::folder(store, name)) {
            return known;
        }
        let name = name.to_owned();
        self.run(move |ctx| folders::folder(ctx, &name)).await
    }

    /// Makes a folder and the missing levels above it. Durable when it returns.
    pub async fn create(&self, name: &str, special_use: Option<&str>) -> Result<Folder> {
        let (name, special_use) = (name.to_owned(), special_use.map(str::to_owned));
        self.run(move |ctx| folders::create(ctx, &name, special_use.as_deref(), Shape::Mailbox))
            .await
    }

    /// The same in a public tree, whose INBOX stands above all other folders: they inherit its rights.
    pub async fn create_in_tree(&self, name: &str, special_use: Option<&str>) -> Result<Folder> {
        let (name, special_use) = (name.to_owned(), special_use.map(str::to_owned));
        self.run(move |ctx| folders::create(ctx, &name, special_use.as_deref(), Shape::Tree))
            .await
    }

    /// RFC 3501 §6.3.5: renames a folder with those below it; renaming INBOX moves its messages. Durable when it returns.
    pub async fn rename(&self, name: &str, to: &str) -> Result<()> {
        let (name, to) = (name.to_owned(), to.to_owned());
        self.run_durable(move |ctx| Ok(((), folders::rename(ctx, &name, &to, Shape::Mailbox)?)))
            .await
    }

    pub async fn rename_in_tree(&self, name: &str, to: &str) -> Result<()> {
        let (name, to) = (name.to_owned(), to.to_owned());
        self.run_durable(move |ctx| Ok(((), folders::rename(ctx, &name, &to, Shape::Tree)?)))
            .await
    }

    /// Removes a folder with its messages. INBOX is refused. Durable when it returns.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.run_durable(move |ctx| Ok(((), Some(folders::delete(ctx, &name)?))))
            .await
    }

    /// Subscriptions are names: a folder need not exist (RFC 3501 §6.3.6).
    pub async fn subscribe(&self, name: &str, on: bool) -> Result<()> {
        let name = name.to_owned();
        self.run_durable(move |ctx| Ok(((), Some(folders::subscribe(ctx, &name, on)?))))
            .await
    }

    pub async fn subscriptions(&self) -> Result<Vec<String>> {
        self.run(|ctx| ctx.store.subscriptions()).await
    }

    /// The rights that were given on all folders. Whose, is for the caller to say and to understand.
    pub async fn rights(&self) -> Result<Arc<RightsTable>> {
        self.run(|ctx| ctx.store.rights()).await
    }

    /// All identifiers that have rights on any folder.
    pub async fn identifiers(&self) -> Result<BTreeSet<String>> {
        let table = self.rights().await?;
        Ok(table.values().flatten().map(|(who, _)| who.clone()).collect())
    }

    /// All folders and the rights on them at one moment. Costs no job as long as nobody changes them.
    pub async fn folders_and_rights(&self) -> Result<(Arc<Vec<Folder>>, Arc<RightsTable>)> {
        if let Some(known) = self.handle.core.shares.get(self.id()) {
            return Ok(known);
        }
        self.run(|ctx| {
            ctx.store.shares_asked = true;
            Ok((ctx.store.listing()?, ctx.store.rights()?))
        })
        .await
    }

    /// The folder of that name with all rights.
    pub async fn folder_and_rights(&self, name: &str) -> Result<(Folder, Arc<RightsTable>)> {
        let name = name.to_owned();
        self.run(move |ctx| Ok((folders::folder(ctx, &name)?, ctx.store.rights()?)))
            .await
    }

    /// Gives and takes rights on a folder. Durable when it returns.
    pub async fn change_rights(
        &self,
        name: &str,
        identifier: &str,
        action: RightsAction,
        rights: Rights,
    ) -> Result<()> {
        let (name, identifier) = (name.to_owned(), identifier.to_owned());
        self.run_durable(move |ctx| {
            Ok((
                (),
                folders::change_rights(ctx, &name, &identifier, action, rights)?,
            ))
        })
        .await
    }

    /// Annotations of a folder, or (`None`) of the mailbox: those shared by all and those of one user, by name.
    pub async fn annotations(
        &self,
        folder: Option<FolderId>,
        user: OwnerId,
        wanted: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        self.run(move |ctx| annotations::annotations(ctx, folder, user, wanted))
            .await
    }

    /// Sets annotations, all or none. Durable when it returns.
    pub async fn annotate(&self, folder: Option<FolderId>, entries: Vec<Annotation>) -> Result<()> {
        self.run_durable(move |ctx| Ok(((), annotations::annotate(ctx, folder, entries)?)))
            .await
    }

    pub async fn status(&self, folder: FolderId) -> Result<Status> {
        if let Some(known) = self.glance(|store| glance::status(store, folder)) {
            return known;
        }
        self.run(move |ctx| Ok(ctx.store.folder(folder)?.status())).await
    }

    /// All folders with their counters, sorted by name, INBOX first.
    pub async fn statuses(&self) -> Result<Vec<(Folder, Status)>> {
        self.run(|ctx| {
            let listing = ctx.store.listing()?;
            let folders = listing.iter();
            Ok(folders
                .filter_map(|folder| Some((folder.clone(), ctx.store.folder(folder.id).ok()?.status())))
                .collect())
        })
        .await
    }

    /// Bytes in all folders.
    pub async fn used_bytes(&self) -> Result<u64> {
        self.run(|ctx| Ok(ctx.store.used_bytes())).await
    }

    /// Bytes of the messages with \Deleted in a folder.
    pub async fn deleted_bytes(&self, folder: FolderId) -> Result<u64> {
        self.run(move |ctx| ctx.store.deleted_bytes(folder)).await
    }

    /// Makes the mailbox a public tree: only INBOX stays of the folders that a new mailbox has. Durable when it returns.
    pub async fn make_tree(&self) -> Result<()> {
        for folder in self.folders().await?.iter() {
            if folder.name != names::INBOX {
                self.delete(&folder.name).await?;
            }
        }
        Ok(())
    }
}
