//! LIST and LSUB (RFC 9051 §6.3.9; RFC 5258, 5819, 6154, 8440, 9590) and the matching of their patterns.

use super::lexer::{Bad, Lexer, Parsed};
use super::mailbox::{mailbox_text, pattern};
use super::status::{StatusItem, status_items};

/// Selection options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListSelect {
    pub subscribed: bool,
    pub remote: bool,
    pub recursive_match: bool,
    pub special_use: bool,
}

/// Return options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListReturn {
    pub subscribed: bool,
    pub children: bool,
    pub special_use: bool,
    pub my_rights: bool,
    pub status: Vec<StatusItem>,
    /// Entries of METADATA (RFC 9590).
    pub metadata: Vec<String>,
}

/// The arguments of LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListArgs {
    /// Set if selection options were written, even none between the parentheses.
    pub select: Option<ListSelect>,
    pub reference: String,
    pub patterns: Vec<String>,
    /// Set if RETURN was written.
    pub returns: Option<ListReturn>,
}

impl ListArgs {
    /// Whether it is an extended LIST (RFC 5258 §3).
    pub fn is_extended(&self) -> bool {
        self.select.is_some() || self.returns.is_some() || self.patterns.len() != 1
    }
}

/// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
pub(super) fn list(lexer: &mut Lexer<'_>) -> Parsed<ListArgs> {
    lexer.sp()?;
    let mut select = None;
    if lexer.peek() == Some(b'(') {
        select = Some(select_options(lexer)?);
        lexer.sp()?;
    }
    let reference = mailbox_text(lexer)?;
    lexer.sp()?;
    let patterns = if lexer.peek() == Some(b'(') {
        lexer.list(pattern)?
    } else {
        vec![pattern(lexer)?]
    };
    let mut returns = None;
    if lexer.eat(b' ') {
        if !lexer.eat_word("RETURN") {
            return Err(Bad("RETURN expected"));
        }
        lexer.sp()?;
        let mut options = ListReturn::default();
        lexer.list_or_empty(|lexer| return_option(lexer, &mut options))?;
        returns = Some(options);
    }
    Ok(ListArgs {
        select,
        reference,
        patterns,
        returns,
    })
}

/// lsub = "LSUB" SP mailbox SP list-mailbox
pub(super) fn lsub(lexer: &mut Lexer<'_>) -> Parsed<(String, String)> {
    lexer.sp()?;
    let reference = mailbox_text(lexer)?;
    lexer.sp()?;
    Ok((reference, pattern(lexer)?))
}

fn select_options(lexer: &mut Lexer<'_>) -> Parsed<ListSelect> {
    let mut options = ListSelect::default();
    lexer.list_or_empty(|lexer| {
        match lexer.word()?.as_str() {
            "SUBSCRIBED" => options.subscribed = true,
            "REMOTE" => options.remote = true,
            "RECURSIVEMATCH" => options.recursive_match = true,
            "SPECIAL-USE" => options.special_use = true,
            _ => return Err(Bad("unknown selection option")),
        }
        Ok(())
    })?;
    // RFC 5258 §3.1: RECURSIVEMATCH needs another option than REMOTE beside it.
    if options.recursive_match && !options.subscribed && !options.special_use {
        return Err(Bad("RECURSIVEMATCH needs another selection option"));
    }
    Ok(options)
}

fn return_option(lexer: &mut Lexer<'_>, options: &mut ListReturn) -> Parsed<()> {
    match lexer.word()?.as_str() {
        "SUBSCRIBED" => options.subscribed = true,
        "CHILDREN" => options.children = true,
        "SPECIAL-USE" => options.special_use = true,
        "MYRIGHTS" => options.my_rights = true,
        "STATUS" => {
            lexer.sp()?;
            options.status = status_items(lexer)?;
        }
        "METADATA" => {
            lexer.sp()?;
            options.metadata = lexer.list(Lexer::text)?;
        }
        _ => return Err(Bad("unknown return option")),
    }
    Ok(())
}

/// Whether `name` matches `pattern`: `*` stands for anything, `%` for anything without `delimiter`.
/// INBOX matches in any case. Takes at most pattern × name steps.
pub fn list_match(pattern: &str, name: &str, delimiter: char) -> bool {
    if name == "INBOX" && pattern.bytes().all(|byte| byte != b'*' && byte != b'%') {
        return pattern.eq_ignore_ascii_case(name);
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let reached = reached(&pattern, name, delimiter, name == "INBOX");
    reached.last().copied().unwrap_or(false)
}

/// Whether `pattern` may match `name` or something that begins with it.
pub fn list_reaches(pattern: &str, name: &str, delimiter: char) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    reached(&pattern, name, delimiter, false).contains(&true)
}

/// At index i: whether `name` can be matched by the first i characters of the pattern.
fn reached(pattern: &[char], name: &str, delimiter: char, fold: bool) -> Vec<bool> {
    let mut reached = vec![false; pattern.len() + 1];
    let mut next = reached.clone();
    reached[0] = true;
    skip_wildcards(pattern, &mut reached);
    for letter in name.chars() {
        next.fill(false);
        for (at, &wanted) in pattern.iter().enumerate() {
            if !reached[at] {
                continue;
            }
            match wanted {
                '*' => next[at] = true,
                '%' if letter != delimiter => next[at] = true,
                '%' => {}
                _ if wanted == letter || (fold && wanted.eq_ignore_ascii_case(&letter)) => {
                    next[at + 1] = true;
                }
                _ => {}
            }
        }
        skip_wildcards(pattern, &mut next);
        std::mem::swap(&mut reached, &mut next);
    }
    reached
}

/// A wildcard may stand for nothing.
fn skip_wildcards(pattern: &[char], reached: &mut [bool]) {
    for (at, wanted) in pattern.iter().enumerate() {
        if reached[at] && matches!(wanted, '*' | '%') {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a/%", "a", false),
            ("a*", "a/b", true),
            ("a*c", "a/b/c", true),
            ("a%c", "a/b/c", false),
            ("", "a", false),
            ("", "", true),
            ("inbox", "INBOX", true),
            ("in%", "INBOX", true),
            ("in%", "INbox2", false),
            ("Папка*", "Папка/日本", true),
            ("*b*b*b", "abababX", false),
        ] {
            assert_eq!(list_match(pattern, name, '/'), expected, "{pattern} {name}");
        }
        for (pattern, name, expected) in [
            ("*", "a/b", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("%/%", "a", true),
            ("a/b/c", "a/b", true),
            ("a", "a/b", false),
            ("b*", "a", false),
        ] {
            assert_eq!(list_reaches(pattern, name, '/'), expected, "{pattern} {name}");
        }
        // Many stars cost steps, not time.
        assert!(!list_match(&"*a".repeat(1000), &"a".repeat(999), '/'));
    }

    fn parse(text: &str) -> Option<ListArgs> {
        let line = format!(" {text}\r\n");
        let mut lexer = Lexer::new(line.as_bytes(), false);
        let args = list(&mut lexer).ok()?;
        lexer.end().ok()?;
        Some(args)
    }

    #[test]
    fn forms() {
        let args = parse("\"\" %").unwrap();
        assert!(!args.is_extended());
        let args = parse(
            "(SUBSCRIBED RECURSIVEMATCH) \"\" (\"INBOX\" Draft/*) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))",
        );
        let args = args.unwrap();
        assert!(args.is_extended() && args.select.unwrap().recursive_match);
        assert_eq!(args.patterns, ["INBOX", "Draft/*"]);
        assert_eq!(
            args.returns.unwrap().status,
            [StatusItem::Messages, StatusItem::Unseen]
        );
        assert!(parse("() \"\" %").unwrap().is_extended());
        assert_eq!(parse("\"\" \"\"").unwrap().patterns, [""]);
        for bad in [
            "",
            "\"\"",
            "\"\" % x",
            "(FOO) \"\" %",
            "(RECURSIVEMATCH) \"\" %",
            "\"\" ()",
            "\"\" % RETURN",
            "\"\" % RETURN (FOO)",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
