//! Messages for hosts that take only ASCII: the same in pieces of any size, and whoever reads what comes out finds what was there.

use wire::message::{Message, Part, SevenBit, Survey, decode};
use wire::smtp::Checker;

/// Below the limits of nesting and number, beyond which a part is opaque to readers.
const PARTS_MAX_COUNT: usize = 60;

pub fn run(data: &[u8]) {
    let Some((&size, text)) = data.split_first() else {
        return;
    };
    let mut checker = Checker::new();
    if checker.feed(text).is_some() || checker.finish().is_some() {
        return;
    }
    let out = written(text, text.len());
    assert_eq!(written(text, usize::from(size)), out);
    if let (Some(before), Some(after)) = (signed(text), signed(&out)) {
        assert_eq!(before, after);
    }
    if !out.is_ascii() {
        assert!(!text.is_ascii());
        return;
    }
    assert!(longest(&out) <= longest(text).max(998));
    if let (Some(before), Some(after)) = (leaves(text), leaves(&out)) {
        assert_eq!(before, after);
    }
}

fn written(text: &[u8], len: usize) -> Vec<u8> {
    let mut survey = Survey::new();
    text.chunks(len.max(1)).for_each(|piece| survey.feed(piece));
    let plan = survey.finish();
    assert_eq!(plan.is_seven_bit(), text.is_ascii());
    let mut writer = SevenBit::new(&plan);
    let mut out = Vec::new();
    for piece in text.chunks(len.max(1)) {
        writer.feed(piece, &mut out);
    }
    writer.finish(&mut out);
    out
}

/// What nobody on the way may change (RFC 1847 §2.1); `None` as below.
fn signed(text: &[u8]) -> Option<Vec<&[u8]>> {
    let structure = Message::parse(text);
    let (mut found, mut count, mut global) = (Vec::new(), 0, false);
    structure.root.walk(&mut |part: &Part| {
        count += 1;
        global |= part.content.is("message", "global");
        if part.is_multipart() && matches!(part.content.subtype.as_str(), "signed" | "encrypted") {
            found.extend(text.get(part.body.clone()));
        }
    });
    (!global && count < PARTS_MAX_COUNT).then_some(found)
}

/// Bytes of the longest line.
fn longest(text: &[u8]) -> usize {
    let lines = text.split(|byte| *byte == b'\n');
    let lens = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).len());
    lens.max().unwrap_or(0)
}

/// What each body stands for; `None`: readers see more parts than were written apart, or fewer.
fn leaves(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let structure = Message::parse(text);
    let (mut found, mut count, mut global) = (Vec::new(), 0, false);
    structure.root.walk(&mut |part: &Part| {
        count += 1;
        global |= part.content.is("message", "global");
        if part.message.is_none() && !part.is_multipart() {
            let body = text.get(part.body.clone()).unwrap_or_default();
            let decoded = decode::transfer(body, &part.encoding);
            found.push(decoded.map_or_else(|| body.to_vec(), std::borrow::Cow::into_owned));
        }
    });
    (!global && count < PARTS_MAX_COUNT).then_some(found)
}
