//! THREAD=REFERENCES (RFC 5256 §3): the six steps.

use std::collections::HashMap;

use crate::read::thread::Threading;
use crate::types::{ThreadNode, Uid};

/// Steps that one THREAD may take up the trees to see that no loop is made. Real mail takes few; what is beyond is not linked.
const STEPS_MAX_COUNT: u64 = 50_000_000;
/// No node.
const NONE: u32 = u32::MAX;

pub(super) fn threads(threading: &Threading) -> Vec<ThreadNode> {
    let mut forest = Forest::linked(threading).pruned(threading);
    forest.gather_subjects(threading);
    forest.nodes(threading)
}

/// A message, or a dummy for one that is only named.
#[derive(Clone, Copy)]
struct Link {
    parent: u32,
    first: u32,
    /// Siblings.
    previous: u32,
    next: u32,
}

/// Step 1: who answers whom. The first nodes are the messages in their order, those after them dummies.
struct Links {
    nodes: Vec<Link>,
    steps: u64,
}

impl Links {
    fn add(&mut self) -> u32 {
        self.nodes.push(Link {
            parent: NONE,
            first: NONE,
            previous: NONE,
            next: NONE,
        });
        self.nodes.len() as u32 - 1
    }

    fn get(&self, node: u32) -> Option<&Link> {
        self.nodes.get(node as usize)
    }

    fn parent(&self, node: u32) -> u32 {
        self.get(node).map_or(NONE, |link| link.parent)
    }

    fn change(&mut self, node: u32, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.nodes.get_mut(node as usize) {
            change(link);
        }
    }

    /// Makes `child`, which has no parent, a child of `parent`, unless that makes a loop.
    fn link(&mut self, parent: u32, child: u32) {
        if self.is_below(parent, child) {
            return;
        }
        let first = self.get(parent).map_or(NONE, |link| link.first);
        self.change(first, |link| link.previous = child);
        self.change(parent, |link| link.first = child);
        self.change(child, |link| {
            link.parent = parent;
            link.next = first;
        });
    }

    fn unlink(&mut self, child: u32) {
        let Some(&Link {
            parent,
            previous,
            next,
            ..
        }) = self.get(child)
        else {
            return;
        };
        if previous == NONE {
            self.change(parent, |link| link.first = next);
        }
        self.change(previous, |link| link.next = next);
        self.change(next, |link| link.previous = previous);
        self.change(child, |link| {
            link.parent = NONE;
            link.previous = NONE;
            link.next = NONE;
        });
    }

    /// Whether `node` is `above` or stands below it.
    fn is_below(&mut self, node: u32, above: u32) -> bool {
        if node == above {
            return true;
        }
        if self.get(above).is_none_or(|link| link.first == NONE) {
            return false;
        }
        let mut at = node;
        while at != NONE {
            if at == above || self.steps == 0 {
                return true;
            }
            self.steps -= 1;
            at = self.parent(at);
        }
        false
    }
}

/// The threads from step 2 on: messages by their index, dummies after them.
struct Forest {
    /// Of each node: its parent, or [`NONE`] below the root.
    parents: Vec<u32>,
    /// Dummies that were merged into others.
    gone: Vec<bool>,
    messages: u32,
}

impl Forest {
    /// Step 1.
    fn linked(threading: &Threading) -> Links {
        let count = threading.messages.len();
        let mut links = Links {
            nodes: Vec::with_capacity(count),
            steps: STEPS_MAX_COUNT,
        };
        let mut known: HashMap<u64, u32> = HashMap::with_capacity(count);
        for message in &threading.messages {
            let node = links.add();
            // Of two messages with one id the first has it.
            if let Some(id) = message.id {
                known.entry(id).or_insert(node);
            }
        }
        for (node, message) in (0_u32..).zip(&threading.messages) {
            let (start, end) = message.references;
            let mut last = NONE;
            for &id in threading.references.get(start..end).unwrap_or_default() {
                let named = *known.entry(id).or_insert_with(|| links.add());
                // (A)
                if last != NONE && links.parent(named) == NONE {
                    links.link(last, named);
                }
                last = named;
            }
            // (B)
            links.unlink(node);
            if last != NONE {
                links.link(last, node);
            }
        }
        links
    }
}

impl Links {
    /// Steps 2 and 3: a message hangs on the next message above it. Where there is none it hangs below the root, on a dummy if there are
    /// several of them in a thread.
    fn pruned(&self, threading: &Threading) -> Forest {
        let messages = threading.messages.len() as u32;
        let mut forest = Forest {
            parents: vec![NONE; messages as usize],
            gone: Vec::new(),
            messages,
        };
        for root in 0..self.nodes.len() as u32 {
            if self.parent(root) == NONE {
                self.prune_thread(root, &mut forest);
            }
        }
        forest
    }

    fn prune_thread(&self, root: u32, forest: &mut Forest) {
        // Messages of this thread with no message above them.
        let mut heads = Vec::new();
        let (mut at, mut above) = (root, NONE);
        // Down to the first child, else on to the next sibling, else up. `above` is the message that `at` hangs on.
        while at != NONE {
            let is_message = at < forest.messages;
            if is_message {
                match forest.parents.get_mut(at as usize) {
                    Some(parent) if above != NONE => *parent = above,
                    _ => heads.push(at),
                }
            }
            let first = self.get(at).map_or(NONE, |link| link.first);
            if first != NONE {
                above = if is_message { at } else { above };
                at = first;
                continue;
            }
            while at != root && self.get(at).is_some_and(|link| link.next == NONE) {
                at = self.parent(at);
                if at == above {
                    above = forest.parents.get(at as usize).copied().unwrap_or(NONE);
                }
            }
            at = if at == root {
                NONE
            } else {
                self.get(at).map_or(NONE, |link| link.next)
            };
        }
        if heads.len() > 1 {
            let dummy = forest.add_dummy();
            for head in heads {
                forest.put_below(dummy, head);
            }
        }
    }
}

impl Forest {
    fn add_dummy(&mut self) -> u32 {
        self.parents.push(NONE);
        self.gone.push(false);
        self.parents.len() as u32 - 1
    }

    fn put_below(&mut self, parent: u32, child: u32) {
        if let Some(known) = self.parents.get_mut(child as usize) {
            *known = parent;
        }
    }

    fn is_dummy(&self, node: u32) -> bool {
        node >= self.messages
    }

    fn remove_dummy(&mut self, node: u32) {
        let at = node.wrapping_sub(self.messages) as usize;
        if let Some(gone) = self.gone.get_mut(at) {
            *gone = true;
        }
    }

    /// Steps 4 and 5: threads with the same base subject become one.
    fn gather_subjects(&mut self, threading: &Threading) {
        let children = Children::of(self, threading);
        let mut table: HashMap<u64, u32> = HashMap::new();
        let is_reply = |node: u32| {
            let message = threading.messages.get(node as usize);
            message.is_some_and(|message| message.is_reply)
        };
        // (B)
        for &node in children.roots() {
            let Some(subject) = children.subject(node, threading) else {
                continue;
            };
            let known = *table.entry(subject).or_insert(node);
            if !self.is_dummy(known) && (self.is_dummy(node) || (is_reply(known) && !is_reply(node))) {
                table.insert(subject, node);
            }
        }
        // (C)
        for &node in children.roots() {
            let Some(subject) = children.subject(node, threading) else {
                continue;
            };
            let Some(&known) = table.get(&subject).filter(|known| **known != node) else {
                continue;
            };
            match (self.is_dummy(known), self.is_dummy(node)) {
                (true, true) => {
                    for &child in children.below(node) {
                        self.put_below(known, child);
                    }
                    self.remove_dummy(node);
                }
                (true, false) => self.put_below(known, node),
                (false, _) if is_reply(node) && !is_reply(known) => self.put_below(known, node),
                (false, _) => {
                    let dummy = self.add_dummy();
                    self.put_below(dummy, known);
                    self.put_below(dummy, node);
                    table.insert(subject, dummy);
                }
            }
        }
    }

    /// Step 6, in preorder.
    fn nodes(&self, threading: &Threading) -> Vec<ThreadNode> {
        let children = Children::of(self, threading);
        let mut nodes = Vec::with_capacity(self.parents.len());
        let mut waiting: Vec<u32> = children.roots().iter().rev().copied().collect();
        while let Some(node) = waiting.pop() {
            let below = children.below(node);
            nodes.push(ThreadNode {
                uid: threading.messages.get(node as usize).map(|message| message.uid),
                children: below.len() as u32,
            });
            waiting.extend(below.iter().rev());
        }
        nodes
    }
}

/// The children of each node by sent date, those of the root last.
struct Children {
    /// Where those of a node begin; those of the next node follow.
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Children {
    fn of(forest: &Forest, threading: &Threading) -> Self {
        let root = forest.parents.len();
        let slot = |parent: u32| if parent == NONE { root } else { parent as usize };
        let alive = |&(node, _): &(u32, &u32)| {
            let dummy = node.checked_sub(forest.messages);
            dummy.is_none_or(|at| forest.gone.get(at as usize) == Some(&false))
        };
        let all = || (0_u32..).zip(&forest.parents).filter(alive);
        let mut starts = vec![0_u32; root + 2];
        for (_, &parent) in all() {
            if let Some(count) = starts.get_mut(slot(parent) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut free = starts.clone();
        let mut nodes = vec![NONE; sum as usize];
        for (node, &parent) in all() {
            if let Some(at) = free.get_mut(slot(parent)) {
                if let Some(place) = nodes.get_mut(*at as usize) {
                    *place = node;
                }
                *at += 1;
            }
        }
        let mut children = Self { starts, nodes };
        // Dummies stand below the root only: what is below them is in its order before they are compared by it.
        for slot in 0..=root {
            if children.below(slot as u32).len() > 1 {
                let mut below = children.below(slot as u32).to_vec();
                below.sort_unstable_by_key(|&node| children.order(node, forest, threading));
                let start = children.starts.get(slot).map_or(0, |start| *start as usize);
                if let Some(place) = children.nodes.get_mut(start..start + below.len()) {
                    place.copy_from_slice(&below);
                }
            }
        }
        children
    }

    fn below(&self, node: u32) -> &[u32] {
        let at = node as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&start), Some(&end)) => self.nodes.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    fn roots(&self) -> &[u32] {
        self.below(self.starts.len() as u32 - 2)
    }

    /// The message itself, or the first child of a dummy.
    fn message(&self, node: u32, messages: u32) -> usize {
        let message = if node < messages {
            node
        } else {
            self.below(node).first().copied().unwrap_or(NONE)
        };
        message as usize
    }

    fn order(&self, node: u32, forest: &Forest, threading: &Threading) -> (i64, Uid) {
        threading.order(self.message(node, forest.messages))
    }

    /// The thread subject, if it is not empty.
    fn subject(&self, node: u32, threading: &Threading) -> Option<u64> {
        let message = self.message(node, threading.messages.len() as u32);
        let message = threading.messages.get(message)?;
        message.has_subject.then_some(message.subject)
    }
}
