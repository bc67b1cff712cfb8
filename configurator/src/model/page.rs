//! The pages of the program, as the tree and `--page` name them.

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Page {
    #[default]
    Monitor,
    Queue,
    Log,
    Domains,
    /// Of a domain.
    Users(String),
    Aliases(String),
    Folders(String),
    Groups,
    /// Folders of domains and groups.
    Public,
    /// Mailboxes elsewhere.
    External,
    Access,
    /// Of outgoing mail.
    Routes,
    Services,
    Settings,
    Certificates,
    Storage,
    Wizard,
    About,
}

impl Page {
    /// What `--page` takes; those of a domain have `:DOMAIN` after them.
    pub const NAMES: [&str; 18] = [
        "monitor",
        "queue",
        "log",
        "domains",
        "users",
        "aliases",
        "folders",
        "groups",
        "public",
        "external",
        "access",
        "routes",
        "services",
        "settings",
        "certificates",
        "storage",
        "wizard",
        "about",
    ];

    pub fn parse(text: &str) -> Option<Self> {
        let (name, domain) = text.split_once(':').unwrap_or((text, ""));
        let domain = domain.to_owned();
        Some(match name {
            "monitor" => Self::Monitor,
            "queue" => Self::Queue,
            "log" => Self::Log,
            "domains" => Self::Domains,
            "users" => Self::Users(domain),
            "aliases" => Self::Aliases(domain),
            "folders" => Self::Folders(domain),
            "groups" => Self::Groups,
            "public" => Self::Public,
            "external" => Self::External,
            "access" => Self::Access,
            "routes" => Self::Routes,
            "services" => Self::Services,
            "settings" => Self::Settings,
            "certificates" => Self::Certificates,
            "storage" => Self::Storage,
            "wizard" => Self::Wizard,
            "about" => Self::About,
            _ => return None,
        })
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Queue => "queue",
            Self::Log => "log",
            Self::Domains => "domains",
            Self::Users(_) => "users",
            Self::Aliases(_) => "aliases",
            Self::Folders(_) => "folders",
            Self::Groups => "groups",
            Self::Public => "public",
            Self::External => "external",
            Self::Access => "access",
            Self::Routes => "routes",
            Self::Services => "services",
            Self::Settings => "settings",
            Self::Certificates => "certificates",
            Self::Storage => "storage",
            Self::Wizard => "wizard",
            Self::About => "about",
        }
    }

    /// The domain that the page is of; empty for the others.
    pub fn domain(&self) -> &str {
        match self {
            Self::Users(domain) | Self::Aliases(domain) | Self::Folders(domain) => domain,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_page() {
        for name in Page::NAMES {
            assert_eq!(Page::parse(name).map(|page| page.name()), Some(name));
        }
        assert_eq!(Page::parse("nowhere"), None);
    }
}
