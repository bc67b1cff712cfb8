//! The answers: documents for mail programs and servers, and refusals.

use std::fmt::Write;

use shared::{Address, DomainName};

use crate::{Reach, Service};

/// Seconds that others may remember that mail comes by TLS (RFC 8461 §3.2): a week.
const MTA_STS_MAX_AGE_S: u32 = 604_800;

pub(crate) struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
    /// HEAD: the length is told, the body isn't sent.
    bare: bool,
}

impl Answer {
    fn document(content_type: &'static str, body: String) -> Self {
        Self {
            status: 200,
            content_type,
            body,
            bare: false,
        }
    }

    pub(crate) fn refusal(status: u16) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: format!("{}\n", phrase(status)),
            bare: false,
        }
    }

    pub(crate) fn without_body(self) -> Self {
        Self { bare: true, ..self }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            self.status,
            phrase(self.status),
            self.content_type,
            self.body.len(),
        );
        if !self.bare {
            out.push_str(&self.body);
        }
        out.into_bytes()
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        _ => "Service Unavailable",
    }
}

/// Thunderbird's description of an account, version 1.1.
pub(crate) fn autoconfig(domain: &DomainName, hostname: &str, reaches: &[Reach]) -> Answer {
    let (domain, hostname) = (escaped(domain.as_str()), escaped(hostname));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n <emailProvider id=\"{domain}\">\n  \
         <domain>{domain}</domain>\n  <displayName>{domain}</displayName>\n  <displayShortName>{domain}</displayShortName>\n"
    );
    for reach in reaches {
        let (element, kind) = match reach.service {
            Service::Imap => ("incomingServer", "imap"),
            Service::Pop3 => ("incomingServer", "pop3"),
            Service::Submission => ("outgoingServer", "smtp"),
        };
        let socket = if reach.tls { "SSL" } else { "STARTTLS" };
        // Writing to a text in memory can't fail, here and below.
        let _ = write!(
            out,
            "  <{element} type=\"{kind}\">\n   <hostname>{hostname}</hostname>\n   <port>{}</port>\n   \
             <socketType>{socket}</socketType>\n   <username>%EMAILADDRESS%</username>\n   \
             <authentication>password-cleartext</authentication>\n  </{element}>\n",
            reach.port,
        );
    }
    out.push_str(" </emailProvider>\n</clientConfig>\n");
    Answer::document("text/xml; charset=utf-8", out)
}

/// Outlook's description of an account ("POX" autodiscover).
pub(crate) fn autodiscover(address: Option<&Address>, hostname: &str, reaches: &[Reach]) -> Answer {
    let login = address
        .map(|address| escaped(&address.to_string()))
        .unwrap_or_default();
    let hostname = escaped(hostname);
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n \
         <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n  \
         <Account>\n   <AccountType>email</AccountType>\n   <Action>settings</Action>\n",
    );
    for reach in reaches {
        let kind = match reach.service {
            Service::Imap => "IMAP",
            Service::Pop3 => "POP3",
            Service::Submission => "SMTP",
        };
        let encryption = if reach.tls { "SSL" } else { "TLS" };
        let _ = write!(
            out,
            "   <Protocol>\n    <Type>{kind}</Type>\n    <Server>{hostname}</Server>\n    <Port>{}</Port>\n    \
             <DomainRequired>off</DomainRequired>\n    <LoginName>{login}</LoginName>\n    <SPA>off</SPA>\n    \
             <SSL>on</SSL>\n    <Encryption>{encryption}</Encryption>\n    <AuthRequired>on</AuthRequired>\n   </Protocol>\n",
            reach.port,
        );
    }
    out.push_str("  </Account>\n </Response>\n</Autodiscover>\n");
    Answer::document("text/xml; charset=utf-8", out)
}

/// RFC 8461 §3.2
pub(crate) fn mta_sts(hostname: &str) -> Answer {
    Answer::document(
        "text/plain; charset=utf-8",
        format!("version: STSv1\r\nmode: enforce\r\nmx: {hostname}\r\nmax_age: {MTA_STS_MAX_AGE_S}\r\n"),
    )
}

/// RFC 8555 §8.3
pub(crate) fn challenge(authorization: String) -> Answer {
    Answer::document("application/octet-stream", authorization)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
