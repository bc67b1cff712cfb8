//! Aggregate reports (RFC 7489 §7.2): what is kept of one message, who may be sent a report, and the report's XML (appendix C).

use std::fmt::Write;
use std::net::IpAddr;

use dns::{Dns, DnsError};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use shared::{Address, DomainName};
use tokio::time::Instant;

use crate::questions::Questions;
use crate::results::{Outcome, Results, Wish};
use crate::tags::Tags;

/// Signatures of one message that are told.
const SIGNATURES_MAX_COUNT: usize = 8;

/// What a report tells of messages that are alike. Kept as JSON: missing members have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// Where the policy stands, and what it says.
    pub domain: String,
    pub wish: String,
    pub subdomain_wish: String,
    pub strict_dkim: bool,
    pub strict_spf: bool,
    pub percent: u8,
    /// Where reports are wanted.
    pub reports: Vec<String>,
    pub source: String,
    pub from: String,
    /// Empty: the null reverse-path.
    pub sender: String,
    pub dkim_aligned: bool,
    pub spf_aligned: bool,
    /// The wish for this message: it was not followed, since results alone refuse nothing.
    pub wished: String,
    /// Domain, selector, result.
    pub dkim: Vec<(String, String, String)>,
    pub spf_domain: String,
    pub spf_result: String,
}

impl Observation {
    /// `None`: nobody wants to hear of it, or it has no result.
    pub fn of(results: &Results, source: IpAddr) -> Option<Self> {
        let dmarc = &results.dmarc;
        let record = dmarc.record.as_ref()?;
        let told = matches!(dmarc.result, Outcome::Pass | Outcome::Fail);
        if !told || record.reports.is_empty() {
            return None;
        }
        let text = |domain: &Option<DomainName>| domain.as_ref().map(ToString::to_string).unwrap_or_default();
        let signatures = results.dkim.iter().filter(|dkim| dkim.domain.is_some());
        Some(Self {
            domain: record.domain.to_string(),
            wish: record.wish.name().to_owned(),
            subdomain_wish: record.subdomain_wish.name().to_owned(),
            strict_dkim: record.strict_dkim,
            strict_spf: record.strict_spf,
            percent: record.percent,
            reports: record.reports.iter().map(Address::to_string).collect(),
            source: source.to_canonical().to_string(),
            from: text(&dmarc.from),
            sender: results
                .spf
                .sender
                .as_ref()
                .map(|sender| sender.domain().to_string())
                .unwrap_or_default(),
            dkim_aligned: dmarc.dkim_aligned,
            spf_aligned: dmarc.spf_aligned,
            wished: if dmarc.result == Outcome::Pass {
                Wish::None
            } else {
                dmarc.wish
            }
            .name()
            .to_owned(),
            dkim: signatures
                .take(SIGNATURES_MAX_COUNT)
                .map(|dkim| {
                    (
                        text(&dkim.domain),
                        dkim.selector.clone(),
                        dkim.result.name().to_owned(),
                    )
                })
                .collect(),
            spf_domain: text(&results.spf.domain),
            spf_result: results.spf.result.name().to_owned(),
        })
    }

    /// Alike messages have the same, of one `text` of this observation.
    pub fn key(text: &str) -> String {
        let hash = digest(&SHA256, text.as_bytes());
        hash.as_ref()
            .iter()
            .take(16)
            .fold(String::new(), |mut out, byte| {
                // Writing to a text in memory can't fail, here and below.
                let _ = write!(out, "{byte:02x}");
                out
            })
    }
}

/// Whether reports on `domain` may go to addresses of `to` (RFC 7489 §7.1). `None`: it can't be asked now.
pub async fn wants_reports(
    dns: &Dns,
    domain: &DomainName,
    to: &DomainName,
    deadline: Instant,
) -> Option<bool> {
    let below = |name: &DomainName, top: &DomainName| {
        name.as_str()
            .strip_suffix(top.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if below(domain, to) || below(to, domain) {
        return Some(true);
    }
    let name = format!("{domain}._report._dmarc.{to}");
    match Questions::new(dns, deadline).txt(&name).await {
        Ok(texts) => Some(
            texts
                .iter()
                .any(|text| Tags::parse(text).is_some_and(|tags| tags.begins_with("v", "DMARC1"))),
        ),
        Err(DnsError::NoSuchDomain) => Some(false),
        Err(DnsError::Temporary(_)) => None,
    }
}

/// What stands above the rows of a report.
#[derive(Clone, Debug)]
pub struct ReportHead<'a> {
    pub organization: &'a str,
    pub contact: &'a str,
    pub id: &'a str,
    /// Unix seconds, both included.
    pub begin: i64,
    pub end: i64,
}

/// The report on one domain; the policy is that of the last row. Nothing for no rows.
pub fn xml(head: &ReportHead<'_>, rows: &[(Observation, u64)]) -> String {
    let Some((policy, _)) = rows.last() else {
        return String::new();
    };
    let mode = |strict: bool| if strict { "s" } else { "r" };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback>\n<version>1.0</version>\n<report_metadata><org_name>{}</org_name>\
         <email>{}</email><report_id>{}</report_id><date_range><begin>{}</begin><end>{}</end></date_range></report_metadata>\n\
         <policy_published><domain>{}</domain><adkim>{}</adkim><aspf>{}</aspf><p>{}</p><sp>{}</sp><pct>{}</pct></policy_published>\n",
        Escaped(head.organization),
        Escaped(head.contact),
        Escaped(head.id),
        head.begin,
        head.end,
        Escaped(&policy.domain),
        mode(policy.strict_dkim),
        mode(policy.strict_spf),
        Escaped(&policy.wish),
        Escaped(&policy.subdomain_wish),
        policy.percent,
    );
    for (row, count) in rows {
        record(&mut out, row, *count);
    }
    out.push_str("</feedback>\n");
    out
}

fn record(out: &mut String, row: &Observation, count: u64) {
    let aligned = |aligned: bool| if aligned { "pass" } else { "fail" };
    let reason = if row.wished == "none" {
        ""
    } else {
        "<reason><type>local_policy</type></reason>"
    };
    let _ = write!(
        out,
        "<record><row><source_ip>{}</source_ip><count>{count}</count><policy_evaluated><disposition>none</disposition>\
         <dkim>{}</dkim><spf>{}</spf>{reason}</policy_evaluated></row><identifiers><envelope_from>{}</envelope_from>\
         <header_from>{}</header_from></identifiers><auth_results>",
        Escaped(&row.source),
        aligned(row.dkim_aligned),
        aligned(row.spf_aligned),
        Escaped(&row.sender),
        Escaped(&row.from),
    );
    for (domain, selector, result) in &row.dkim {
        let _ = write!(
            out,
            "<dkim><domain>{}</domain><selector>{}</selector><result>{}</result></dkim>",
            Escaped(domain),
            Escaped(selector),
            Escaped(result)
        );
    }
    let _ = writeln!(
        out,
        "<spf><domain>{}</domain><scope>{}</scope><result>{}</result></spf></auth_results></record>",
        Escaped(&row.spf_domain),
        if row.sender.is_empty() { "helo" } else { "mfrom" },
        Escaped(&row.spf_result)
    );
}

/// Text between tags of XML.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                // XML 1.0 has no control characters.
                c if c.is_control() => out.write_char('?')?,
                c => out.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report that can't be parsed is thrown away by whoever gets it.
    #[test]
    fn a_report_is_well_formed_whatever_peers_wrote() {
        let row = Observation {
            domain: "a.test".to_owned(),
            wish: "reject".to_owned(),
            subdomain_wish: "none".to_owned(),
            percent: 100,
            source: "192.0.2.1".to_owned(),
            from: "a.test".to_owned(),
            wished: "reject".to_owned(),
            dkim: vec![("b.test".to_owned(), "<&\u{1}>".to_owned(), "fail".to_owned())],
            spf_result: "softfail".to_owned(),
            ..Observation::default()
        };
        let head = ReportHead {
            organization: "A & B",
            contact: "x@here.test",
            id: "1",
            begin: 0,
            end: 86_399,
        };
        let xml = xml(&head, &[(row, 3)]);
        for part in [
            "<org_name>A &amp; B</org_name>",
            "<date_range><begin>0</begin><end>86399</end></date_range>",
            "<p>reject</p><sp>none</sp><pct>100</pct>",
            "<source_ip>192.0.2.1</source_ip><count>3</count>",
            "<disposition>none</disposition><dkim>fail</dkim><spf>fail</spf><reason><type>local_policy</type></reason>",
            "<selector>&lt;&amp;?&gt;</selector>",
            "<scope>helo</scope><result>softfail</result>",
        ] {
            assert!(xml.contains(part), "{part} is not in {xml}");
        }
    }
}
