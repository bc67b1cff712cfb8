//! What is put on messages before they are shown: previews (RFC 8970), and for clients without UTF8=ACCEPT the clothes of older mail
//! (RFC 6858).

use std::io;

use bytes::Bytes;
use disk::SharedDisk;
use disk::blob::Blob;
use mailbox::{Fetched, FolderId, MailboxError, Owner, Shown, Uid, Want};
use wire::message::text::HEADER_MAX_BYTES;
use wire::message::{Message, downgrade, envelope, header_end, structure};

use super::Plan;
use super::source::{Known, off_thread};

/// How large messages are shown that are not shown as they are stored.
pub(super) type Large = Vec<(Uid, Shown)>;

/// Fails if the store can't answer now. `known`: the large message that was looked at last.
pub(super) async fn dress(
    plan: &Plan,
    owner: &Owner,
    folder: FolderId,
    disk: &SharedDisk,
    known: Option<&Known>,
    messages: &mut [Fetched],
) -> Result<Large, MailboxError> {
    let mut large = Large::new();
    if let Some(lazy) = plan.preview {
        previews(owner, folder, lazy, messages).await?;
    }
    if plan.want.downgraded {
        for message in messages
            .iter_mut()
            .filter(|message| message.downgraded_size.is_some())
        {
            if let Some(shown) = downgraded(plan.want, owner, folder, disk, known, message).await? {
                large.push((message.row.uid, shown));
            }
        }
    }
    Ok(large)
}

async fn previews(
    owner: &Owner,
    folder: FolderId,
    lazy: bool,
    messages: &mut [Fetched],
) -> Result<(), MailboxError> {
    let uids: Vec<Uid> = messages.iter().map(|message| message.row.uid).collect();
    let mut rest = uids.as_slice();
    while !rest.is_empty() {
        let found = owner.previews(folder, rest, lazy).await?;
        let Some(last) = found.last().map(|(uid, _)| *uid) else {
            return Ok(());
        };
        for (uid, preview) in found {
            let index = messages.binary_search_by_key(&uid, |message| message.row.uid);
            if let Some(message) = index.ok().and_then(|index| messages.get_mut(index)) {
                message.preview = preview;
            }
        }
        rest = rest
            .get(rest.partition_point(|uid| *uid <= last)..)
            .unwrap_or_default();
    }
    Ok(())
}

/// Puts the downgraded message in the place of the one that is stored; of a large one what is in memory, and how its text is shown. A text that can't be read
/// stays as it is: whoever shows it says so.
async fn downgraded(
    want: Want,
    owner: &Owner,
    folder: FolderId,
    disk: &SharedDisk,
    known: Option<&Known>,
    message: &mut Fetched,
) -> Result<Option<Shown>, MailboxError> {
    if let Some(size) = message.downgraded_size {
        message.size = size;
    }
    if !(want.envelope || want.structure || want.header || want.text) {
        return Ok(None);
    }
    let text = match &message.text {
        Some(text) => Some(text.clone()),
        None => {
            let want = Want {
                text: true,
                ..Want::default()
            };
            let found = owner.fetch(folder, &[message.row.uid], want).await?;
            found.into_iter().next().and_then(|found| found.text)
        }
    };
    let Some(text) = text else { return Ok(None) };
    let known = known.and_then(|known| known.shown(text.path(), true)).cloned();
    let disk = disk.clone();
    let made = off_thread(move || match &text {
        Blob::Bytes(text) => Ok(make(text)),
        Blob::File(_) => make_large(known, &text, want, &disk),
    });
    let made = made.await;
    let Some(made) = made.map_err(|error| MailboxError::Unavailable(error.to_string()))? else {
        return Ok(None);
    };
    message.size = made.size;
    message.header_len = made.header_len;
    message.envelope = made.envelope.filter(|_| want.envelope);
    message.structure = made.structure.filter(|_| want.structure);
    message.header = made.header.filter(|_| want.header);
    if let Some(text) = made.text {
        message.text = Some(Blob::Bytes(text)).filter(|_| want.text);
    }
    Ok(made.large)
}

/// A downgraded message with what is shown of it.
struct Made {
    size: u64,
    header_len: u64,
    envelope: Option<Bytes>,
    structure: Option<Bytes>,
    header: Option<Bytes>,
    /// Of a small one.
    text: Option<Bytes>,
    large: Option<Shown>,
}

fn make(text: &Bytes) -> Option<Made> {
    let text = Bytes::from(downgrade::downgrade(text, &Message::parse(text))?);
    let header_len = header_end(&text);
    let header = text.slice(..header_len);
    Some(Made {
        size: text.len() as u64,
        header_len: header_len as u64,
        envelope: Some(envelope::render(&header).into()),
        structure: Some(structure::render(&text, &Message::parse(&text), true).into()),
        header: Some(header),
        text: Some(text),
        large: None,
    })
}

/// The same of a text that is never in memory as a whole.
fn make_large(known: Option<Shown>, text: &Blob, want: Want, disk: &SharedDisk) -> io::Result<Option<Made>> {
    let shown = match known {
        Some(known) => known,
        None => Shown::downgraded(text.clone(), &**disk)?,
    };
    let Some(header_len) = shown.header_len() else {
        return Ok(None);
    };
    let in_memory = usize::try_from(header_len)
        .unwrap_or(usize::MAX)
        .min(HEADER_MAX_BYTES);
    let header = shown.read_range(&**disk, 0, in_memory)?;
    let render = || {
        shown.with_windows(&**disk, |windows| {
            let parsed = Message::parse_text(windows);
            Bytes::from(structure::render_text(windows, &parsed, true))
        })
    };
    let structure = want.structure.then(render).transpose()?;
    Ok(Some(Made {
        size: shown.len(),
        header_len,
        envelope: want.envelope.then(|| envelope::render(&header).into()),
        structure,
        header: Some(header),
        text: None,
        large: Some(shown),
    }))
}
