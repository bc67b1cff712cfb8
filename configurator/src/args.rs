//! The command line: which daemon to reach, and how to show it.

use std::path::PathBuf;

use clap::Parser;
use i18n::Language;
use shared::client::Endpoint;

use crate::link::Target;
use crate::model::Page;

#[derive(Clone, Debug, Parser)]
#[command(name = "batpost-configurator", version)]
pub struct Args {
    #[arg(long, value_name = "DIR", conflicts_with_all = ["socket", "ssh"], help = i18n_help("args-data"))]
    pub data: Option<PathBuf>,
    #[arg(long, value_name = "PATH", conflicts_with = "ssh", help = i18n_help("args-socket"))]
    pub socket: Option<PathBuf>,
    #[arg(long, value_name = "USER@HOST", help = i18n_help("args-ssh"))]
    pub ssh: Option<String>,
    #[arg(long, value_name = "LANG", value_parser = parse_language, help = i18n_help("args-lang"))]
    pub lang: Option<Language>,
    #[arg(long, value_name = "NAME", value_parser = parse_page, help = i18n_help("args-page"))]
    pub page: Option<Page>,
}

impl Args {
    /// Where the daemon is: what the command line names, else the packaged service, else a demo in this folder.
    pub fn target(&self) -> Target {
        if let Some(host) = &self.ssh {
            return Target::Ssh(host.clone());
        }
        if let Some(path) = &self.socket {
            return Target::Local(Endpoint::Socket(path.clone()));
        }
        Target::Local(Endpoint::Data(self.data.clone().unwrap_or_else(default_data)))
    }
}

/// The data directory of the packaged service; of a demo in the current folder if there is no such directory.
fn default_data() -> PathBuf {
    let packaged = if cfg!(windows) {
        std::env::var_os("ProgramData")
            .map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from)
            .join("BatPost")
    } else {
        PathBuf::from("/var/lib/batpost")
    };
    let demo = PathBuf::from("batpost-demo");
    if !packaged.exists() && demo.exists() {
        demo
    } else {
        packaged
    }
}

fn i18n_help(key: &str) -> String {
    i18n::text(Language::of_environment(), key)
}

fn parse_language(code: &str) -> Result<Language, String> {
    Language::from_code(code).ok_or_else(|| Language::ALL.map(Language::code).join(", "))
}

fn parse_page(name: &str) -> Result<Page, String> {
    Page::parse(name).ok_or_else(|| Page::NAMES.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_command_line_names_one_daemon() {
        let args = Args::try_parse_from([
            "x",
            "--ssh",
            "root@mail",
            "--lang",
            "ru",
            "--page",
            "users:example.test",
        ])
        .unwrap();
        assert!(matches!(args.target(), Target::Ssh(host) if host == "root@mail"));
        assert_eq!(args.lang, Some(Language::Ru));
        assert_eq!(args.page, Some(Page::Users("example.test".to_owned())));
        assert!(Args::try_parse_from(["x", "--data", "a", "--socket", "b"]).is_err());
        assert!(Args::try_parse_from(["x", "--lang", "xx"]).is_err());
    }
}
