//! `certificate …`

use std::path::PathBuf;

use clap::ArgMatches;
use shared::Refusal;
use shared::model::{Certificate, CertificateOrder};
use shared::protocol::{
    CertificateAdd, CertificateForget, CertificateList, CertificateObtain, CertificateOrders,
    CertificateRekey, CertificateReload, CertificateRemove, CertificateRevoke,
};

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
        "obtain" => {
            let names = arguments.get_many::<String>("names").into_iter().flatten();
            let request = CertificateObtain {
                names: names.cloned().collect(),
                wait: true,
            };
            let order = session.call(request).await?;
            out.show(&order, |order| orders(out, std::slice::from_ref(order)));
        }
        "orders" => {
            let rows = session.call(CertificateOrders {}).await?;
            out.show(&rows, |rows| orders(out, rows));
        }
        "forget" => {
            let request = CertificateForget {
                name: text(arguments, "name"),
            };
            let done = session.call(request).await?;
            out.show(&done, |_| out.say("done-change", &[]));
        }
        "revoke" => {
            let request = CertificateRevoke {
                name: text(arguments, "name"),
                reason: text(arguments, "revocation"),
            };
            let done = session.call(request).await?;
            out.show(&done, |_| out.say("done-change", &[]));
        }
        "rekey" => {
            let done = session.call(CertificateRekey {}).await?;
            out.show(&done, |_| out.say("done-change", &[]));
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

fn orders(out: Output, rows: &[CertificateOrder]) {
    let cells = rows.iter().map(|row| {
        let next = if row.working {
            out.text("certificate-working")
        } else {
            time(row.next_try)
        };
        let ends = if row.id.is_empty() {
            String::new()
        } else {
            time(row.not_after)
        };
        vec![
            row.names.join(", "),
            row.id.clone(),
            ends,
            next,
            row.reason.clone(),
        ]
    });
    out.table(
        &["host-names", "id", "ends", "next-try", "last-failure"],
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
