//! APPEND, for whoever has the folder selected and for others.

use super::Owner;
use crate::Result;
use crate::read::changes;
use crate::types::{Append, Appended, Changes, FolderId, Seen};
use crate::write::append;

impl Owner {
    /// Durable when it returns.
    pub async fn append(&self, folder: FolderId, messages: Vec<Append>) -> Result<Vec<Appended>> {
        self.run_durable(move |ctx| append::append(ctx, folder, messages, None))
            .await
    }

    /// The same for a session that has the folder selected, which learns of its [`Owner::changes`] in the same step.
    pub async fn append_and_see(
        &self,
        folder: FolderId,
        messages: Vec<Append>,
        seen: Seen,
    ) -> Result<(Vec<Appended>, Changes)> {
        self.run_durable(move |ctx| {
            let (appended, record) = append::append(ctx, folder, messages, None)?;
            let changes = changes::changes(ctx, folder, seen.modseq, seen.last_uid, seen.claims_recent)?;
            Ok(((appended, changes), record))
        })
        .await
    }
}
