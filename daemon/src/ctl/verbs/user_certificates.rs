//! `user certificate …`

use clap::ArgMatches;
use shared::Refusal;
use shared::protocol::{UserCertificateAdd, UserCertificateList, UserCertificateRemove};

use super::{Outcome, text};
use crate::ctl::Session;

pub(super) async fn run(session: &Session, arguments: &ArgMatches) -> Outcome {
    let Some((verb, arguments)) = arguments.subcommand() else {
        return Ok(());
    };
    let address = text(arguments, "address");
    let out = session.out;
    match verb {
        "add" => {
            let request = UserCertificateAdd {
                address,
                label: text(arguments, "label"),
                certificate: certificate(&text(arguments, "certificate"))?,
            };
            let made = session.call(request).await?;
            out.show(&made, |made| {
                crate::arguments::say(&made.fingerprint);
            });
        }
        "list" => {
            let rows = session.call(UserCertificateList { address }).await?;
            out.show(&rows, |rows| {
                let cells = rows
                    .iter()
                    .map(|row| vec![row.fingerprint.clone(), row.label.clone()]);
                out.table(&["fingerprint", "label"], &cells.collect::<Vec<_>>());
            });
        }
        _ => {
            let fingerprint = certificate(&text(arguments, "certificate"))?;
            let request = UserCertificateRemove { address, fingerprint };
            let done = session.call(request).await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
    }
    Ok(())
}

/// A fingerprint as it is; anything else is a file.
fn certificate(written: &str) -> Result<String, Refusal> {
    let digits = written.chars().filter(|c| *c != ':');
    if written.len() >= 64 && digits.clone().all(|c| c.is_ascii_hexdigit()) && digits.count() == 64 {
        return Ok(written.to_owned());
    }
    std::fs::read_to_string(written).map_err(|error| {
        Refusal::new("file-unreadable")
            .with("file", written)
            .with("reason", error)
    })
}
