//! Plays every script of `tests/dialogues` against one server.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use batpost_tests::dialogue::play;
use batpost_tests::server::User;

/// Scripts that must at least be there, so that none is lost unnoticed.
const SCRIPTS_MIN_COUNT: usize = 60;

/// All of them, or those whose names contain what `BATPOST_DIALOGUE` says.
fn scripts() -> Vec<PathBuf> {
    let wanted = std::env::var("BATPOST_DIALOGUE").unwrap_or_default();
    let folder = std::fs::read_dir(crate::top().join("tests/dialogues")).unwrap();
    let mut scripts: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    assert!(scripts.len() >= SCRIPTS_MIN_COUNT, "{} scripts", scripts.len());
    scripts.retain(|path| path.to_string_lossy().contains(&wanted));
    scripts.sort();
    scripts
}

#[test]
fn every_dialogue_goes_as_written() {
    let scripts = scripts();
    let server = crate::server(scripts.len() * 2);
    let mut failed = Vec::new();
    for (index, script) in scripts.iter().enumerate() {
        let (user, other) = (User::numbered(2 * index + 1), User::numbered(2 * index + 2));
        if catch_unwind(AssertUnwindSafe(|| play(&server, script, &user, &other))).is_err() {
            failed.push(script.file_name().unwrap());
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} failed: {failed:?}",
        failed.len(),
        scripts.len()
    );
}
