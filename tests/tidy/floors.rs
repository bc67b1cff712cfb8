//! A room uses rooms of lower floors only (see `daemon/README.md`).

use crate::source::top;

const FLOORS: &[(usize, &[&str])] = &[
    (0, &["shared", "i18n"]),
    (1, &["wire", "disk", "events"]),
    (2, &["dns", "tls", "drivers", "journal"]),
    (3, &["authenticity", "directory", "http", "mailbox", "queue"]),
    (4, &["acme", "policy", "scan", "delivery", "fetch"]),
    (5, &["net", "smtp", "imap", "pop3", "web", "control"]),
];

/// Rooms of one floor that may be used by others of it.
const BESIDE: &[(&str, &str)] = &[
    ("delivery", "policy"),
    ("delivery", "scan"),
    ("smtp", "net"),
    ("imap", "net"),
    ("pop3", "net"),
    ("web", "net"),
    ("control", "net"),
];

fn floor(room: &str) -> Option<usize> {
    FLOORS
        .iter()
        .find(|(_, rooms)| rooms.contains(&room))
        .map(|(floor, _)| *floor)
}

#[test]
fn rooms_use_lower_floors_only() {
    let mut rooms = 0;
    for entry in std::fs::read_dir(top().join("daemon")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(path.join("Cargo.toml")) else {
            continue;
        };
        let room = path.file_name().unwrap().to_string_lossy().into_owned();
        let own = floor(&room).unwrap_or_else(|| panic!("the room {room} stands on no floor"));
        let manifest: toml::Table = text.parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for used in dependencies.keys() {
            let Some(theirs) = floor(used) else { continue };
            let beside = BESIDE.contains(&(room.as_str(), used.as_str()));
            assert!(
                theirs < own || beside,
                "{room} (floor {own}) must not use {used} (floor {theirs})"
            );
        }
        rooms += 1;
    }
    assert_eq!(
        rooms,
        FLOORS[1..].iter().map(|(_, rooms)| rooms.len()).sum::<usize>(),
        "rooms that the table lacks, or too many"
    );
}

#[test]
fn the_configurator_knows_the_daemon_by_the_control_channel_only() {
    let text = std::fs::read_to_string(top().join("configurator/Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    for used in manifest["dependencies"].as_table().unwrap().keys() {
        assert!(
            floor(used).unwrap_or(0) == 0,
            "the configurator must not use {used}"
        );
    }
}

#[test]
fn shared_ground_uses_no_room() {
    for ground in ["shared", "i18n"] {
        let text = std::fs::read_to_string(top().join(ground).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let used: Vec<&String> = manifest["dependencies"]
            .as_table()
            .unwrap()
            .keys()
            .filter(|n| floor(n).is_some())
            .collect();
        assert!(used.is_empty(), "{ground} must not use {used:?}");
    }
}
