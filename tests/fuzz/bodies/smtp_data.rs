//! Message data: the same in pieces of any size, ended by CRLF "." CRLF and nothing else, and what was stuffed comes out as it went in.

use wire::smtp::{Checker, Unstuffer, stuff};

pub fn run(data: &[u8]) {
    let Some((&size, input)) = data.split_first() else {
        return;
    };
    let mut whole = Vec::new();
    let mut unstuffer = Unstuffer::new();
    let fed = unstuffer.feed(input, &mut whole);
    let fault = unstuffer.fault();
    if fed.ended {
        assert!(input[..fed.consumed].ends_with(b".\r\n"));
    }
    if fault.is_none() {
        assert!(!whole.contains(&0));
        assert_eq!(Checker::new().feed(&whole), None);
    }

    let (mut pieces, mut consumed, mut ended) = (Vec::new(), 0, false);
    let mut unstuffer = Unstuffer::new();
    for piece in input.chunks(usize::from(size).max(1)) {
        let fed = unstuffer.feed(piece, &mut pieces);
        consumed += fed.consumed;
        ended = fed.ended;
        if ended {
            break;
        }
    }
    assert_eq!(
        (consumed, ended, unstuffer.fault()),
        (fed.consumed, fed.ended, fault)
    );
    // After a fault nothing more is handed on; how much was before it depends on the pieces.
    if fault.is_none() {
        assert_eq!(pieces, whole);
    }

    let mut checker = Checker::new();
    let clean = checker.feed(input).is_none() && checker.finish().is_none();
    if clean && input.ends_with(b"\r\n") {
        let (mut stuffed, mut back) = (Vec::new(), Vec::new());
        stuff(input, &mut stuffed);
        let fed = Unstuffer::new().feed(&stuffed, &mut back);
        assert!(fed.ended);
        assert_eq!((fed.consumed, back.as_slice()), (stuffed.len(), input));
    }
}
