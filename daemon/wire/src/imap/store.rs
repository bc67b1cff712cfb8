//! STORE (RFC 9051 §6.4.6) with UNCHANGEDSINCE (RFC 7162 §3.1.3).

use super::flag::{FlagList, store_flags};
use super::lexer::{Bad, Lexer, Parsed};
use super::set::{SequenceSet, sequence_set};

/// What STORE does with the flags it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    Replace,
    Add,
    Remove,
}

/// The arguments of STORE and UID STORE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreArgs {
    pub set: SequenceSet,
    pub kind: StoreKind,
    pub silent: bool,
    pub flags: FlagList,
    pub unchanged_since: Option<u64>,
}

/// store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
pub(super) fn store(lexer: &mut Lexer<'_>) -> Parsed<StoreArgs> {
    lexer.sp()?;
    let set = sequence_set(lexer)?;
    lexer.sp()?;
    let mut unchanged_since = None;
    if lexer.eat(b'(') {
        if !lexer.eat_word("UNCHANGEDSINCE") {
            return Err(Bad("unknown store modifier"));
        }
        lexer.sp()?;
        unchanged_since = Some(lexer.number64()?);
        lexer.close()?;
        lexer.sp()?;
    }
    let kind = if lexer.eat(b'+') {
        StoreKind::Add
    } else if lexer.eat(b'-') {
        StoreKind::Remove
    } else {
        StoreKind::Replace
    };
    let silent = match lexer.word()?.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(Bad("FLAGS expected")),
    };
    lexer.sp()?;
    Ok(StoreArgs {
        set,
        kind,
        silent,
        flags: store_flags(lexer)?,
        unchanged_since,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::flag::Flags;
    use super::*;

    fn parse(text: &str) -> Option<StoreArgs> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let args = store(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(args)
    }

    #[test]
    fn forms() {
        let args = parse("2:4 +FLAGS.SILENT (\\Deleted $X)").unwrap();
        assert_eq!(
            (args.kind, args.silent, args.flags.system),
            (StoreKind::Add, true, Flags::DELETED)
        );
        let args = parse("1 (UNCHANGEDSINCE 0) -flags \\Seen \\Draft").unwrap();
        assert_eq!((args.kind, args.unchanged_since), (StoreKind::Remove, Some(0)));
        assert_eq!(args.flags.system, Flags::SEEN.with(Flags::DRAFT));
        assert!(parse("1 FLAGS ()").unwrap().flags.is_empty());
        for bad in [
            "1",
            "1 FLAGS",
            "1 FLAGS ",
            "1 *FLAGS (a)",
            "1 FLAGS (a) b",
            "1 () FLAGS (a)",
            "1 + FLAGS a",
            "1 FLAGS.LOUD a",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
