//! What each verb asks and shows, a file for each noun.

mod access;
mod app_passwords;
mod certificates;
mod dkim;
mod domains;
mod external;
mod folders;
mod groups;
mod logs;
mod public;
mod queue;
mod queue_texts;
mod reports;
mod routes;
mod server;
mod sessions;
mod user_certificates;
mod users;
mod vacation;

use clap::ArgMatches;
use shared::Refusal;
use shared::model::Protocol;
use shared::protocol::Page;

use super::{Session, Trouble};

type Outcome = Result<(), Trouble>;

/// Carries out what the command line says.
pub(super) async fn run(session: &Session, matches: &ArgMatches) -> Outcome {
    let Some((noun, arguments)) = matches.subcommand() else {
        return Ok(());
    };
    let (verb, inner) = arguments.subcommand().unwrap_or(("", arguments));
    match noun {
        "domain" => domains::run(session, verb, inner).await,
        "dkim" => dkim::run(session, verb, inner).await,
        "report" => reports::run(session, verb, inner).await,
        "user" => users::run(session, verb, inner).await,
        "external" => external::run(session, verb, inner).await,
        "alias" => groups::aliases(session, verb, inner).await,
        "group" => groups::groups(session, verb, inner).await,
        "folder" => folders::run(session, verb, inner).await,
        "public" => public::run(session, verb, inner).await,
        "route" => routes::run(session, verb, inner).await,
        "queue" => queue::run(session, verb, inner).await,
        "session" => sessions::sessions(session, verb, inner).await,
        "service" => sessions::services(session, verb, inner).await,
        "log" => logs::run(session, verb, inner).await,
        "allow" | "block" => access::run(session, noun, verb, inner).await,
        "certificate" => certificates::run(session, verb, inner).await,
        "setting" => server::settings(session, verb, inner).await,
        "storage" => server::storage(session).await,
        "check" => server::check(session, arguments).await,
        "monitor" => sessions::monitor(session).await,
        "rpc" => server::rpc(session, arguments).await,
        _ => server::shutdown(session).await,
    }
}

fn text(arguments: &ArgMatches, id: &str) -> String {
    arguments.get_one::<String>(id).cloned().unwrap_or_default()
}

fn optional(arguments: &ArgMatches, id: &str) -> Option<String> {
    arguments.get_one::<String>(id).cloned()
}

fn texts(arguments: &ArgMatches, id: &str) -> Vec<String> {
    arguments
        .get_many::<String>(id)
        .map(|values| values.cloned().collect())
        .unwrap_or_default()
}

fn protocols(arguments: &ArgMatches, id: &str) -> Result<Vec<Protocol>, Refusal> {
    texts(arguments, id).iter().map(|name| protocol(name)).collect()
}

fn protocol(name: &str) -> Result<Protocol, Refusal> {
    match name {
        "smtp" => Ok(Protocol::Smtp),
        "submission" => Ok(Protocol::Submission),
        "lmtp" => Ok(Protocol::Lmtp),
        "pop3" => Ok(Protocol::Pop3),
        "imap" => Ok(Protocol::Imap),
        _ => Err(Refusal::new("protocol-unknown").with("protocol", name)),
    }
}

fn number(arguments: &ArgMatches, id: &str) -> Option<u64> {
    arguments.get_one::<u64>(id).copied()
}

fn page(arguments: &ArgMatches) -> Page {
    Page {
        filter: text(arguments, "filter"),
        sort: text(arguments, "sort"),
        descending: arguments.get_flag("descending"),
        offset: number(arguments, "offset").unwrap_or_default(),
        limit: number(arguments, "limit").unwrap_or_default(),
    }
}

/// The values of an option that may be repeated, parsed.
fn parsed<T: std::str::FromStr<Err = Refusal>>(arguments: &ArgMatches, id: &str) -> Result<Vec<T>, Refusal> {
    texts(arguments, id).iter().map(|text| text.parse()).collect()
}
