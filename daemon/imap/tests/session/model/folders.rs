//! Steps that concern folders: they are selected, left, renamed and removed.

use super::reference::Reference;
use super::shadow::{Known, Rules, Shadow, numbers};
use super::{CLIENTS, Play, Player};

impl Play {
    pub(super) async fn select(&mut self, who: usize) {
        let name = self.some_folder();
        let folder = self.reference.names[&name];
        let examine = self.random.one_in(4);
        let validity = self.reference.boxes[folder].uid_validity;
        self.selections += 1;
        let number = self.selections;
        let player = &mut self.players[who];
        let same = player
            .shadow
            .as_ref()
            .is_some_and(|shadow| shadow.folder == folder);
        let kept = player
            .kept
            .get(&validity)
            .cloned()
            .filter(|_| player.qresync && !same);
        let mut command = format!("{} {name}", if examine { "EXAMINE" } else { "SELECT" });
        if let Some((modseq, messages)) = &kept {
            let known: Vec<String> = messages
                .iter()
                .filter_map(|known| Some(known.uid?.to_string()))
                .collect();
            let known = if known.is_empty() || self.random.one_in(2) {
                String::new()
            } else {
                format!(" {}", known.join(","))
            };
            command += &format!(" (QRESYNC ({validity} {modseq}{known}))");
        }
        self.log.push(format!("{who}: {command}"));
        let lines = player.client.ok(&command).await;
        self.log.extend(lines.iter().map(|line| format!("  {line}")));
        let closed = lines.iter().position(|line| line.starts_with("* OK [CLOSED]"));
        assert_eq!(closed.is_some(), player.shadow.is_some());
        if let Some(mut shadow) = player.shadow.take() {
            for line in &lines[..closed.unwrap()] {
                shadow.hear(line, &mut self.reference.boxes[shadow.folder], Rules::default());
            }
            keep(player, shadow, &self.reference);
        }
        let lines = &lines[closed.map_or(0, |at| at + 1)..];
        let reference = &mut self.reference.boxes[folder];
        let mut shadow = Shadow {
            folder,
            read_only: examine,
            number,
            messages: Vec::new(),
            highest: 0,
            found: Vec::new(),
            silent: Vec::new(),
        };
        let (earlier, others): (Vec<&String>, Vec<&String>) =
            lines.iter().partition(|line| line.contains("VANISHED"));
        let (changed, others): (Vec<&String>, Vec<&String>) =
            others.into_iter().partition(|line| line.contains(" FETCH "));
        for line in others {
            shadow.hear(line, reference, Rules::default());
        }
        shadow.name(reference);
        assert_eq!(shadow.messages.len(), reference.messages.len());
        assert_eq!(shadow.highest, reference.highest.max(1), "HIGHESTMODSEQ");
        let vanished: Vec<u32> = earlier
            .iter()
            .filter_map(|line| line.strip_prefix("* VANISHED (EARLIER) "))
            .flat_map(numbers)
            .collect();
        for known in kept.iter().flat_map(|kept| &kept.1) {
            match known.uid.and_then(|uid| shadow.index(uid)) {
                Some(at) => shadow.messages[at] = known.clone(),
                None => assert!(vanished.contains(&known.uid.unwrap()), "{known:?} has vanished"),
            }
        }
        for line in earlier.into_iter().chain(changed) {
            shadow.hear(line, reference, Rules::default());
        }
        shadow.is_in_step(reference, true);
        for known in &mut shadow.messages {
            known.version = reference.messages[&known.uid.unwrap()].version;
        }
        player.shadow = Some(shadow);
        self.learn_flags(who).await;
    }

    /// Asks for all flags, as a client does that has nothing.
    async fn learn_flags(&mut self, who: usize) {
        let player = &mut self.players[who];
        let Some(shadow) = &mut player.shadow else { return };
        if shadow.messages.is_empty() || (player.qresync && self.random.one_in(2)) {
            return;
        }
        for line in player.client.ok("FETCH 1:* (UID FLAGS)").await {
            shadow.hear(&line, &mut self.reference.boxes[shadow.folder], Rules::default());
        }
        assert!(shadow.messages.iter().all(|known| known.flags.is_some()));
    }

    /// CLOSE or UNSELECT.
    pub(super) async fn leave(&mut self, who: usize) {
        let close = self.random.one_in(2);
        let player = &mut self.players[who];
        let Some(mut shadow) = player.shadow.take() else {
            return;
        };
        let command = if close { "CLOSE" } else { "UNSELECT" };
        self.log.push(format!("{who}: {command}"));
        let lines = player.client.ok(command).await;
        let folder = &mut self.reference.boxes[shadow.folder];
        for line in &lines {
            shadow.hear(line, folder, Rules::default());
        }
        if close && !shadow.read_only {
            folder
                .messages
                .retain(|_, message| !message.flags.contains("\\Deleted"));
        }
        keep(player, shadow, &self.reference);
    }

    pub(super) async fn rename(&mut self, who: usize) {
        let name = self.some_folder();
        if name == "INBOX" {
            return;
        }
        self.folders_made += 1;
        let to = format!("F{}", self.folders_made);
        self.log.push(format!("{who}: RENAME {name} {to}"));
        let lines = self.players[who].client.ok(&format!("RENAME {name} {to}")).await;
        let folder = self.reference.names.remove(&name).unwrap();
        self.reference.names.insert(to, folder);
        self.hear_all(who, &lines);
    }

    /// Removes a folder and makes one of the same name.
    pub(super) async fn delete(&mut self, who: usize) {
        let name = self.some_folder();
        if name == "INBOX" {
            return;
        }
        let folder = self.reference.names[&name];
        let own = self.players[who]
            .shadow
            .as_ref()
            .is_some_and(|shadow| shadow.folder == folder);
        self.log.push(format!("{who}: DELETE {name}"));
        let lines = self.players[who].client.ok(&format!("DELETE {name}")).await;
        if own {
            self.players[who].shadow = None;
        }
        self.hear_all(who, &lines);
        for other in 0..CLIENTS {
            let player = &mut self.players[other];
            if player
                .shadow
                .as_ref()
                .is_some_and(|shadow| shadow.folder == folder)
            {
                if !player.idle && !player.notified {
                    player.client.send("x NOOP\r\n").await;
                }
                while !player.client.line().await.starts_with("* BYE") {}
                assert!(player.client.is_closed().await);
                self.players[other] = self.player(other).await;
            }
        }
        self.reference.names.remove(&name);
        let lines = self.players[who].client.ok(&format!("CREATE {name}")).await;
        self.reference.add(&name).await;
        self.hear_all(who, &lines);
    }
}

/// What a client that resynchronises remembers.
fn keep(player: &mut Player, shadow: Shadow, reference: &Reference) {
    let messages: Vec<Known> = shadow
        .messages
        .into_iter()
        .filter(|known| known.flags.is_some())
        .collect();
    let validity = reference.boxes[shadow.folder].uid_validity;
    player.kept.insert(validity, (shadow.highest, messages));
}
