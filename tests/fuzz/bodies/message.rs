//! Messages of any kind: every part lies within its message, and what is shown of it can be made.

use std::ops::ControlFlow;

use wire::message::{Message, Order, Summary, collation, date, decode, searchable, structure, subject};

pub fn run(data: &[u8]) {
    let parsed = Message::parse(data);
    parsed.root.walk(&mut |part| {
        assert!(data.get(part.header.clone()).is_some());
        assert!(data.get(part.body.clone()).is_some());
        let _ = decode::part_text(data, part);
        let _ = part.filename();
    });
    let summary = Summary::of(data);
    assert_eq!(summary.size, data.len() as u64);
    // What goes onto the wire inside of a line has no line end outside of literals, and no NUL.
    assert!(!summary.envelope.contains(&0) && !summary.structure.contains(&0));
    assert!(structure::body_of(&summary.structure).is_some());
    let _ = searchable::pieces(data, &parsed, searchable::Scope::All, &mut |_| {
        ControlFlow::Continue(())
    });
    let _ = Order::of(data);
    let text = decode::header_text(data);
    let (base, _) = subject::base(&text);
    // What is prepared for comparing stays as it is.
    let prepared = collation::casemap(&base);
    assert_eq!(collation::casemap(&prepared), prepared);
    if let Some(date) = date::parse(data) {
        let _ = date.rfc5322();
        let _ = date.internal();
    }
    let _ = date::parse_internal(data);
}
