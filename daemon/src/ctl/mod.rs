//! `batpostctl`: the verbs of the command line. Each builds a request of the control protocol, sends it and shows the answer.

mod command;
mod output;
mod verbs;

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::ArgMatches;
use i18n::Language;
use shared::Refusal;
use shared::client::{CallError, Client, Endpoint};
use shared::protocol::{Failure, Request};

use crate::arguments::{Texts, warn};
use crate::exit;
use output::Output;

/// Why a verb ended without doing what it was asked.
#[derive(Debug)]
enum Trouble {
    Call(CallError),
    /// Refused before anything was asked of the daemon.
    Refused(Refusal),
    /// Done in part: the details are told already.
    Told,
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a verb works with.
struct Session {
    client: Client,
    out: Output,
}

impl Session {
    async fn call<R: Request>(&self, request: R) -> Result<R::Reply, Trouble> {
        Ok(self.client.call(request).await?)
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let language = Language::of_environment();
    let texts = Texts(language);
    let matches = match command::build(texts).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return ExitCode::from(texts.explain(&error)),
    };
    if let Some(("completions", arguments)) = matches.subcommand() {
        return completions(texts, arguments);
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            warn(&error.to_string());
            return ExitCode::from(exit::REFUSED);
        }
    };
    let outcome = runtime.block_on(run(&matches, language));
    // A thread may still wait for the standard input, which may never say anything more.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => ExitCode::from(explain(language, &trouble)),
    }
}

fn completions(texts: Texts, arguments: &ArgMatches) -> ExitCode {
    let Some(shell) = arguments.get_one::<clap_complete::Shell>("shell") else {
        return ExitCode::from(exit::USAGE);
    };
    clap_complete::generate(
        *shell,
        &mut command::build(texts),
        "batpostctl",
        &mut std::io::stdout(),
    );
    ExitCode::SUCCESS
}

/// Where the daemon is: `--socket`, `--data`, or the packaged service's directory.
fn endpoint(matches: &ArgMatches) -> Endpoint {
    if let Some(path) = matches.get_one::<PathBuf>("socket") {
        return Endpoint::Socket(path.clone());
    }
    match matches.get_one::<PathBuf>("data") {
        Some(data) => Endpoint::Data(data.clone()),
        None => Endpoint::Data(crate::server::default_data()),
    }
}

async fn run(matches: &ArgMatches, language: Language) -> Result<(), Trouble> {
    let endpoint = endpoint(matches);
    if let Some(("stdio", _)) = matches.subcommand() {
        return relay(&endpoint).await;
    }
    let client = Client::connect(&endpoint, "batpostctl", language.code()).await?;
    let session = Session {
        client,
        out: Output {
            language,
            json: matches.get_flag("json"),
        },
    };
    verbs::run(&session, matches).await
}

/// How long answers are waited for once the standard input has ended, where the daemon can't be told of that.
const REST_PATIENCE: Duration = Duration::from_secs(5);

/// Relays standard input and output to the socket, so that a client elsewhere can speak through `ssh`.
async fn relay(endpoint: &Endpoint) -> Result<(), Trouble> {
    let no_daemon = |error: std::io::Error| CallError::NoDaemon(error.to_string());
    let (mut read, mut write) = shared::client::open_halves(endpoint).await.map_err(no_daemon)?;
    let (mut input, mut output) = (tokio::io::stdin(), tokio::io::stdout());
    let mut answers = pin!(tokio::io::copy(&mut read, &mut output));
    let said = tokio::select! {
        said = tokio::io::copy(&mut input, &mut write) => said,
        done = &mut answers => return done.map(|_| ()).map_err(|_| CallError::Lost.into()),
    };
    // All is said, and the last answers are still to come: a socket tells the daemon so, and it closes when they are written. A pipe
    // of Windows can't tell.
    let rest = async {
        said?;
        drop(write);
        answers.await
    };
    let rest = if cfg!(windows) {
        tokio::time::timeout(REST_PATIENCE, rest).await.unwrap_or(Ok(0))
    } else {
        rest.await
    };
    rest.map(|_| ()).map_err(|_| CallError::Lost.into())
}

fn explain(language: Language, trouble: &Trouble) -> u8 {
    let (text, code) = match trouble {
        Trouble::Told => return exit::REFUSED,
        Trouble::Refused(refusal) => (refusal_text(language, refusal), exit::REFUSED),
        Trouble::Call(CallError::Failed(Failure {
            data: Some(refusal), ..
        })) => (refusal_text(language, refusal), exit::REFUSED),
        Trouble::Call(CallError::Failed(failure)) => (failure.message.clone(), exit::REFUSED),
        Trouble::Call(CallError::NoDaemon(reason)) => {
            let args = [("reason", i18n::Arg::from(reason.as_str()))];
            (
                i18n::format(language, "cli-error-no-daemon", &args),
                exit::NO_DAEMON,
            )
        }
        Trouble::Call(CallError::Lost) => (i18n::text(language, "cli-error-lost"), exit::NO_DAEMON),
        Trouble::Call(CallError::Garbled(reason)) => {
            let args = [("reason", i18n::Arg::from(reason.as_str()))];
            (i18n::format(language, "cli-error-garbled", &args), exit::REFUSED)
        }
    };
    warn(&text);
    code
}

/// A refusal in words.
fn refusal_text(language: Language, refusal: &Refusal) -> String {
    let args: Vec<(&str, i18n::Arg)> = refusal
        .args
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().into()))
        .collect();
    i18n::format(language, &format!("refusal-{}", refusal.code), &args)
}
