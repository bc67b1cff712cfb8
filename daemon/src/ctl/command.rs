//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};

use crate::arguments::Texts;

/// The whole command.
pub(super) fn build(t: Texts) -> Command {
    t.command("batpostctl", "about-ctl")
        .version(crate::VERSION)
        .disable_version_flag(true)
        .arg_required_else_help(true)
        .subcommand_required(true)
        .arg(t.flag("version").short('V').action(ArgAction::Version))
        .arg(
            t.option("data", "DIR")
                .global(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            t.option("socket", "PATH")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("data"),
        )
        .arg(t.flag("json").global(true))
        .subcommands([
            domain(t),
            dkim(t),
            report(t),
            user(t),
            external(t),
            alias(t),
            group(t),
            folder(t),
            public(t),
            route(t),
            queue(t),
            session(t),
            service(t),
            log(t),
        ])
        .subcommands([access(t, "allow"), access(t, "block"), setting(t), certificate(t)])
        .subcommand(noun(t, "storage").subcommand(t.command("show", "storage-show")))
        .subcommand(
            t.command("check", "check")
                .arg(t.option("user", "ADDRESS"))
                .arg(t.flag("repair")),
        )
        .subcommand(t.command("monitor", "monitor"))
        .subcommand(
            t.command("rpc", "rpc")
                .arg(t.positional("method"))
                .arg(t.positional("params").required(false)),
        )
        .subcommand(t.command("stdio", "stdio"))
        .subcommand(t.command("shutdown", "shutdown"))
        .subcommand(
            t.command("completions", "completions").arg(
                t.positional("shell")
                    .value_parser(value_parser!(clap_complete::Shell)),
            ),
        )
}

/// A command that needs a verb after it.
fn noun(t: Texts, name: &'static str) -> Command {
    t.command(name, name)
        .subcommand_required(true)
        .arg_required_else_help(true)
}

/// The options of a list.
fn paged(t: Texts, command: Command) -> Command {
    let number = || value_parser!(u64);
    command
        .arg(t.option("filter", "TEXT"))
        .arg(t.option("sort", "COLUMN"))
        .arg(t.flag("descending"))
        .arg(t.option("offset", "N").value_parser(number()))
        .arg(t.option("limit", "N").value_parser(number()))
}

fn many(arg: Arg) -> Arg {
    arg.action(ArgAction::Append)
}

fn switch(t: Texts, id: &'static str) -> Arg {
    t.option(id, "true|false").value_parser(value_parser!(bool))
}

fn bytes(t: Texts, id: &'static str) -> Arg {
    t.option(id, "BYTES").value_parser(value_parser!(u64))
}

/// `default` takes it away.
fn language(t: Texts) -> Arg {
    t.option("language", "LANGUAGE")
        .value_parser(["en", "ru", "default"])
}

fn domain(t: Texts) -> Command {
    let fields = |command: Command| {
        command
            .arg(t.option("description", "TEXT"))
            .arg(switch(t, "enabled"))
            .arg(t.option("catch-all", "ADDRESS"))
            .arg(bytes(t, "user-quota"))
            .arg(many(t.option("alias", "DOMAIN")))
            .arg(many(t.option("mechanism", "NAME")))
            .arg(language(t))
    };
    noun(t, "domain")
        .subcommand(fields(t.command("add", "domain-add").arg(t.positional("name"))))
        .subcommand(paged(t, t.command("list", "domain-list")))
        .subcommand(t.command("show", "domain-show").arg(t.positional("name")))
        .subcommand(fields(t.command("set", "domain-set").arg(t.positional("name"))))
        .subcommand(t.command("logins", "domain-logins").arg(t.positional("name")))
        .subcommand(
            t.command("remove", "domain-remove")
                .arg(t.positional("name"))
                .arg(t.flag("with-users")),
        )
}

fn dkim(t: Texts) -> Command {
    let one = |command: Command, required: bool| {
        command
            .arg(t.positional("domain"))
            .arg(t.option("selector", "NAME").required(required))
    };
    noun(t, "dkim")
        .subcommand(
            t.command("add", "dkim-add")
                .arg(t.positional("domain"))
                .arg(t.option("selector", "NAME"))
                .arg(
                    t.option("algorithm", "rsa|ed25519")
                        .value_parser(["rsa", "ed25519"]),
                )
                .arg(
                    t.option("key-file", "FILE.pem")
                        .value_parser(value_parser!(PathBuf)),
                )
                .arg(t.flag("active")),
        )
        .subcommand(paged(
            t,
            t.command("list", "dkim-list").arg(t.option("domain", "NAME")),
        ))
        .subcommand(one(t.command("show", "dkim-show"), false))
        .subcommand(one(t.command("enable", "dkim-enable"), true))
        .subcommand(one(t.command("disable", "dkim-disable"), true))
        .subcommand(one(t.command("remove", "dkim-remove"), true))
}

fn report(t: Texts) -> Command {
    noun(t, "report")
        .subcommand(t.command("list", "report-list"))
        .subcommand(
            t.command("send", "report-send")
                .arg(t.option("kind", "KIND").value_parser(["dmarc", "tls"])),
        )
}

fn user(t: Texts) -> Command {
    let address = || t.positional("address");
    let fields = |command: Command| {
        command
            .arg(t.option("name", "TEXT"))
            .arg(bytes(t, "quota"))
            .arg(switch(t, "enabled"))
            .arg(many(t.option("group", "NAME")))
    };
    noun(t, "user")
        .subcommand(fields(
            t.command("add", "user-add")
                .arg(address())
                .arg(t.flag("password-stdin")),
        ))
        .subcommand(paged(
            t,
            t.command("list", "user-list").arg(t.option("domain", "NAME")),
        ))
        .subcommand(t.command("show", "user-show").arg(address()))
        .subcommand(
            fields(t.command("set", "user-set").arg(address()))
                .arg(many(t.option("forward", "ADDRESS")))
                .arg(t.flag("no-forward"))
                .arg(many(t.option("send-as", "ADDRESS")))
                .arg(t.flag("no-send-as"))
                .arg(language(t))
                .arg(switch(t, "keep-copy"))
                .arg(many(t.option("deny", "PROTOCOL"))),
        )
        .subcommand(
            t.command("rename", "user-rename")
                .arg(address())
                .arg(t.positional("to")),
        )
        .subcommand(
            t.command("password", "user-password")
                .arg(address())
                .arg(t.flag("password-stdin")),
        )
        .subcommand(
            t.command("vacation", "user-vacation")
                .arg(address())
                .arg(t.flag("text-stdin"))
                .arg(t.option("subject", "TEXT"))
                .arg(t.option("starts", "YYYY-MM-DD"))
                .arg(t.option("ends", "YYYY-MM-DD"))
                .arg(t.option("days", "DAYS").value_parser(value_parser!(u32)))
                .arg(t.flag("off")),
        )
        .subcommand(
            t.command("remove", "user-remove")
                .arg(address())
                .arg(t.flag("keep-mail")),
        )
        .subcommand(
            t.command("import", "user-import")
                .arg(t.positional("file").value_parser(value_parser!(PathBuf)))
                .arg(t.flag("create-domains")),
        )
        .subcommand(app_password(t))
        .subcommand(user_certificate(t))
}

fn user_certificate(t: Texts) -> Command {
    let of = |name, key| t.command(name, key).arg(t.positional("address"));
    t.command("certificate", "user-certificate")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            of("add", "user-certificate-add")
                .arg(t.positional("certificate"))
                .arg(t.option("label", "TEXT")),
        )
        .subcommand(of("list", "user-certificate-list"))
        .subcommand(of("remove", "user-certificate-remove").arg(t.positional("certificate")))
}

fn app_password(t: Texts) -> Command {
    let of = |name, key| t.command(name, key).arg(t.positional("address"));
    noun(t, "app-password")
        .subcommand(
            of("add", "app-password-add")
                .arg(t.positional("label"))
                .arg(many(t.option("protocol", "PROTOCOL"))),
        )
        .subcommand(of("list", "app-password-list"))
        .subcommand(of("remove", "app-password-remove").arg(t.positional("label")))
}

fn external(t: Texts) -> Command {
    let named = |name, key| {
        t.command(name, key)
            .arg(t.positional("address"))
            .arg(t.positional("name"))
    };
    let number = || value_parser!(u64);
    let fields = |command: Command| {
        command
            .arg(t.option("fetch-protocol", "pop3|imap").long("protocol"))
            .arg(t.option("server", "HOST"))
            .arg(
                t.option("port", "N")
                    .value_parser(value_parser!(u64).range(0..=65_535)),
            )
            .arg(t.option("security", "tls|starttls|none"))
            .arg(t.option("certificate", "verify|any|FINGERPRINT"))
            .arg(t.option("fetch-login", "USER").long("login"))
            .arg(t.flag("password-stdin"))
            .arg(
                t.option("fetch-mechanism", "auto|scram-sha-256|cram-md5|plain|apop|login")
                    .long("mechanism"),
            )
            .arg(many(t.option("source", "FOLDER")))
            .arg(t.option("into", "FOLDER"))
            .arg(t.option("every", "MINUTES").value_parser(number()))
            .arg(t.flag("keep"))
            .arg(t.flag("delete"))
            .arg(t.option("delete-after", "DAYS").value_parser(number()))
            .arg(switch(t, "mark-seen"))
            .arg(switch(t, "enabled"))
            .arg(t.option("comment", "TEXT"))
            .group(ArgGroup::new("after").args(["keep", "delete", "delete-after"]))
    };
    noun(t, "external")
        .subcommand(paged(
            t,
            t.command("list", "external-list")
                .arg(t.option("of-user", "ADDRESS").long("user")),
        ))
        .subcommand(named("show", "external-show"))
        .subcommand(fields(named("add", "external-add")))
        .subcommand(fields(named("set", "external-set")))
        .subcommand(named("remove", "external-remove"))
        .subcommand(named("fetch", "external-fetch"))
        .subcommand(named("test", "external-test"))
}

fn alias(t: Texts) -> Command {
    let targets = || t.positional("target").num_args(1..).action(ArgAction::Append);
    noun(t, "alias")
        .subcommand(
            t.command("add", "alias-add")
                .arg(t.positional("address"))
                .arg(targets()),
        )
        .subcommand(paged(
            t,
            t.command("list", "alias-list").arg(t.option("domain", "NAME")),
        ))
        .subcommand(
            t.command("set", "alias-set")
                .arg(t.positional("address"))
                .arg(targets().required(false))
                .arg(switch(t, "enabled")),
        )
        .subcommand(t.command("remove", "alias-remove").arg(t.positional("address")))
}

fn group(t: Texts) -> Command {
    let fields = |command: Command| {
        command
            .arg(t.positional("name"))
            .arg(t.option("description", "TEXT"))
            .arg(t.option("address", "ADDRESS"))
            .arg(many(t.option("member", "ADDRESS")))
            .arg(many(t.option("member-group", "NAME")))
    };
    noun(t, "group")
        .subcommand(fields(t.command("add", "group-add")))
        .subcommand(paged(t, t.command("list", "group-list")))
        .subcommand(fields(t.command("set", "group-set")))
        .subcommand(t.command("remove", "group-remove").arg(t.positional("name")))
}

fn folder(t: Texts) -> Command {
    let user = |name, key| t.command(name, key).arg(t.positional("user"));
    let folder = |name, key| user(name, key).arg(t.positional("folder"));
    noun(t, "folder")
        .subcommand(user("list", "folder-list"))
        .subcommand(folder("add", "folder-add").arg(t.option("special-use", "USE")))
        .subcommand(folder("rename", "folder-rename").arg(t.positional("to")))
        .subcommand(folder("remove", "folder-remove"))
        .subcommand(
            folder("rights", "folder-rights")
                .arg(t.positional("identifier"))
                .arg(t.positional("rights").required(false)),
        )
}

fn public(t: Texts) -> Command {
    let quota = || bytes(t, "tree-quota");
    let named = |name, key| t.command(name, key).arg(t.positional("name"));
    noun(t, "public")
        .subcommand(paged(t, t.command("list", "public-list")))
        .subcommand(named("add", "public-add").arg(quota()))
        .subcommand(named("set", "public-set").arg(quota().required(true)))
        .subcommand(named("remove", "public-remove"))
}

fn route(t: Texts) -> Command {
    let fields = |command: Command| {
        command
            .arg(t.positional("name"))
            .arg(many(t.option("recipient", "PATTERN")))
            .arg(many(t.option("sender", "PATTERN")).visible_alias("from"))
            .arg(many(t.option("host", "HOST[:PORT]")))
            .arg(t.option("encryption", "none|opportunistic|verified|dane"))
            .arg(t.option("over", "smtp|lmtp"))
            .arg(t.option("login", "USER"))
            .arg(t.flag("password-stdin"))
            .arg(t.option("place", "N").value_parser(value_parser!(u64)))
            .arg(switch(t, "enabled"))
            .arg(t.option("comment", "TEXT"))
    };
    let named = |name, key| t.command(name, key).arg(t.positional("name"));
    noun(t, "route")
        .subcommand(fields(t.command("add", "route-add")))
        .subcommand(paged(t, t.command("list", "route-list")))
        .subcommand(named("show", "route-show"))
        .subcommand(fields(t.command("set", "route-set")))
        .subcommand(named("remove", "route-remove"))
        .subcommand(
            t.command("test", "route-test")
                .arg(t.positional("address"))
                .arg(t.option("sender", "ADDRESS").visible_alias("from")),
        )
}

fn queue(t: Texts) -> Command {
    let ids = || t.positional("id").num_args(1..).action(ArgAction::Append);
    noun(t, "queue")
        .subcommand(paged(t, t.command("list", "queue-list")))
        .subcommand(t.command("show", "queue-show").arg(t.positional("id")))
        .subcommand(t.command("retry", "queue-retry").arg(ids().required(false)))
        .subcommand(t.command("hold", "queue-hold").arg(ids()))
        .subcommand(t.command("release", "queue-release").arg(ids()))
        .subcommand(
            t.command("remove", "queue-remove")
                .arg(ids())
                .arg(t.flag("bounce")),
        )
        .subcommand(
            t.command("route", "queue-route")
                .arg(ids())
                .arg(t.option("to", "HOST")),
        )
        .subcommand(t.command("read", "queue-read").arg(t.positional("id")))
        .subcommand(
            t.command("export", "queue-export")
                .arg(t.positional("directory"))
                .arg(ids().required(false)),
        )
}

fn session(t: Texts) -> Command {
    noun(t, "session")
        .subcommand(paged(t, t.command("list", "session-list")))
        .subcommand(
            t.command("end", "session-end")
                .arg(t.positional("id").value_parser(value_parser!(u64))),
        )
}

fn service(t: Texts) -> Command {
    let named = |name, key| t.command(name, key).arg(t.positional("service"));
    noun(t, "service")
        .subcommand(t.command("status", "service-status").alias("list"))
        .subcommand(named("start", "service-start"))
        .subcommand(named("pause", "service-pause"))
        .subcommand(named("stop", "service-stop"))
}

fn log(t: Texts) -> Command {
    let filters = |command: Command| {
        command
            .arg(many(t.option("channel", "NAME")))
            .arg(t.option("session", "ID").value_parser(value_parser!(u64)))
            .arg(t.option("message", "ID"))
            .arg(t.option("contains", "TEXT"))
    };
    let limit = t.option("limit", "N").value_parser(value_parser!(u64));
    noun(t, "log")
        .subcommand(filters(t.command("show", "log-show")).arg(limit))
        .subcommand(filters(t.command("follow", "log-follow")))
}

fn access(t: Texts, side: &'static str) -> Command {
    noun(t, side)
        .subcommand(
            t.command("add", "access-add")
                .arg(t.positional("pattern"))
                .arg(t.option("comment", "TEXT")),
        )
        .subcommand(paged(t, t.command("list", "access-list")))
        .subcommand(t.command("remove", "access-remove").arg(t.positional("pattern")))
}

fn certificate(t: Texts) -> Command {
    noun(t, "certificate")
        .subcommand(t.command("list", "certificate-list"))
        .subcommand(
            t.command("add", "certificate-add").arg(
                t.positional("pem")
                    .num_args(1..)
                    .value_parser(value_parser!(PathBuf)),
            ),
        )
        .subcommand(t.command("remove", "certificate-remove").arg(t.positional("id")))
        .subcommand(t.command("reload", "certificate-reload"))
        .subcommand(
            t.command("obtain", "certificate-obtain")
                .arg(t.positional("names").num_args(1..).value_delimiter(',')),
        )
        .subcommand(t.command("orders", "certificate-orders"))
        .subcommand(
            t.command("forget", "certificate-forget")
                .arg(t.positional("name")),
        )
        .subcommand(
            t.command("revoke", "certificate-revoke")
                .arg(t.positional("name"))
                .arg(t.option("revocation", "REASON").long("reason")),
        )
        .subcommand(t.command("rekey", "certificate-rekey"))
}

fn setting(t: Texts) -> Command {
    noun(t, "setting")
        .subcommand(t.command("list", "setting-list"))
        .subcommand(
            t.command("set", "setting-set")
                .arg(t.positional("key"))
                .arg(t.positional("value")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_whole_and_every_help_has_a_text() {
        for language in i18n::Language::ALL {
            let mut command = build(Texts(language));
            command.clone().debug_assert();
            check(&mut command);
        }
    }

    fn check(command: &mut Command) {
        let help = command.render_long_help().to_string();
        assert!(!help.contains("cli-"), "a text is missing in: {help}");
        for sub in command.get_subcommands_mut() {
            check(sub);
        }
    }
}
