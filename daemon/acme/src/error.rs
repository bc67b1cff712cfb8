//! Why there is no certificate, in words for the administrator, and how long to wait before the next try.

use std::fmt;
use std::time::Duration;

use http::Answer;
use serde_json::Value;

/// Characters of a text of the authority that are shown.
const TEXT_LENGTH_MAX: usize = 500;
/// Names of which a problem tells on their own.
const SUBPROBLEMS_MAX_COUNT: usize = 5;
/// What all problems of RFC 8555 begin with (§6.7).
const PREFIX: &str = "urn:ietf:params:acme:error:";
/// A pause is at most that long, whatever the authority says.
pub(crate) const PAUSE_MAX: Duration = Duration::from_hours(24 * 7);
/// After a failure; doubled with each that follows it.
const PAUSE_FIRST: Duration = Duration::from_hours(1);
/// However short a certificate lives.
const PAUSE_LEAST: Duration = Duration::from_mins(5);
/// Doubling ends here: a certificate of months that is renewed at two thirds of its life has days left.
const PAUSE_DOUBLED_MAX: Duration = Duration::from_hours(24);
/// After an authority has said that it was asked too often, and not until when.
const PAUSE_LIMITED: Duration = Duration::from_hours(6);

/// Why there is no certificate.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AcmeError {
    #[error("acme.directory is empty")]
    Off,
    /// Where they are to be read.
    #[error("the authority's terms of service are not agreed to: {0}")]
    Terms(String),
    /// The authority wants an account of its own to be named (RFC 8555 §7.3.4).
    #[error("the authority asks for an external account: acme.external-account and its key in keys/acme")]
    ExternalAccount,
    #[error("a certificate can't be asked for {0}")]
    Name(String),
    /// HTTP-01 and TLS-ALPN-01 are answered on ports that are not open.
    #[error("the web's ports are not open: web = true in batpost.toml, or acme.challenge = dns-01")]
    NoWeb,
    #[error("a wildcard needs acme.challenge = dns-01: {0}")]
    Wildcard(String),
    #[error("there is no order of that name")]
    Unknown,
    #[error("there are too many orders")]
    TooMany,
    #[error("{url}: {reason}")]
    Unreachable { url: String, reason: String },
    /// RFC 8555 §6.1
    #[error("{0}: not protected by TLS")]
    Unprotected(String),
    /// What the authority said.
    #[error("{0}")]
    Problem(Problem),
    /// The authority could not verify a name.
    #[error("{name}: {problem}")]
    Validation { name: String, problem: Problem },
    #[error("the authority's answer can't be understood: {0}")]
    Answer(String),
    /// What its directory does not name.
    #[error("the authority offers no {0}")]
    NotOffered(&'static str),
    #[error("{name}: the authority offers no {challenge}")]
    NoChallenge { name: String, challenge: &'static str },
    #[error("acme.dns-command: {0}")]
    Command(String),
    #[error("no certificate in time")]
    Timeout,
    /// Nobody wants it any more, or it is wanted for other names by now.
    #[error("it was given up meanwhile")]
    Forgotten,
    #[error("the certificate is for {got}, not for {wanted}")]
    OtherNames { got: String, wanted: String },
    #[error("there is no such certificate")]
    NoCertificate,
    #[error("an order is under way")]
    Busy,
    #[error("{0}")]
    Tls(String),
    #[error("{0}")]
    Disk(String),
    /// What is in a file makes no sense.
    #[error("{0}")]
    Damaged(String),
}

impl AcmeError {
    /// The authority knows nothing of the account (RFC 8555 §6.7).
    pub(crate) fn is_unknown_account(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.kind == "accountDoesNotExist")
    }

    /// The authority was not reached, is out of order or has too much to do: the same question may be answered in a while.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => {
                problem.status >= 500 || problem.status == 429 || problem.kind == "rateLimited"
            }
            _ => false,
        }
    }

    /// An order that failed by this may still come to a certificate.
    pub(crate) fn leaves_the_order(&self) -> bool {
        self.is_passing() || matches!(self, Self::Timeout | Self::Disk(_))
    }

    /// What the authority asked for, if it did.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) | Self::Validation { problem, .. } => problem.retry_after,
            _ => None,
        }
    }

    /// How long to wait after that many failures in a row, this one included.
    /// `left`: how long the certificate that there is still lives; one of a day must not be over because of a pause of hours.
    pub(crate) fn pause(&self, failures: u32, left: Option<Duration>) -> Duration {
        let most = left.map_or(PAUSE_DOUBLED_MAX, |left| (left / 4).max(PAUSE_LEAST));
        let doubled = PAUSE_FIRST
            .saturating_mul(1 << failures.saturating_sub(1).min(10))
            .min(PAUSE_DOUBLED_MAX)
            .min(most);
        let (Self::Problem(problem) | Self::Validation { problem, .. }) = self else {
            return doubled;
        };
        let least = if problem.kind == "rateLimited" {
            PAUSE_LIMITED
        } else {
            Duration::ZERO
        };
        // RFC 8555 §6.6: until then every answer is the same.
        problem.retry_after.unwrap_or(least).max(doubled).min(PAUSE_MAX)
    }
}

/// A problem document (RFC 7807) of the authority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Without the prefix of ACME.
    pub kind: String,
    pub detail: String,
    /// By name (RFC 8555 §6.7.1).
    pub(crate) parts: Vec<(String, String)>,
    pub(crate) retry_after: Option<Duration>,
    /// Of the answer; 0: it stood in an answer that was none.
    pub(crate) status: u16,
}

impl Problem {
    pub(crate) fn of_answer(answer: &Answer) -> Self {
        let mut problem = match serde_json::from_slice(&answer.body) {
            Ok(value @ Value::Object(_)) => Self::of_value(&value),
            _ => Self {
                detail: shown(&String::from_utf8_lossy(&answer.body)),
                ..Self::default()
            },
        };
        if problem.kind.is_empty() {
            problem.kind = format!("HTTP {}", answer.status);
        }
        problem.retry_after = answer.header("retry-after").and_then(retry_after);
        problem.status = answer.status;
        problem
    }

    /// Another request may be answered better.
    pub(crate) fn is_about_the_request(&self) -> bool {
        (400..500).contains(&self.status)
            && self.status != 429
            && !matches!(self.kind.as_str(), "rateLimited" | "accountDoesNotExist")
    }

    /// What stands in an order, an authorization or a challenge.
    pub(crate) fn of_value(value: &Value) -> Self {
        let text = |value: &Value, key: &str| shown(value[key].as_str().unwrap_or_default());
        let kind = text(value, "type");
        let parts = value["subproblems"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let part = |part: &Value| (text(&part["identifier"], "value"), text(part, "detail"));
        Self {
            kind: kind.strip_prefix(PREFIX).unwrap_or(&kind).to_owned(),
            detail: text(value, "detail"),
            parts: parts.iter().take(SUBPROBLEMS_MAX_COUNT).map(part).collect(),
            retry_after: None,
            status: 0,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.kind, self.detail)?;
        for (name, detail) in &self.parts {
            write!(out, "; {name}: {detail}")?;
        }
        Ok(())
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3).
pub(crate) fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    let left = date
        .as_second()
        .saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// A text of somebody else as it may stand in a log: one line, not too long.
pub(crate) fn shown(text: &str) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(TEXT_LENGTH_MAX).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after: Option<u64>) -> AcmeError {
        AcmeError::Problem(Problem {
            kind: "rateLimited".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
            ..Problem::default()
        })
    }

    // An authority that is asked again and again gives the house no certificate for a week.
    #[test]
    fn pauses_grow_and_an_authority_s_wish_is_obeyed() {
        let hours = |error: &AcmeError, failures| error.pause(failures, None).as_secs() / 3600;
        let grown: Vec<u64> = (1..=7)
            .map(|failures| hours(&AcmeError::Timeout, failures))
            .collect();
        assert_eq!(grown, [1, 2, 4, 8, 16, 24, 24]);
        assert_eq!(hours(&AcmeError::Timeout, u32::MAX), 24);
        assert_eq!(hours(&limited(None), 1), 6);
        assert_eq!(hours(&limited(None), 5), 16);
        assert_eq!(hours(&limited(Some(36_000)), 1), 10);
        assert_eq!(hours(&limited(Some(u64::MAX)), 1), 24 * 7);
    }

    #[test]
    fn a_pause_is_given_in_seconds_or_as_a_date() {
        assert_eq!(retry_after(" 120 "), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let far = retry_after("Mon, 21 Oct 2115 07:28:00 GMT");
        assert!(
            far.is_some_and(|far| far > Duration::from_hours(24 * 365)),
            "{far:?}"
        );
        assert_eq!(retry_after("soon"), None);
    }

    // What an authority says ends up in the log.
    #[test]
    fn a_problem_is_one_line_whatever_it_holds() {
        let problem = Problem::of_value(&serde_json::json!({
            "type": "urn:ietf:params:acme:error:malformed",
            "detail": format!("a\r\nb{}", "x".repeat(10_000)),
            "subproblems": [{"identifier": {"value": "a.test"}, "detail": "no"}, 7],
        }));
        let text = problem.to_string();
        assert!(
            text.starts_with("malformed: a  bx") && text.contains("; a.test: no"),
            "{text}"
        );
        assert!(text.len() < 600 && !text.contains('\n'));
    }
}
