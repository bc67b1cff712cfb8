//! The tables of BatPost. Names and types here are what other programs may rely on.
//!
//! `key` columns hold the folded form that rows are found by, the column beside them what a person wrote.

use crate::descriptor::{Descriptor, Field, Kind, Migration, Type, field};

const REVISION: Field = field("revision", Type::Int);

/// Settings by key. The row with the key `*` carries the revision of the whole table.
pub const SETTING: Descriptor = Descriptor {
    kind: Kind::Settings,
    table: "setting",
    version: 1,
    fields: &[field("key", Type::Text), field("value", Type::Text), REVISION],
    key: &["key"],
    unique: &[],
    indexed: &[],
    searchable: &[],
    sortable: &["key"],
    migrations: &[],
};

/// `own_mechanisms`: whether `mechanisms` says something; those domains are found by it.
pub const DOMAIN: Descriptor = Descriptor {
    kind: Kind::Domains,
    table: "domain",
    version: 3,
    fields: &[
        field("name", Type::Text),
        field("enabled", Type::Flag),
        field("description", Type::Text),
        field("aliases", Type::List),
        field("catch_all", Type::Text),
        field("user_quota_bytes", Type::Int),
        field("users_max", Type::Int),
        field("mechanisms", Type::List),
        field("own_mechanisms", Type::Flag),
        field("language", Type::Text),
        REVISION,
    ],
    key: &["name"],
    unique: &[],
    indexed: &["own_mechanisms"],
    searchable: &["name", "description", "aliases"],
    sortable: &["name", "description"],
    migrations: &[
        Migration::AddField {
            version: 2,
            field: "mechanisms",
        },
        Migration::AddField {
            version: 2,
            field: "own_mechanisms",
        },
        Migration::AddField {
            version: 3,
            field: "language",
        },
    ],
};

/// Every name under which a domain is reached, its own among them.
pub const DOMAIN_NAME: Descriptor = Descriptor {
    kind: Kind::Domains,
    table: "domain_name",
    version: 1,
    fields: &[field("name", Type::Text), field("domain", Type::Text)],
    key: &["name"],
    unique: &[],
    indexed: &["domain"],
    searchable: &[],
    sortable: &["name"],
    migrations: &[],
};

pub const USER: Descriptor = Descriptor {
    kind: Kind::Users,
    table: "user",
    version: 4,
    fields: &[
        field("key", Type::Text),
        field("address", Type::Text),
        field("domain", Type::Text),
        field("owner", Type::Int),
        field("name", Type::Text),
        field("enabled", Type::Flag),
        field("quota_bytes", Type::Int),
        field("denied_protocols", Type::List),
        field("forward_to", Type::List),
        field("forward_keep", Type::Flag),
        field("has_password", Type::Flag),
        field("send_as", Type::List),
        // JSON, or nothing.
        field("vacation", Type::Text),
        field("language", Type::Text),
        REVISION,
    ],
    key: &["key"],
    unique: &["owner"],
    indexed: &["domain"],
    searchable: &["address", "name"],
    sortable: &["key", "name", "quota_bytes"],
    migrations: &[
        Migration::AddField {
            version: 2,
            field: "send_as",
        },
        Migration::AddField {
            version: 3,
            field: "vacation",
        },
        Migration::AddField {
            version: 4,
            field: "language",
        },
    ],
};

/// What passwords are checked with, sealed; found by the owner, so that a rename changes nothing.
pub const CREDENTIAL: Descriptor = Descriptor {
    kind: Kind::Credentials,
    table: "credential",
    version: 1,
    fields: &[field("owner", Type::Int), field("sealed", Type::Bytes), REVISION],
    key: &["owner"],
    unique: &[],
    indexed: &[],
    searchable: &[],
    sortable: &["owner"],
    migrations: &[],
};

/// Passwords that the server made, one for each program or device of a user; `key` is the label in lower case. Times are Unix seconds; `used_at` is right to the hour.
pub const APP_PASSWORD: Descriptor = Descriptor {
    kind: Kind::Credentials,
    table: "app_password",
    version: 1,
    fields: &[
        field("owner", Type::Int),
        field("key", Type::Text),
        field("label", Type::Text),
        field("protocols", Type::List),
        field("made_at", Type::Int),
        field("used_at", Type::Int),
        field("sealed", Type::Bytes),
        REVISION,
    ],
    key: &["owner", "key"],
    unique: &[],
    indexed: &["owner"],
    searchable: &[],
    sortable: &["key"],
    migrations: &[],
};

/// Certificates that users log in with, by their SHA-256 fingerprint in hexadecimal digits.
pub const USER_CERTIFICATE: Descriptor = Descriptor {
    kind: Kind::Credentials,
    table: "user_certificate",
    version: 1,
    fields: &[
        field("fingerprint", Type::Text),
        field("owner", Type::Int),
        field("label", Type::Text),
        REVISION,
    ],
    key: &["fingerprint"],
    unique: &[],
    indexed: &["owner"],
    searchable: &[],
    sortable: &["fingerprint"],
    migrations: &[],
};

pub const ALIAS: Descriptor = Descriptor {
    kind: Kind::Aliases,
    table: "alias",
    version: 1,
    fields: &[
        field("key", Type::Text),
        field("address", Type::Text),
        field("domain", Type::Text),
        field("targets", Type::List),
        field("enabled", Type::Flag),
        REVISION,
    ],
    key: &["key"],
    unique: &[],
    indexed: &["domain"],
    searchable: &["address", "targets"],
    sortable: &["key"],
    migrations: &[],
};

/// Groups; `key` is the name in lower case, `address_key` is `NULL` for a group that has no address.
pub const GROUP: Descriptor = Descriptor {
    kind: Kind::Groups,
    table: "user_group",
    version: 1,
    fields: &[
        field("key", Type::Text),
        field("name", Type::Text),
        field("description", Type::Text),
        field("address", Type::Text),
        field("address_key", Type::Text),
        field("member_groups", Type::List),
        REVISION,
    ],
    key: &["key"],
    unique: &["address_key"],
    indexed: &[],
    searchable: &["name", "description", "address"],
    sortable: &["key", "description"],
    migrations: &[],
};

/// Who is a direct member of which group.
pub const GROUP_MEMBER: Descriptor = Descriptor {
    kind: Kind::Groups,
    table: "group_member",
    version: 1,
    fields: &[
        field("group_key", Type::Text),
        field("member_key", Type::Text),
        field("address", Type::Text),
        field("domain", Type::Text),
    ],
    key: &["group_key", "member_key"],
    unique: &[],
    indexed: &["group_key", "member_key", "domain"],
    searchable: &[],
    sortable: &["member_key"],
    migrations: &[],
};

/// Public trees; `key` is the name in lower case.
pub const TREE: Descriptor = Descriptor {
    kind: Kind::Groups,
    table: "public_tree",
    version: 1,
    fields: &[
        field("key", Type::Text),
        field("name", Type::Text),
        field("of", Type::Text),
        field("owner", Type::Int),
        field("quota_bytes", Type::Int),
        REVISION,
    ],
    key: &["key"],
    unique: &["owner"],
    indexed: &[],
    searchable: &["name"],
    sortable: &["key", "quota_bytes"],
    migrations: &[],
};

/// Which owners have given rights to whom: where to look, the rights themselves lie with the owners.
pub const SHARE: Descriptor = Descriptor {
    kind: Kind::Groups,
    table: "share",
    version: 1,
    fields: &[field("identifier", Type::Text), field("owner", Type::Int)],
    key: &["identifier", "owner"],
    unique: &[],
    indexed: &["identifier", "owner"],
    searchable: &[],
    sortable: &["identifier"],
    migrations: &[],
};

/// The black and the white list; `key` is the pattern in lower case.
pub const ACCESS: Descriptor = Descriptor {
    kind: Kind::Access,
    table: "access",
    version: 1,
    fields: &[
        field("side", Type::Text),
        field("key", Type::Text),
        field("pattern", Type::Text),
        field("comment", Type::Text),
        REVISION,
    ],
    key: &["side", "key"],
    unique: &[],
    indexed: &["side"],
    searchable: &["pattern", "comment"],
    sortable: &["key", "comment"],
    migrations: &[],
};

/// Keys that sign the mail of a domain; `private` is sealed.
pub const DKIM_KEY: Descriptor = Descriptor {
    // With the settings, which are always ours: a mapped table of domains may be read-only.
    kind: Kind::Settings,
    table: "dkim_key",
    version: 1,
    fields: &[
        field("domain", Type::Text),
        field("selector", Type::Text),
        field("algorithm", Type::Text),
        field("active", Type::Flag),
        field("created", Type::Int),
        field("record", Type::Text),
        field("private", Type::Bytes),
        REVISION,
    ],
    key: &["domain", "selector"],
    unique: &[],
    indexed: &["domain"],
    searchable: &["domain", "selector"],
    sortable: &["domain", "selector", "created"],
    migrations: &[],
};

/// What is kept for aggregate reports on mail (DMARC) until they are sent; `day` counts from 1970, `body` is JSON.
pub const DMARC_RESULT: Descriptor = Descriptor {
    kind: Kind::Settings,
    table: "dmarc_result",
    version: 1,
    fields: &[
        field("key", Type::Text),
        field("day", Type::Int),
        field("domain", Type::Text),
        field("body", Type::Text),
        field("count", Type::Int),
    ],
    key: &["key"],
    unique: &[],
    indexed: &["domain"],
    searchable: &[],
    sortable: &["key"],
    migrations: &[],
};

/// The same for reports on the security of connections (TLS-RPT).
pub const TLS_RESULT: Descriptor = Descriptor {
    table: "tls_result",
    ..DMARC_RESULT
};

/// Whom users who are away have answered; `recipient` is the folded address, `at` Unix seconds, `until_day` days since 1970: from then on the row
/// says nothing.
pub const VACATION_ANSWER: Descriptor = Descriptor {
    kind: Kind::Settings,
    table: "vacation_answer",
    version: 1,
    fields: &[
        field("owner", Type::Int),
        field("recipient", Type::Text),
        field("at", Type::Int),
        field("until_day", Type::Int),
    ],
    key: &["owner", "recipient"],
    unique: &[],
    indexed: &["owner", "until_day"],
    searchable: &[],
    sortable: &["recipient"],
    migrations: &[],
};

/// Rules of `policy`, in the order of `place`.
pub const RULE: Descriptor = Descriptor {
    kind: Kind::Rules,
    table: "rule",
    version: 1,
    fields: &[
        field("name", Type::Text),
        field("place", Type::Int),
        field("stage", Type::Text),
        field("enabled", Type::Flag),
        field("body", Type::Text),
        REVISION,
    ],
    key: &["name"],
    unique: &[],
    indexed: &["stage"],
    searchable: &["name", "body"],
    sortable: &["place", "name"],
    migrations: &[],
};

/// Routes of outgoing mail, in the order of `place`; `key` is the name in lower case, `sealed` the password under the server's key.
pub const ROUTE: Descriptor = Descriptor {
    kind: Kind::Settings,
    table: "route",
    version: 1,
    fields: &[
        field("key", Type::Text),
        field("name", Type::Text),
        field("place", Type::Int),
        field("enabled", Type::Flag),
        field("recipients", Type::List),
        field("senders", Type::List),
        field("hosts", Type::List),
        field("tls", Type::Text),
        field("protocol", Type::Text),
        field("user", Type::Text),
        field("sealed", Type::Bytes),
        field("comment", Type::Text),
        REVISION,
    ],
    key: &["key"],
    unique: &[],
    indexed: &[],
    searchable: &["name", "recipients", "senders", "hosts", "comment"],
    sortable: &["place", "key", "comment"],
    migrations: &[],
};

/// Mailboxes elsewhere whose mail is fetched; `key` is the name in lower case, `sealed` the password under the server's key, `after_days` is `NULL` for
/// mail that stays there, 0 for mail that is deleted at once.
pub const EXTERNAL: Descriptor = Descriptor {
    // With the settings, which are always ours: a mapped table of users may be read-only.
    kind: Kind::Settings,
    table: "external_account",
    version: 1,
    fields: &[
        field("owner", Type::Int),
        field("key", Type::Text),
        field("name", Type::Text),
        field("enabled", Type::Flag),
        field("protocol", Type::Text),
        field("host", Type::Text),
        field("port", Type::Int),
        field("security", Type::Text),
        field("certificate", Type::Text),
        field("login", Type::Text),
        field("mechanism", Type::Text),
        field("sealed", Type::Bytes),
        field("folders", Type::List),
        field("into_folder", Type::Text),
        field("interval_minutes", Type::Int),
        field("after_days", Type::Int),
        field("mark_seen", Type::Flag),
        field("comment", Type::Text),
        REVISION,
    ],
    key: &["owner", "key"],
    unique: &[],
    indexed: &["owner"],
    searchable: &["name", "host", "login", "comment"],
    sortable: &["key", "host", "login", "comment"],
    migrations: &[],
};

/// How it stands with an external account (`account`: `<owner>/<key>`); `body` is JSON.
pub const EXTERNAL_STATE: Descriptor = Descriptor {
    kind: Kind::Settings,
    table: "external_state",
    version: 1,
    fields: &[
        field("account", Type::Text),
        field("owner", Type::Int),
        field("body", Type::Text),
    ],
    key: &["account"],
    unique: &[],
    indexed: &["owner"],
    searchable: &[],
    sortable: &["account"],
    migrations: &[],
};

/// Messages of external accounts that need not be asked for again. `account`: `<owner>/<key>`; `mark`: the server's unique id; `place`: both
/// of them; `at`: Unix seconds; `skipped_bytes`: the size of a message that was not taken.
pub const EXTERNAL_SEEN: Descriptor = Descriptor {
    kind: Kind::Settings,
    table: "external_seen",
    version: 1,
    fields: &[
        field("place", Type::Text),
        field("account", Type::Text),
        field("mark", Type::Text),
        field("owner", Type::Int),
        field("at", Type::Int),
        field("skipped_bytes", Type::Int),
    ],
    key: &["place"],
    unique: &[],
    indexed: &["account", "owner"],
    searchable: &[],
    sortable: &["place"],
    migrations: &[],
};

/// Mailing lists; `body` holds their settings as JSON.
pub const LIST: Descriptor = Descriptor {
    kind: Kind::Lists,
    table: "mailing_list",
    version: 1,
    fields: &[
        field("key", Type::Text),
        field("address", Type::Text),
        field("domain", Type::Text),
        field("description", Type::Text),
        field("body", Type::Text),
        REVISION,
    ],
    key: &["key"],
    unique: &[],
    indexed: &["domain"],
    searchable: &["address", "description"],
    sortable: &["key"],
    migrations: &[],
};

/// Log rows; `fields` is JSON.
pub const LOG: Descriptor = Descriptor {
    kind: Kind::Logs,
    table: "log",
    version: 1,
    fields: &[
        field("seq", Type::Int),
        field("at_us", Type::Int),
        field("channel", Type::Text),
        field("severity", Type::Text),
        field("code", Type::Text),
        field("session", Type::Int),
        field("message", Type::Text),
        field("fields", Type::Text),
    ],
    key: &["seq"],
    unique: &[],
    indexed: &["session", "message", "at_us"],
    searchable: &["code", "fields"],
    sortable: &["seq"],
    migrations: &[],
};

/// All of them.
pub const ALL: &[&Descriptor] = &[
    &SETTING,
    &DOMAIN,
    &DOMAIN_NAME,
    &USER,
    &CREDENTIAL,
    &APP_PASSWORD,
    &USER_CERTIFICATE,
    &ALIAS,
    &GROUP,
    &GROUP_MEMBER,
    &TREE,
    &SHARE,
    &ACCESS,
    &DKIM_KEY,
    &DMARC_RESULT,
    &TLS_RESULT,
    &VACATION_ANSWER,
    &RULE,
    &ROUTE,
    &EXTERNAL,
    &EXTERNAL_STATE,
    &EXTERNAL_SEEN,
    &LIST,
    &LOG,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_names_a_field() {
        for descriptor in ALL {
            let named = [
                descriptor.key,
                descriptor.unique,
                descriptor.indexed,
                descriptor.searchable,
                descriptor.sortable,
            ];
            for name in named.concat() {
                assert!(descriptor.position(name).is_some(), "{}.{name}", descriptor.table);
            }
        }
    }
}
