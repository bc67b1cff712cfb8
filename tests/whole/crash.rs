//! `kill -9` at random moments under load: what was acknowledged is there once, what was removed stays so, and no number means two things.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use batpost_tests::line::Line;
use batpost_tests::mail::stuffed;
use batpost_tests::server::{Server, User};

use crate::Dice;

const ROUNDS_COUNT: u64 = 20;
const ROUNDS_LONG_COUNT: u64 = 1000;
const USERS_COUNT: usize = 3;
const SENDERS_COUNT: u64 = 2;
/// After so many acknowledgements at most the daemon is killed.
const ACKNOWLEDGED_MAX_COUNT: u64 = 150;
const FOLDERS: [&str; 2] = ["INBOX", "Archive"];

/// What is known of a message of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Sent or begun to be removed, but not acknowledged.
    Unsure,
    There,
    /// In Archive.
    Moved,
    /// Acknowledged to be flagged.
    Flagged,
    Gone,
}

/// What the outside world was told.
#[derive(Default)]
struct Truth {
    fates: BTreeMap<(usize, String), Fate>,
    /// What a UID meant: user, folder, UIDVALIDITY, UID.
    uids: HashMap<(usize, &'static str, String, u32), String>,
    validities: HashMap<(usize, &'static str), String>,
}

impl Truth {
    fn set(&mut self, user: usize, name: &str, fate: Fate) {
        self.fates.insert((user, name.to_owned()), fate);
    }

    fn saw(&mut self, user: usize, folder: &'static str, validity: &str, uid: u32, name: &str) {
        let known = self
            .validities
            .entry((user, folder))
            .or_insert_with(|| validity.to_owned());
        assert_eq!(known, validity, "UIDVALIDITY of {folder} of user{user}");
        let key = (user, folder, validity.to_owned(), uid);
        let known = self.uids.entry(key).or_insert_with(|| name.to_owned());
        assert_eq!(known, name, "UID {uid} in {folder} of user{user} was given twice");
    }
}

/// What the threads of one round share.
#[derive(Clone)]
struct Round {
    number: u64,
    truth: Arc<Mutex<Truth>>,
    /// One word for each acknowledgement.
    acknowledged: Sender<()>,
}

impl Round {
    fn set(&self, user: usize, name: &str, fate: Fate) {
        self.truth.lock().unwrap().set(user, name, fate);
    }

    fn acknowledge(&self, user: usize, name: &str, fate: Fate) {
        self.set(user, name, fate);
        // The judge may have heard enough.
        let _ = self.acknowledged.send(());
    }
}

fn message(name: &str) -> Vec<u8> {
    format!("From: a@b.test\r\nSubject: {name}\r\n\r\ntext of {name}\r\n").into_bytes()
}

/// Sends and sends; ends when the daemon does.
fn sender(mut smtp: Line, round: &Round, thread: u64) -> Option<()> {
    smtp.try_until("220")?;
    exchange(&mut smtp, "EHLO client.test", "250 ")?;
    for number in 0.. {
        let name = format!("r{}-s{thread}-{number}", round.number);
        // Every third message has several recipients: one commit, several mailboxes.
        let users = if number % 3 == 0 { 1..=USERS_COUNT } else { 1..=1 };
        let mut command = "MAIL FROM:<a@b.test>\r\n".to_owned();
        for user in users.clone() {
            round.set(user, &name, Fate::Unsure);
            write!(command, "RCPT TO:<{}>\r\n", User::numbered(user).address).unwrap();
        }
        exchange(&mut smtp, &format!("{command}DATA"), "354")?;
        if !smtp.try_send_raw(&stuffed(&message(&name))) {
            return None;
        }
        smtp.try_until("250 2.0.0")?;
        for user in users {
            round.acknowledge(user, &name, Fate::There);
        }
    }
    None
}

fn exchange(line: &mut Line, command: &str, answer: &str) -> Option<String> {
    if !line.try_send_raw(format!("{command}\r\n").as_bytes()) {
        return None;
    }
    line.try_until(answer)
}

/// Appends, flags, moves and removes messages of one user.
fn reader(mut imap: Line, round: &Round, user: usize, seed: u64) -> Option<()> {
    let mut dice = Dice::new(seed);
    let account = User::numbered(user);
    exchange(
        &mut imap,
        &format!("a LOGIN {} {}", account.address, account.password),
        "a OK",
    )?;
    exchange(&mut imap, "a SELECT INBOX", "a OK")?;
    // Messages of this thread's own making, by UID: nobody else touches them.
    let mut own: Vec<(u32, String)> = Vec::new();
    for number in 0.. {
        let chosen = own
            .len()
            .checked_sub(1)
            .map(|last| usize::try_from(dice.roll(last as u64 + 1)).unwrap_or(0));
        match (dice.roll(5), chosen) {
            (1, Some(at)) => {
                let (uid, name) = own[at].clone();
                exchange(
                    &mut imap,
                    &format!("a UID STORE {uid} +FLAGS.SILENT (\\Flagged)"),
                    "a OK",
                )?;
                round.acknowledge(user, &name, Fate::Flagged);
            }
            (2, Some(at)) => {
                let (uid, name) = own.swap_remove(at);
                round.set(user, &name, Fate::Unsure);
                exchange(
                    &mut imap,
                    &format!("a UID STORE {uid} +FLAGS.SILENT (\\Deleted)"),
                    "a OK",
                )?;
                exchange(&mut imap, &format!("a UID EXPUNGE {uid}"), "a OK")?;
                round.acknowledge(user, &name, Fate::Gone);
            }
            (3, Some(at)) => {
                let (uid, name) = own.swap_remove(at);
                // Wherever it is, it is there once.
                round.set(user, &name, Fate::There);
                let told = exchange(&mut imap, &format!("a UID MOVE {uid} Archive"), "* OK [COPYUID")?;
                imap.try_until("a OK")?;
                let words: Vec<&str> = told.split([' ', ']']).collect();
                let moved = words[5].parse().unwrap();
                round
                    .truth
                    .lock()
                    .unwrap()
                    .saw(user, "Archive", words[3], moved, &name);
                round.acknowledge(user, &name, Fate::Moved);
            }
            _ => {
                let name = format!("r{}-i{user}-{number}", round.number);
                round.set(user, &name, Fate::Unsure);
                let text = message(&name);
                let mut command = format!("a APPEND INBOX {{{}+}}\r\n", text.len()).into_bytes();
                command.extend_from_slice(&text);
                command.extend_from_slice(b"\r\n");
                if !imap.try_send_raw(&command) {
                    return None;
                }
                // `a OK [APPENDUID validity uid] …`
                let told = imap.try_until("a OK")?;
                let words: Vec<&str> = told.split([' ', ']']).collect();
                let uid = words[4].parse().unwrap();
                round
                    .truth
                    .lock()
                    .unwrap()
                    .saw(user, "INBOX", words[3], uid, &name);
                round.acknowledge(user, &name, Fate::There);
                own.push((uid, name));
            }
        }
    }
    None
}

/// Starts the load, and kills the daemon after a random number of acknowledgements.
fn strike(server: &mut Server, number: u64, truth: &Arc<Mutex<Truth>>, dice: &mut Dice) {
    let (acknowledged, heard) = mpsc::channel();
    let round = Round {
        number,
        truth: truth.clone(),
        acknowledged,
    };
    let enough = dice.roll(ACKNOWLEDGED_MAX_COUNT) + 1;
    let mut threads = Vec::new();
    for thread in 0..SENDERS_COUNT {
        let (smtp, round) = (server.connect("smtp"), round.clone());
        threads.push(std::thread::spawn(move || sender(smtp, &round, thread)));
    }
    for user in 1..=USERS_COUNT {
        let (imap, round, seed) = (server.connect("imap"), round.clone(), dice.roll(u64::MAX));
        threads.push(std::thread::spawn(move || reader(imap, &round, user, seed)));
    }
    drop(round);
    // Ends early if all threads have failed, and the counting will say why.
    heard.iter().take(usize::try_from(enough).unwrap()).for_each(drop);
    server.kill();
    for thread in threads {
        thread.join().expect("a thread of the load failed");
    }
}

/// One message as the server shows it.
struct Shown {
    folder: &'static str,
    flagged: bool,
}

/// Everything that a user has, by name.
fn look(server: &Server, user: usize, truth: &mut Truth) -> HashMap<String, Vec<Shown>> {
    let account = User::numbered(user);
    let mut all: HashMap<String, Vec<Shown>> = HashMap::new();
    let mut imap = server.connect("imap");
    imap.until("* OK");
    imap.ask(
        &format!("a LOGIN {} {}", account.address, account.password),
        "a OK",
    );
    for folder in FOLDERS {
        imap.send(&format!("b SELECT {folder}"));
        let validity = imap.until("* OK [UIDVALIDITY ");
        let validity = validity.split([' ', ']']).nth(3).unwrap().to_owned();
        let next = imap.until("* OK [UIDNEXT ");
        let next: u32 = next.split([' ', ']']).nth(3).unwrap().parse().unwrap();
        imap.until("b OK");
        imap.send("c UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
        loop {
            // `* 1 FETCH (UID 1 FLAGS (…) BODY[…] {…}`, the field, a blank line, `)`.
            let line = imap.line();
            if line.starts_with("c OK") {
                break;
            }
            let uid: u32 = line
                .split("UID ")
                .nth(1)
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let flagged = line.contains("\\Flagged");
            let name = imap.line().strip_prefix("Subject: ").unwrap().to_owned();
            imap.until(")");
            assert!(uid < next, "UID {uid} but UIDNEXT {next}");
            truth.saw(user, folder, &validity, uid, &name);
            all.entry(name).or_default().push(Shown { folder, flagged });
        }
        let known = truth
            .uids
            .keys()
            .filter(|key| (key.0, key.1) == (user, folder))
            .map(|key| key.3)
            .max();
        assert!(
            known.is_none_or(|known| known < next),
            "UIDNEXT {next} was given before"
        );
    }
    all
}

/// Compares what is there with what was told, and remembers what is there.
fn judge(server: &Server, truth: &mut Truth) {
    for user in 1..=USERS_COUNT {
        let mut all = look(server, user, truth);
        for ((owner, name), fate) in truth.fates.iter_mut().filter(|((owner, _), _)| *owner == user) {
            let shown = all.remove(name).unwrap_or_default();
            let place = format!("{name} of user{owner}, {fate:?}, is there {} times", shown.len());
            assert!(shown.len() <= 1, "{place}");
            let Some(shown) = shown.first() else {
                assert!(matches!(fate, Fate::Unsure | Fate::Gone), "{place}");
                *fate = Fate::Gone;
                continue;
            };
            assert!(*fate != Fate::Gone, "{place}");
            assert!(
                *fate != Fate::Moved || shown.folder == "Archive",
                "{place} in {}",
                shown.folder
            );
            assert!(
                *fate != Fate::Flagged || shown.flagged,
                "{place} without its flag"
            );
            *fate = match (shown.folder, shown.flagged) {
                ("Archive", _) => Fate::Moved,
                (_, true) => Fate::Flagged,
                _ => Fate::There,
            };
        }
        assert!(
            all.is_empty(),
            "nobody sent these to user{user}: {:?}",
            all.keys()
        );
    }
}

/// `BATPOST_SEED=…` plays a story again, as far as the machine lets it.
#[test]
fn a_killed_daemon_loses_and_repeats_nothing() {
    let seed = std::env::var("BATPOST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
        });
    println!("BATPOST_SEED={seed}");
    let rounds = if crate::long() {
        ROUNDS_LONG_COUNT
    } else {
        ROUNDS_COUNT
    };
    let mut dice = Dice::new(seed);
    let mut server = crate::server(USERS_COUNT);
    let truth = Arc::new(Mutex::new(Truth::default()));
    for number in 0..rounds {
        strike(&mut server, number, &truth, &mut dice);
        server.start();
        server.wait_for_empty_queue();
        judge(&server, &mut truth.lock().unwrap());
    }
    let told = truth.lock().unwrap().fates.len();
    println!("{rounds} rounds, {told} messages");
    let report = server.ctl_json(&["check"]);
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(0), "{report}");
}
