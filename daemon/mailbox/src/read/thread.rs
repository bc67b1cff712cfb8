//! THREAD (RFC 5256 §3): messages in trees, by their subjects or by the messages that they name.
//!
//! Message ids and subjects are compared by their hashes. Nothing here calls itself: a thread is as deep as its senders like.

mod references;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use wire::imap::ThreadAlgorithm;

use crate::Result;
use crate::ctx::Ctx;
use crate::read::order::{self, Column};
use crate::types::{FolderId, ThreadNode, Uid};

/// What is threaded.
#[derive(Default)]
pub(crate) struct Threading {
    messages: Vec<Message>,
    /// Message ids of all messages that are answered.
    references: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Message {
    uid: Uid,
    sent: i64,
    subject: u64,
    /// Whether the base subject is not empty.
    has_subject: bool,
    is_reply: bool,
    id: Option<u64>,
    /// Where its references stand.
    references: (usize, usize),
}

const COLUMNS: [Column; 6] = [
    Column::Sent,
    Column::Subject,
    Column::SubjectHash,
    Column::IsReply,
    Column::MessageId,
    Column::References,
];

impl Threading {
    /// Takes what is needed of some of the messages (ascending): how many are done.
    pub(crate) fn portion(&mut self, ctx: &mut Ctx<'_>, folder: FolderId, uids: &[Uid]) -> Result<usize> {
        order::portion(ctx, folder, uids, &COLUMNS, |message| {
            let start = self.references.len();
            let (ids, _) = message.bytes(Column::References)?.as_chunks::<8>();
            self.references
                .extend(ids.iter().map(|id| u64::from_le_bytes(*id)));
            self.messages.push(Message {
                uid: message.uid,
                sent: message.sent()?,
                subject: message.number(Column::SubjectHash)?.unwrap_or_default() as u64,
                has_subject: !message.bytes(Column::Subject)?.is_empty(),
                is_reply: message.number(Column::IsReply)?.unwrap_or_default() != 0,
                id: message.number(Column::MessageId)?.map(|id| id as u64),
                references: (start, self.references.len()),
            });
            Ok(())
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn threads(&self, algorithm: ThreadAlgorithm) -> Vec<ThreadNode> {
        match algorithm {
            ThreadAlgorithm::OrderedSubject => self.by_subject(),
            ThreadAlgorithm::References => references::threads(self),
        }
    }

    /// By sent date, and by number where those are equal.
    fn order(&self, message: usize) -> (i64, Uid) {
        self.messages
            .get(message)
            .map_or((i64::MAX, Uid::MAX), |message| (message.sent, message.uid))
    }

    /// Messages with one base subject are a thread: the first of them with the others below.
    fn by_subject(&self) -> Vec<ThreadNode> {
        let mut threads: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<u64, usize> = HashMap::new();
        for (at, message) in self.messages.iter().enumerate() {
            let next = threads.len();
            let thread = *known.entry(message.subject).or_insert(next);
            if thread == next {
                threads.push(Vec::new());
            }
            if let Some(thread) = threads.get_mut(thread) {
                thread.push(at);
            }
        }
        for thread in &mut threads {
            thread.sort_unstable_by_key(|&at| self.order(at));
        }
        threads.sort_unstable_by_key(|thread| thread.first().map(|&at| self.order(at)));
        let mut nodes = Vec::with_capacity(self.messages.len());
        for thread in &threads {
            for (at, &message) in thread.iter().enumerate() {
                nodes.push(ThreadNode {
                    uid: self.messages.get(message).map(|message| message.uid),
                    children: if at == 0 { thread.len() as u32 - 1 } else { 0 },
                });
            }
        }
        nodes
    }
}
