//! Reading the repository.

use std::path::{Path, PathBuf};

/// The repository's top folder.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust sources below some folders of the repository, by their path from the top, with their text.
pub(crate) fn rust(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&top().join(folder), &mut |path| {
            if path.extension().is_some_and(|e| e == "rs") {
                let name = path
                    .strip_prefix(top())
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        });
    }
    assert!(!found.is_empty(), "no source below {folders:?}");
    found.sort();
    found
}

fn walk(path: &Path, take: &mut dyn FnMut(&Path)) {
    if path.is_dir() {
        if path.ends_with("target") {
            return;
        }
        for entry in std::fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), take);
        }
    } else {
        take(path);
    }
}

/// The string literals of a source, with what stands on the line before each. Comments are passed over; escapes are left as they are.
pub(crate) fn literals(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut line_start) = (0, 0);
    while at < chars.len() {
        match chars[at] {
            '\n' => line_start = at + 1,
            '/' if chars.get(at + 1) == Some(&'/') => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
                continue;
            }
            // A character literal may hold a quotation mark.
            '\'' if chars.get(at + 2) == Some(&'\'') => at += 2,
            '\'' if chars.get(at + 1) == Some(&'\\') && chars.get(at + 3) == Some(&'\'') => at += 3,
            '"' => {
                let before: String = chars[line_start..at].iter().collect();
                let hashes = before.chars().rev().take_while(|c| *c == '#').count();
                let raw = before[..before.len() - hashes].ends_with('r');
                let start = at + 1;
                at = end_of_literal(&chars, start, raw, hashes);
                found.push((before, chars[start..at].iter().collect()));
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Where the closing quotation mark of a literal is.
fn end_of_literal(chars: &[char], start: usize, raw: bool, hashes: usize) -> usize {
    let mut at = start;
    while at < chars.len() {
        match chars[at] {
            '\\' if !raw => at += 1,
            '"' if !raw || chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes => break,
            _ => {}
        }
        at += 1;
    }
    at.min(chars.len())
}

#[test]
fn literals_are_found_and_comments_are_not() {
    let text = "let a = \"one\"; // \"no\"\nlet b = r#\"t\"wo\"#; let c = '\"'; let d = \"thr\\\"ee\";";
    let found: Vec<String> = literals(text).into_iter().map(|(_, literal)| literal).collect();
    assert_eq!(found, ["one", "t\"wo", "thr\\\"ee"]);
}
