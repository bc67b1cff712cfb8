//! The first-run wizard: server name, first domain, first mailbox, DNS records, ports.

use shared::{Address, DomainName, Refusal};

use super::forms::Errors;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    #[default]
    Server,
    Domain,
    Mailbox,
    Records,
    Ports,
}

impl Step {
    pub const ALL: [Self; 5] = [
        Self::Server,
        Self::Domain,
        Self::Mailbox,
        Self::Records,
        Self::Ports,
    ];

    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step > self)
    }

    pub fn previous(self) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|step| *step < self)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wizard {
    pub step: Step,
    pub hostname: String,
    pub domain: String,
    pub local: String,
    pub name: String,
    pub password: String,
    pub again: String,
    pub errors: Errors,
    pub busy: bool,
    /// Set once the daemon has them, so that going back and forth makes nothing twice.
    pub domain_made: Option<String>,
    pub mailbox_made: Option<String>,
}

/// A DNS record to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    pub kind: &'static str,
    pub value: String,
    /// The key of the text that says what it is for.
    pub why: &'static str,
}

impl Wizard {
    /// What the step holds, checked.
    pub fn check(&self) -> Result<(), Errors> {
        let mut errors = Errors::new();
        let mut wrong = |field: &str, refusal| {
            errors.insert(field.to_owned(), refusal);
        };
        let required = || Refusal::new("field-required");
        match self.step {
            Step::Server => match DomainName::parse(self.hostname.trim()) {
                _ if self.hostname.trim().is_empty() => wrong("hostname", required()),
                Err(refusal) => wrong("hostname", refusal),
                Ok(_) => {}
            },
            Step::Domain => match DomainName::parse(self.domain.trim()) {
                _ if self.domain.trim().is_empty() => wrong("domain", required()),
                Err(refusal) => wrong("domain", refusal),
                Ok(_) => {}
            },
            Step::Mailbox => {
                if self.local.trim().is_empty() {
                    wrong("local", required());
                } else if let Err(refusal) = self.address() {
                    wrong("local", refusal);
                }
                if self.password.is_empty() && self.mailbox_made.is_none() {
                    wrong("password", required());
                }
                if self.password != self.again {
                    wrong("again", Refusal::new("passwords-differ"));
                }
            }
            Step::Records | Step::Ports => {}
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    pub fn address(&self) -> Result<Address, Refusal> {
        Address::from_parts(self.local.trim(), DomainName::parse(self.domain.trim())?)
    }

    /// The records that let others find the server (RFC 5321 §5.1, RFC 7208, RFC 7489, RFC 8460, RFC 6186).
    pub fn records(&self) -> Vec<Record> {
        let ascii = |text: &str| {
            DomainName::parse(text.trim())
                .map(String::from)
                .unwrap_or_default()
        };
        let (host, domain) = (ascii(&self.hostname), ascii(&self.domain));
        let record = |name: String, kind, value: String, why| Record {
            name: format!("{name}."),
            kind,
            value,
            why,
        };
        vec![
            record(host.clone(), "A", String::new(), "dns-why-a"),
            record(domain.clone(), "MX", format!("10 {host}."), "dns-why-mx"),
            record(
                domain.clone(),
                "TXT",
                "\"v=spf1 mx -all\"".to_owned(),
                "dns-why-spf",
            ),
            record(
                format!("_dmarc.{domain}"),
                "TXT",
                format!("\"v=DMARC1; p=none; rua=mailto:postmaster@{domain}\""),
                "dns-why-dmarc",
            ),
            record(
                format!("_smtp._tls.{domain}"),
                "TXT",
                format!("\"v=TLSRPTv1; rua=mailto:postmaster@{domain}\""),
                "dns-why-tls-report",
            ),
            record(
                format!("_imaps._tcp.{domain}"),
                "SRV",
                format!("0 1 993 {host}."),
                "dns-why-imaps",
            ),
            record(
                format!("_submissions._tcp.{domain}"),
                "SRV",
                format!("0 1 465 {host}."),
                "dns-why-submissions",
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_name_the_server_and_the_domain_in_ascii() {
        let wizard = Wizard {
            hostname: "Mail.Example.test".to_owned(),
            domain: "пример.рф".to_owned(),
            ..Wizard::default()
        };
        let records = wizard.records();
        let mx = records
            .iter()
            .find(|record| record.kind == "MX")
            .map(|mx| (mx.name.as_str(), mx.value.as_str()));
        assert_eq!(mx, Some(("xn--e1afmkfd.xn--p1ai.", "10 mail.example.test.")));
    }

    #[test]
    fn a_step_is_left_only_when_it_is_right() {
        let mut wizard = Wizard {
            step: Step::Mailbox,
            domain: "a.test".to_owned(),
            ..Wizard::default()
        };
        wizard.password = "one".to_owned();
        let errors = wizard.check().err().unwrap_or_default();
        assert_eq!(
            errors.keys().map(String::as_str).collect::<Vec<_>>(),
            ["again", "local"]
        );
    }
}
