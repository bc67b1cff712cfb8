//! The recipients of this server: mailboxes, and what aliases and users forward.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use directory::{Account, Resolution, Unavailable};
use mailbox::{MailboxError, OwnerId};
use queue::{Envelope, Job, Origin, Recipient};
use shared::{Address, DomainName};
use tokio::task::JoinSet;

use crate::process::Verdicts;
use crate::verdict::{Verdict, replies};
use crate::{Inner, now, sign, text, vacation};

/// Mailboxes of one message that are delivered to at the same time.
const MAILBOXES_AT_ONCE_MAX: usize = 32;

/// What one recipient leads to here.
struct Leads {
    index: u32,
    accounts: Vec<Arc<Account>>,
    /// By whose wish, and where to.
    forwards: Vec<(Address, Address)>,
}

/// Delivers to the mailboxes here; the recipients of other hosts by their domain.
pub(crate) async fn deliver(
    inner: &Arc<Inner>,
    job: &mut Job,
    verdicts: &mut Verdicts,
) -> BTreeMap<DomainName, Vec<u32>> {
    let mut remote: BTreeMap<DomainName, Vec<u32>> = BTreeMap::new();
    let mut leads = Vec::new();
    for index in job.due.clone() {
        let Some(recipient) = job.envelope.recipients.get(index as usize) else {
            continue;
        };
        match inner.parts.directory.resolve(&recipient.address).await {
            Err(_) => {
                verdicts.insert(index, Verdict::put_off(replies::DIRECTORY));
            }
            Ok(Resolution::Unknown) => {
                verdicts.insert(index, Verdict::failed(replies::UNKNOWN));
            }
            Ok(Resolution::Disabled) => {
                verdicts.insert(index, Verdict::failed(replies::DISABLED));
            }
            Ok(Resolution::NotLocal) => remote
                .entry(recipient.address.domain().clone())
                .or_default()
                .push(index),
            Ok(Resolution::Deliver { accounts, remote }) => {
                leads.push(sort(index, &recipient.address, accounts, remote));
            }
        }
    }
    let owners = to_mailboxes(inner, job, &leads).await;
    for account in leads.iter().flat_map(|leads| &leads.accounts) {
        // A user may have been told of by two recipients; the second time the mark is there.
        if account.vacation.is_some() && owners.get(&account.owner) == Some(&Verdict::Stored) {
            // An answer that can't be queued now is not worth another delivery.
            let _ = vacation::answer(inner, job, account).await;
        }
    }
    // By whose wish and where to: one copy, however many recipients lead there.
    let mut forwarded: HashMap<(String, String), Verdict> = HashMap::new();
    for leads in &leads {
        let mut verdict = Verdict::Stored;
        for account in &leads.accounts {
            if let Some(one) = owners.get(&account.owner) {
                verdict = worse(verdict, one.clone());
            }
        }
        for (by, to) in &leads.forwards {
            let key = (by.key(), to.key());
            let known = forwarded.get(&key).cloned();
            let done = match known {
                Some(done) => done,
                None => forward(inner, job, leads.index, by, to).await,
            };
            verdict = worse(verdict, done.clone());
            forwarded.insert(key, done);
        }
        verdicts.insert(leads.index, verdict);
    }
    let unsettled = !remote.is_empty() || verdicts.values().any(|v| matches!(v, Verdict::PutOff { .. }));
    if unsettled {
        // They need not be asked again at the next try.
        for (owner, _) in owners.iter().filter(|(_, verdict)| **verdict == Verdict::Stored) {
            job.mark(owner_mark(*owner));
        }
    }
    remote
}

fn sort(index: u32, address: &Address, accounts: Vec<Arc<Account>>, remote: Vec<Address>) -> Leads {
    let mut forwards: Vec<(Address, Address)> = remote.into_iter().map(|to| (address.clone(), to)).collect();
    for account in &accounts {
        forwards.extend(
            account
                .forward_to
                .iter()
                .map(|to| (account.address.clone(), to.clone())),
        );
    }
    let kept = |account: &Arc<Account>| account.forward_to.is_empty() || account.forward_keep;
    Leads {
        index,
        accounts: accounts.into_iter().filter(kept).collect(),
        forwards,
    }
}

/// Each owner once, however many recipients lead there.
async fn to_mailboxes(inner: &Arc<Inner>, job: &Job, leads: &[Leads]) -> HashMap<OwnerId, Verdict> {
    let mut accounts: HashMap<OwnerId, Arc<Account>> = HashMap::new();
    for account in leads.iter().flat_map(|leads| &leads.accounts) {
        accounts.entry(account.owner).or_insert_with(|| account.clone());
    }
    let mut out = HashMap::new();
    if accounts.len() == 1
        && let Some(account) = accounts.values().next()
    {
        out.insert(account.owner, to_mailbox(inner, job, account).await);
        return out;
    }
    let mut tasks = JoinSet::new();
    for account in accounts.into_values() {
        if job.has_mark(&owner_mark(account.owner)) {
            out.insert(account.owner, Verdict::Stored);
            continue;
        }
        if tasks.len() >= MAILBOXES_AT_ONCE_MAX
            && let Some(Ok((owner, verdict))) = tasks.join_next().await
        {
            out.insert(owner, verdict);
        }
        let (inner, delivery, owner) = (inner.clone(), delivery(job, &account), account.owner);
        let known = known(&inner, job);
        tasks.spawn(async move {
            let _turn = inner.turns.take(&inner.parts.queue).await;
            (
                owner,
                verdict(
                    inner
                        .parts
                        .mailboxes
                        .deliver_known(owner, delivery, known)
                        .await
                        .map(drop),
                ),
            )
        });
        out.insert(owner, Verdict::put_off(replies::UNAVAILABLE));
    }
    while let Some(done) = tasks.join_next().await {
        // A panic leaves the owner put off.
        if let Ok((owner, verdict)) = done {
            out.insert(owner, verdict);
        }
    }
    out
}

async fn to_mailbox(inner: &Arc<Inner>, job: &Job, account: &Account) -> Verdict {
    if job.has_mark(&owner_mark(account.owner)) {
        return Verdict::Stored;
    }
    let _turn = inner.turns.take(&inner.parts.queue).await;
    let delivered = inner
        .parts
        .mailboxes
        .deliver_known(account.owner, delivery(job, account), known(inner, job))
        .await;
    verdict(delivered.map(drop))
}

fn delivery(job: &Job, account: &Account) -> mailbox::Delivery {
    mailbox::Delivery {
        message: job.record,
        target: 0,
        folder: folder(job, account),
        text: job.text.clone(),
        received: job.envelope.received,
        quota_bytes: account.quota_bytes,
    }
}

/// The message by its key, and which others the mailbox must go on knowing.
fn known(inner: &Inner, job: &Job) -> mailbox::Known {
    mailbox::Known {
        first: job.first_record(),
        needed: needed(inner),
    }
}

/// The queue is asked once after each trim: a message that it has not then, and that no trimmed record can bring back, never comes again. What is trimmed is
/// asked first: whatever the queue has then is newer, or named by it.
fn needed(inner: &Inner) -> Arc<mailbox::Needed> {
    let trimmed = inner.parts.mailboxes.trimmed();
    let mut asked = inner.needed.lock();
    if asked.0 < trimmed {
        let again = inner.parts.queue.again();
        let needed = mailbox::Needed {
            below: trimmed.min(again.below),
            ids: again.ids,
        };
        *asked = (trimmed, Arc::new(needed));
    }
    Arc::clone(&asked.1)
}

/// The folder that the envelope names is one of its recipient's own mailbox.
fn folder(job: &Job, account: &Account) -> Option<String> {
    let named = job.envelope.folder.as_ref()?;
    let own = |recipient: &Recipient| recipient.address.key() == account.address.key();
    job.envelope.recipients.iter().any(own).then(|| named.clone())
}

fn verdict(delivered: Result<(), MailboxError>) -> Verdict {
    match delivered {
        Ok(()) => Verdict::Stored,
        Err(MailboxError::OverQuota) => Verdict::put_off(replies::OVER_QUOTA),
        // A store that can't answer is a temporary failure, never a "no".
        Err(_) => Verdict::put_off(replies::UNAVAILABLE),
    }
}

fn owner_mark(owner: OwnerId) -> String {
    format!("owner {}", owner.0)
}

/// Hands a copy on as a message of its own.
async fn forward(inner: &Arc<Inner>, job: &mut Job, index: u32, by: &Address, to: &Address) -> Verdict {
    let mark = format!("forward {} {}", by.key(), to.key());
    if job.has_mark(&mark) {
        return Verdict::Forwarded;
    }
    let Ok(header) = text::header(&inner.parts.disk, &job.text).await else {
        return Verdict::put_off(replies::QUEUE);
    };
    // What was fetched may say so of where it lay; whether it goes round was looked at there.
    let fetched = job.envelope.origin == Origin::Fetched;
    if text::goes_in_circles(&header) || (!fetched && text::was_delivered_to(&header, &by.to_string())) {
        return Verdict::failed(replies::LOOP);
    }
    let Some(recipient) = job.envelope.recipients.get(index as usize) else {
        return Verdict::Forwarded;
    };
    let copy = Recipient {
        address: to.clone(),
        notify: recipient.notify,
        original: recipient.original.clone(),
    };
    let Ok(sender) = forwarding_sender(inner, job, by).await else {
        return Verdict::put_off(replies::DIRECTORY);
    };
    let envelope = Envelope {
        sender,
        recipients: vec![copy],
        folder: None,
        ..(*job.envelope).clone()
    };
    let Some(mut top) = sign::seal(inner, job, &header, by.domain()).await else {
        return Verdict::put_off(replies::QUEUE);
    };
    top.extend_from_slice(format!("Delivered-To: {by}\r\n").as_bytes());
    let (queue, disk) = (&inner.parts.queue, &inner.parts.disk);
    let Ok(text) = text::with_fields(queue, disk, (&job.envelope, &envelope), &job.text, &top).await else {
        return Verdict::put_off(replies::QUEUE);
    };
    match queue.commit_from(job, &[mark], envelope, text).await {
        Ok(_) => Verdict::Forwarded,
        Err(_) => Verdict::put_off(replies::QUEUE),
    }
}

/// Whom forwarded mail says to be from: senders elsewhere get an address of ours, under which SPF holds for this server.
async fn forwarding_sender(inner: &Inner, job: &Job, by: &Address) -> Result<Option<Address>, Unavailable> {
    let sender = job.envelope.sender.clone();
    let Some(known) = &sender else { return Ok(None) };
    let directory = &inner.parts.directory;
    if !directory.settings().flag("forward.srs") {
        return Ok(sender);
    }
    let rewritten = directory
        .forwarding_sender(known, by, now().unsigned_abs())
        .await?;
    Ok(rewritten.or(sender))
}

/// Of two verdicts on one recipient the one that leaves more to do.
fn worse(a: Verdict, b: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Stored => 0,
        Verdict::Forwarded | Verdict::Relayed { .. } => 1,
        Verdict::Failed { .. } => 2,
        Verdict::PutOff { .. } | Verdict::NotTried { .. } => 3,
    };
    if rank(&b) > rank(&a) { b } else { a }
}
