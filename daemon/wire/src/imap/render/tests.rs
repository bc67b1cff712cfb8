use proptest::prelude::*;

use super::super::date::date_time;
use super::super::mailbox::mailbox;
use super::super::set::SequenceSet;
use super::*;

fn put(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn strings() {
    for (text, expected) in [
        ("INBOX", "INBOX"),
        ("", "\"\""),
        ("a b", "\"a b\""),
        ("a\"b\\", "\"a\\\"b\\\\\""),
        ("nil", "\"nil\""),
        ("a\r\nb", "{4}\r\na\r\nb"),
        ("é", "{2}\r\né"),
    ] {
        assert_eq!(put(|out| put_astring(out, text.as_bytes())), expected);
    }
    assert!(put(|out| put_quoted_or_literal(out, &[b'a'; 1025])).starts_with("{1025}"));
    assert_eq!(put(|out| put_nstring(out, None)), "NIL");
    assert_eq!(put(|out| put_mailbox(out, "Папка", false)), "&BB8EMAQ,BDoEMA-");
    assert_eq!(put(|out| put_mailbox(out, "Папка", true)), "\"Папка\"");
}

#[test]
fn flags_and_sets() {
    assert_eq!(put(|out| put_flags(out, Flags::NONE, [], false)), "()");
    assert_eq!(put(|out| put_flags(out, Flags::NONE, [], true)), "(\\Recent)");
    let system = Flags::SEEN.with(Flags::ANSWERED);
    assert_eq!(
        put(|out| put_flags(out, system, ["$Junk"], true)),
        "(\\Recent \\Answered \\Seen $Junk)"
    );
    assert_eq!(put(|out| put_uid_set(out, [1, 2, 3, 5, 9, 10])), "1:3,5,9:10");
    assert_eq!(put(|out| put_uid_sequence(out, &[7, 8, 3, 4, 5, 1])), "7:8,3:5,1");
    assert_eq!(put(|out| put_uid_sequence(out, &[])), "");
    assert_eq!(put(|out| put_uid_sequence(out, &[u32::MAX, 1])), "4294967295,1");
}

#[test]
fn dates() {
    let moment = DateTime {
        unix_seconds: 837_596_665,
        offset_minutes: -420,
    };
    assert_eq!(
        put(|out| put_date_time(out, moment)),
        "\"17-Jul-1996 02:44:25 -0700\""
    );
    assert_eq!(
        put(|out| put_date_time(out, DateTime::utc(0))),
        "\" 1-Jan-1970 00:00:00 +0000\""
    );
}

proptest! {
    #[test]
    fn numbers(number in any::<u64>()) {
        prop_assert_eq!(put(|out| put_number(out, number)), number.to_string());
    }

    #[test]
    fn strings_come_back(bytes in prop::collection::vec(1u8.., 0..50)) {
        let mut out = Vec::new();
        put_astring(&mut out, &bytes);
        prop_assert_eq!(Lexer::new(&out, false).astring().unwrap().into_owned(), bytes);
    }

    #[test]
    fn names_come_back(name in "[^\\p{Cc}\u{2028}\u{2029}]{1,30}", utf8 in any::<bool>()) {
        let mut out = Vec::new();
        put_mailbox(&mut out, &name, utf8);
        let got = mailbox(&mut Lexer::new(&out, utf8)).unwrap();
        prop_assert!(got.as_str() == name || got.is_inbox());
    }

    #[test]
    fn sets_come_back(numbers in prop::collection::btree_set(1u32..200, 1..50)) {
        let mut out = Vec::new();
        put_uid_set(&mut out, numbers.iter().copied());
        let set = SequenceSet::parse(&out).unwrap().resolve(1000);
        prop_assert!(set.iter().eq(numbers.iter().copied()));
    }

    #[test]
    fn moments_come_back(unix_seconds in 0i64..200_000_000_000, offset_minutes in -840i16..840) {
        let moment = DateTime { unix_seconds, offset_minutes };
        let mut out = Vec::new();
        put_date_time(&mut out, moment);
        prop_assert_eq!(date_time(&mut Lexer::new(&out, false)).unwrap(), moment);
    }
}
