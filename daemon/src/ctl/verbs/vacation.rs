//! `user vacation ADDRESS`: the answer to those who write while a user is away.

use std::io::Read as _;

use clap::ArgMatches;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared::Refusal;
use shared::model::Vacation;
use shared::protocol::*;

use super::{Outcome, optional, text};
use crate::ctl::Session;
use crate::ctl::output::time;

/// Changes what options name and switches the answer on, or off with `--off`; without any option it shows what is.
pub(super) async fn run(session: &Session, arguments: &ArgMatches) -> Outcome {
    let address = text(arguments, "address");
    let mut user = session.call(UserGet { address }).await?;
    let before = user.vacation.clone();
    change(&mut user.vacation, arguments)?;
    if user.vacation == before {
        show(session, &before);
        return Ok(());
    }
    let changed = session.call(UserSet { user }).await?;
    session
        .out
        .show(&changed, |_| session.out.say("done-change", &[]));
    Ok(())
}

fn change(vacation: &mut Vacation, arguments: &ArgMatches) -> Result<(), Refusal> {
    let mut given = false;
    if arguments.get_flag("text-stdin") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Refusal::new("input-unreadable").with("reason", error))?;
        vacation.text = text;
        given = true;
    }
    if let Some(subject) = optional(arguments, "subject") {
        vacation.subject = subject;
        given = true;
    }
    if let Some(from) = optional(arguments, "starts") {
        vacation.starts = day(&from, false)?;
        given = true;
    }
    if let Some(until) = optional(arguments, "ends") {
        vacation.ends = day(&until, true)?;
        given = true;
    }
    if let Some(days) = arguments.get_one::<u32>("days") {
        vacation.days = *days;
        given = true;
    }
    if arguments.get_flag("off") {
        vacation.enabled = false;
    } else if given {
        vacation.enabled = true;
    }
    Ok(())
}

/// The beginning of a day of this machine's time zone, or of the day after it; `-`: no such day.
fn day(text: &str, after: bool) -> Result<Option<i64>, Refusal> {
    if text == "-" {
        return Ok(None);
    }
    let wrong = || Refusal::new("date-invalid").with("date", text);
    let date: Date = text.parse().map_err(|_| wrong())?;
    let date = if after {
        date.tomorrow().map_err(|_| wrong())?
    } else {
        date
    };
    let start = date.to_zoned(TimeZone::system()).map_err(|_| wrong())?;
    Ok(Some(start.timestamp().as_second()))
}

fn show(session: &Session, vacation: &Vacation) {
    let out = session.out;
    out.show(vacation, |vacation| {
        out.facts(&[
            ("enabled", out.yes_no(vacation.enabled)),
            ("starts", vacation.starts.map(time).unwrap_or_default()),
            ("ends", vacation.ends.map(time).unwrap_or_default()),
            ("days", vacation.days.to_string()),
            ("subject", vacation.subject.clone()),
            ("text", vacation.text.trim_end().to_owned()),
        ]);
    });
}
