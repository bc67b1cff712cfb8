//! What both command lines share: texts of the help and of errors in the language of the environment.

use std::io::Write as _;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, ArgAction, Command};
use i18n::Language;

/// Writes a line to the standard output. `false`: whoever read it has gone (`| head`), which is no failure.
pub(crate) fn say(line: &str) -> bool {
    writeln!(std::io::stdout(), "{line}").is_ok()
}

/// Writes a line to the standard error stream, if somebody reads it.
pub(crate) fn warn(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The texts of a command line in one language.
#[derive(Clone, Copy)]
pub(crate) struct Texts(pub(crate) Language);

impl Texts {
    /// The text `cli-<key>`.
    pub(crate) fn get(self, key: &str) -> String {
        i18n::text(self.0, &format!("cli-{key}"))
    }

    /// A command with its description `cli-<key>`.
    pub(crate) fn command(self, name: &'static str, key: &str) -> Command {
        Command::new(name)
            .about(self.get(key))
            .help_template(self.template())
            .disable_help_subcommand(true)
            .disable_help_flag(true)
            .arg(
                Arg::new("help")
                    .short('h')
                    .long("help")
                    .action(ArgAction::Help)
                    .help(self.get("help"))
                    .help_heading(self.get("heading-options")),
            )
            .subcommand_help_heading(self.get("heading-commands"))
            .subcommand_value_name(self.get("value-command"))
    }

    /// A positional argument; its help is `cli-arg-<id>`.
    pub(crate) fn positional(self, id: &'static str) -> Arg {
        Arg::new(id)
            .value_name(id.to_uppercase())
            .required(true)
            .help(self.get(&format!("arg-{id}")))
            .help_heading(self.get("heading-arguments"))
    }

    /// An option with a value; its help is `cli-opt-<id>`.
    pub(crate) fn option(self, id: &'static str, value: &'static str) -> Arg {
        Arg::new(id)
            .long(id)
            .value_name(value)
            .help(self.get(&format!("opt-{id}")))
            .help_heading(self.get("heading-options"))
    }

    /// An option without a value; its help is `cli-opt-<id>`.
    pub(crate) fn flag(self, id: &'static str) -> Arg {
        Arg::new(id)
            .long(id)
            .action(ArgAction::SetTrue)
            .help(self.get(&format!("opt-{id}")))
            .help_heading(self.get("heading-options"))
    }

    fn template(self) -> StyledStr {
        StyledStr::from(format!(
            "{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}",
            self.get("heading-usage")
        ))
    }

    /// Tells what is wrong with a command line, on the standard error stream; a wish for help is fulfilled on the standard output.
    /// Returns the exit code.
    pub(crate) fn explain(self, error: &Error) -> u8 {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // Nothing is left to be done if even the help can't be written.
            let _ = error.print();
            return 0;
        }
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            let _ = error.print();
            return crate::exit::USAGE;
        }
        let key = match error.kind() {
            ErrorKind::UnknownArgument if !is_option(error) => "error-surplus-argument",
            ErrorKind::UnknownArgument => "error-unknown-argument",
            ErrorKind::InvalidSubcommand => "error-unknown-command",
            ErrorKind::MissingRequiredArgument => "error-missing-argument",
            ErrorKind::MissingSubcommand => "error-missing-command",
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => "error-invalid-value",
            ErrorKind::ArgumentConflict => "error-conflict",
            _ => "error-usage",
        };
        let mut args = Vec::new();
        for (kind, name) in [
            (ContextKind::InvalidArg, "argument"),
            (ContextKind::InvalidSubcommand, "command"),
            (ContextKind::InvalidValue, "value"),
        ] {
            let value = match error.get(kind) {
                Some(ContextValue::String(text)) => text.clone(),
                Some(ContextValue::Strings(texts)) => texts.join(" "),
                _ => String::new(),
            };
            args.push((name, i18n::Arg::Text(value)));
        }
        warn(&i18n::format(self.0, &format!("cli-{key}"), &args));
        warn(&self.get("try-help"));
        crate::exit::USAGE
    }
}

/// Whether what is not known looks like an option.
fn is_option(error: &Error) -> bool {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.starts_with('-'),
        _ => true,
    }
}
