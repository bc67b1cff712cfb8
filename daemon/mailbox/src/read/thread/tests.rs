//! The algorithms against small cases, and against a naive transcription of RFC 5256 §3.
#![allow(clippy::unwrap_used, clippy::format_push_string)]

use super::*;

/// `uid subject references…`, by name: "1 Re:Hello a<b<c" is message a that answers c, which answered b.
fn threading(messages: &[(&str, &str, &[&str], i64)]) -> Threading {
    let mut threading = Threading::default();
    for (uid, (id, subject, references, sent)) in (1..).zip(messages) {
        let (base, is_reply) = wire::message::subject::base(subject);
        let start = threading.references.len();
        threading
            .references
            .extend(references.iter().map(|id| number(id)));
        threading.messages.push(Message {
            uid,
            sent: *sent,
            subject: number(&base),
            has_subject: !base.is_empty(),
            is_reply,
            id: (!id.is_empty()).then(|| number(id)),
            references: (start, threading.references.len()),
        });
    }
    threading
}

fn number(text: &str) -> u64 {
    text.bytes().fold(7, |sum, byte| sum * 257 + u64::from(byte))
}

/// As THREAD writes it.
fn shown(nodes: &[ThreadNode]) -> String {
    fn tree(nodes: &mut std::slice::Iter<'_, ThreadNode>) -> String {
        let mut out = String::new();
        let mut node = nodes.next().unwrap();
        loop {
            let number = node.uid.map(|uid| uid.to_string()).unwrap_or_default();
            out += &number;
            if node.children == 1 && node.uid.is_some() {
                out.push(' ');
                node = nodes.next().unwrap();
                continue;
            }
            if node.children > 0 && node.uid.is_some() {
                out.push(' ');
            }
            for _ in 0..node.children {
                out += &format!("({})", tree(nodes));
            }
            return out;
        }
    }
    let mut nodes = nodes.iter();
    let mut out = String::new();
    while nodes.len() > 0 {
        out += &format!("({})", tree(&mut nodes));
    }
    out
}

fn by_references(messages: &[(&str, &str, &[&str], i64)]) -> String {
    shown(&threading(messages).threads(ThreadAlgorithm::References))
}

#[test]
fn ordered_subject() {
    let messages: &[(&str, &str, &[&str], i64)] = &[
        ("", "Re: one", &[], 5),
        ("", "two", &[], 2),
        ("", "one", &[], 3),
        ("", "three", &[], 3),
        ("", "[list] One (fwd)", &[], 9),
        ("", "Re: one", &[], 5),
        ("", "fwd: two", &[], 1),
    ];
    let found = threading(messages).threads(ThreadAlgorithm::OrderedSubject);
    // The case of letters was folded before: "One" is another subject here.
    assert_eq!(shown(&found), "(7 2)(3 (1)(6))(4)(5)");
    assert_eq!(
        shown(&threading(&[]).threads(ThreadAlgorithm::OrderedSubject)),
        ""
    );
}

#[test]
fn who_answers_whom() {
    // The second thread of the RFC's example.
    let messages: &[(&str, &str, &[&str], i64)] = &[
        ("3", "a", &[], 1),
        ("6", "b", &["3"], 2),
        ("4", "c", &["3", "6"], 3),
        ("23", "d", &["6", "4"], 4),
        ("44", "e", &["6"], 5),
        ("7", "f", &["44"], 6),
        ("96", "g", &["7"], 7),
    ];
    assert_eq!(by_references(messages), "(1 2 (3 4)(5 6 7))");
    // Two answers to what is not there.
    assert_eq!(
        by_references(&[("a", "x", &["0"], 2), ("b", "y", &["0"], 1)]),
        "((2)(1))"
    );
    // One answer to it is alone.
    assert_eq!(by_references(&[("a", "x", &["0", "00"], 2)]), "(1)");
    // What is missing in the middle is passed over.
    let messages: &[(&str, &str, &[&str], i64)] = &[("a", "x", &[], 1), ("c", "y", &["a", "b"], 2)];
    assert_eq!(by_references(messages), "(1 2)");
    // A dummy on a dummy.
    let messages: &[(&str, &str, &[&str], i64)] = &[
        ("a", "x", &["0", "1"], 1),
        ("b", "y", &["0", "2"], 2),
        ("c", "z", &["0", "2"], 3),
    ];
    assert_eq!(by_references(messages), "((1)(2)(3))");
}

#[test]
fn loops_and_doubles() {
    assert_eq!(by_references(&[("a", "x", &["a"], 1)]), "(1)");
    assert_eq!(
        by_references(&[("a", "x", &["b"], 1), ("b", "y", &["a"], 2)]),
        "(2 1)"
    );
    let loops: &[(&str, &str, &[&str], i64)] = &[
        ("a", "x", &["b", "c", "b"], 1),
        ("b", "y", &["c", "a"], 2),
        ("c", "z", &["a", "b", "a"], 3),
    ];
    assert_eq!(by_references(loops).matches(char::is_numeric).count(), 3);
    // Two messages with one id are two messages; answers go to the first.
    let doubles: &[(&str, &str, &[&str], i64)] = &[
        ("a", "x", &[], 2),
        ("a", "y", &[], 1),
        ("b", "z", &["a"], 3),
        ("a", "w", &["b"], 4),
    ];
    assert_eq!(by_references(doubles), "(2)(1 3 4)");
    // A message without an id.
    assert_eq!(
        by_references(&[("", "x", &["a"], 1), ("a", "y", &[], 2)]),
        "(2 1)"
    );
    // A truncated References field is put right by the message itself.
    let cut: &[(&str, &str, &[&str], i64)] = &[
        ("a", "s", &[], 1),
        ("c", "t", &["a", "d"], 2),
        ("d", "u", &["b"], 3),
        ("b", "v", &["a"], 4),
    ];
    assert_eq!(by_references(cut), "(1 4 3 2)");
}

#[test]
fn subjects_gather_threads() {
    // The reply goes below the first mail, whichever came first.
    assert_eq!(
        by_references(&[("a", "Re: x", &[], 1), ("b", "x", &[], 2)]),
        "(2 1)"
    );
    // Two firsts are siblings, and so is what comes after.
    let three: &[(&str, &str, &[&str], i64)] =
        &[("a", "x", &[], 3), ("b", "x", &[], 2), ("c", "Re: x", &[], 1)];
    assert_eq!(by_references(three), "((2 3)(1))");
    assert_eq!(
        by_references(&[("a", "Re: x", &[], 1), ("b", "Fwd: x", &[], 2)]),
        "((1)(2))"
    );
    // No subject says nothing.
    assert_eq!(
        by_references(&[("a", "", &[], 1), ("b", "Re:", &[], 2)]),
        "(1)(2)"
    );
    // Dummies are merged.
    let dummies: &[(&str, &str, &[&str], i64)] = &[
        ("a", "x", &["0"], 1),
        ("b", "y", &["0"], 2),
        ("c", "x", &["00"], 3),
        ("d", "z", &["00"], 4),
        ("e", "x", &[], 5),
    ];
    assert_eq!(by_references(dummies), "((1)(2)(3)(4)(5))");
}

#[test]
fn a_thread_as_deep_as_one_likes() {
    let count = 200_000_u64;
    let mut deep = Threading::default();
    for id in 1..=count {
        let start = deep.references.len();
        // Every second is not there, and the newest come first.
        deep.references.extend([2 * (count - id), 2 * (count - id) + 1]);
        deep.messages.push(Message {
            uid: id as Uid,
            sent: -(id as i64),
            subject: id,
            has_subject: true,
            is_reply: false,
            id: Some(2 * (count - id + 1)),
            references: (start, start + 2),
        });
    }
    let nodes = deep.threads(ThreadAlgorithm::References);
    assert_eq!(nodes.len(), count as usize);
    assert!(
        nodes
            .iter()
            .take(count as usize - 1)
            .all(|node| node.children == 1)
    );
}

/// The six steps as they stand in the RFC, with trees of vectors.
mod naive {
    use super::*;

    #[derive(Clone, Default)]
    struct Node {
        message: Option<usize>,
        parent: Option<usize>,
        children: Vec<usize>,
    }

    struct Tree<'a> {
        nodes: Vec<Node>,
        threading: &'a Threading,
    }

    pub(super) fn threads(threading: &Threading) -> Vec<ThreadNode> {
        let mut tree = Tree {
            nodes: Vec::new(),
            threading,
        };
        let mut ids: Vec<(u64, usize)> = Vec::new();
        for (at, message) in threading.messages.iter().enumerate() {
            tree.nodes.push(Node {
                message: Some(at),
                ..Node::default()
            });
            if let Some(id) = message.id
                && ids.iter().all(|known| known.0 != id)
            {
                ids.push((id, at));
            }
        }
        for (at, message) in threading.messages.iter().enumerate() {
            let mut last: Option<usize> = None;
            for id in &threading.references[message.references.0..message.references.1] {
                let known = ids.iter().find(|known| known.0 == *id).map(|known| known.1);
                let node = known.unwrap_or_else(|| {
                    tree.nodes.push(Node::default());
                    ids.push((*id, tree.nodes.len() - 1));
                    tree.nodes.len() - 1
                });
                if let Some(last) = last
                    && tree.nodes[node].parent.is_none()
                {
                    tree.link(last, node);
                }
                last = Some(node);
            }
            if let Some(parent) = tree.nodes[at].parent.take() {
                tree.nodes[parent].children.retain(|child| *child != at);
            }
            if let Some(last) = last {
                tree.link(last, at);
            }
        }
        let root = tree.nodes.len();
        let heads = (0..root).filter(|at| tree.nodes[*at].parent.is_none()).collect();
        tree.nodes.push(Node {
            children: heads,
            ..Node::default()
        });
        while tree.prune(root, root) {}
        tree.sort_children(root);
        tree.subjects(root);
        tree.sort_children(root);
        let mut out = Vec::new();
        for child in tree.nodes[root].children.clone() {
            tree.write(child, &mut out);
        }
        out
    }

    impl Tree<'_> {
        fn link(&mut self, parent: usize, child: usize) {
            let mut above = Some(parent);
            while let Some(at) = above {
                if at == child {
                    return;
                }
                above = self.nodes[at].parent;
            }
            self.nodes[child].parent = Some(parent);
            self.nodes[parent].children.push(child);
        }

        /// Prunes one dummy; whether there was one.
        fn prune(&mut self, at: usize, root: usize) -> bool {
            for (place, child) in self.nodes[at].children.clone().into_iter().enumerate() {
                let below = self.nodes[child].children.clone();
                if self.nodes[child].message.is_none() && (below.is_empty() || at != root || below.len() == 1)
                {
                    self.nodes[at].children.splice(place..=place, below);
                    return true;
                }
                if self.prune(child, root) {
                    return true;
                }
            }
            false
        }

        fn first(&self, at: usize) -> usize {
            self.nodes[at]
                .message
                .unwrap_or_else(|| self.first(self.nodes[at].children[0]))
        }

        fn sort_children(&mut self, at: usize) {
            let mut children = self.nodes[at].children.clone();
            for child in &children {
                self.sort_children(*child);
            }
            children.sort_by_key(|child| self.threading.order(self.first(*child)));
            self.nodes[at].children = children;
        }

        fn subjects(&mut self, root: usize) {
            let heads = self.nodes[root].children.clone();
            let subject = |tree: &Self, at: usize| {
                let message = &tree.threading.messages[tree.first(at)];
                message.has_subject.then_some(message.subject)
            };
            let of_heads: Vec<_> = heads.iter().map(|at| subject(self, *at)).collect();
            let dummy = |tree: &Self, at: usize| tree.nodes[at].message.is_none();
            let reply = |tree: &Self, at: usize| {
                tree.nodes[at]
                    .message
                    .is_some_and(|message| tree.threading.messages[message].is_reply)
            };
            let mut table: Vec<(u64, usize)> = Vec::new();
            for (at, subject) in heads.iter().copied().zip(&of_heads) {
                let Some(subject) = *subject else { continue };
                match table.iter_mut().find(|entry| entry.0 == subject) {
                    None => table.push((subject, at)),
                    Some(entry) => {
                        let known = entry.1;
                        if !dummy(self, known)
                            && (dummy(self, at) || (reply(self, known) && !reply(self, at)))
                        {
                            entry.1 = at;
                        }
                    }
                }
            }
            for (at, subject) in heads.iter().copied().zip(&of_heads) {
                let Some(subject) = *subject else { continue };
                let entry = table.iter().position(|entry| entry.0 == subject).unwrap();
                let known = table[entry].1;
                if known == at {
                    continue;
                }
                self.nodes[root].children.retain(|child| *child != at);
                if dummy(self, known) && dummy(self, at) {
                    let below = self.nodes[at].children.clone();
                    self.nodes[known].children.extend(below);
                } else if dummy(self, known) || (reply(self, at) && !reply(self, known)) {
                    self.nodes[known].children.push(at);
                } else {
                    self.nodes[root].children.retain(|child| *child != known);
                    self.nodes.push(Node {
                        children: vec![known, at],
                        ..Node::default()
                    });
                    let made = self.nodes.len() - 1;
                    self.nodes[root].children.push(made);
                    table[entry].1 = made;
                }
            }
        }

        fn write(&self, at: usize, out: &mut Vec<ThreadNode>) {
            let node = &self.nodes[at];
            out.push(ThreadNode {
                uid: node.message.map(|message| self.threading.messages[message].uid),
                children: node.children.len() as u32,
            });
            for child in &node.children {
                self.write(*child, out);
            }
        }
    }
}

#[test]
fn random_mail_is_threaded_as_the_rfc_says() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for round in 0..20_000 {
        let (count, names) = (random(12) + 1, random(14) + 1);
        let subjects = random(6) + 1;
        let mut made = Threading::default();
        for uid in 1..=count {
            let start = made.references.len();
            for _ in 0..random(5) {
                made.references.push(random(names));
            }
            let subject = random(subjects);
            made.messages.push(Message {
                uid: uid as Uid,
                sent: random(6) as i64,
                subject,
                has_subject: subject > 0,
                is_reply: random(2) == 0,
                id: (random(8) > 0).then(|| random(names)),
                references: (start, made.references.len()),
            });
        }
        let (found, expected) = (made.threads(ThreadAlgorithm::References), naive::threads(&made));
        assert_eq!(shown(&found), shown(&expected), "round {round}");
        assert_eq!(found, expected, "round {round}");
    }
}
