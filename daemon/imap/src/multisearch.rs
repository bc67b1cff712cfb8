//! ESEARCH (RFC 7377): a search in several mailboxes.
//!
//! Each mailbox is searched as if it were selected for a moment, read-only and without taking what is recent; the selected one as its client knows it.
//! Mailboxes that are not there, or that this user may not read, are passed over in silence (§2.2), and so are those in which nothing is found.

use std::collections::BTreeSet;

use shared::Rights;
use wire::imap::{MultiSearch, SearchProgram, SearchReturn, Tag};

use crate::esearch::{Correlator, Report};
use crate::namespace::DELIMITER;
use crate::notify::Filter;
use crate::reply::{Answer, COMPLETED, Outcome};
use crate::search::{Matched, Search, asks_modseq};
use crate::session::{Session, Tell};
use crate::sort::Sequenced;
use crate::view::View;

impl Session {
    pub(crate) async fn multi_search(&mut self, tag: &Tag, args: MultiSearch) -> Outcome {
        self.tell(Tell::NoExpunge, true).await?;
        let MultiSearch { sources, mut program } = args;
        // RFC 6855 §3: everything is UTF-8 then.
        if self.enabled.utf8_accept && program.charset != wire::imap::Charset::Unstated {
            return Ok(Answer::bad("no CHARSET after ENABLE UTF8=ACCEPT"));
        }
        let all = SearchReturn {
            all: true,
            ..SearchReturn::default()
        };
        let returns = program.returns.unwrap_or(all);
        program.returns = Some(returns);
        let only_selected = sources.mailboxes.is_empty();
        if sources.selected && self.view.is_none() {
            return Ok(Answer::bad("select a mailbox first"));
        }
        // RFC 7377 §2.1: `$` is about the selected mailbox alone.
        if returns.save && !only_selected {
            return Ok(Answer::bad("SAVE needs the selected mailbox alone"));
        }
        let filter = Filter::of_sources(sources.mailboxes);
        let names = match self.names_of(filter).await {
            Ok(names) => names,
            Err(answer) => return Ok(answer),
        };
        let selected = self.view.as_ref().map(|view| view.place.name());
        let is_selected = |name: &String| selected.as_ref() == Some(name);
        let searched = sources.selected || names.iter().any(is_selected);
        if searched {
            if let Err(answer) = self.check_view(Rights::READ) {
                return Ok(answer);
            }
            let answer = self.search_selected(tag, program.clone()).await?;
            if answer.verdict != crate::reply::Verdict::Ok {
                return Ok(answer);
            }
        }
        // Only the selected mailbox is followed.
        if returns.update {
            if !searched {
                self.refuse_update(tag);
            }
            program.returns = Some(SearchReturn {
                update: false,
                ..returns
            });
        }
        for name in names.iter().filter(|name| !is_selected(name)) {
            if let Err(answer) = self.search_other(tag, name, &program).await {
                return Ok(answer);
            }
            self.conn.flush_if_full().await?;
        }
        Ok(Answer::ok(COMPLETED))
    }

    /// The mailboxes that are meant and that may be listed; those that are named one by one need not be.
    async fn names_of(&self, mut filter: Filter) -> Result<Vec<String>, Answer> {
        if filter.is_empty() {
            return Ok(Vec::new());
        }
        let Some(user) = &self.user else {
            return Err(Answer::bad("log in first"));
        };
        let mut patterns = Vec::new();
        if filter.asks_subscribed() {
            filter.subscribed = user.home.subscriptions().await?;
            patterns.clone_from(&filter.subscribed);
        }
        let mut named: BTreeSet<String> = BTreeSet::new();
        for name in filter.names() {
            named.insert(name.clone());
            patterns.extend([name.clone(), format!("{name}{DELIMITER}*")]);
            if name.is_empty() {
                patterns.push("*".to_owned());
            }
        }
        let tree = self.tree(&patterns).await?;
        let mut names = Vec::new();
        for (name, entry) in tree.in_order() {
            if entry.folder.is_some() && filter.means(name) {
                named.remove(name);
                names.push(name.clone());
            }
        }
        names.extend(named);
        Ok(names)
    }

    async fn search_selected(&mut self, tag: &Tag, program: SearchProgram) -> Outcome {
        let with_modseq = asks_modseq(&program.key);
        let search = Search {
            charset: program.charset,
            key: program.key,
            returns: program.returns,
        };
        let Matched { uids, kept } = match self.matching(tag, search).await {
            Ok(matched) => matched,
            Err(answer) => return Ok(answer),
        };
        let result = Sequenced {
            word: b"",
            uids,
            sorted_by: None,
            returns: program.returns,
            with_modseq,
            kept,
            update_items: program.update_items,
            named: true,
        };
        self.tell_result(tag, true, result).await
    }

    async fn search_other(&mut self, tag: &Tag, name: &str, program: &SearchProgram) -> Result<(), Answer> {
        let place = match self.place(name, Rights::READ).await {
            Ok(place) => place,
            Err(answer) if answer.code.as_deref() == Some("UNAVAILABLE") => return Err(answer),
            Err(_) => return Ok(()),
        };
        let owner = place.spot.owner.clone();
        let selected = match owner.select(&place.spot.inner, false).await {
            Ok(selected) => selected,
            // It has gone meanwhile.
            Err(mailbox::MailboxError::NoSuchFolder) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        owner.expect_searches();
        let view = View::new(selected, place, true);
        let with_modseq = asks_modseq(&program.key);
        self.enable_condstore(with_modseq);
        let uids = view.matching(&program.charset, program.key.clone()).await?;
        if uids.is_empty() {
            return Ok(());
        }
        let found = view.found(&uids, with_modseq).await?;
        let report = Report {
            found: &found,
            uid: true,
            with_modseq,
        };
        let of = Correlator::of(&view, self.enabled.utf8());
        let returns = program.returns.unwrap_or_default();
        report.put_esearch(self.conn.output(), tag, returns, Some(&of));
        Ok(())
    }
}
