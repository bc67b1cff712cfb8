//! THREAD and UID THREAD (RFC 5256).

use bytes::{BufMut, BytesMut};
use mailbox::{ThreadNode, Uid};
use wire::imap::render::put_number;
use wire::imap::{Tag, ThreadArgs};

use crate::reply::{Answer, COMPLETED, Outcome};
use crate::search::Search;
use crate::session::{Session, Tell};
use crate::sort::NUMBERS_PER_LOOK;

impl Session {
    pub(crate) async fn thread(&mut self, tag: &Tag, uid: bool, args: ThreadArgs) -> Outcome {
        self.tell(Tell::NoExpunge, uid).await?;
        let search = Search {
            charset: args.charset,
            key: args.search,
            returns: None,
        };
        let uids = match self.matching(tag, search).await {
            Ok(matched) => matched.uids,
            Err(answer) => return Ok(answer),
        };
        let Some(view) = &self.view else {
            return Ok(Answer::bad("no mailbox"));
        };
        let nodes = match view
            .place
            .spot
            .owner
            .thread(view.folder.id, uids, args.algorithm)
            .await
        {
            Ok(nodes) => nodes,
            Err(error) => return Ok(error.into()),
        };
        let number = |message: Uid| {
            if uid {
                return message;
            }
            view.index(message).map_or(0, |index| index as u32 + 1)
        };
        let mut writer = Writer::default();
        self.conn.output().put_slice(b"* THREAD");
        if !nodes.is_empty() {
            self.conn.output().put_u8(b' ');
        }
        for part in nodes.chunks(NUMBERS_PER_LOOK) {
            for node in part {
                writer.put(self.conn.output(), *node, number);
            }
            self.conn.flush_if_full().await?;
        }
        self.conn.output().put_slice(b"\r\n");
        Ok(Answer::ok(COMPLETED))
    }
}

/// Writes trees that come in preorder: `(3 6 (4 23)(44 7 96))`.
#[derive(Default)]
struct Writer {
    /// Of each list that is open: how many of its threads are still to come.
    open: Vec<u32>,
    /// The next node stands beside the one before it.
    goes_on: bool,
}

impl Writer {
    fn put(&mut self, out: &mut BytesMut, node: ThreadNode, number: impl Fn(Uid) -> u32) {
        out.put_u8(if self.goes_on { b' ' } else { b'(' });
        if let Some(uid) = node.uid {
            put_number(out, u64::from(number(uid)));
        }
        self.goes_on = node.children == 1 && node.uid.is_some();
        if self.goes_on {
            return;
        }
        if node.children > 0 {
            if node.uid.is_some() {
                out.put_u8(b' ');
            }
            self.open.push(node.children);
            return;
        }
        out.put_u8(b')');
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            self.open.pop();
            out.put_u8(b')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_written_as_in_the_rfc() {
        let shown = |nodes: &[(u32, u32)]| {
            let (mut out, mut writer) = (BytesMut::new(), Writer::default());
            for &(uid, children) in nodes {
                let node = ThreadNode {
                    uid: (uid > 0).then_some(uid),
                    children,
                };
                writer.put(&mut out, node, |uid| uid);
            }
            String::from_utf8_lossy(&out).into_owned()
        };
        let first = [(2, 0), (3, 1), (6, 2), (4, 1), (23, 0), (44, 1), (7, 1), (96, 0)];
        assert_eq!(shown(&first), "(2)(3 6 (4 23)(44 7 96))");
        assert_eq!(shown(&[(0, 2), (3, 0), (5, 0)]), "((3)(5))");
        let nested = [(0, 2), (1, 2), (2, 0), (3, 2), (4, 0), (5, 0), (6, 0), (7, 0)];
        assert_eq!(shown(&nested), "((1 (2)(3 (4)(5)))(6))(7)");
        assert_eq!(shown(&[]), "");
    }
}
