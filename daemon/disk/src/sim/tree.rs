//! The names of a simulated disk: directories, what they hold in the cache and on the platter, and the changes
//! in between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Component, Path};

use super::data::{Fate, FileData};
use super::random::Random;

pub(super) type NodeId = u64;

const ROOT: NodeId = 0;

#[derive(Debug)]
pub(super) enum Node {
    File(FileData),
    Directory {
        current: BTreeMap<String, NodeId>,
        durable: BTreeMap<String, NodeId>,
    },
}

/// Changes of names that reach the platter together or not at all: one, or the two of a rename.
type NameChange = Vec<(NodeId, String, Option<NodeId>)>;

#[derive(Debug)]
pub(super) struct Tree {
    nodes: HashMap<NodeId, Node>,
    next: NodeId,
    pending: Vec<NameChange>,
}

fn empty_directory() -> Node {
    Node::Directory {
        current: BTreeMap::new(),
        durable: BTreeMap::new(),
    }
}

/// The root is the place that both absolute and relative paths begin at.
fn names(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(names.pop()),
            Component::Prefix(prefix) => names.push(prefix.as_os_str().to_string_lossy().into_owned()),
            Component::RootDir | Component::CurDir => {}
        }
    }
    names
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree {
            nodes: HashMap::from([(ROOT, empty_directory())]),
            next: ROOT + 1,
            pending: Vec::new(),
        }
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<NodeId> {
        self.walk(&names(path))
    }

    pub(super) fn is_dir(&self, id: NodeId) -> bool {
        matches!(self.nodes.get(&id), Some(Node::Directory { .. }))
    }

    pub(super) fn file(&mut self, id: NodeId) -> io::Result<&mut FileData> {
        match self.nodes.get_mut(&id) {
            Some(Node::File(data)) => Ok(data),
            Some(Node::Directory { .. }) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        match self.nodes.get(&self.find(path)?) {
            Some(Node::Directory { current, .. }) => Ok(current.keys().cloned().collect()),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Makes a file or a directory; the name must be free.
    pub(super) fn create(&mut self, path: &Path, directory: bool) -> io::Result<NodeId> {
        let (parent, name) = self.place(path)?;
        if self.entry(parent, &name)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = self.next;
        self.next += 1;
        self.nodes.insert(
            id,
            if directory {
                empty_directory()
            } else {
                Node::File(FileData::default())
            },
        );
        self.change(vec![(parent, name, Some(id))]);
        Ok(id)
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.find(from)?;
        self.file(id)?;
        let (parent, name) = self.place(to)?;
        if self.entry(parent, &name)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.change(vec![(parent, name, Some(id))]);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.find(from)?;
        let (from_parent, from_name) = self.place(from)?;
        let (to_parent, to_name) = self.place(to)?;
        match self.entry(to_parent, &to_name)? {
            // POSIX: two names of one file, nothing is done.
            Some(there) if there == id => return Ok(()),
            Some(there) if self.is_dir(there) => return Err(io::ErrorKind::AlreadyExists.into()),
            _ => {}
        }
        self.change(vec![
            (from_parent, from_name, None),
            (to_parent, to_name, Some(id)),
        ]);
        Ok(())
    }

    /// Removes one name: of a file, or of an empty directory.
    pub(super) fn remove(&mut self, path: &Path, directory: bool) -> io::Result<()> {
        let id = self.find(path)?;
        match self.nodes.get(&id) {
            Some(Node::Directory { .. }) if !directory => return Err(io::ErrorKind::IsADirectory.into()),
            Some(Node::Directory { current, .. }) if !current.is_empty() => {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            _ => {}
        }
        let (parent, name) = self.place(path)?;
        self.change(vec![(parent, name, None)]);
        Ok(())
    }

    /// How many names the file has.
    pub(super) fn links(&self, id: NodeId) -> usize {
        let count = |node: &Node| match node {
            Node::Directory { current, .. } => current.values().filter(|entry| **entry == id).count(),
            Node::File(_) => 0,
        };
        self.nodes.values().map(count).sum()
    }

    /// Bytes of all files that have a name.
    pub(super) fn used_bytes(&self) -> u64 {
        let file = |id| match self.nodes.get(id) {
            Some(Node::File(data)) => data.len(),
            _ => 0,
        };
        self.reachable().iter().map(file).sum()
    }

    pub(super) fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        let directory = self.find(path)?;
        let pending = self.take_pending(directory);
        for change in pending {
            self.apply_durable(change);
        }
        Ok(())
    }

    /// Some of the changes are done, and all are forgotten: there is no later sync.
    pub(super) fn sync_directory_fails(&mut self, path: &Path, random: &mut Random) -> io::Result<()> {
        let directory = self.find(path)?;
        for change in self.take_pending(directory) {
            if random.coin() {
                self.apply_durable(change);
            }
        }
        Ok(())
    }

    pub(super) fn settle(&mut self, random: &mut Random, fate: Fate) {
        for change in std::mem::take(&mut self.pending) {
            if fate == Fate::Kept || (fate == Fate::Mixed && random.coin()) {
                self.apply_durable(change);
            }
        }
        let mut ids: Vec<NodeId> = self.nodes.keys().copied().collect();
        // In a fixed order, or the seed would not decide.
        ids.sort_unstable();
        for id in ids {
            match self.nodes.get_mut(&id) {
                Some(Node::File(data)) => data.settle(random, fate),
                Some(Node::Directory { current, durable }) => current.clone_from(durable),
                None => {}
            }
        }
        let reachable = self.reachable();
        self.nodes.retain(|id, _| reachable.contains(id));
    }

    fn walk(&self, names: &[String]) -> io::Result<NodeId> {
        let mut at = ROOT;
        for name in names {
            at = self.entry(at, name)?.ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    fn place(&self, path: &Path) -> io::Result<(NodeId, String)> {
        let mut names = names(path);
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.walk(&names)?, name))
    }

    fn entry(&self, directory: NodeId, name: &str) -> io::Result<Option<NodeId>> {
        match self.nodes.get(&directory) {
            Some(Node::Directory { current, .. }) => Ok(current.get(name).copied()),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn change(&mut self, change: NameChange) {
        for (directory, name, target) in &change {
            if let Some(Node::Directory { current, .. }) = self.nodes.get_mut(directory) {
                assign(current, name, *target);
            }
        }
        self.pending.push(change);
    }

    fn apply_durable(&mut self, change: NameChange) {
        for (directory, name, target) in change {
            if let Some(Node::Directory { durable, .. }) = self.nodes.get_mut(&directory) {
                assign(durable, &name, target);
            }
        }
    }

    /// The pending changes of a directory, and of those that a rename ties to it: a rename must not overtake what was
    /// done before it in the other directory.
    fn take_pending(&mut self, directory: NodeId) -> Vec<NameChange> {
        let mut tied = BTreeSet::from([directory]);
        loop {
            let before = tied.len();
            for change in &self.pending {
                if change.iter().any(|(directory, ..)| tied.contains(directory)) {
                    tied.extend(change.iter().map(|(directory, ..)| *directory));
                }
            }
            if tied.len() == before {
                break;
            }
        }
        let touches = |change: &mut NameChange| change.iter().any(|(directory, ..)| tied.contains(directory));
        self.pending.extract_if(.., touches).collect()
    }

    fn reachable(&self) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(id) = open.pop() {
            if let Some(Node::Directory { current, .. }) = self.nodes.get(&id) {
                open.extend(current.values().filter(|id| found.insert(**id)));
            }
        }
        found
    }
}

fn assign(entries: &mut BTreeMap<String, NodeId>, name: &str, target: Option<NodeId>) {
    match target {
        Some(id) => drop(entries.insert(name.to_owned(), id)),
        None => drop(entries.remove(name)),
    }
}
