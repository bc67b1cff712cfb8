//! What is put on messages before they are shown: previews (RFC 8970), and for clients without UTF8=ACCEPT the clothes of older mail
//! (RFC 6858).

use std::io;

use bytes::Bytes;
use disk::SharedDisk;
use disk::blob::Blob;
use mailbox::{Fetched, FolderId, MailboxError, Owner, Uid, Want};
use wire::message::{Message, downgrade, envelope, header_end, structure};

use super::Plan;

/// Fails if the store can't answer now.
pub(super) async fn dress(
    plan: &Plan,
    owner: &Owner,
    folder: FolderId,
    disk: &SharedDisk,
    messages: &mut [Fetched],
) -> Result<(), MailboxError> {
    if let Some(lazy) = plan.preview {
        previews(owner, folder, lazy, messages).await?;
    }
    if plan.want.downgraded {
        for message in messages
            .iter_mut()
            .filter(|message| message.downgraded_size.is_some())
        {
            downgraded(plan.want, owner, folder, disk, message).await?;
        }
    }
    Ok(())
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

/// Puts the downgraded message in the place of the one that is stored. A text that can't be read stays as it is: whoever shows it says so.
async fn downgraded(
    want: Want,
    owner: &Owner,
    folder: FolderId,
    disk: &SharedDisk,
    message: &mut Fetched,
) -> Result<(), MailboxError> {
    if let Some(size) = message.downgraded_size {
        message.size = size;
    }
    if !(want.envelope || want.structure || want.header || want.text) {
        return Ok(());
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
    let Some(text) = text else { return Ok(()) };
    let disk = disk.clone();
    let made = tokio::task::spawn_blocking(move || make(&text, &disk)).await;
    let unavailable = |error: &dyn ToString| MailboxError::Unavailable(error.to_string());
    let Some(made) = made
        .map_err(|error| unavailable(&error))?
        .map_err(|error| unavailable(&error))?
    else {
        return Ok(());
    };
    message.size = made.text.len() as u64;
    message.header_len = made.header_len as u64;
    message.envelope = Some(made.envelope).filter(|_| want.envelope);
    message.structure = Some(made.structure).filter(|_| want.structure);
    message.header = Some(made.text.slice(..made.header_len)).filter(|_| want.header);
    message.text = Some(Blob::Bytes(made.text)).filter(|_| want.text);
    Ok(())
}

/// A downgraded message with what is shown of it.
struct Made {
    text: Bytes,
    header_len: usize,
    envelope: Bytes,
    structure: Bytes,
}

fn make(text: &Blob, disk: &SharedDisk) -> io::Result<Option<Made>> {
    let text = text.read_range(&**disk, 0, usize::try_from(text.len()).unwrap_or(usize::MAX))?;
    let Some(text) = downgrade::downgrade(&text, &Message::parse(&text)) else {
        return Ok(None);
    };
    let header_len = header_end(&text);
    let shown = structure::render(&text, &Message::parse(&text), true);
    Ok(Some(Made {
        header_len,
        envelope: envelope::render(text.get(..header_len).unwrap_or_default()).into(),
        structure: shown.into(),
        text: text.into(),
    }))
}
