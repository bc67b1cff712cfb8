//! Who really sent a message: SPF, DKIM, DMARC and ARC, for mail that comes in and mail that goes out.
//!
//! A [`Reading`] looks at the header of a message, hashes the body as it streams by (only if a signature wants it) and in the end asks DNS
//! for keys and policies. All of it has a time limit; what could not be asked is a temporary error, never a failed check. Results are facts:
//! whether anything follows from them is for others to say.
//!
//! Written by hand over `dns` and `ring`: the library for this field wants the whole message in memory and a resolver of its own.
//!
//! Must not know: sessions, the queue, what becomes of a message.

mod arc;
mod canonical;
mod dkim;
mod dmarc;
mod fields;
mod key;
mod questions;
mod reading;
mod report;
mod results;
mod sealing;
mod secret;
mod signing;
mod spf;
mod tags;

pub use dmarc::Record as DmarcRecord;
pub use key::Algorithm;
pub use reading::{Reading, sender_policy};
pub use report::{Observation, ReportHead, wants_reports, xml as report_xml};
pub use results::{Arc, Dkim, Dmarc, Outcome, Results, Spf, Wish};
pub use sealing::Sealing;
pub use secret::{KeyFault, Secret, SigningKey};
pub use signing::{Signing, author_domain};
