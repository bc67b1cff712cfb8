//! `user …`

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::ArgMatches;
use shared::model::{User, send_as};
use shared::protocol::*;
use shared::{Address, Refusal};

use super::{
    Outcome, app_passwords, number, optional, page, parsed, protocols, text, texts, user_certificates,
    vacation,
};
use crate::arguments::warn;
use crate::ctl::{Session, Trouble, refusal_text};

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    match verb {
        "add" => add(session, arguments).await,
        "list" => list(session, arguments).await,
        "show" => show(session, arguments).await,
        "set" => set(session, arguments).await,
        "rename" => rename(session, arguments).await,
        "password" => password(session, arguments).await,
        "vacation" => vacation::run(session, arguments).await,
        "import" => import(session, arguments).await,
        "certificate" => user_certificates::run(session, arguments).await,
        "app-password" => app_passwords::run(session, arguments).await,
        _ => remove(session, arguments).await,
    }
}

/// The password from the standard input (up to the line's end) or asked for twice on a terminal.
pub(super) fn read_password(session: &Session, stdin: bool) -> Result<String, Trouble> {
    let unreadable = |error: std::io::Error| Refusal::new("password-unreadable").with("reason", error);
    if stdin || !std::io::stdin().is_terminal() {
        let mut password = String::new();
        std::io::stdin()
            .read_to_string(&mut password)
            .map_err(unreadable)?;
        let end = password.find(['\r', '\n']).unwrap_or(password.len());
        password.truncate(end);
        return Ok(password);
    }
    let first = rpassword::prompt_password(session.out.text("ask-password")).map_err(unreadable)?;
    let second = rpassword::prompt_password(session.out.text("ask-password-again")).map_err(unreadable)?;
    if first == second {
        Ok(first)
    } else {
        Err(Refusal::new("passwords-differ").into())
    }
}

async fn add(session: &Session, arguments: &ArgMatches) -> Outcome {
    let address = Address::parse(&text(arguments, "address"))?;
    let password = read_password(session, arguments.get_flag("password-stdin"))?;
    let user = NewUser {
        address: address.clone(),
        password: Some(password),
        name: text(arguments, "name"),
        quota_bytes: number(arguments, "quota").filter(|bytes| *bytes > 0),
        groups: texts(arguments, "group"),
        enabled: arguments.get_one::<bool>("enabled").copied().unwrap_or(true),
    };
    let changed = session.call(UserAdd { user }).await?;
    session.out.show(&changed, |_| {
        session
            .out
            .say("done-user-add", &[("address", address.to_string().into())]);
    });
    Ok(())
}

async fn list(session: &Session, arguments: &ArgMatches) -> Outcome {
    let rows = session
        .call(UserList {
            domain: text(arguments, "domain"),
            page: page(arguments),
        })
        .await?;
    let out = session.out;
    out.show(&rows, |rows| {
        let cells = rows.rows.iter().map(|row| {
            let user = &row.user;
            let quota = user.quota_bytes.map(|bytes| out.bytes(bytes)).unwrap_or_default();
            vec![
                user.address.to_string(),
                user.name.clone(),
                out.yes_no(user.enabled),
                quota,
                user.groups.join(", "),
            ]
        });
        out.table(
            &["address", "name", "enabled", "quota", "groups"],
            &cells.collect::<Vec<_>>(),
        );
        out.rest(rows.rows.len(), rows.total);
    });
    Ok(())
}

async fn show(session: &Session, arguments: &ArgMatches) -> Outcome {
    let user = session
        .call(UserGet {
            address: text(arguments, "address"),
        })
        .await?;
    let out = session.out;
    out.show(&user, |user| {
        let forward: Vec<String> = user.forward_to.iter().map(ToString::to_string).collect();
        out.facts(&[
            ("address", user.address.to_string()),
            ("name", user.name.clone()),
            ("enabled", out.yes_no(user.enabled)),
            (
                "quota",
                user.quota_bytes.map(|bytes| out.bytes(bytes)).unwrap_or_default(),
            ),
            ("groups", user.groups.join(", ")),
            ("forward", forward.join(", ")),
            ("send-as", user.send_as.join(", ")),
            ("language", user.language.clone()),
            ("mailbox", user.owner.0.to_string()),
        ]);
    });
    Ok(())
}

async fn set(session: &Session, arguments: &ArgMatches) -> Outcome {
    let mut user = session
        .call(UserGet {
            address: text(arguments, "address"),
        })
        .await?;
    fill(&mut user, arguments)?;
    let changed = session.call(UserSet { user }).await?;
    session
        .out
        .show(&changed, |_| session.out.say("done-change", &[]));
    Ok(())
}

/// Takes over what the options say.
fn fill(user: &mut User, arguments: &ArgMatches) -> Result<(), Refusal> {
    if let Some(name) = optional(arguments, "name") {
        user.name = name;
    }
    if let Some(bytes) = number(arguments, "quota") {
        user.quota_bytes = (bytes > 0).then_some(bytes);
    }
    if let Some(enabled) = arguments.get_one::<bool>("enabled") {
        user.enabled = *enabled;
    }
    if arguments.contains_id("group") {
        user.groups = texts(arguments, "group");
    }
    if arguments.get_flag("no-forward") {
        user.forward_to.clear();
    } else if arguments.contains_id("forward") {
        user.forward_to = parsed(arguments, "forward")?;
    }
    if arguments.get_flag("no-send-as") {
        user.send_as.clear();
    } else if arguments.contains_id("send-as") {
        let entries = texts(arguments, "send-as");
        user.send_as = entries
            .iter()
            .map(|entry| send_as(entry))
            .collect::<Result<_, _>>()?;
    }
    if let Some(keep) = arguments.get_one::<bool>("keep-copy") {
        user.forward_keep = *keep;
    }
    if let Some(language) = optional(arguments, "language") {
        user.language = language.replace("default", "");
    }
    if arguments.contains_id("deny") {
        user.denied_protocols = protocols(arguments, "deny")?;
    }
    Ok(())
}

async fn rename(session: &Session, arguments: &ArgMatches) -> Outcome {
    let request = UserRename {
        address: text(arguments, "address"),
        to: text(arguments, "to"),
    };
    let changed = session.call(request).await?;
    session
        .out
        .show(&changed, |_| session.out.say("done-change", &[]));
    Ok(())
}

async fn password(session: &Session, arguments: &ArgMatches) -> Outcome {
    let password = read_password(session, arguments.get_flag("password-stdin"))?;
    let done = session
        .call(UserPassword {
            address: text(arguments, "address"),
            password,
        })
        .await?;
    session.out.show(&done, |_| session.out.say("done-password", &[]));
    Ok(())
}

async fn remove(session: &Session, arguments: &ArgMatches) -> Outcome {
    let request = UserRemove {
        address: text(arguments, "address"),
        keep_mail: arguments.get_flag("keep-mail"),
    };
    let done = session.call(request).await?;
    session.out.show(&done, |_| session.out.say("done-remove", &[]));
    Ok(())
}

/// Imports what can be imported; lines that can't are named, and the exit code says that there were some.
async fn import(session: &Session, arguments: &ArgMatches) -> Outcome {
    let path = arguments.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    let unreadable = |error: std::io::Error| {
        Refusal::new("file-unreadable")
            .with("file", path.display())
            .with("reason", error)
    };
    let csv = std::fs::read_to_string(&path).map_err(unreadable)?;
    let report = session
        .call(UserImport {
            csv,
            create_domains: arguments.get_flag("create-domains"),
        })
        .await?;
    let out = session.out;
    out.show(&report, |report| {
        out.say("done-import", &[("count", report.imported.into())]);
        for error in &report.refused {
            let reason = refusal_text(out.language, &error.refusal);
            let args = [("line", i18n::Arg::from(error.line)), ("reason", reason.into())];
            warn(&i18n::format(out.language, "cli-import-line", &args));
        }
        let unnamed = report.refused_total.saturating_sub(report.refused.len() as u64);
        if unnamed > 0 {
            warn(&i18n::format(
                out.language,
                "cli-import-more",
                &[("count", unnamed.into())],
            ));
        }
    });
    if report.refused_total > 0 {
        Err(Trouble::Told)
    } else {
        Ok(())
    }
}
