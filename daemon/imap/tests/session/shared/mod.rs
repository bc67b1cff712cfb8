//! Folders of others: rights in every command, and what is seen of them.
//! # tests: ACL RIGHTS=texk LIST-MYRIGHTS NAMESPACE

mod acl;
mod lists;
mod public;

use mailbox::{Owner, RightsAction};
use shared::Rights;
use shared::model::Group;

use crate::support::*;

/// The first user's inbox as the other one knows it.
const ANNAS: &str = "\"Other Users/anna@example.test/INBOX\"";

impl World {
    pub(crate) async fn other(&self) -> Client {
        self.client_of(OTHER).await
    }

    pub(crate) async fn client_of(&self, address: &str) -> Client {
        let mut client = self.connect().await;
        client.ok(&format!("LOGIN {address} \"{PASSWORD}\"")).await;
        client
    }

    pub(crate) async fn owner_of(&self, address: &str) -> Owner {
        let account = self.server.directory.account(&address.parse().unwrap()).await;
        self.server.mailboxes.owner(account.unwrap().unwrap().owner)
    }

    /// As an administrator.
    pub(crate) async fn give(&self, owner: &Owner, folder: &str, who: &str, letters: &str) {
        let directory = &self.server.directory;
        let kept = directory.identifier(who).await.unwrap().unwrap();
        let rights = Rights::parse(letters).unwrap();
        let change = async {
            owner
                .change_rights(folder, &kept, RightsAction::Replace, rights)
                .await
                .unwrap();
            Ok::<_, directory::ChangeError>(owner.identifiers().await.unwrap())
        };
        directory
            .change_shares(owner.id(), Some(&kept), change)
            .await
            .unwrap();
    }

    pub(crate) async fn group(&self, name: &str, members: &[&str], member_groups: &[&str]) {
        let group = Group {
            name: name.to_owned(),
            description: String::new(),
            address: None,
            members: members.iter().map(|member| member.parse().unwrap()).collect(),
            member_groups: member_groups.iter().map(ToString::to_string).collect(),
            revision: 0,
        };
        self.server.directory.add_group(group, "test").await.unwrap();
    }

    pub(crate) async fn tree(&self, name: &str, quota_bytes: Option<u64>) -> Owner {
        let tree = self
            .server
            .directory
            .add_tree(name, quota_bytes, "test")
            .await
            .unwrap();
        let owner = self.server.mailboxes.owner(tree.owner);
        owner.make_tree().await.unwrap();
        owner
    }
}
