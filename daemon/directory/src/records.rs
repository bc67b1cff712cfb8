//! Rows of the tables as the types of the model, and back.

use drivers::{Row, Value, kinds};
use shared::external::{External, ExternalAfter, ExternalMechanism, ExternalProtocol, ExternalSecurity};
use shared::model::{
    Alias, AppPassword, DkimKey, Domain, Group, ListEntry, OwnerId, Protocol, PublicTree, Side, TreeOf, User,
    UserCertificate, Vacation,
};
use shared::route::{Route, RouteProtocol, RouteTls};
use shared::{Address, DomainName, Refusal};

use crate::Unavailable;

/// A row that can't be read as what it is: its table was written by somebody else, or is damaged.
fn damaged(row: &Row, refusal: &Refusal) -> Unavailable {
    Unavailable(format!(
        "a row of {} is damaged: {refusal}",
        row.descriptor().table
    ))
}

fn address(row: &Row, field: &str) -> Result<Address, Unavailable> {
    Address::parse(row.text(field)).map_err(|refusal| damaged(row, &refusal))
}

/// What can't be read is left out: one bad entry must not stop the others.
fn addresses(row: &Row, field: &str) -> Vec<Address> {
    row.list(field)
        .iter()
        .filter_map(|text| Address::parse(text).ok())
        .collect()
}

fn texts(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(Address::to_string).collect()
}

pub(crate) fn domain_row(domain: &Domain) -> Row {
    Row::new(&kinds::DOMAIN)
        .with("name", domain.name.as_str())
        .with("enabled", domain.enabled)
        .with("description", domain.description.as_str())
        .with(
            "aliases",
            domain
                .aliases
                .iter()
                .map(DomainName::to_string)
                .collect::<Vec<_>>(),
        )
        .with("catch_all", domain.catch_all.as_ref().map(Address::to_string))
        .with("user_quota_bytes", domain.user_quota_bytes)
        .with("users_max", domain.users_max.map(u64::from))
        .with("mechanisms", domain.mechanisms.clone())
        .with("own_mechanisms", !domain.mechanisms.is_empty())
        .with("language", domain.language.as_str())
}

pub(crate) fn domain(row: &Row) -> Result<Domain, Unavailable> {
    let name = DomainName::parse(row.text("name")).map_err(|refusal| damaged(row, &refusal))?;
    Ok(Domain {
        name,
        enabled: row.flag("enabled"),
        description: row.text("description").to_owned(),
        aliases: row
            .list("aliases")
            .iter()
            .filter_map(|alias| DomainName::parse(alias).ok())
            .collect(),
        catch_all: Address::parse(row.text("catch_all")).ok(),
        user_quota_bytes: row.count("user_quota_bytes"),
        users_max: row
            .count("users_max")
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
        mechanisms: row.list("mechanisms").to_vec(),
        language: row.text("language").to_owned(),
        revision: row.revision(),
    })
}

pub(crate) fn user_row(user: &User) -> Row {
    let denied = user
        .denied_protocols
        .iter()
        .map(|protocol| protocol_name(*protocol).to_owned());
    Row::new(&kinds::USER)
        .with("key", user.address.key())
        .with("address", user.address.to_string())
        .with("domain", user.address.domain().as_str())
        .with("owner", user.owner.0)
        .with("name", user.name.as_str())
        .with("enabled", user.enabled)
        .with("quota_bytes", user.quota_bytes)
        .with("denied_protocols", denied.collect::<Vec<_>>())
        .with("forward_to", texts(&user.forward_to))
        .with("forward_keep", user.forward_keep)
        .with("has_password", user.has_password)
        .with("send_as", user.send_as.clone())
        .with("vacation", vacation_text(&user.vacation))
        .with("language", user.language.as_str())
}

/// Nothing for a user who never wrote one.
fn vacation_text(vacation: &Vacation) -> String {
    if *vacation == Vacation::default() {
        return String::new();
    }
    // A record of plain fields can't fail.
    serde_json::to_string(vacation).unwrap_or_default()
}

/// Without the groups, which lie in a table of their own.
pub(crate) fn user(row: &Row) -> Result<User, Unavailable> {
    Ok(User {
        address: address(row, "address")?,
        owner: OwnerId(row.count("owner").unwrap_or(0)),
        name: row.text("name").to_owned(),
        enabled: row.flag("enabled"),
        quota_bytes: row.count("quota_bytes"),
        denied_protocols: row
            .list("denied_protocols")
            .iter()
            .filter_map(|name| protocol(name))
            .collect(),
        forward_to: addresses(row, "forward_to"),
        forward_keep: row.flag("forward_keep"),
        send_as: row.list("send_as").to_vec(),
        vacation: serde_json::from_str(row.text("vacation")).unwrap_or_default(),
        language: row.text("language").to_owned(),
        groups: Vec::new(),
        has_password: row.flag("has_password"),
        revision: row.revision(),
    })
}

pub(crate) fn app_password_row(owner: OwnerId, made: &AppPassword, sealed: Vec<u8>) -> Row {
    let protocols = made
        .protocols
        .iter()
        .map(|protocol| protocol_name(*protocol).to_owned());
    Row::new(&kinds::APP_PASSWORD)
        .with("owner", owner.0)
        .with("key", made.label.to_lowercase())
        .with("label", made.label.as_str())
        .with("protocols", protocols.collect::<Vec<_>>())
        .with("made_at", made.made_at)
        .with("used_at", made.used_at)
        .with("sealed", sealed)
}

pub(crate) fn app_password(row: &Row) -> AppPassword {
    let time = |field| row.count(field).and_then(|at| i64::try_from(at).ok());
    AppPassword {
        label: row.text("label").to_owned(),
        protocols: row
            .list("protocols")
            .iter()
            .filter_map(|name| protocol(name))
            .collect(),
        made_at: time("made_at").unwrap_or(0),
        used_at: time("used_at"),
    }
}

pub(crate) fn app_password_key(owner: OwnerId, label: &str) -> Vec<Value> {
    vec![owner.0.into(), label.to_lowercase().into()]
}

pub(crate) fn user_certificate(row: &Row) -> UserCertificate {
    UserCertificate {
        fingerprint: row.text("fingerprint").to_owned(),
        label: row.text("label").to_owned(),
    }
}

pub(crate) fn alias_row(alias: &Alias) -> Row {
    Row::new(&kinds::ALIAS)
        .with("key", alias.address.key())
        .with("address", alias.address.to_string())
        .with("domain", alias.address.domain().as_str())
        .with("targets", texts(&alias.targets))
        .with("enabled", alias.enabled)
}

pub(crate) fn alias(row: &Row) -> Result<Alias, Unavailable> {
    Ok(Alias {
        address: address(row, "address")?,
        targets: addresses(row, "targets"),
        enabled: row.flag("enabled"),
        revision: row.revision(),
    })
}

pub(crate) fn group_row(group: &Group) -> Row {
    Row::new(&kinds::GROUP)
        .with("key", group.name.to_lowercase())
        .with("name", group.name.as_str())
        .with("description", group.description.as_str())
        .with("address", group.address.as_ref().map(Address::to_string))
        .with("address_key", group.address.as_ref().map(Address::key))
        .with("member_groups", group.member_groups.clone())
}

/// Without the members, which lie in a table of their own.
pub(crate) fn group(row: &Row) -> Group {
    Group {
        name: row.text("name").to_owned(),
        description: row.text("description").to_owned(),
        address: Address::parse(row.text("address")).ok(),
        members: Vec::new(),
        member_groups: row.list("member_groups").to_vec(),
        revision: row.revision(),
    }
}

pub(crate) fn member_row(group: &str, member: &Address) -> Row {
    Row::new(&kinds::GROUP_MEMBER)
        .with("group_key", group.to_lowercase())
        .with("member_key", member.key())
        .with("address", member.to_string())
        .with("domain", member.domain().as_str())
}

pub(crate) fn tree_row(tree: &PublicTree) -> Row {
    let of = match tree.of {
        TreeOf::Domain => "domain",
        TreeOf::Group => "group",
    };
    Row::new(&kinds::TREE)
        .with("key", tree.name.to_lowercase())
        .with("name", tree.name.as_str())
        .with("of", of)
        .with("owner", tree.owner.0)
        .with("quota_bytes", tree.quota_bytes)
}

pub(crate) fn tree(row: &Row) -> PublicTree {
    PublicTree {
        name: row.text("name").to_owned(),
        of: if row.text("of") == "group" {
            TreeOf::Group
        } else {
            TreeOf::Domain
        },
        owner: OwnerId(row.count("owner").unwrap_or(0)),
        quota_bytes: row.count("quota_bytes"),
        revision: row.revision(),
    }
}

pub(crate) fn share_row(identifier: &str, owner: OwnerId) -> Row {
    Row::new(&kinds::SHARE)
        .with("identifier", identifier)
        .with("owner", owner.0)
}

/// Without the private half.
pub(crate) fn dkim_key_row(key: &DkimKey) -> Row {
    Row::new(&kinds::DKIM_KEY)
        .with("domain", key.domain.as_str())
        .with("selector", key.selector.as_str())
        .with("algorithm", key.algorithm.as_str())
        .with("active", key.active)
        .with("created", key.created)
        .with("record", key.record.as_str())
}

pub(crate) fn dkim_key(row: &Row) -> Result<DkimKey, Unavailable> {
    let domain = DomainName::parse(row.text("domain")).map_err(|refusal| damaged(row, &refusal))?;
    let selector = row.text("selector").to_owned();
    Ok(DkimKey {
        record_name: format!("{selector}._domainkey.{domain}"),
        domain,
        selector,
        algorithm: row.text("algorithm").to_owned(),
        active: row.flag("active"),
        created: row.count("created").unwrap_or(0) as i64,
        record: row.text("record").to_owned(),
        revision: row.revision(),
    })
}

pub(crate) fn route_row(route: &Route, sealed: Option<Vec<u8>>) -> Row {
    Row::new(&kinds::ROUTE)
        .with("key", route.name.to_lowercase())
        .with("name", route.name.as_str())
        .with("place", u64::from(route.place))
        .with("enabled", route.enabled)
        .with("recipients", route.to.clone())
        .with("senders", route.from.clone())
        .with("hosts", route.hosts.clone())
        .with("tls", route.tls.word())
        .with("protocol", route.protocol.word())
        .with("user", route.user.as_str())
        .with("comment", route.comment.as_str())
        .with("sealed", sealed)
}

pub(crate) fn route(row: &Row) -> Result<Route, Unavailable> {
    let bad = |refusal: Refusal| damaged(row, &refusal);
    Ok(Route {
        name: row.text("name").to_owned(),
        place: row
            .int("place")
            .and_then(|place| u32::try_from(place).ok())
            .unwrap_or_default(),
        enabled: row.flag("enabled"),
        to: row.list("recipients").to_vec(),
        from: row.list("senders").to_vec(),
        hosts: row.list("hosts").to_vec(),
        tls: RouteTls::parse(row.text("tls")).map_err(bad)?,
        protocol: RouteProtocol::parse(row.text("protocol")).map_err(bad)?,
        user: row.text("user").to_owned(),
        has_password: !row.bytes("sealed").is_empty(),
        comment: row.text("comment").to_owned(),
        revision: row.revision(),
    })
}

pub(crate) fn external_row(owner: OwnerId, external: &External, sealed: Option<Vec<u8>>) -> Row {
    let after_days = match external.after {
        ExternalAfter::Keep => None,
        ExternalAfter::Delete => Some(0),
        ExternalAfter::Days(days) => Some(u64::from(days)),
    };
    Row::new(&kinds::EXTERNAL)
        .with("owner", owner.0)
        .with("key", external.name.to_lowercase())
        .with("name", external.name.as_str())
        .with("enabled", external.enabled)
        .with("protocol", external.protocol.word())
        .with("host", external.host.as_str())
        .with("port", u64::from(external.port))
        .with("security", external.security.word())
        .with("certificate", external.certificate.as_str())
        .with("login", external.login.as_str())
        .with("mechanism", external.mechanism.word())
        .with("sealed", sealed)
        .with("folders", external.folders.clone())
        .with("into_folder", external.into.as_str())
        .with("interval_minutes", u64::from(external.interval_minutes))
        .with("after_days", after_days)
        .with("mark_seen", external.mark_seen)
        .with("comment", external.comment.as_str())
}

pub(crate) fn external(row: &Row, user: Address) -> Result<External, Unavailable> {
    let bad = |refusal: Refusal| damaged(row, &refusal);
    Ok(External {
        user,
        name: row.text("name").to_owned(),
        enabled: row.flag("enabled"),
        protocol: ExternalProtocol::parse(row.text("protocol")).map_err(bad)?,
        host: row.text("host").to_owned(),
        port: row
            .int("port")
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or_default(),
        security: ExternalSecurity::parse(row.text("security")).map_err(bad)?,
        certificate: row.text("certificate").to_owned(),
        login: row.text("login").to_owned(),
        has_password: !row.bytes("sealed").is_empty(),
        mechanism: ExternalMechanism::parse(row.text("mechanism")).map_err(bad)?,
        folders: row.list("folders").to_vec(),
        into: row.text("into_folder").to_owned(),
        interval_minutes: minutes(row),
        after: match row.int("after_days").map(u32::try_from) {
            Some(Ok(0)) => ExternalAfter::Delete,
            Some(Ok(days)) => ExternalAfter::Days(days),
            _ => ExternalAfter::Keep,
        },
        mark_seen: row.flag("mark_seen"),
        comment: row.text("comment").to_owned(),
        revision: row.revision(),
    })
}

/// Minutes between two visits of an external account.
pub(crate) fn minutes(row: &Row) -> u32 {
    let minutes = row
        .int("interval_minutes")
        .and_then(|minutes| u32::try_from(minutes).ok());
    minutes.unwrap_or_default().max(1)
}

pub(crate) fn access_row(entry: &ListEntry) -> Row {
    Row::new(&kinds::ACCESS)
        .with("side", side_name(entry.side))
        .with("key", entry.pattern.to_lowercase())
        .with("pattern", entry.pattern.as_str())
        .with("comment", entry.comment.as_str())
}

pub(crate) fn access(row: &Row) -> ListEntry {
    ListEntry {
        side: if row.text("side") == "allow" {
            Side::Allow
        } else {
            Side::Block
        },
        pattern: row.text("pattern").to_owned(),
        comment: row.text("comment").to_owned(),
        revision: row.revision(),
    }
}

pub(crate) fn access_key(side: Side, pattern: &str) -> Vec<Value> {
    vec![side_name(side).into(), pattern.to_lowercase().into()]
}

pub(crate) fn side_name(side: Side) -> &'static str {
    match side {
        Side::Allow => "allow",
        Side::Block => "block",
    }
}

const PROTOCOLS: [Protocol; 5] = [
    Protocol::Smtp,
    Protocol::Submission,
    Protocol::Lmtp,
    Protocol::Pop3,
    Protocol::Imap,
];

/// As `shared` writes it.
pub(crate) fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp => "smtp",
        Protocol::Submission => "submission",
        Protocol::Lmtp => "lmtp",
        Protocol::Pop3 => "pop3",
        Protocol::Imap => "imap",
        Protocol::Web => "web",
    }
}

fn protocol(name: &str) -> Option<Protocol> {
    PROTOCOLS
        .into_iter()
        .find(|protocol| protocol_name(*protocol) == name)
}
