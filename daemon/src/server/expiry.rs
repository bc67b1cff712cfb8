//! Tells of certificates that are about to end or can't be read, once a day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events::kinds::server::{CertificateDamaged, CertificateExpires};
use events::{Events, Scope};
use tls::{Listed, Tls};

/// Days before its end from which on a certificate is told of.
const DAYS: i64 = 14;
const DAY_S: i64 = 86_400;

/// For as long as the runtime lives.
pub(super) async fn watch(tls: Tls, events: Events) {
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        for event in expiring(&tls.certificates(), i64::try_from(now.as_secs()).unwrap_or(0)) {
            events.emit(Scope::default(), event);
        }
        for reason in tls.damaged() {
            events.emit(Scope::default(), CertificateDamaged { reason });
        }
        tokio::time::sleep(Duration::from_hours(24)).await;
    }
}

/// Those that are served to somebody: what nobody is shown may end.
fn expiring(certificates: &[Listed], now: i64) -> Vec<CertificateExpires> {
    let served = certificates
        .iter()
        .filter(|one| one.default || !one.served_for.is_empty());
    served
        .map(|one| (one, (one.not_after - now).div_euclid(DAY_S)))
        .filter(|(_, days)| *days < DAYS)
        .map(|(one, days)| CertificateExpires {
            names: one.names.join(", "),
            days,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Mail programs of all users refuse a server whose certificate has ended.
    #[test]
    fn what_ends_within_two_weeks_is_told_of_if_it_is_served() {
        let listed = |days: i64, served: bool, default: bool| Listed {
            id: String::new(),
            names: vec![format!("{days}.test")],
            issuer: String::new(),
            not_before: 0,
            not_after: days * DAY_S + 5,
            self_signed: false,
            served_for: if served { vec!["x".to_owned()] } else { Vec::new() },
            default,
        };
        let all = [
            listed(14, true, true),
            listed(13, true, false),
            listed(1, false, true),
            listed(2, false, false),
            listed(-1, true, false),
        ];
        let told: Vec<(String, i64)> = expiring(&all, 0)
            .into_iter()
            .map(|event| (event.names, event.days))
            .collect();
        let expected =
            [("13.test", 13), ("1.test", 1), ("-1.test", -1)].map(|(name, days)| (name.to_owned(), days));
        assert_eq!(told, expected);
    }
}
