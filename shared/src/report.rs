//! Aggregate reports to other domains.

use serde::{Deserialize, Serialize};

/// What an aggregate report to another domain is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportKind {
    /// Mail in its name.
    Dmarc,
    /// The security of connections to its hosts (TLS-RPT).
    Tls,
}

impl ReportKind {
    pub const ALL: [Self; 2] = [Self::Dmarc, Self::Tls];

    /// As the protocol and the command line name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Tls => "tls",
        }
    }
}

/// A report that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportWaiting {
    pub kind: ReportKind,
    /// The domain that the report is for.
    pub domain: String,
    /// The beginning of its day, in Unix seconds.
    pub day: i64,
    /// Messages, or connections.
    pub count: u64,
}
