//! What administrators and rooms ask of the directory's tables: one method for each, the work is done in `admin/`.
//!
//! `by` names who makes the change. Must not know: how a request came here.

use std::sync::Arc;

use shared::model::{
    Alias, AppPassword, DkimKey, Domain, Group, ListEntry, OwnerId, Protocol, PublicTree, Side, User,
    UserCertificate,
};
use shared::protocol::{DomainRow, ImportReport, NewUser, Page, ReportKind, Rows, UserRow};
use shared::{Address, DomainName, Route};

use crate::admin::reports::ReportRow;
use crate::admin::{
    access, aliases, app_passwords, certificates, dkim, domains, groups, import, reports, routes, settings,
    trees, users, vacation,
};
use crate::{ChangeError, Directory, Unavailable, Way};

impl Directory {
    pub async fn domains(&self, page: Page) -> Result<Rows<DomainRow>, Unavailable> {
        domains::list(&self.inner, page).await
    }
    pub async fn domain(&self, name: &DomainName) -> Result<Option<Domain>, Unavailable> {
        domains::get(&self.inner, name).await
    }
    pub async fn add_domain(&self, domain: Domain, by: &str) -> Result<u64, ChangeError> {
        domains::add(&self.inner, domain, by).await
    }
    pub async fn set_domain(&self, domain: Domain, by: &str) -> Result<u64, ChangeError> {
        domains::set(&self.inner, domain, by).await
    }
    /// Returns the owners whose mailboxes are to be removed with it.
    pub async fn remove_domain(
        &self,
        name: &DomainName,
        with_users: bool,
        by: &str,
    ) -> Result<Vec<OwnerId>, ChangeError> {
        domains::remove(&self.inner, name, with_users, by).await
    }

    pub async fn users(&self, domain: Option<&DomainName>, page: Page) -> Result<Rows<UserRow>, Unavailable> {
        users::list(&self.inner, domain, page).await
    }
    pub async fn user(&self, address: &Address) -> Result<Option<User>, Unavailable> {
        users::get(&self.inner, address).await
    }
    pub async fn add_user(&self, user: NewUser, by: &str) -> Result<User, ChangeError> {
        users::add(&self.inner, user, by).await
    }
    pub async fn set_user(&self, user: User, by: &str) -> Result<u64, ChangeError> {
        users::set(&self.inner, user, by).await
    }
    pub async fn rename_user(&self, address: &Address, to: &Address, by: &str) -> Result<u64, ChangeError> {
        users::rename(&self.inner, address, to, by).await
    }
    pub async fn set_password(&self, address: &Address, password: &str, by: &str) -> Result<(), ChangeError> {
        users::set_password(&self.inner, address, password, by).await
    }
    /// Returns the owner whose mailbox is to be removed or kept.
    pub async fn remove_user(&self, address: &Address, by: &str) -> Result<OwnerId, ChangeError> {
        users::remove(&self.inner, address, by).await
    }
    pub async fn import_users(
        &self,
        csv: &str,
        create_domains: bool,
        by: &str,
    ) -> Result<ImportReport, ChangeError> {
        import::import(&self.inner, csv, create_domains, by).await
    }

    pub async fn app_passwords(&self, address: &Address) -> Result<Vec<AppPassword>, ChangeError> {
        app_passwords::list(&self.inner, address).await
    }
    /// Makes one and gives what it is: nobody can read it later. Without protocols it opens all that the user may use.
    pub async fn add_app_password(
        &self,
        address: &Address,
        label: &str,
        protocols: &[Protocol],
        by: &str,
    ) -> Result<String, ChangeError> {
        app_passwords::add(&self.inner, address, label, protocols, by).await
    }
    pub async fn remove_app_password(
        &self,
        address: &Address,
        label: &str,
        by: &str,
    ) -> Result<(), ChangeError> {
        app_passwords::remove(&self.inner, address, label, by).await
    }

    pub async fn certificates(&self, address: &Address) -> Result<Vec<UserCertificate>, ChangeError> {
        certificates::list(&self.inner, address).await
    }
    /// Lets a user log in by a certificate: one in PEM, or the SHA-256 fingerprint of one. Gives the fingerprint.
    pub async fn add_certificate(
        &self,
        address: &Address,
        label: &str,
        certificate: &str,
        by: &str,
    ) -> Result<String, ChangeError> {
        certificates::add(&self.inner, address, label, certificate, by).await
    }
    pub async fn remove_certificate(
        &self,
        address: &Address,
        fingerprint: &str,
        by: &str,
    ) -> Result<(), ChangeError> {
        certificates::remove(&self.inner, address, fingerprint, by).await
    }

    pub async fn aliases(&self, domain: Option<&DomainName>, page: Page) -> Result<Rows<Alias>, Unavailable> {
        aliases::list(&self.inner, domain, page).await
    }
    pub async fn add_alias(&self, alias: Alias, by: &str) -> Result<u64, ChangeError> {
        aliases::add(&self.inner, alias, by).await
    }
    pub async fn set_alias(&self, alias: Alias, by: &str) -> Result<u64, ChangeError> {
        aliases::set(&self.inner, alias, by).await
    }
    pub async fn remove_alias(&self, address: &Address, by: &str) -> Result<(), ChangeError> {
        aliases::remove(&self.inner, address, by).await
    }

    pub async fn dkim_keys(
        &self,
        domain: Option<&DomainName>,
        page: Page,
    ) -> Result<Rows<DkimKey>, Unavailable> {
        dkim::list(&self.inner, domain, page).await
    }
    pub async fn dkim_key(
        &self,
        domain: &DomainName,
        selector: &str,
    ) -> Result<Option<DkimKey>, Unavailable> {
        dkim::get(&self.inner, domain, selector).await
    }
    /// `private`: the key itself, in whatever form the caller wants to have it back.
    pub async fn add_dkim_key(
        &self,
        key: DkimKey,
        private: Vec<u8>,
        by: &str,
    ) -> Result<DkimKey, ChangeError> {
        dkim::add(&self.inner, key, private, by).await
    }
    pub async fn set_dkim_key(
        &self,
        domain: &DomainName,
        selector: &str,
        active: bool,
        by: &str,
    ) -> Result<u64, ChangeError> {
        dkim::set(&self.inner, domain, selector, active, by).await
    }
    pub async fn remove_dkim_key(
        &self,
        domain: &DomainName,
        selector: &str,
        by: &str,
    ) -> Result<(), ChangeError> {
        dkim::remove(&self.inner, domain, selector, by).await
    }
    /// The active keys of a domain with their private halves (`None`: it can't be opened), for whoever signs. Not cached.
    pub async fn dkim_secrets(
        &self,
        domain: &DomainName,
    ) -> Result<Vec<(DkimKey, Option<Vec<u8>>)>, Unavailable> {
        dkim::secrets(&self.inner, domain).await
    }

    /// Keeps results for aggregate reports, adding to what is there.
    pub async fn add_report_rows(&self, kind: ReportKind, rows: Vec<ReportRow>) -> Result<(), ChangeError> {
        reports::add(&self.inner, kind, rows).await
    }
    /// Those of one domain, or all, which come without their bodies.
    pub async fn report_rows(
        &self,
        kind: ReportKind,
        domain: Option<&str>,
    ) -> Result<Vec<ReportRow>, Unavailable> {
        reports::rows(&self.inner, kind, domain).await
    }
    /// Removes what was reported, and keeps what was counted since; nothing may be added meanwhile.
    pub async fn settle_report_rows(
        &self,
        kind: ReportKind,
        rows: Vec<ReportRow>,
    ) -> Result<(), ChangeError> {
        reports::settle(&self.inner, kind, rows).await
    }

    /// Whether the user has answered that address within so many days before `now` (Unix seconds), or as many as he may.
    pub async fn is_answered(
        &self,
        owner: OwnerId,
        to: &Address,
        days: u32,
        now: i64,
    ) -> Result<bool, Unavailable> {
        vacation::is_answered(&self.inner, owner, to, days, now).await
    }
    /// Notes that the user has answered that address.
    pub async fn note_answer(
        &self,
        owner: OwnerId,
        to: &Address,
        days: u32,
        now: i64,
    ) -> Result<(), ChangeError> {
        vacation::note(&self.inner, owner, to, days, now).await
    }

    pub async fn groups(&self, page: Page) -> Result<Rows<Group>, Unavailable> {
        groups::list(&self.inner, page).await
    }
    pub async fn add_group(&self, group: Group, by: &str) -> Result<u64, ChangeError> {
        groups::add(&self.inner, group, by).await
    }
    pub async fn set_group(&self, group: Group, by: &str) -> Result<u64, ChangeError> {
        groups::set(&self.inner, group, by).await
    }
    pub async fn remove_group(&self, name: &str, by: &str) -> Result<(), ChangeError> {
        groups::remove(&self.inner, name, by).await
    }

    pub async fn trees(&self, page: Page) -> Result<Rows<PublicTree>, Unavailable> {
        trees::list(&self.inner, page).await
    }
    /// The public folders of that domain or group.
    pub async fn tree(&self, name: &str) -> Result<Option<Arc<PublicTree>>, Unavailable> {
        trees::get(&self.inner, name).await
    }
    pub async fn add_tree(
        &self,
        name: &str,
        quota_bytes: Option<u64>,
        by: &str,
    ) -> Result<PublicTree, ChangeError> {
        trees::add(&self.inner, name, quota_bytes, by).await
    }
    pub async fn set_tree(&self, tree: PublicTree, by: &str) -> Result<u64, ChangeError> {
        trees::set(&self.inner, tree, by).await
    }
    /// Returns the owner whose mailbox is to be removed.
    pub async fn remove_tree(&self, name: &str, by: &str) -> Result<OwnerId, ChangeError> {
        trees::remove(&self.inner, name, by).await
    }

    pub async fn access(&self, side: Option<Side>, page: Page) -> Result<Rows<ListEntry>, Unavailable> {
        access::list(&self.inner, side, page).await
    }
    /// The next entries of both lists after that one, at most `limit`: for reading all of them in pieces.
    pub async fn access_after(
        &self,
        after: Option<&ListEntry>,
        limit: u64,
    ) -> Result<Vec<ListEntry>, Unavailable> {
        access::after(&self.inner, after, limit).await
    }
    pub async fn add_access(&self, entry: ListEntry, by: &str) -> Result<u64, ChangeError> {
        access::add(&self.inner, entry, by).await
    }
    pub async fn remove_access(&self, side: Side, pattern: &str, by: &str) -> Result<(), ChangeError> {
        access::remove(&self.inner, side, pattern, by).await
    }

    pub async fn routes(&self, page: Page) -> Result<Rows<Route>, Unavailable> {
        routes::list(&self.inner, page).await
    }
    /// The route that takes that mail, if one does; the sender of a bounce is `None`.
    pub async fn way(
        &self,
        sender: Option<&Address>,
        recipient: &Address,
    ) -> Result<Option<Arc<Way>>, Unavailable> {
        routes::way(&self.inner, sender, recipient).await
    }
    pub async fn add_route(
        &self,
        route: Route,
        password: Option<&str>,
        by: &str,
    ) -> Result<u64, ChangeError> {
        routes::add(&self.inner, route, password, by).await
    }
    /// Without a password the old one stays; the empty one takes it away.
    pub async fn set_route(
        &self,
        route: Route,
        password: Option<&str>,
        by: &str,
    ) -> Result<u64, ChangeError> {
        routes::set(&self.inner, route, password, by).await
    }
    pub async fn remove_route(&self, name: &str, by: &str) -> Result<(), ChangeError> {
        routes::remove(&self.inner, name, by).await
    }

    /// Values of all settings and the revision of the table.
    pub async fn setting_values(&self) -> Result<(Vec<(String, String)>, u64), Unavailable> {
        settings::list(&self.inner).await
    }
    pub async fn set_setting(
        &self,
        key: &str,
        value: &str,
        revision: u64,
        by: &str,
    ) -> Result<u64, ChangeError> {
        settings::set(&self.inner, key, value, revision, by).await
    }
}
