//! The index of texts: what BODY and TEXT searches ask before they read anything.
//!
//! It lies in the owner's database and is a cache of the texts there: built in the background, in step with them by SQLite's transactions, without
//! a record in the journal. Deleted, it is made anew. What it does not know is read and compared, so a search is exact whatever state the index is in.
//!
//! An index of trigrams leads from three characters to messages; in mail nearly every message holds the common ones, so most of a mailbox would still have
//! to be read. Here a needle leads to the *terms* that hold it (words; pairs of characters where a script has no spaces) by one search through a
//! dictionary, and the terms to messages. For a needle within a word, however short, that is the answer; needles of several words, and of signs
//! only, are compared with the text. Of 10,000 messages of 4 KiB, words drawn from 4,000, one core: FTS5's trigrams without positions take 252 µs a message
//! and 1.1 KiB, and leave 3.5 times as many messages to be read as hold the needle; with positions 515 µs and 8.9 KiB. This one takes
//! 135 µs and answers in 3 ms (2 ms of it for looking at 10,000 rows), where reading all texts takes 210 ms; of 800 mails as people write them (6.6 MB) it takes
//! 0.9 MB. The room's benchmark `search` tells.
//!
//! | file | what |
//! |---|---|
//! | `terms.rs` | texts into terms, needles into what the terms must be |
//! | `segment.rs` | a segment: the terms of some texts, and which texts have them |
//! | `tables.rs` | segments in the database |
//! | `answer.rs` | the needles of one search, looked up |
//! | `build.rs` | taking up texts, merging segments, dropping what is gone |
//! | `background.rs` | when that happens |
//!
//! Segments are written once. New texts give small ones; eight neighbours of about one size become one, so a text is written a few times and a search
//! reads few dictionaries. A text that is expunged stays in its segment until that is merged, or until a quarter of it is gone.

mod answer;
mod background;
mod build;
mod segment;
mod tables;
mod terms;

use shared::Refusal;

pub(crate) use answer::{Answer, Place, Verdict, asks_few, asks_texts};
pub(crate) use background::{Background, run, work};

use crate::Result;
use crate::check::Problems;
use crate::ctx::Ctx;
use crate::store::Store;

/// The code of what a check says of a damaged index.
pub(crate) const DAMAGED: &str = "mailbox-index-damaged";

/// The text is in no message any more.
pub(crate) fn forget(store: &Store, text: u64) -> Result<()> {
    tables::note_gone(&store.conn, text)
}

/// Compares the parts of the index with one another. Whoever repairs a damaged one makes it anew, which takes too long for this one step.
pub(crate) fn check(ctx: &mut Ctx<'_>, repair: bool, problems: &mut Problems) -> Result<()> {
    if !build::is_whole(&ctx.store.conn)? {
        problems.push((Refusal::new(DAMAGED), repair));
    }
    Ok(())
}

/// Removes the index.
pub(crate) fn clear(ctx: &mut Ctx<'_>) -> Result<()> {
    (ctx.store.wrote, ctx.store.commit_now) = (true, true);
    tables::clear(&ctx.store.conn)
}
