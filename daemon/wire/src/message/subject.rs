//! The base subject, by which SORT and THREAD compare (RFC 5256 §2.1).

/// `[…]` in front of one `Re:`.
const BLOBS_MAX_COUNT: usize = 16;

/// The base subject of a decoded subject, and whether it is a reply or a forward.
pub fn base(subject: &str) -> (String, bool) {
    let collapsed = collapse(subject);
    let mut rest = collapsed.as_str();
    let mut is_reply = false;
    loop {
        // Step 2: trailers.
        loop {
            let trimmed = rest.trim_end();
            match strip_suffix_ignoring_case(trimmed, "(fwd)") {
                Some(shorter) => {
                    is_reply = true;
                    rest = shorter;
                }
                None => {
                    rest = trimmed;
                    break;
                }
            }
        }
        // Steps 3 to 5: leaders and blobs, until there are none.
        loop {
            rest = rest.trim_start();
            if let Some(shorter) = strip_leader(rest) {
                is_reply = true;
                rest = shorter;
            } else if let Some(shorter) = strip_blob(rest).filter(|shorter| !shorter.trim().is_empty()) {
                rest = shorter;
            } else {
                break;
            }
        }
        // Step 6: the whole wrapped in [fwd: …].
        match rest
            .get(..5)
            .filter(|head| head.eq_ignore_ascii_case("[fwd:"))
            .and(rest.strip_suffix(']'))
        {
            Some(inner) => {
                is_reply = true;
                rest = &inner[5..];
            }
            None => return (rest.to_owned(), is_reply),
        }
    }
}

/// Step 1: white space becomes single spaces.
fn collapse(subject: &str) -> String {
    let mut out = String::with_capacity(subject.len());
    for word in subject
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `re:`, `fw:`, `fwd:`, with blobs before the colon and in front of it: subj-leader.
fn strip_leader(subject: &str) -> Option<&str> {
    let rest = strip_blobs(subject);
    let rest = ["fwd", "fw", "re"]
        .iter()
        .find_map(|word| strip_prefix_ignoring_case(rest, word))?;
    strip_blobs(rest.trim_start()).strip_prefix(':')
}

/// Some of the blobs in front; a bounded number, so that the whole stays linear.
fn strip_blobs(mut subject: &str) -> &str {
    for _ in 0..BLOBS_MAX_COUNT {
        let Some(shorter) = strip_blob(subject) else { break };
        subject = shorter;
    }
    subject
}

/// `[word]` and the space after it: subj-blob.
fn strip_blob(subject: &str) -> Option<&str> {
    let inner = subject.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    inner[end..].strip_prefix(']').map(str::trim_start)
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
}
