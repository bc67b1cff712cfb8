//! One message from the queue: what can be done is done, the senders are told, the queue learns the outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::Scope;
use events::kinds::delivery::{DeliveredLocally, DeliveredRemotely, DeliveryFailed, DeliveryPutOff};
use events::kinds::server::InternalFault;
use events::kinds::store::StoreFailed;
use queue::{Job, QueueError};

use crate::verdict::{Verdict, replies};
use crate::{Active, Inner, caught, local, now, remote, report};

/// What became of the due recipients, by their index.
pub(crate) type Verdicts = BTreeMap<u32, Verdict>;

/// Seconds until a message comes again for which there was no room.
const NO_ROOM_RETRY_S: i64 = 30;

pub(crate) async fn process(inner: &Arc<Inner>, mut job: Job, active: Active) -> Result<(), QueueError> {
    let mut verdicts = Verdicts::new();
    if job.removal().is_some() {
        verdicts.extend(
            job.due
                .iter()
                .map(|index| (*index, Verdict::failed(replies::REMOVED))),
        );
        return settle(inner, job, verdicts).await;
    }
    let groups = local::deliver(inner, &mut job, &mut verdicts).await;
    if groups.is_empty() {
        return settle(inner, job, verdicts).await;
    }
    let Ok(room) = inner.backlog.clone().try_acquire_owned() else {
        let at = now() + NO_ROOM_RETRY_S;
        verdicts.extend(
            groups
                .into_values()
                .flatten()
                .map(|index| (index, Verdict::NotTried { at })),
        );
        return settle(inner, job, verdicts).await;
    };
    let task_inner = inner.clone();
    inner.spawn(async move {
        let (inner, message) = (task_inner, job.id);
        let work = async {
            remote::deliver(&inner, &mut job, groups, &mut verdicts).await?;
            settle(&inner, job, verdicts).await
        };
        let (events, scope) = (&inner.parts.events, Scope::message(message));
        match caught(work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let fault = StoreFailed {
                    store: "queue".to_owned(),
                    reason: error.to_string(),
                };
                events.emit(scope, fault);
            }
            Err(reason) => {
                let fault = InternalFault {
                    place: "delivery".to_owned(),
                    reason,
                };
                events.emit(scope, fault);
            }
        }
        drop((room, active));
    });
    Ok(())
}

/// Tells the sender what is to be told, then the queue.
async fn settle(inner: &Arc<Inner>, mut job: Job, mut verdicts: Verdicts) -> Result<(), QueueError> {
    let now = now();
    let schedule = inner.parts.queue.schedule();
    let next_try = schedule.next_try(job.envelope.received, job.attempts + 1, now);
    let removal = job.removal();
    for verdict in verdicts.values_mut() {
        if removal.is_some() && matches!(verdict, Verdict::PutOff { .. } | Verdict::NotTried { .. }) {
            *verdict = Verdict::failed(replies::REMOVED);
        }
        if next_try.is_none() {
            *verdict = verdict.clone().expired();
        }
    }
    if removal != Some(false) {
        report::tell(inner, &mut job, &verdicts).await?;
    }
    emit(inner, &job, &verdicts, next_try.unwrap_or(now));
    let outcomes = verdicts
        .iter()
        .map(|(index, verdict)| (*index, verdict.outcome(next_try)))
        .collect();
    inner.parts.queue.finish(job, outcomes).await
}

fn emit(inner: &Inner, job: &Job, verdicts: &Verdicts, next_try: i64) {
    let scope = Scope::message(job.id);
    let events = &inner.parts.events;
    for (index, verdict) in verdicts {
        let Some(recipient) = job.envelope.recipients.get(*index as usize) else {
            continue;
        };
        let recipient = recipient.address.to_string();
        match verdict.clone() {
            Verdict::Stored => events.emit(
                scope,
                DeliveredLocally {
                    recipient,
                    folder: job.envelope.folder.clone().unwrap_or_else(|| "INBOX".to_owned()),
                },
            ),
            Verdict::Forwarded => {
                events.emit(
                    scope,
                    DeliveredRemotely {
                        recipient,
                        host: String::new(),
                        reply: String::new(),
                    },
                );
            }
            Verdict::Relayed { host, reply, .. } => events.emit(
                scope,
                DeliveredRemotely {
                    recipient,
                    host,
                    reply,
                },
            ),
            Verdict::Failed { reply, .. } => events.emit(
                scope,
                DeliveryFailed {
                    recipient,
                    reason: reply,
                },
            ),
            Verdict::PutOff { reply, .. } => events.emit(
                scope,
                DeliveryPutOff {
                    recipient,
                    reason: reply,
                    next_try,
                },
            ),
            Verdict::NotTried { .. } => {}
        }
    }
}
