//! Several sessions on the same folders, random commands, and a reference beside the server.
//!
//! One command is done at a time (or some at once by one client, or while another is idle), so that the reference knows what is true at each moment.
//! Each line that a client gets is checked against it from that client's point of view, and the store itself after each step.
//!
//! `BATPOST_SEEDS`: how many seeds are played, each with [`STEPS`] steps. A failure names its seed.

#![allow(clippy::format_push_string, reason = "tests")]

mod command;
mod folders;
mod reference;
mod shadow;

use command::{Action, Command, Step};
use reference::{FlagSet, Reference};
use shadow::{Kept, Rules, Shadow};

use crate::support::*;

const SEEDS: u64 = 6;
const STEPS: usize = 250;
const CLIENTS: usize = 4;
/// A folder takes no more messages than these.
const MESSAGES_MAX: usize = 25;
const TEXT: &str = "Subject: model\r\n\r\nText\r\n";
const FLAGS: [&str; 6] = ["\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "$one", "$two"];

struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn flags(&mut self) -> FlagSet {
        let count = self.below(3);
        (0..count)
            .map(|_| FLAGS[self.below(FLAGS.len())].to_owned())
            .collect()
    }
}

/// What was said, for the message of a failure.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn extend(&self, lines: impl Iterator<Item = String>) {
        self.0.lock().unwrap().extend(lines);
    }

    fn last(&self) -> String {
        let lines = match self.0.lock() {
            Ok(lines) => lines,
            Err(poisoned) => poisoned.into_inner(),
        };
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

struct Player {
    client: Client,
    qresync: bool,
    condstore: bool,
    shadow: Option<Shadow>,
    kept: Kept,
    idle: bool,
    /// It is told of changes between commands.
    notified: bool,
}

struct Play {
    world: World,
    reference: Reference,
    players: Vec<Player>,
    random: Random,
    selections: u64,
    folders_made: usize,
    log: Log,
}

impl Play {
    async fn new(seed: u64, log: Log) -> Self {
        let world = World::new().await;
        let mut client = world.user().await;
        let mut reference = Reference::new(world.owner(USER).await);
        reference.add("INBOX").await;
        for name in ["A", "B"] {
            client.ok(&format!("CREATE {name}")).await;
            reference.add(name).await;
        }
        let mut play = Self {
            world,
            reference,
            players: Vec::new(),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            selections: 0,
            folders_made: 0,
            log,
        };
        play.reference.compare().await;
        for number in 0..CLIENTS {
            let player = play.player(number).await;
            play.players.push(player);
        }
        play
    }

    async fn player(&mut self, number: usize) -> Player {
        let mut client = self.world.user().await;
        let (qresync, condstore) = (number.is_multiple_of(2), number % 4 != 1);
        if qresync {
            client.ok("ENABLE QRESYNC").await;
        } else if condstore {
            client.ok("ENABLE CONDSTORE").await;
        }
        // One that is told at once, and one that is told of what is gone where an EXPUNGE may be.
        let pace = [None, Some("SELECTED-DELAYED"), None, Some("SELECTED")][number % CLIENTS];
        if let Some(pace) = pace {
            let events = "(MessageNew MessageExpunge FlagChange)";
            client
                .ok(&format!("NOTIFY SET ({pace} {events}) (PERSONAL {events})"))
                .await;
        }
        Player {
            client,
            notified: pace.is_some(),
            qresync,
            condstore,
            shadow: None,
            kept: Kept::new(),
            idle: false,
        }
    }

    async fn step(&mut self) {
        let who = self.random.below(CLIENTS);
        if self.players[who].idle {
            return self.done(who).await;
        }
        match self.random.below(20) {
            0..2 => self.select(who).await,
            2 => self.leave(who).await,
            3 => self.rename(who).await,
            4 if self.random.one_in(4) => self.delete(who).await,
            5 => self.idle(who).await,
            6 | 7 => {
                let count = 2 + self.random.below(4);
                self.commands(who, count).await;
            }
            _ => self.commands(who, 1).await,
        }
        self.reference.compare().await;
        for who in 0..CLIENTS {
            // Which UIDs went is told at once, which came only by their count: one step at a time can be checked.
            if self.players[who].idle && self.players[who].qresync {
                self.done(who).await;
            }
            // The same holds for what was told in between.
            if self.players[who].notified && !self.players[who].idle {
                self.listen(who).await;
            }
        }
    }

    fn some_folder(&mut self) -> String {
        let at = self.random.below(self.reference.names.len());
        self.reference.names.keys().nth(at).unwrap().clone()
    }

    /// A command that makes sense now.
    fn random_step(&mut self, who: usize, uid: bool) -> Step {
        let to = self.some_folder();
        let target = self.reference.names[&to];
        let full = self.reference.boxes[target].messages.len() >= MESSAGES_MAX;
        let append = Command::Append {
            to: to.clone(),
            flags: self.random.flags(),
        };
        let uid = uid || self.random.one_in(2);
        let Some(shadow) = self.players[who].shadow.clone() else {
            let command = if full { Command::Noop } else { append };
            return Step {
                command,
                uid: false,
                uids: Vec::new(),
            };
        };
        let known: Vec<u32> = shadow.messages.iter().filter_map(|known| known.uid).collect();
        let uids: Vec<u32> = known.into_iter().filter(|_| self.random.one_in(4)).collect();
        let modseqs = [shadow.highest, self.reference.boxes[shadow.folder].highest, 1];
        let command = match self.random.below(12) {
            0 | 1 if !full => append,
            2 if !uids.is_empty() => Command::Fetch { body: false },
            3 if !uids.is_empty() => Command::Fetch { body: true },
            4..8 if !uids.is_empty() => Command::Store {
                action: [Action::Add, Action::Remove, Action::Replace][self.random.below(3)],
                flags: self.random.flags(),
                silent: self.random.one_in(2),
                since: (self.players[who].condstore && self.random.one_in(4))
                    .then(|| modseqs[self.random.below(3)]),
            },
            8 => Command::Expunge {
                all: uids.is_empty() || self.random.one_in(2),
            },
            9 | 10 if !uids.is_empty() && !full && uids.len() < MESSAGES_MAX / 2 => Command::Copy {
                moves: target != shadow.folder && self.random.one_in(2),
                to,
            },
            11 => Command::Search,
            _ => Command::Noop,
        };
        let uid = uid || matches!(command, Command::Expunge { .. });
        Step { command, uid, uids }
    }

    /// One command, or some that are sent at once.
    async fn commands(&mut self, who: usize, count: usize) {
        let mut steps: Vec<Step> = Vec::new();
        for _ in 0..count {
            let mut step = self.random_step(who, count > 1);
            if let Command::Store { since, .. } = &mut step.command
                && count > 1
            {
                // What the MODSEQs will be is not known yet.
                *since = None;
            }
            steps.push(step);
        }
        let mut sent = String::new();
        for (number, step) in steps.iter().enumerate() {
            let text = step.text(self.players[who].shadow.as_ref());
            self.log.push(format!("{who}: {text}"));
            sent += &format!("s{number} {text}\r\n");
        }
        self.players[who].client.send(&sent).await;
        for (number, step) in steps.iter().enumerate() {
            let expected = step.apply(&mut self.reference, self.players[who].shadow.as_ref());
            let player = &mut self.players[who];
            let mut lines = player.client.until(&format!("s{number}")).await;
            self.log.extend(lines.iter().map(|line| format!("  {line}")));
            let answer = lines.pop().unwrap();
            // A later command of the same client is not told of yet.
            let mut rules = step.rules();
            if let Some(shadow) = &mut player.shadow {
                rules.news_only &= count == 1;
                // Only where it has changed something: all else is news.
                if !shadow.read_only
                    && let Command::Store {
                        silent: true,
                        since: None,
                        ..
                    } = step.command
                {
                    shadow.silent.clone_from(&expected.changed);
                }
                for line in &lines {
                    let folder = &mut self.reference.boxes[shadow.folder];
                    shadow.hear(line, folder, rules);
                }
            }
            if let Some(shadow) = &mut player.shadow {
                shadow.silent.clear();
            }
            step.end(&answer, &expected, &self.reference, player.shadow.as_mut());
            if let Some(shadow) = &mut player.shadow {
                shadow.is_in_step(&self.reference.boxes[shadow.folder], !rules.no_expunge);
            }
        }
    }

    fn hear_all(&mut self, who: usize, lines: &[String]) {
        self.log.extend(lines.iter().map(|line| format!("  {line}")));
        if let Some(shadow) = &mut self.players[who].shadow {
            let folder = &mut self.reference.boxes[shadow.folder];
            for line in lines {
                shadow.hear(line, folder, Rules::default());
            }
            shadow.is_in_step(folder, true);
        }
    }

    async fn idle(&mut self, who: usize) {
        self.log.push(format!("{who}: IDLE"));
        let player = &mut self.players[who];
        player.client.send("idle IDLE\r\n").await;
        let line = player.client.line().await;
        assert!(line.starts_with('+'), "{line}");
        player.idle = true;
    }

    async fn done(&mut self, who: usize) {
        self.log.push(format!("{who}: DONE"));
        let player = &mut self.players[who];
        player.idle = false;
        player.client.send("DONE\r\n").await;
        self.hear_until(who, "idle").await;
    }

    /// What a client was told while it said nothing; nothing is left after a NOOP.
    async fn listen(&mut self, who: usize) {
        self.players[who].client.send("noop NOOP\r\n").await;
        self.hear_until(who, "noop").await;
    }

    async fn hear_until(&mut self, who: usize, tag: &str) {
        let player = &mut self.players[who];
        let mut lines = player.client.until(tag).await;
        self.log.extend(lines.iter().map(|line| format!("  {line}")));
        let answer = lines.pop().unwrap();
        assert!(answer.starts_with(&format!("{tag} OK")), "{answer}");
        let rules = Rules {
            late: !player.qresync,
            ..Rules::default()
        };
        if let Some(shadow) = &mut player.shadow {
            let folder = &mut self.reference.boxes[shadow.folder];
            for line in &lines {
                shadow.hear(line, folder, rules);
            }
            shadow.is_in_step(folder, true);
        }
    }
}

fn seeds() -> u64 {
    std::env::var("BATPOST_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(SEEDS)
}

#[test]
fn many_sessions_stay_in_step() {
    for seed in 1..=seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let log = Log::default();
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut play = Play::new(seed, log.clone()).await;
                for _ in 0..STEPS {
                    play.step().await;
                }
            });
        }));
        assert!(played.is_ok(), "seed {seed}, after\n{}", log.last());
    }
}
