//! What messages are sorted and threaded by (RFC 5256, RFC 5957), taken from a header.

use memchr::memchr;

use super::addresses::{Entry, Mailbox, entries};
use super::collation::casemap;
use super::envelope::Collected;
use super::lex::Lexer;
use super::{charset, date, decode, subject};

/// Message IDs of one References field that are used. Of more, the first and the last count: they say where the thread begins and whom
/// the message answers.
pub const THREAD_REFERENCES_MAX_COUNT: usize = 100;

/// All texts are prepared by [`casemap`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// The sent date of RFC 5256 §2.2, Unix seconds; `None` if it cannot be determined.
    pub sent: Option<i64>,
    /// addr-mailbox of the first address, as in the ENVELOPE.
    pub from: String,
    pub to: String,
    pub cc: String,
    /// RFC 5957 §3: the name of the first address, or else the address.
    pub display_from: String,
    pub display_to: String,
    /// The base subject.
    pub subject: String,
    /// Whether the subject is that of a reply or a forward.
    pub is_reply: bool,
    /// The normalised Message ID, if there is a valid one.
    pub message_id: Option<Vec<u8>>,
    /// Normalised Message IDs of those it answers, oldest first.
    pub references: Vec<Vec<u8>>,
}

impl Order {
    pub fn of(header: &[u8]) -> Order {
        let fields = Collected::of(header);
        let (from, display_from) = first_address(&fields.from);
        let (to, display_to) = first_address(&fields.to);
        let (cc, _) = first_address(&fields.cc);
        let (base, is_reply) = subject::base(&fields.subject.map(decode::header_text).unwrap_or_default());
        Order {
            sent: fields.date.and_then(date::sent),
            from,
            to,
            cc,
            display_from,
            display_to,
            subject: casemap(&base).into_owned(),
            is_reply,
            message_id: fields.message_id.and_then(|value| message_ids(value).next()),
            references: references(&fields),
        }
    }
}

/// addr-mailbox and the text to show of the first address of some fields.
fn first_address(values: &[&[u8]]) -> (String, String) {
    let first = values.iter().find_map(|value| entries(value).into_iter().next());
    match first {
        Some(Entry::Mailbox(mailbox)) => {
            let local = charset::guess(&mailbox.local);
            (
                casemap(&local).into_owned(),
                casemap(&shown(&mailbox)).into_owned(),
            )
        }
        // The ENVELOPE has a group's name in the place of addr-mailbox.
        Some(Entry::GroupStart(name)) => {
            let name = casemap(&decode::header_text(&name)).into_owned();
            (name.clone(), name)
        }
        Some(Entry::GroupEnd) | None => (String::new(), String::new()),
    }
}

/// RFC 5957 §3: addr-name decoded, or else addr-mailbox "@" addr-host.
fn shown(mailbox: &Mailbox) -> String {
    match &mailbox.name {
        Some(name) => decode::header_text(name),
        None => format!(
            "{}@{}",
            charset::guess(&mailbox.local),
            charset::guess(&mailbox.domain)
        ),
    }
}

/// RFC 5256 §3: those of References, or else the first of In-Reply-To.
fn references(fields: &Collected<'_>) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for id in fields.references.into_iter().flat_map(message_ids) {
        if found.len() == THREAD_REFERENCES_MAX_COUNT {
            found.remove(1);
        }
        found.push(id);
    }
    if found.is_empty() {
        found.extend(fields.in_reply_to.and_then(|value| message_ids(value).next()));
    }
    found
}

/// The valid Message IDs of a value, without brackets, quotes, white space and comments.
fn message_ids(value: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let mut rest = value;
    std::iter::from_fn(move || {
        loop {
            let open = memchr(b'<', rest)?;
            rest = rest.get(open + 1..)?;
            let mut lexer = Lexer::new(rest);
            let id = message_id(&mut lexer);
            if id.is_some() {
                rest = lexer.rest();
                return id;
            }
        }
    })
}

/// `id-left "@" id-right ">"` (RFC 5322 §3.6.4), with what mail programs write in place of a dot-atom.
fn message_id(lexer: &mut Lexer<'_>) -> Option<Vec<u8>> {
    let mut id = Vec::new();
    let mut at = None;
    loop {
        lexer.skip_cfws();
        match lexer.peek()? {
            b'>' => break,
            b'<' => return None,
            b'"' => {
                lexer.quoted(&mut id);
            }
            b'@' => {
                lexer.bump();
                at = Some(id.len());
                id.push(b'@');
            }
            byte => {
                lexer.bump();
                id.push(byte);
            }
        }
    }
    lexer.bump();
    let at = at?;
    (at > 0 && at + 1 < id.len()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Order {
        Order::of(header.as_bytes())
    }

    #[test]
    fn addresses_of_all_kinds() {
        let cases = [
            ("Anna Ä <anna@x.test>, b@y", "ANNA", "ANNA A\u{308}"),
            ("=?utf-8?B?0JDQvdC90LA=?= <anna@x.test>", "ANNA", "АННА"),
            ("\"Last, First\" <a.b@x>", "A.B", "LAST, FIRST"),
            ("a@x (Anna)", "A", "ANNA"),
            ("a@x", "A", "A@X"),
            (
                "undisclosed-recipients:;",
                "UNDISCLOSED-RECIPIENTS",
                "UNDISCLOSED-RECIPIENTS",
            ),
            (
                "=?utf-8?q?Gruppe_=C3=84?=: a@x;",
                "GRUPPE A\u{308}",
                "GRUPPE A\u{308}",
            ),
            ("юзер@пример.test", "ЮЗЕР", "ЮЗЕР@ПРИМЕР.TEST"),
            ("", "", ""),
        ];
        for (value, mailbox, shown) in cases {
            let order = of(&format!("From: {value}\r\nTo: {value}\r\nCc: {value}\r\n\r\n"));
            assert_eq!(
                (order.from.as_str(), order.display_from.as_str()),
                (mailbox, shown),
                "{value}"
            );
            assert_eq!(
                (order.to.as_str(), order.display_to.as_str()),
                (mailbox, shown),
                "{value}"
            );
            assert_eq!(order.cc, mailbox, "{value}");
        }
    }

    #[test]
    fn subjects_and_dates() {
        let order = of(
            "Subject: Re: =?koi8-r?B?8NLJ18XU?=\r\n =?koi8-r?Q?_=CD=C9=D2?=\r\nDate: 31 Dec 2000 16:01:33 -0800\r\n\r\n",
        );
        assert_eq!((order.subject.as_str(), order.is_reply), ("ПРИВЕТ МИР", true));
        assert_eq!(order.sent, date::sent(b"1 Jan 2001 00:01:33 +0000"));
        let order = of("Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= (fwd)\r\nDate: never\r\n\r\n");
        assert_eq!(
            (order.subject.as_str(), order.is_reply, order.sent),
            ("日本", true, None)
        );
        assert_eq!(of(""), Order::default());
    }

    #[test]
    fn message_ids_are_normalised() {
        type Case = (&'static str, &'static [&'static str]);
        let cases: &[Case] = &[
            (
                "<01KF8JCEOCBS0045PS@xxx.yyy.com>",
                &["01KF8JCEOCBS0045PS@xxx.yyy.com"],
            ),
            (
                "<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>",
                &["01KF8JCEOCBS0045PS@xxx.yyy.com"],
            ),
            ("<a@b><c@d>\r\n <e@f> (x <g@h>)", &["a@b", "c@d", "e@f", "g@h"]),
            ("< a . b @ c >", &["a.b@c"]),
            ("<a (comment) @b>", &["a@b"]),
            ("<A@b> <a@b>", &["A@b", "a@b"]),
            ("<no-at> a@b <@x> <x@> <", &[]),
            ("<broken <a@b>", &["a@b"]),
            ("<a@[1.2.3.4]>", &["a@[1.2.3.4]"]),
            ("<\"a\\\"b\"@c>", &["a\"b@c"]),
            ("from a@b of <1@x>", &["1@x"]),
        ];
        for (value, expected) in cases {
            let expected: Vec<Vec<u8>> = expected.iter().map(|id| id.as_bytes().to_vec()).collect();
            assert_eq!(
                message_ids(value.as_bytes()).collect::<Vec<_>>(),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn references_or_else_the_first_in_reply_to() {
        let ids = |header: &str| {
            let found = of(header).references;
            found
                .iter()
                .map(|id| String::from_utf8_lossy(id).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids("References: <1@x> <2@x>\r\nIn-Reply-To: <3@x>\r\n\r\n"),
            ["1@x", "2@x"]
        );
        assert_eq!(
            ids("References: none\r\nIn-Reply-To: you said <3@x> <4@x>\r\n\r\n"),
            ["3@x"]
        );
        assert_eq!(ids("In-Reply-To: yours\r\n\r\n"), Vec::<String>::new());
        let many: Vec<String> = (0..500).map(|n| format!(" <{n}@x>\r\n")).collect();
        let kept = ids(&format!("References:{}\r\n", many.concat()));
        assert_eq!(kept.len(), THREAD_REFERENCES_MAX_COUNT);
        assert_eq!(
            (kept[0].as_str(), kept[1].as_str(), kept[99].as_str()),
            ("0@x", "401@x", "499@x")
        );
    }
}
