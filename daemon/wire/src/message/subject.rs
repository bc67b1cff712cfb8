//! The base subject, by which SORT and THREAD compare (RFC 5256 §2.1).

/// WSP of the grammar; other white space is text like any other.
const WSP: [char; 2] = [' ', '\t'];
/// Leading `[…]` that are looked past for a `Re:`. With more of them the first goes as a blob (step 4), which comes to the same.
const BLOBS_MAX_COUNT: usize = 16;

/// The base subject of a decoded subject, and whether it is a reply or a forward.
pub fn base(subject: &str) -> (String, bool) {
    let collapsed = collapse(subject);
    let mut rest = collapsed.as_str();
    let mut is_reply = false;
    loop {
        // Step 2: trailers.
        loop {
            rest = rest.trim_end_matches(WSP);
            let Some(shorter) = strip_suffix_ignoring_case(rest, "(fwd)") else {
                break;
            };
            is_reply = true;
            rest = shorter;
        }
        // Steps 3 to 5: leaders, and a blob unless it is all there is, until there are none.
        loop {
            rest = rest.trim_start_matches(WSP);
            if let Some(shorter) = strip_leader(rest) {
                is_reply = true;
                rest = shorter;
            } else if let Some(shorter) = strip_blob(rest).filter(|shorter| !shorter.is_empty()) {
                rest = shorter;
            } else {
                break;
            }
        }
        // Step 6: the whole wrapped in [fwd: …].
        let wrapped = strip_prefix_ignoring_case(rest, "[fwd:").and_then(|rest| rest.strip_suffix(']'));
        match wrapped {
            Some(inner) => {
                is_reply = true;
                rest = inner;
            }
            None => return (rest.to_owned(), is_reply),
        }
    }
}

/// Step 1: tabs and what continues a line become spaces, and several spaces one.
fn collapse(subject: &str) -> String {
    let mut out = String::with_capacity(subject.len());
    let mut in_space = false;
    for char in subject.chars() {
        let space = matches!(char, ' ' | '\t' | '\r' | '\n');
        if !space {
            out.push(char);
        } else if !in_space {
            out.push(' ');
        }
        in_space = space;
    }
    out
}

/// `subj-leader = *subj-blob subj-refwd`, where `subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"`
fn strip_leader(subject: &str) -> Option<&str> {
    let mut rest = subject;
    for _ in 0..BLOBS_MAX_COUNT {
        let Some(shorter) = strip_blob(rest) else { break };
        rest = shorter;
    }
    let rest = ["fwd", "fw", "re"]
        .iter()
        .find_map(|word| strip_prefix_ignoring_case(rest, word))?
        .trim_start_matches(WSP);
    strip_blob(rest).unwrap_or(rest).strip_prefix(':')
}

/// subj-blob: `[word]` and the space after it.
fn strip_blob(subject: &str) -> Option<&str> {
    let inner = subject.strip_prefix('[')?;
    let (_, rest) = inner.split_once(['[', ']']).filter(|(blob, _)| {
        // The first bracket must be the closing one.
        inner.as_bytes().get(blob.len()) == Some(&b']')
    })?;
    Some(rest.trim_start_matches(WSP))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let tail = text.get(at..)?;
    tail.eq_ignore_ascii_case(suffix).then(|| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_subjects() {
        let cases = [
            ("Hello", "Hello", false),
            ("Re: Hello", "Hello", true),
            (
                "RE : [list] re[2]: Fwd: Hello \t world (fwd) (FWD)",
                "Hello world",
                true,
            ),
            ("[list] Hello", "Hello", false),
            ("[list]", "[list]", false),
            ("[Fwd: Re: Hello]", "Hello", true),
            ("[list] [Fwd: Hello (fwd) ] ", "Hello", true),
            ("[one][two] Re: [three] Hello", "Hello", true),
            ("Re: [Fwd: [list] Fw: Hello]  (fwd)", "Hello", true),
            ("re [a]: Hello", "Hello", true),
            ("FWD [9] : Hello", "Hello", true),
            ("re [a][b]: Hello", "re [a][b]: Hello", false),
            ("Re[2]: Re[3]: Hello", "Hello", true),
            ("Re:Re:re:Hello", "Hello", true),
            ("re\t: Hello", "Hello", true),
            ("[a[b]] Hello", "[a[b]] Hello", false),
            ("[a] [b]", "[b]", false),
            ("Re: [a]", "[a]", true),
            ("[a] Re:", "", true),
            ("[fwd: ]", "", true),
            ("[fwd: one] two", "two", false),
            ("[fwd one]", "[fwd one]", false),
            ("(fwd)", "", true),
            ("Hello (fwd) there", "Hello (fwd) there", false),
            ("Hello(FWD) \t ", "Hello", true),
            ("Re: [Fwd: Hello", "[Fwd: Hello", true),
            ("Отв: Привет", "Отв: Привет", false),
            ("Re: Re[2]: [list] Fwd: Привет", "Привет", true),
            ("Re: こんにちは (fwd)", "こんにちは", true),
            ("\u{3000}Re: Hello", "\u{3000}Re: Hello", false),
            ("Reply: Hello", "Reply: Hello", false),
            ("Re:", "", true),
            ("Report", "Report", false),
            ("Ответ: é", "Ответ: é", false),
            ("é", "é", false),
            ("", "", false),
        ];
        for (subject, expected, reply) in cases {
            assert_eq!(base(subject), (expected.to_owned(), reply), "{subject}");
        }
    }

    #[test]
    fn as_many_blobs_as_one_likes() {
        let many = "[x] ".repeat(1000);
        assert_eq!(base(&format!("{many}Re: Hello")), ("Hello".to_owned(), true));
        assert_eq!(
            base(&format!("{many}Re {many}: Hello")).0,
            format!("Re {many}: Hello")
        );
        assert_eq!(base(&many), ("[x]".to_owned(), false));
        assert_eq!(base(&"[fwd:".repeat(1000)).0, "[fwd:".repeat(1000));
    }
}
