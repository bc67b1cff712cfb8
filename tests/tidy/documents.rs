//! What people read about the server names everything that there is.

use std::collections::BTreeSet;

use crate::source::{rust, top};

fn document(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_method_of_the_control_protocol_is_documented() {
    let text = document("daemon/docs/control.md");
    for method in shared::protocol::METHODS {
        let row = format!("| `{method}` |");
        assert!(
            text.contains(&row),
            "daemon/docs/control.md says nothing of {method}"
        );
    }
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let text = document("daemon/docs/configuration.md");
    for setting in shared::settings::SETTINGS {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", setting.key)))
            .unwrap_or_else(|| panic!("daemon/docs/configuration.md says nothing of {}", setting.key));
        let default = if setting.default.is_empty() {
            "| |".to_owned()
        } else {
            format!("| {} |", setting.default)
        };
        assert!(
            row.contains(&default),
            "{row}: the default is {:?}",
            setting.default
        );
    }
}

/// An RFC that the source obeys or reads stands in the list with how far it is obeyed.
#[test]
fn every_rfc_that_the_source_names_is_in_the_list() {
    let list = document("daemon/RFC.md");
    let mut missing = BTreeSet::new();
    for (path, text) in rust(&["daemon", "shared"]) {
        for number in rfcs(&text) {
            // A header item of RFC 822 is one of IMAP's words.
            if number != "822" && !list.contains(&format!("| {number} |")) {
                missing.insert(format!("{number} ({path})"));
            }
        }
    }
    assert!(missing.is_empty(), "not in daemon/RFC.md: {missing:?}");
}

/// The numbers behind each "RFC ".
fn rfcs(text: &str) -> impl Iterator<Item = String> {
    text.split("RFC ").skip(1).filter_map(|rest| {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!number.is_empty()).then_some(number)
    })
}
