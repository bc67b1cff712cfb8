//! Sorting and threading: what is needed of the messages is read in portions on the owner's worker, put in order elsewhere.

use std::sync::Arc;

use wire::imap::{SortKey, ThreadAlgorithm};

use super::Owner;
use crate::read::sort::{self, Sorting};
use crate::read::thread::Threading;
use crate::types::{FolderId, ThreadNode, Uid};
use crate::{MailboxError, Result};

impl Owner {
    /// Puts messages (ascending) in the order of the keys, each with whether it is reversed (RFC 5256); those that are gone are left out.
    pub async fn sort(
        &self,
        folder: FolderId,
        uids: Vec<Uid>,
        keys: Vec<(SortKey, bool)>,
    ) -> Result<Vec<Uid>> {
        let mut sorting = Sorting::by(&keys);
        let uids: Arc<[Uid]> = uids.into();
        let mut done = 0;
        while done < uids.len() {
            let uids = Arc::clone(&uids);
            (sorting, done) = self
                .run(move |ctx| {
                    let rest = uids.get(done..).unwrap_or_default();
                    let more = sorting.portion(ctx, folder, rest)?;
                    Ok((sorting, done + more.max(1)))
                })
                .await?;
        }
        let many = sorting.count() > sort::SORTED_AT_ONCE_MAX;
        off_the_runtime(many, move || sorting.sorted()).await
    }

    /// Where new messages are to be put into a list that is sorted by these keys: pairs of an index and the UID to put there, one after the
    /// other. Those that are gone are left out.
    pub async fn sort_into(
        &self,
        folder: FolderId,
        sorted: Vec<Uid>,
        new: Vec<Uid>,
        keys: Vec<(SortKey, bool)>,
    ) -> Result<Vec<(usize, Uid)>> {
        let (mut sorted, mut new, mut keys) = (sorted, new, keys);
        let mut places = Vec::new();
        while !new.is_empty() {
            let more;
            (sorted, new, keys, more) = self
                .run(move |ctx| {
                    let more = sort::places(ctx, folder, &keys, &mut sorted, &mut new)?;
                    Ok((sorted, new, keys, more))
                })
                .await?;
            places.extend(more);
        }
        Ok(places)
    }

    /// Puts messages (ascending) into threads (RFC 5256): the trees in preorder. Those that are gone are left out.
    pub async fn thread(
        &self,
        folder: FolderId,
        uids: Vec<Uid>,
        algorithm: ThreadAlgorithm,
    ) -> Result<Vec<ThreadNode>> {
        let mut threading = Threading::default();
        let uids: Arc<[Uid]> = uids.into();
        let mut done = 0;
        while done < uids.len() {
            let uids = Arc::clone(&uids);
            (threading, done) = self
                .run(move |ctx| {
                    let rest = uids.get(done..).unwrap_or_default();
                    let more = threading.portion(ctx, folder, rest)?;
                    Ok((threading, done + more.max(1)))
                })
                .await?;
        }
        let many = threading.count() > sort::SORTED_AT_ONCE_MAX;
        off_the_runtime(many, move || threading.threads(algorithm)).await
    }
}

/// Does what may take long on a thread of its own.
async fn off_the_runtime<T: Send + 'static>(
    long: bool,
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if !long {
        return Ok(call());
    }
    let done = tokio::task::spawn_blocking(call).await;
    done.map_err(|error| MailboxError::Unavailable(error.to_string()))
}
