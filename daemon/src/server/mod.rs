//! `batpostd`: makes a data directory, runs the server on it, stops it cleanly.

mod assemble;
mod authority;
mod config;
mod demo;
mod expiry;
mod gate;
mod init;
mod provider;
mod run;
mod secret;
#[cfg(windows)]
mod service;
mod space;
mod trouble;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgAction, ArgMatches, Command, value_parser};
use disk::{RealDisk, SharedDisk};
use i18n::Language;
use tokio::sync::watch;

use crate::arguments::{Texts, say, warn};
use crate::exit;
pub(crate) use config::default_data;
use trouble::Trouble;

/// Runs the command line of the daemon.
pub fn main() -> ExitCode {
    let language = Language::of_environment();
    let texts = Texts(language);
    let matches = match command(texts).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return ExitCode::from(texts.explain(&error)),
    };
    match carry_out(&matches, language) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            warn(&trouble.text(language));
            ExitCode::from(exit::REFUSED)
        }
    }
}

fn command(t: Texts) -> Command {
    let data = || t.option("data", "DIR").value_parser(value_parser!(PathBuf));
    let offset = || t.option("port-offset", "N").value_parser(value_parser!(u16));
    let command = t
        .command("batpostd", "about-daemon")
        .version(crate::VERSION)
        .disable_version_flag(true)
        .arg_required_else_help(true)
        .subcommand_required(true)
        .arg(t.flag("version").short('V').action(ArgAction::Version))
        .subcommand(t.command("run", "daemon-run").arg(data()))
        .subcommand(t.command("demo", "daemon-demo").arg(data()).arg(offset()))
        .subcommand(
            t.command("init", "daemon-init")
                .arg(data())
                .arg(t.option("hostname", "NAME").required(true))
                .arg(offset())
                .arg(t.flag("web"))
                .arg(
                    t.option("bind", "ADDRESS")
                        .value_parser(value_parser!(IpAddr))
                        .action(ArgAction::Append),
                ),
        );
    if cfg!(windows) {
        return command.subcommand(t.command("service", "daemon-service").arg(data()));
    }
    command
}

fn carry_out(matches: &ArgMatches, language: Language) -> Result<(), Trouble> {
    // A data directory that was there before may be open to everybody; mail and verifiers of passwords are for nobody else.
    disk::keep_files_private();
    let disk: SharedDisk = Arc::new(RealDisk::new());
    let Some((verb, arguments)) = matches.subcommand() else {
        return Ok(());
    };
    let data = arguments.get_one::<PathBuf>("data").cloned();
    match verb {
        "init" => {
            let data = data.unwrap_or_else(default_data);
            let wish = init::Wish {
                hostname: arguments
                    .get_one::<String>("hostname")
                    .cloned()
                    .unwrap_or_default(),
                port_offset: port_offset(arguments).unwrap_or_default(),
                web: arguments.get_flag("web"),
                bind: arguments
                    .get_many::<IpAddr>("bind")
                    .map(|all| all.copied().collect())
                    .unwrap_or_default(),
            };
            runtime()?.block_on(init::init(&disk, &data, wish))?;
            let args = [("data", data.display().to_string().into())];
            say(&i18n::format(language, "daemon-init-done", &args));
            Ok(())
        }
        "demo" => {
            let data = data.unwrap_or_else(|| PathBuf::from("batpost-demo"));
            demo::demo(&disk, &data, port_offset(arguments), language)
        }
        #[cfg(windows)]
        "service" => service::serve(disk, data.unwrap_or_else(default_data), language),
        _ => {
            let data = data.unwrap_or_else(default_data);
            let stop = watch::Sender::new(false);
            run::run(&disk, &data, language, &stop, &Arc::default(), |_| {})
        }
    }
}

fn port_offset(arguments: &ArgMatches) -> Option<u16> {
    arguments.get_one::<u16>("port-offset").copied()
}

fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("batpost")
        .build();
    built.map_err(|error| Trouble::new("start").with("reason", error))
}
