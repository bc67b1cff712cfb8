//! Files and functions have ceilings, which only go down.

use crate::source::rust;

/// Lines of the longest file.
const FILE_LINES_MAX: usize = 600;
/// Lines of the longest function.
const FUNCTION_LINES_MAX: usize = 100;

const EVERYTHING: &[&str] = &["daemon", "configurator", "shared", "i18n", "tests"];

#[test]
fn no_file_is_longer_than_the_ceiling() {
    let long: Vec<String> = rust(EVERYTHING)
        .iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(
        long.is_empty(),
        "longer than {FILE_LINES_MAX} lines; ask each what second thing it does:\n{}",
        long.join("\n")
    );
}

#[test]
fn no_function_is_longer_than_the_ceiling() {
    let mut long = Vec::new();
    let mut functions = 0;
    for (name, text) in rust(EVERYTHING) {
        for (line, length) in function_lengths(&text) {
            functions += 1;
            if length > FUNCTION_LINES_MAX {
                long.push(format!("{name}:{line}: {length} lines"));
            }
        }
    }
    assert!(
        functions > 1000,
        "only {functions} functions were found: this test is blind"
    );
    assert!(
        long.is_empty(),
        "longer than {FUNCTION_LINES_MAX} lines:\n{}",
        long.join("\n")
    );
}

/// First line and length of each function, as rustfmt lays them out: its closing brace stands under its first letter.
fn function_lengths(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let words = line.trim_start();
        let head = words.split('(').next().unwrap_or_default();
        let is_function = head.split_whitespace().any(|word| word == "fn") && !words.starts_with("//");
        if !is_function || words.ends_with(';') || words.ends_with('}') {
            continue;
        }
        // The signature ends where the body begins, or with a semicolon where a trait has none.
        let signature = lines[index..]
            .iter()
            .find(|line| line.ends_with('{') || line.ends_with(';'));
        if signature.is_some_and(|line| line.ends_with(';')) {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - words.len()]);
        if let Some(length) = lines[index..].iter().position(|other| **other == close) {
            found.push((index + 1, length + 1));
        }
    }
    found
}

#[test]
fn functions_are_measured() {
    let text =
        "impl A {\n    pub async fn b(\n        c: u8,\n    ) {\n        d();\n    }\n}\nfn e() {\n}\n";
    assert_eq!(function_lengths(text), [(2, 5), (8, 2)]);
    let text = "trait A {\n    fn b(\n        self,\n    ) -> u8;\n}\nfn c() {\n}\n";
    assert_eq!(function_lengths(text), [(6, 2)]);
}
