//! What is told to a person, kept without its words, so that a switch of the language switches it as well.

use i18n::Arg;
use shared::Refusal;

use crate::link::Failed;
use crate::text::Texts;

#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Key(&'static str, Vec<(&'static str, Arg)>),
    Refusal(Refusal),
    /// The system's or the daemon's own words.
    Raw(String),
}

impl Said {
    pub fn key(key: &'static str) -> Self {
        Self::Key(key, Vec::new())
    }

    pub fn named(key: &'static str, name: &str) -> Self {
        Self::Key(key, vec![("name", Arg::from(name))])
    }

    pub fn failed(failed: &Failed) -> Self {
        match failed {
            Failed::Daemon(failure) => match &failure.data {
                Some(refusal) => Self::Refusal(refusal.clone()),
                None => Self::Raw(failure.message.clone()),
            },
            Failed::Lost => Self::key("error-lost"),
            Failed::Local(text) => Self::Raw(text.clone()),
        }
    }

    pub fn words(&self, texts: &Texts) -> String {
        match self {
            Self::Key(key, args) => texts.with(key, args),
            Self::Refusal(refusal) => texts.refusal(refusal),
            Self::Raw(text) => text.clone(),
        }
    }
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
}

/// Something that happened. It is shown for a while, and kept in the list of notices.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub id: u64,
    pub at: i64,
    pub tone: Tone,
    pub said: Said,
    /// It was closed, or its time is over.
    pub gone: bool,
}
