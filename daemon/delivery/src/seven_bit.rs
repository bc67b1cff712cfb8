//! The form of a message for hosts that don't offer 8BITMIME (RFC 6152 §3): made when the first such host is met, and kept for the try.
//!
//! Nothing is written anywhere: the text is read twice to find out what must change and how long it gets, and a third time as it is sent, in
//! pieces as ever. Our own signatures are made anew over what is sent (RFC 6376 §5.3 would have everything converted before it is signed;
//! here each host gets a signature over its own form, and those that take 8 bits the message as it was written). Signatures and seals
//! of others hold no more if they cover what changes: a text that arrives is worth more. What is signed or encrypted within a message is
//! never changed (RFC 1847 §2.1): if it needs 8 bits, the message can't be sent to such a host, and its sender is told.
//!
//! Must not know: connections.

use events::Scope;
use events::kinds::delivery::OutgoingConverted;
use wire::message::{Plan, SevenBit, Survey};

use authenticity::Signing;

use crate::remote::Mail;
use crate::{Inner, now, sign, text};

/// How a message is sent.
pub(crate) enum Form {
    AsItIs,
    Converted(Converted),
    /// 8-bit octets are where nothing can be done about them.
    Impossible,
}

pub(crate) struct Converted {
    plan: Plan,
    /// What goes on top of it.
    pub(crate) top: Vec<u8>,
    /// Bytes, `top` among them.
    len: u64,
}

impl Converted {
    /// Writes the text, from the first byte that leaves the house.
    pub(crate) fn writer(&self) -> SevenBit {
        SevenBit::new(&self.plan)
    }
}

impl Form {
    /// Bytes that go to the other host, without dots.
    pub(crate) fn len(&self, mail: &Mail) -> u64 {
        match self {
            Self::Converted(converted) => converted.len,
            Self::AsItIs | Self::Impossible => mail.len(),
        }
    }

    /// The administrator learns why others' signatures don't hold over there.
    pub(crate) fn tell(&self, inner: &Inner, mail: &Mail, host: &str) {
        if matches!(self, Self::Converted(_)) {
            let host = host.to_owned();
            let event = OutgoingConverted { host };
            inner.parts.events.emit(Scope::message(mail.id), event);
        }
    }
}

/// The form for hosts without 8BITMIME. An error: text or keys can't be read now.
pub(crate) async fn form<'a>(inner: &Inner, mail: &'a Mail) -> std::io::Result<&'a Form> {
    mail.seven_bit.get_or_try_init(|| find(inner, mail)).await
}

async fn find(inner: &Inner, mail: &Mail) -> std::io::Result<Form> {
    let disk = &inner.parts.disk;
    let mut survey = Survey::new();
    let mut at = mail.skip;
    loop {
        let piece = text::piece(disk, &mail.text, at, text::PIECE_BYTES).await?;
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        survey.feed(&piece);
    }
    let plan = survey.finish();
    if plan.is_seven_bit() {
        return Ok(Form::AsItIs);
    }
    let header = text::header(disk, &mail.text).await?;
    let keys = sign::keys_for(inner, &mail.envelope, &header)
        .await
        .map_err(std::io::Error::other)?;
    let mut writer = Some(SevenBit::new(&plan));
    let (mut at, mut len, mut out) = (mail.skip, 0, Vec::new());
    let mut signing: Option<Signing> = None;
    while let Some(mut current) = writer.take() {
        let piece = text::piece(disk, &mail.text, at, text::PIECE_BYTES).await?;
        at += piece.len() as u64;
        if piece.is_empty() {
            current.finish(&mut out);
        } else {
            current.feed(&piece, &mut out);
            writer = Some(current);
        }
        if !out.is_ascii() {
            return Ok(Form::Impossible);
        }
        match (&mut signing, &keys) {
            (Some(signing), _) => signing.feed(&out),
            // The header comes in one.
            (None, Some(keys)) if !out.is_empty() => signing = Some(Signing::new(&out, keys.clone())),
            (None, _) => {}
        }
        len += out.len() as u64;
        out.clear();
    }
    let top = signing.map_or_else(Vec::new, |signing| signing.finish(now().unsigned_abs()));
    let len = len + top.len() as u64;
    Ok(Form::Converted(Converted { plan, top, len }))
}
