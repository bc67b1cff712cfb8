//! Folded text cut into terms, and what a needle says of the terms of a text that holds it.
//!
//! A character separates, belongs to a word, or is of a script that writes no spaces. Words are terms; long ones are cut into pieces that overlap by
//! more than [`WHOLE_MAX_BYTES`]. Scripts without spaces give every two neighbours as a term, and a lonely character alone. Nothing depends on what stands
//! around a run of one kind, so a needle is cut as the text is.

/// A word up to this long is one term.
const WORD_MAX_BYTES: usize = 64;
/// The pieces of a longer one begin this far apart.
const WORD_STEP_BYTES: usize = 32;
/// Whatever is this long at most, and within a word, lies within one of its terms. (Less three bytes at each cut, which falls between characters.)
const WHOLE_MAX_BYTES: usize = 28;
/// Parts of a needle that are looked up; the rest is left to the comparison with the text.
const PARTS_MAX: usize = 16;
/// Ends each term in a dictionary; no term holds it.
pub(super) const END: u8 = b'\n';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Separator,
    Word,
    Gram,
}

fn kind(char: char) -> Kind {
    match char {
        '0'..='9' | 'A'..='Z' | 'a'..='z' => Kind::Word,
        // White space and signs: ASCII, Latin 1, general and ideographic punctuation.
        '\0'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{fffd}' => Kind::Separator,
        // Thai, Lao, Tibetan, Myanmar, Khmer; kana, ideographs.
        '\u{e00}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fff}'
        | '\u{3040}'..='\u{312f}'
        | '\u{3190}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Kind::Gram,
        _ => Kind::Word,
    }
}

/// Cuts text that comes in pieces.
pub(super) struct Cutter {
    kind: Kind,
    /// The end of the run that the last piece ended with.
    run: String,
    /// The run has given terms already.
    cut: bool,
}

impl Default for Cutter {
    fn default() -> Self {
        Self {
            kind: Kind::Separator,
            run: String::new(),
            cut: false,
        }
    }
}

impl Cutter {
    pub(super) fn push(&mut self, piece: &str, term: &mut dyn FnMut(&str)) {
        let mut start = 0;
        for (at, char) in piece.char_indices() {
            let kind = kind(char);
            if kind == self.kind {
                continue;
            }
            self.end(piece.get(start..at).unwrap_or_default(), term);
            (self.kind, start) = (kind, at);
        }
        if self.kind == Kind::Separator {
            return;
        }
        self.run.push_str(piece.get(start..).unwrap_or_default());
        self.shorten(term);
    }

    pub(super) fn finish(&mut self, term: &mut dyn FnMut(&str)) {
        self.end("", term);
        self.kind = Kind::Separator;
    }

    /// Ends a run with what is left of it.
    fn end(&mut self, rest: &str, term: &mut dyn FnMut(&str)) {
        match self.kind {
            Kind::Separator => return,
            Kind::Word if self.run.is_empty() && rest.len() <= WORD_MAX_BYTES => {
                if !rest.is_empty() {
                    term(rest);
                }
                return;
            }
            _ => self.run.push_str(rest),
        }
        self.shorten(term);
        // Of a cut run of grams one character is left, which the last term had.
        let told = self.cut && self.kind == Kind::Gram;
        if !(self.run.is_empty() || told) {
            term(&self.run);
        }
        self.run.clear();
        self.cut = false;
    }

    /// Gives all terms but the last one, which may go on.
    fn shorten(&mut self, term: &mut dyn FnMut(&str)) {
        let mut from = 0;
        while let Some(rest) = self.run.get(from..) {
            let (end, step) = match self.kind {
                Kind::Gram => match (boundary(rest, 1), boundary(rest, 2)) {
                    (Some(first), Some(second)) => (second, first),
                    _ => break,
                },
                _ if rest.len() > WORD_MAX_BYTES => (
                    rest.floor_char_boundary(WORD_MAX_BYTES),
                    rest.floor_char_boundary(WORD_STEP_BYTES),
                ),
                _ => break,
            };
            term(rest.get(..end).unwrap_or_default());
            from += step.max(1);
            self.cut = true;
        }
        self.run.drain(..from.min(self.run.len()));
    }
}

/// Where the first characters of a text end, if it has so many.
fn boundary(text: &str, chars: usize) -> Option<usize> {
    let mut ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
    ends.nth(chars - 1)
}

/// What a text that holds a needle must hold as terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Each is to be found in a dictionary: terms ended, and begun, by [`END`] where they must be.
    pub(super) patterns: Vec<Vec<u8>>,
    /// A text with such a term holds the needle; otherwise it must be looked at.
    pub(super) exact: bool,
}

impl Query {
    /// `None`: the terms say nothing of this needle.
    pub(super) fn of(folded: &str) -> Option<Query> {
        let runs = runs(folded);
        if let [(kind, _, run)] = runs.as_slice()
            && run.len() == folded.len()
        {
            let fits = match kind {
                Kind::Gram => boundary(run, 3).is_none(),
                _ => run.len() <= WHOLE_MAX_BYTES,
            };
            if fits {
                return Some(Query {
                    patterns: vec![run.as_bytes().to_vec()],
                    exact: true,
                });
            }
        }
        let mut patterns = Vec::new();
        for (kind, at, run) in runs {
            // A run that something stands before begins a term.
            let (begins, ended) = (at > 0, at + run.len() < folded.len());
            match kind {
                Kind::Gram => grams(run, &mut patterns),
                _ if run.len() <= WHOLE_MAX_BYTES => {
                    let mut pattern = Vec::with_capacity(run.len() + 2);
                    pattern.extend(begins.then_some(END));
                    pattern.extend_from_slice(run.as_bytes());
                    pattern.extend(ended.then_some(END));
                    patterns.push(pattern);
                }
                _ => {
                    let end = run.floor_char_boundary(WHOLE_MAX_BYTES);
                    patterns.push(run.as_bytes().get(..end).unwrap_or_default().to_vec());
                }
            }
        }
        // The longest say most.
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
        patterns.dedup();
        patterns.truncate(PARTS_MAX);
        (!patterns.is_empty()).then_some(Query {
            patterns,
            exact: false,
        })
    }
}

/// The runs that give terms, and where they begin.
fn runs(text: &str) -> Vec<(Kind, usize, &str)> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let this = kind(first);
        let end = rest.find(|char| kind(char) != this).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if this != Kind::Separator {
            runs.push((this, text.len() - rest.len(), run));
        }
        rest = after;
    }
    runs
}

fn grams(run: &str, patterns: &mut Vec<Vec<u8>>) {
    let mut rest = run;
    if boundary(run, 2).is_none() {
        patterns.push(run.as_bytes().to_vec());
    }
    while let (Some(first), Some(second)) = (boundary(rest, 1), boundary(rest, 2)) {
        patterns.push(rest.as_bytes().get(..second).unwrap_or_default().to_vec());
        rest = rest.get(first..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(pieces: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut cutter = Cutter::default();
        for piece in pieces {
            cutter.push(piece, &mut |term| found.push(term.to_owned()));
        }
        cutter.finish(&mut |term| found.push(term.to_owned()));
        found
    }

    #[test]
    fn texts_are_cut() {
        assert_eq!(terms(&["HELLO, WORLD! A-1"]), ["HELLO", "WORLD", "A", "1"]);
        assert_eq!(terms(&["HE", "LLO", " ", "", "И\u{306}"]), ["HELLO", "И\u{306}"]);
        assert_eq!(
            terms(&["日本語ABC 語。本", "日"]),
            ["日本", "本語", "ABC", "語", "本日"]
        );
        assert_eq!(terms(&["日", "本", "語"]), ["日本", "本語"]);
        assert_eq!(terms(&[]), [""; 0]);
    }

    #[test]
    fn where_text_is_broken_means_nothing() {
        let text = "ABC日本語ЖЖЖ ".repeat(30)
            + &"ЖX1".repeat(100)
            + "日本"
            + &"Q".repeat(64)
            + " "
            + &"Q".repeat(65);
        let whole = terms(&[&text]);
        for step in 1..90 {
            let mut pieces = Vec::new();
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.ceil_char_boundary(step.min(rest.len())));
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(terms(&pieces), whole, "{step}");
        }
    }

    /// Whether the terms of the text satisfy the query.
    fn satisfied(query: &Query, text: &str) -> bool {
        let dictionary = format!("\n{}\n", terms(&[text]).join("\n"));
        let found = |pattern: &Vec<u8>| memchr::memmem::find(dictionary.as_bytes(), pattern).is_some();
        query.patterns.iter().all(found)
    }

    #[test]
    fn every_needle_of_a_text_is_found_by_its_terms() {
        let long = "Ж1".repeat(60);
        let text = format!("HELLO, WORLD 日本語が AB日本C {long} สวัสดี 😀 END 語");
        let places: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        for (nth, &from) in places.iter().enumerate() {
            for &to in places.iter().skip(nth + 1) {
                let needle = &text[from..to];
                let Some(query) = Query::of(needle) else {
                    assert!(
                        needle.chars().all(|char| kind(char) == Kind::Separator),
                        "{needle}"
                    );
                    continue;
                };
                assert!(satisfied(&query, &text), "{needle:?} {query:?}");
            }
        }
    }

    #[test]
    fn an_exact_query_is_satisfied_by_nothing_else() {
        for (needle, other) in [
            ("LLO W", "WORLD HELLO"),
            ("ELLO", "HELPO"),
            ("本語", "本日語"),
            ("日", "本"),
        ] {
            let query = Query::of(needle);
            let fooled = |query: Query| query.exact && satisfied(&query, other);
            assert!(query.is_some_and(|query| !fooled(query)), "{needle}");
        }
        assert_eq!(Query::of(", -"), None);
        assert!(Query::of("日本語").is_some_and(|query| !query.exact));
    }
}
