//! Every right in every command that names or uses a folder of somebody else.

use mailbox::Owner;
use shared::Rights;

use crate::support::*;

/// One command and the rights of which at least one lets it through.
struct Case {
    command: &'static str,
    needs: &'static str,
    /// Whether a missing `l` hides the folder from it: commands on what is selected know of it.
    by_name: bool,
}

const fn by_name(command: &'static str, needs: &'static str) -> Case {
    Case {
        command,
        needs,
        by_name: true,
    }
}

const fn selected(command: &'static str, needs: &'static str) -> Case {
    Case {
        command,
        needs,
        by_name: false,
    }
}

/// `F` is a folder of the first user, `B` one of the second.
const CASES: &[Case] = &[
    by_name("SELECT F", "r"),
    by_name("EXAMINE F", "r"),
    by_name("STATUS F (MESSAGES)", "r"),
    by_name("GETQUOTAROOT F", "r"),
    by_name("SUBSCRIBE F", "l"),
    by_name("MYRIGHTS F", "lrikxa"),
    by_name("GETACL F", "a"),
    by_name("SETACL F $Team +p", "a"),
    by_name("DELETEACL F $Team", "a"),
    by_name("LISTRIGHTS F $Team", "a"),
    by_name("APPEND F {2+}\r\nx\n", "i"),
    by_name("RENAME F F/x", "x"),
    by_name("DELETE F", "x"),
    selected("CREATE F/below", "k"),
    selected("RENAME E F/moved", "k"),
    selected("STORE 1 +FLAGS (\\Seen)", "s"),
    selected("STORE 1 +FLAGS (\\Deleted)", "t"),
    selected("STORE 1 +FLAGS (\\Flagged)", "w"),
    selected("STORE 1 +FLAGS ($key)", "w"),
    selected("STORE 1 FLAGS ()", "swt"),
    selected("EXPUNGE", "e"),
    selected("UID EXPUNGE 1", "e"),
    selected("FETCH 1 BODY[]", "r"),
    selected("SEARCH ALL", "r"),
    selected("COPY 1 B", "r"),
];

/// A user would lose the secrecy of a folder, or the use of it.
#[tokio::test]
async fn every_right_in_every_command() {
    let world = World::new().await;
    let anna = world.owner_of(USER).await;
    world.owner_of(OTHER).await.create("B", None).await.unwrap();
    world.group("Team", &[], &[]).await;
    for case in CASES {
        for (letter, _) in Rights::LETTERS {
            // Renaming needs both ends, selecting needs `r`.
            for hidden in [false, true] {
                let mut rights = letter.to_string();
                if !hidden {
                    rights.push('l');
                }
                if !case.by_name {
                    rights.push('r');
                }
                check(&world, &anna, case, &rights).await;
            }
        }
    }
}

async fn check(world: &World, anna: &Owner, case: &Case, rights: &str) {
    for name in ["E", "F"] {
        anna.create(name, None).await.unwrap();
        let all = if name == "E" { "x" } else { rights };
        world.give(anna, name, OTHER, all).await;
    }
    let mut owner = world.user().await;
    owner.append("F", MAIL).await;
    let mut client = world.other().await;
    let place = |name: &str| format!("\"Other Users/anna@example.test/{name}\"");
    let (folder, empty) = (place("F"), place("E"));
    let command = case
        .command
        .replace("E F/moved", &format!("{empty} {}", place("F/moved")))
        .replace("F F/x", &format!("{folder} {}", place("F/x")))
        .replace("F/below", &place("F/below"))
        .replace(" F", &format!(" {folder}"))
        .replace(&format!(" {folder}LAGS"), " FLAGS");
    if !case.by_name {
        client.ok(&format!("SELECT {folder}")).await;
    }
    let answer = client.answer(&command).await;
    let had = Rights::parse(rights).unwrap();
    let renames_within = case.command == "RENAME F F/x";
    if had.intersects(Rights::parse(case.needs).unwrap()) && !renames_within {
        assert!(
            answer.starts_with("OK"),
            "{} with {rights}: {answer}",
            case.command
        );
    } else if case.by_name && !had.contains(Rights::LOOKUP) && !renames_within {
        assert!(
            answer.starts_with("NO [NONEXISTENT]"),
            "{} with {rights}: {answer}",
            case.command
        );
    } else {
        assert!(
            answer.starts_with("NO ["),
            "{} with {rights}: {answer}",
            case.command
        );
    }
    for folder in anna.folders().await.unwrap().iter().rev() {
        if folder.name.starts_with(['E', 'F']) {
            anna.delete(&folder.name).await.unwrap();
        }
    }
}
