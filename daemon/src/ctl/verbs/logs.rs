//! `log …`

use clap::ArgMatches;
use jiff::Timestamp;
use shared::client::CallError;
use shared::protocol::{LogFilter, LogQuery, LogRow, Subscribe};

use super::{Outcome, number, optional, text, texts};
use crate::arguments::say;
use crate::ctl::Session;
use crate::ctl::output::harmless;

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let filter = LogFilter {
        channels: texts(arguments, "channel"),
        session: number(arguments, "session"),
        message: optional(arguments, "message"),
        contains: text(arguments, "contains"),
        before: 0,
        limit: if verb == "show" {
            number(arguments, "limit").unwrap_or_default()
        } else {
            0
        },
    };
    if verb == "follow" {
        return follow(session, &filter).await;
    }
    let rows = session.call(LogQuery { query: filter }).await?;
    session.out.show(&rows, |rows| {
        // Ends with whoever reads it.
        let _ = rows.rows.iter().all(line);
    });
    Ok(())
}

/// Shows rows as they come, until the daemon or the person ends it.
async fn follow(session: &Session, filter: &LogFilter) -> Outcome {
    session
        .call(Subscribe {
            channels: vec!["log".to_owned()],
        })
        .await?;
    while let Some(notification) = session.client.notification().await {
        let Ok(row) = serde_json::from_value::<LogRow>(notification.params) else {
            continue;
        };
        let contains = filter.contains.to_lowercase();
        let passes = (filter.channels.is_empty() || filter.channels.contains(&row.channel))
            && filter.session.is_none_or(|id| row.session == Some(id))
            && filter
                .message
                .as_ref()
                .is_none_or(|id| row.message.as_ref() == Some(id))
            && (row.text.to_lowercase().contains(&contains)
                || row.fields.to_string().to_lowercase().contains(&contains));
        if !passes {
            continue;
        }
        let read = if session.out.json {
            say(&serde_json::to_string(&row).unwrap_or_default())
        } else {
            line(&row)
        };
        if !read {
            return Ok(());
        }
    }
    Err(CallError::Lost.into())
}

/// Shows a row; `false` if nobody reads any more.
fn line(row: &LogRow) -> bool {
    let at = Timestamp::from_microsecond(row.at_us).unwrap_or_default();
    let at = at
        .to_zoned(jiff::tz::TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S%.3f");
    let session = row.session.map(|id| format!(" #{id}")).unwrap_or_default();
    let message = row
        .message
        .as_ref()
        .map(|id| format!(" {id}"))
        .unwrap_or_default();
    let text = harmless(&row.text);
    say(&format!(
        "{at} {} {}{session}{message} {text}",
        row.severity, row.channel
    ))
}
