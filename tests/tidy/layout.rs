//! What lies at the top of the repository, and nothing else.

use crate::source::top;

#[test]
fn the_top_level_holds_what_belongs_there() {
    let allowed = [
        "CHANGES.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "configurator",
        "daemon",
        "i18n",
        "installers",
        "shared",
        "tests",
    ];
    // Made by building and by trying things out; never committed.
    let made = ["target", "batpost-demo"];
    let mut missing: Vec<&str> = allowed.to_vec();
    for entry in std::fs::read_dir(top()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        missing.retain(|wanted| *wanted != name);
        let known =
            name.starts_with('.') || allowed.contains(&name.as_str()) || made.contains(&name.as_str());
        assert!(known, "{name} does not belong at the top of the repository");
    }
    assert!(
        missing.is_empty(),
        "missing at the top of the repository: {missing:?}"
    );
}
