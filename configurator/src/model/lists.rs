//! The lists that are read from the daemon by windows: what each is asked with and where it is kept.

use serde::de::DeserializeOwned;
use shared::Route;
use shared::model::{Alias, Group, ListEntry, PublicTree};
use shared::protocol::{
    AccessList, AliasList, DomainList, DomainRow, ExternalList, ExternalRow, GroupList, Page as Window,
    QueueList, QueueRow, Request, RouteList, Rows, SessionList, SessionRow, TreeList, UserList, UserRow,
};

use super::{Model, Page, Table};

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListId {
    /// The domains of the tree.
    Tree,
    Domains,
    Users,
    Aliases,
    Groups,
    /// The domains and groups with public folders.
    Public,
    External,
    Access,
    Routes,
    Queue,
    Sessions,
}

impl ListId {
    pub const ALL: [Self; 11] = [
        Self::Tree,
        Self::Domains,
        Self::Users,
        Self::Aliases,
        Self::Groups,
        Self::Public,
        Self::External,
        Self::Access,
        Self::Routes,
        Self::Queue,
        Self::Sessions,
    ];

    /// The lists that a page shows; the tree is always there.
    pub fn of(page: &Page) -> &'static [Self] {
        match page {
            Page::Monitor => &[Self::Tree, Self::Sessions],
            Page::Queue => &[Self::Tree, Self::Queue],
            Page::Domains => &[Self::Tree, Self::Domains],
            Page::Users(_) | Page::Folders(_) => &[Self::Tree, Self::Users],
            Page::Aliases(_) => &[Self::Tree, Self::Aliases],
            Page::Groups => &[Self::Tree, Self::Groups],
            Page::Public => &[Self::Tree, Self::Public],
            Page::External => &[Self::Tree, Self::External],
            Page::Access => &[Self::Tree, Self::Access],
            Page::Routes => &[Self::Tree, Self::Routes],
            _ => &[Self::Tree],
        }
    }

    /// The lists that a kind of the `changes` channel concerns.
    pub fn of_change(kind: &str) -> &'static [Self] {
        match kind {
            "domain" => &[Self::Tree, Self::Domains],
            "user" => &[Self::Tree, Self::Domains, Self::Users],
            "alias" => &[Self::Aliases],
            "group" => &[Self::Groups],
            "tree" => &[Self::Public],
            "access" => &[Self::Access],
            "external" | "external-state" => &[Self::External],
            "route" => &[Self::Routes],
            "queue" => &[Self::Queue],
            "session" => &[Self::Sessions],
            _ => &[],
        }
    }
}

/// A row of such a list.
pub trait Listed: DeserializeOwned + Send + 'static {
    type Ask: Request<Reply = Rows<Self>>;
    fn ask(scope: &str, page: Window) -> Self::Ask;
    /// What tells it from other rows.
    fn key(&self) -> String;
}

impl Listed for DomainRow {
    type Ask = DomainList;
    fn ask(_scope: &str, page: Window) -> DomainList {
        DomainList { page }
    }
    fn key(&self) -> String {
        self.domain.name.to_string()
    }
}

impl Listed for UserRow {
    type Ask = UserList;
    fn ask(scope: &str, page: Window) -> UserList {
        UserList {
            domain: scope.to_owned(),
            page,
        }
    }
    fn key(&self) -> String {
        self.user.address.to_string()
    }
}

impl Listed for Alias {
    type Ask = AliasList;
    fn ask(scope: &str, page: Window) -> AliasList {
        AliasList {
            domain: scope.to_owned(),
            page,
        }
    }
    fn key(&self) -> String {
        self.address.to_string()
    }
}

impl Listed for Group {
    type Ask = GroupList;
    fn ask(_scope: &str, page: Window) -> GroupList {
        GroupList { page }
    }
    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Listed for PublicTree {
    type Ask = TreeList;
    fn ask(_scope: &str, page: Window) -> TreeList {
        TreeList { page }
    }
    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Listed for ExternalRow {
    type Ask = ExternalList;
    fn ask(_scope: &str, page: Window) -> ExternalList {
        let user = String::new();
        ExternalList { user, page }
    }
    fn key(&self) -> String {
        super::external::key(self)
    }
}

impl Listed for Route {
    type Ask = RouteList;
    fn ask(_scope: &str, page: Window) -> RouteList {
        RouteList { page }
    }
    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Listed for ListEntry {
    type Ask = AccessList;
    fn ask(_scope: &str, page: Window) -> AccessList {
        AccessList { side: None, page }
    }
    fn key(&self) -> String {
        entry_key(self)
    }
}

impl Listed for QueueRow {
    type Ask = QueueList;
    fn ask(_scope: &str, page: Window) -> QueueList {
        QueueList { page }
    }
    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Listed for SessionRow {
    type Ask = SessionList;
    fn ask(_scope: &str, page: Window) -> SessionList {
        SessionList { page }
    }
    fn key(&self) -> String {
        self.id.to_string()
    }
}

/// The two lists may hold the same pattern.
pub fn entry_key(entry: &ListEntry) -> String {
    format!("{:?} {}", entry.side, entry.pattern)
}

/// What can be done to a list whatever its rows are.
pub trait AnyTable {
    fn set_filter(&mut self, filter: String);
    fn sort_by(&mut self, column: &str);
    fn look(&mut self, rows: std::ops::Range<u64>);
    fn select(&mut self, key: Option<String>);
    fn mark(&mut self, key: &str, on: bool);
    fn refresh(&mut self);
    fn forget(&mut self);
    fn enter(&mut self, scope: &str);
}

impl<T> AnyTable for Table<T> {
    fn set_filter(&mut self, filter: String) {
        self.filter = filter;
        self.restart();
    }
    fn sort_by(&mut self, column: &str) {
        Self::sort_by(self, column);
    }
    fn look(&mut self, rows: std::ops::Range<u64>) {
        Self::look(self, rows);
    }
    fn select(&mut self, key: Option<String>) {
        self.selected = key;
    }
    fn mark(&mut self, key: &str, on: bool) {
        if on {
            self.marked.insert(key.to_owned());
        } else {
            self.marked.remove(key);
        }
    }
    fn refresh(&mut self) {
        Self::refresh(self);
    }
    fn forget(&mut self) {
        Self::forget(self);
    }
    fn enter(&mut self, scope: &str) {
        Self::enter(self, scope);
    }
}

impl Model {
    pub(super) fn table_mut(&mut self, list: ListId) -> &mut dyn AnyTable {
        match list {
            ListId::Tree => &mut self.tree,
            ListId::Domains => &mut self.domains,
            ListId::Users => &mut self.users,
            ListId::Aliases => &mut self.aliases,
            ListId::Groups => &mut self.groups,
            ListId::Public => &mut self.public,
            ListId::External => &mut self.external,
            ListId::Access => &mut self.access,
            ListId::Routes => &mut self.routes,
            ListId::Queue => &mut self.queue,
            ListId::Sessions => &mut self.sessions,
        }
    }

    /// Asks for what is seen of the page's lists and is not held.
    pub(super) fn fetch(&mut self) {
        if !self.connected() {
            return;
        }
        for list in ListId::of(&self.page) {
            match list {
                ListId::Tree => self.fetch_from(|model| &mut model.tree),
                ListId::Domains => self.fetch_from(|model| &mut model.domains),
                ListId::Users => self.fetch_from(|model| &mut model.users),
                ListId::Aliases => self.fetch_from(|model| &mut model.aliases),
                ListId::Groups => self.fetch_from(|model| &mut model.groups),
                ListId::Public => self.fetch_from(|model| &mut model.public),
                ListId::External => self.fetch_from(|model| &mut model.external),
                ListId::Access => self.fetch_from(|model| &mut model.access),
                ListId::Routes => self.fetch_from(|model| &mut model.routes),
                ListId::Queue => self.fetch_from(|model| &mut model.queue),
                ListId::Sessions => self.fetch_from(|model| &mut model.sessions),
            }
        }
    }

    fn fetch_from<T: Listed>(&mut self, table: fn(&mut Self) -> &mut Table<T>) {
        for block in table(self).wanted() {
            let (page, version) = table(self).question(block);
            let request = T::ask(&table(self).scope, page);
            self.ask(&request, move |model, answer| {
                let texts = model.texts();
                let answer = answer.map_err(|failed| super::Said::failed(&failed).words(&texts));
                table(model).take(block, version, answer);
            });
        }
    }
}
