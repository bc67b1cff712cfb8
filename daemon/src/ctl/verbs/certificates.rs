//! `certificate …`

use std::path::PathBuf;

use clap::ArgMatches;
use shared::Refusal;
use shared::model::Certificate;
use shared::protocol::{CertificateAdd, CertificateList, CertificateReload, CertificateRemove};

use super::{Outcome, text};
use crate::ctl::Session;
use crate::ctl::output::{Output, time};

pub(super) async fn run(session: &Session, verb: &str, arguments: &ArgMatches) -> Outcome {
    let out = session.out;
    match verb {
        "list" => {
            let rows = session.call(CertificateList {}).await?;
            out.show(&rows, |rows| table(out, rows));
        }
        "add" => {
            let added = session
                .call(CertificateAdd {
                    pem: read(arguments)?,
                })
                .await?;
            out.show(&added, |added| table(out, std::slice::from_ref(added)));
        }
        "remove" => {
            let request = CertificateRemove {
                id: text(arguments, "id"),
            };
            let done = session.call(request).await?;
            out.show(&done, |_| out.say("done-remove", &[]));
        }
        _ => {
            let done = session.call(CertificateReload {}).await?;
            out.show(&done, |_| out.say("done-change", &[]));
        }
    }
    Ok(())
}

fn table(out: Output, rows: &[Certificate]) {
    let cells = rows.iter().map(|row| {
        let mut served = row.served_for.clone();
        if row.default {
            served.push(out.text("certificate-default"));
        }
        vec![
            row.id.clone(),
            row.names.join(", "),
            if row.self_signed {
                out.text("certificate-self-signed")
            } else {
                row.issuer.clone()
            },
            time(row.not_after),
            served.join(", "),
        ]
    });
    out.table(
        &["id", "host-names", "issuer", "ends", "served"],
        &cells.collect::<Vec<_>>(),
    );
}

/// The files in one text: certificate, chain and key may lie in one or several.
fn read(arguments: &ArgMatches) -> Result<String, Refusal> {
    let mut all = String::new();
    for path in arguments.get_many::<PathBuf>("pem").into_iter().flatten() {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Refusal::new("file-unreadable")
                .with("file", path.display())
                .with("reason", error)
        })?;
        all.push_str(&text);
        all.push('\n');
    }
    Ok(all)
}
