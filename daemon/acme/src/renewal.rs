//! When the authority wants a certificate renewed (RFC 9773): to spread its work, or because it has to revoke certificates before their time.
//!
//! It is asked once after each certificate, and then as often as it says. What it says takes the place of two thirds of the life; the pause after a failure
//! stays whatever it says. An authority that says nothing, or nonsense, changes nothing.
//!
//! Must not know: how a certificate is got.

use events::Scope;
use events::kinds::server::RenewalAdvised;
use http::Answer;
use serde_json::Value;

use crate::error::{retry_after, shown};
use crate::jws::base64url;
use crate::store::Wanted;
use crate::{AcmeError, Inner, schedule};

/// Seconds between two questions, whatever the authority says (§4.3.2): at least, at most, and after one that was not answered.
const LOOK_LEAST_S: i64 = 60;
const LOOK_MOST_S: i64 = 86_400;
const LOOK_AFTER_FAILURE_S: i64 = 6 * 3600;

/// What an authority says.
#[derive(Debug, PartialEq, Eq)]
struct Advice {
    /// Within which time it wants it renewed, in Unix seconds.
    start: i64,
    end: i64,
    /// Where it says why; empty: nowhere.
    explanation: String,
    /// Seconds until the next question.
    again_s: i64,
}

/// How an authority calls a certificate (§4.1); `None`: it doesn't say enough of itself.
pub(crate) fn name(certificate: &[u8]) -> Option<String> {
    let (key, serial) = tls::issue(certificate)?;
    Some(format!("{}.{}", base64url(key), base64url(serial)))
}

/// When the authority is to be asked, in Unix seconds; `None`: not at all. A time that was written down with a wrong clock is not believed.
pub(crate) fn next_look(now: i64, wanted: &Wanted) -> Option<i64> {
    if wanted.id.is_empty() || wanted.not_after <= now {
        return None;
    }
    let far = wanted.next_look > now.saturating_add(LOOK_MOST_S);
    Some(if far { now } else { wanted.next_look })
}

impl Inner {
    /// Asks when the certificate of the order by that name is to be renewed, and keeps to it.
    pub(crate) async fn follow_advice(&self, name: &str) {
        let _one = self.one.lock().await;
        let found = self.wanted.lock().iter().find(|one| one.name() == name).cloned();
        let Some(wanted) = found else { return };
        let asked = self.advice(&wanted).await;
        let now = schedule::now();
        let moved = {
            let mut all = self.wanted.lock();
            let Some(kept) = all.iter_mut().find(|kept| kept.id == wanted.id) else {
                return;
            };
            let again = match &asked {
                Ok(Some(advice)) => advice.again_s,
                Ok(None) => LOOK_MOST_S,
                Err(_) => LOOK_AFTER_FAILURE_S,
            };
            kept.next_look = now.saturating_add(again);
            asked.ok().flatten().filter(|advice| obey(kept, advice, now))
        };
        if let Some(advice) = moved.filter(|advice| !advice.explanation.is_empty()) {
            let event = RenewalAdvised {
                names: wanted.names.join(", "),
                url: advice.explanation,
            };
            self.parts.events.emit(Scope::default(), event);
        }
        // A list that can't be written is told with the next try.
        let _ = self.keep().await;
    }

    /// `None`: the authority doesn't say such things, or not of this certificate.
    async fn advice(&self, wanted: &Wanted) -> Result<Option<Advice>, AcmeError> {
        let certificate = self.parts.tls.der(&wanted.id);
        let Some(name) = certificate.and_then(|certificate| name(&certificate)) else {
            return Ok(None);
        };
        let (client, _) = self.account(&(self.parts.options)()).await?;
        if client.directory.renewal_info.is_empty() {
            return Ok(None);
        }
        let (found, answer) = client.renewal_info(&name).await?;
        understood(&found, &answer).map(Some)
    }
}

/// §4.2
fn understood(found: &Value, answer: &Answer) -> Result<Advice, AcmeError> {
    let time = |key: &str| {
        let text = found["suggestedWindow"][key].as_str().unwrap_or_default();
        text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second)
    };
    let (Ok(start), Ok(end)) = (time("start"), time("end")) else {
        return Err(AcmeError::Answer("a time of renewal that is none".to_owned()));
    };
    // An end that is not after the start is as good as no answer.
    if end <= start {
        return Err(AcmeError::Answer("a time of renewal that is none".to_owned()));
    }
    let again = answer.header("retry-after").and_then(retry_after);
    let again = again.map_or(LOOK_AFTER_FAILURE_S, |again| {
        i64::try_from(again.as_secs()).unwrap_or(i64::MAX)
    });
    Ok(Advice {
        start,
        end,
        explanation: shown(found["explanationURL"].as_str().unwrap_or_default()),
        again_s: again.clamp(LOOK_LEAST_S, LOOK_MOST_S),
    })
}

/// Chooses a moment within the time, unless one is chosen; whether that changes something. What is due is, and a failure has its pause.
fn obey(kept: &mut Wanted, advice: &Advice, now: i64) -> bool {
    kept.advised = advice.end;
    if kept.failures > 0 || kept.next_try <= now || (advice.start..=advice.end).contains(&kept.next_try) {
        return false;
    }
    let length = u64::try_from(advice.end.saturating_sub(advice.start))
        .unwrap_or(1)
        .max(1);
    let within = i64::try_from(schedule::dice() % length).unwrap_or(0);
    // An authority that always asks for it at once gets no order after the other.
    let earliest = schedule::not_before_again(kept.last_try, kept.not_after);
    kept.next_try = advice.start.saturating_add(within).max(earliest);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 9773 §4.1.
    #[test]
    fn a_certificate_is_called_by_its_issuer_s_key_and_its_number() {
        let key = [
            0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3, 0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c,
            0xde, 0x01, 0xc8, 0xd4,
        ];
        // TBSCertificate as far as it matters: serial number, five sequences, extensions.
        let der = |tag: u8, content: &[u8]| {
            let mut out = vec![tag, u8::try_from(content.len()).unwrap_or(0)];
            out.extend_from_slice(content);
            out
        };
        let identifier = der(0x30, &der(0x80, &key));
        let extension = der(
            0x30,
            &[der(0x06, &[0x55, 0x1d, 0x23]), der(0x04, &identifier)].concat(),
        );
        let serial = der(0x02, &[0x00, 0x87, 0x65, 0x43, 0x21]);
        let tbs = [
            serial,
            der(0x30, &[]).repeat(5),
            der(0xa3, &der(0x30, &extension)),
        ]
        .concat();
        let certificate = der(0x30, &der(0x30, &tbs));
        assert_eq!(
            name(&certificate).as_deref(),
            Some("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
        );
    }

    #[test]
    fn the_authority_s_time_is_kept_and_a_failure_s_pause_too() {
        let advice = |start, end| Advice {
            start,
            end,
            explanation: String::new(),
            again_s: 60,
        };
        for (failures, next_try, window, least, most) in [
            (0, 5000, (2000, 3000), 2000, 2999),
            (0, 2500, (2000, 3000), 2500, 2500),
            // In the past: at once, but a minute after the last one.
            (0, 5000, (10, 20), 60, 60),
            (1, 5000, (10, 20), 5000, 5000),
            (0, 900, (2000, 3000), 900, 900),
        ] {
            let mut wanted = Wanted {
                next_try,
                failures,
                ..Wanted::default()
            };
            obey(&mut wanted, &advice(window.0, window.1), 1000);
            assert!((least..=most).contains(&wanted.next_try), "{wanted:?}");
        }
    }
}
