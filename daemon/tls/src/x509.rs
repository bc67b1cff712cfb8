//! What is read in a certificate beside what rustls reads: who made it for whom, until when, and whose mail addresses it names (RFC 5280).
//!
//! Must not know: whether any of it is to be believed.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, `[3]` of TBSCertificate (§4.1).
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `[1]` of GeneralName: rfc822Name (§4.2.1.6).
const MAIL_ADDRESS: u8 = 0x81;
/// id-ce-subjectAltName, 2.5.29.17.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// id-ce-authorityKeyIdentifier, 2.5.29.35, and its `[0]` keyIdentifier (§4.2.1.1).
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const KEY_IDENTIFIER: u8 = 0x80;
/// id-at-commonName, id-at-organizationName.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// What a certificate says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The common name, or the organisation's.
    pub issuer: String,
    pub subject: String,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    pub(crate) self_issued: bool,
    pub(crate) emails: Vec<String>,
}

/// `None` if it is no certificate.
pub(crate) fn facts(certificate: &[u8]) -> Option<Facts> {
    let (content, _) = element(certificate, SEQUENCE)?;
    let (tbs, _) = element(content, SEQUENCE)?;
    let rest = element(tbs, VERSION).map_or(tbs, |(_, rest)| rest);
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, rest) = element(rest, SEQUENCE)?;
    let (subject, rest) = element(rest, SEQUENCE)?;
    let (_key, mut rest) = element(rest, SEQUENCE)?;
    let (begin_tag, not_before, not_after) = next(validity)?;
    let (tag, not_after, _) = next(not_after)?;
    let mut emails = Vec::new();
    while let Some((tag, content, after)) = next(rest) {
        if tag == EXTENSIONS {
            emails = mail_addresses(content).unwrap_or_default();
        }
        rest = after;
    }
    Some(Facts {
        self_issued: issuer == subject,
        issuer: name(issuer),
        subject: name(subject),
        not_before: time(begin_tag, not_before)?,
        not_after: time(tag, not_after)?,
        emails,
    })
}

/// The content of the first DER element, which has that tag, and what follows it (X.690 §8.1).
pub(crate) fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = next(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the first DER element, and what follows it.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        let value = digits
            .iter()
            .fold(0_usize, |value, &digit| value << 8 | usize::from(digit));
        (value, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn mail_addresses(extensions: &[u8]) -> Option<Vec<String>> {
    let (mut names, _) = element(extension(extensions, ALTERNATIVE_NAMES)?, SEQUENCE)?;
    let mut found = Vec::new();
    while let Some((tag, content, rest)) = next(names) {
        if tag == MAIL_ADDRESS
            && let Ok(text) = std::str::from_utf8(content)
        {
            found.push(text.to_owned());
        }
        names = rest;
    }
    Some(found)
}

/// What is in the extension of that kind.
fn extension<'a>(extensions: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    let (mut list, _) = element(extensions, SEQUENCE)?;
    while let Some((extension, rest)) = element(list, SEQUENCE) {
        list = rest;
        let (oid, mut value) = element(extension, OBJECT_IDENTIFIER)?;
        if oid != kind {
            continue;
        }
        // Perhaps a flag before it.
        loop {
            let (tag, content, rest) = next(value)?;
            if tag == OCTET_STRING {
                return Some(content);
            }
            value = rest;
        }
    }
    None
}

/// By what its issuer tells a certificate from all others: the identifier of the issuer's key and the serial number, both as they stand in it. `None` if
/// it doesn't say one of them.
pub fn issue(certificate: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (content, _) = element(certificate, SEQUENCE)?;
    let (tbs, _) = element(content, SEQUENCE)?;
    let rest = element(tbs, VERSION).map_or(tbs, |(_, rest)| rest);
    let (serial, mut rest) = element(rest, INTEGER)?;
    while let Some((tag, content, after)) = next(rest) {
        if tag == EXTENSIONS {
            let (key, _) = element(extension(content, AUTHORITY_KEY)?, SEQUENCE)?;
            let (key, _) = element(key, KEY_IDENTIFIER)?;
            return Some((key.to_vec(), serial.to_vec()));
        }
        rest = after;
    }
    None
}

/// A Name in one text: its common name, else its organisation.
fn name(mut names: &[u8]) -> String {
    let mut organization = String::new();
    while let Some((set, rest)) = element(names, SET) {
        names = rest;
        let Some((pair, _)) = element(set, SEQUENCE) else {
            continue;
        };
        let Some((oid, value)) = element(pair, OBJECT_IDENTIFIER) else {
            continue;
        };
        let Some((_, text, _)) = next(value) else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        if oid == COMMON_NAME {
            return text;
        }
        if oid == ORGANIZATION {
            organization = text;
        }
    }
    organization
}

/// §4.1.2.5: always to the second, always in UTC.
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (part(0)?, part(2)?);
    if rest.len() != 10 || !(1..=12).contains(&month) {
        return None;
    }
    // Days since 1970 of a date in the Gregorian calendar whose year begins in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468;
    Some(days * 86_400 + part(4)? * 3600 + part(6)? * 60 + part(8)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_certificate_says_is_read() {
        let mut params = rcgen::CertificateParams::new(vec!["mail.example.test".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Anna");
        let email = rcgen::string::Ia5String::try_from("anna@example.test").unwrap();
        params.subject_alt_names.push(rcgen::SanType::Rfc822Name(email));
        params.not_after = rcgen::date_time_ymd(2031, 2, 28);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let facts = facts(&der).unwrap();
        assert_eq!((facts.issuer.as_str(), facts.self_issued), ("Anna", true));
        assert_eq!(facts.emails, ["anna@example.test"]);
        assert_eq!(facts.not_after, 1_930_003_200);
        assert_eq!(issue(&der), None);
        for length in 0..der.len() {
            // Cut off anywhere: nothing, and no panic.
            let _ = super::facts(&der[..length]);
            let _ = issue(&der[..length]);
        }
    }

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(time(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(time(UTC_TIME, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(GENERALIZED_TIME, b"20000229120001Z"), Some(951_825_601));
        assert_eq!(time(GENERALIZED_TIME, b"20000229120001"), None);
        assert_eq!(time(UTC_TIME, b"991301000000Z"), None);
    }
}
