//! An event in words and as a log row.

use i18n::{Arg, Language};
use serde_json::{Map, Value};
use shared::protocol::LogRow;

use crate::Record;

/// The text of an event with that code in a language.
pub(crate) fn words<'a>(
    language: Language,
    code: &str,
    fields: impl Iterator<Item = (&'a str, &'a Value)>,
) -> String {
    let args: Vec<(&str, Arg)> = fields.map(|(name, value)| (name, arg(value))).collect();
    i18n::format(language, &format!("event-{code}"), &args)
}

fn arg(value: &Value) -> Arg {
    match value {
        Value::Number(number) => Arg::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => Arg::Text(text.clone()),
        other => Arg::Text(other.to_string()),
    }
}

impl Record {
    /// The row that readers of the log see, with its text in their language.
    pub fn row(&self, language: Language) -> LogRow {
        let mut row = self.bare_row();
        row.text = words(
            language,
            self.code,
            self.fields.iter().map(|(name, value)| (*name, value)),
        );
        row
    }

    /// The same without the text, as it is stored.
    pub(crate) fn bare_row(&self) -> LogRow {
        let mut fields: Map<String, Value> = self
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        if let Some(peer) = self.scope.peer {
            fields.insert("peer".to_owned(), Value::from(peer.to_string()));
        }
        LogRow {
            seq: self.seq,
            at_us: self.at_us,
            channel: self.channel.name().to_owned(),
            severity: self.severity.name().to_owned(),
            code: self.code.to_owned(),
            session: self.scope.session.map(|id| id.0),
            message: self.scope.message.map(|id| id.to_string()),
            text: String::new(),
            fields: Value::Object(fields),
        }
    }
}

/// Puts a stored row into words.
pub(crate) fn tell(row: &mut LogRow, language: Language) {
    let empty = Map::new();
    let fields = row.fields.as_object().unwrap_or(&empty);
    row.text = words(
        language,
        &row.code,
        fields.iter().map(|(name, value)| (name.as_str(), value)),
    );
}
