//! The three messages of NTLM ([MS-NLMP] §2.2.1). Knows nothing of hashes.
//!
//! Integers are little-endian. A field is a length (2 octets), the room for it (2, ignored) and its offset in the message (4): what does not lie inside
//! the message makes the whole message malformed.

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const TYPE_NEGOTIATE: u32 = 1;
const TYPE_CHALLENGE: u32 = 2;
const TYPE_AUTHENTICATE: u32 = 3;

// [MS-NLMP] §2.2.2.5
pub(super) const UNICODE: u32 = 0x0000_0001;
const OEM: u32 = 0x0000_0002;
const REQUEST_TARGET: u32 = 0x0000_0004;
const SIGN: u32 = 0x0000_0010;
const NTLM: u32 = 0x0000_0200;
const OEM_DOMAIN_SUPPLIED: u32 = 0x0000_1000;
const OEM_WORKSTATION_SUPPLIED: u32 = 0x0000_2000;
const ALWAYS_SIGN: u32 = 0x0000_8000;
const TARGET_TYPE_SERVER: u32 = 0x0002_0000;
const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
const TARGET_INFO: u32 = 0x0080_0000;
const VERSION: u32 = 0x0200_0000;
const KEY_128: u32 = 0x2000_0000;
const KEY_EXCHANGE: u32 = 0x4000_0000;
const KEY_56: u32 = 0x8000_0000;
/// What is said back to a client that says it.
const SAID_BACK: u32 = REQUEST_TARGET
    | SIGN
    | ALWAYS_SIGN
    | EXTENDED_SESSION_SECURITY
    | VERSION
    | KEY_128
    | KEY_EXCHANGE
    | KEY_56;

// [MS-NLMP] §2.2.2.1
const AV_END: u16 = 0;
const AV_NETBIOS_COMPUTER: u16 = 1;
const AV_NETBIOS_DOMAIN: u16 = 2;
const AV_DNS_COMPUTER: u16 = 3;
const AV_DNS_DOMAIN: u16 = 4;
pub(super) const AV_FLAGS: u16 = 6;
const AV_TIMESTAMP: u16 = 7;

pub(super) const CHALLENGE_BYTES: usize = 8;
/// Where the payload of a CHALLENGE begins: behind the version (§2.2.1.2).
const CHALLENGE_HEADER_BYTES: u32 = 56;
/// The fixed part of an AUTHENTICATE that every client sends; version and MIC follow where they are (§2.2.1.3).
const AUTHENTICATE_HEADER_BYTES: usize = 64;
const MIC_OFFSET_BYTES: usize = 72;
pub(super) const MIC_BYTES: usize = 16;
/// Of the proof that begins an NTLMv2 answer (§2.2.2.8).
const PROOF_BYTES: usize = 16;
const SESSION_KEY_BYTES: usize = 16;
/// Of what the proof is of, up to the pairs (§2.2.2.7).
const TEMP_HEADER_BYTES: usize = 28;
/// Longest name of a machine or a domain in NetBIOS.
const NETBIOS_NAME_MAX_CHARS: usize = 15;
/// Longest host name, so that the lengths of fields hold whatever the setting says.
const HOSTNAME_MAX_CHARS: usize = 255;
/// From 1601 to 1970 (FILETIME, [MS-DTYP] §2.3.3).
const EPOCH_S: i64 = 11_644_473_600;
const TICKS_PER_S: i64 = 10_000_000;

/// The flags of a NEGOTIATE; `None` if it is none, or its client can write names in no way.
pub(super) fn negotiate(message: &[u8]) -> Option<u32> {
    header(message, TYPE_NEGOTIATE)?;
    let flags = number(message, 12)?;
    // The names that may follow are of no use here, but must be there.
    for (supplied, at) in [(OEM_DOMAIN_SUPPLIED, 16), (OEM_WORKSTATION_SUPPLIED, 24)] {
        if flags & supplied != 0 {
            field(message, at)?;
        }
    }
    // §3.2.5.1.1: neither of them is an invalid token.
    (flags & (UNICODE | OEM) != 0).then_some(flags)
}

/// What a CHALLENGE is made of.
pub(super) struct Challenge {
    pub(super) octets: [u8; CHALLENGE_BYTES],
    pub(super) hostname: String,
    /// Unix seconds.
    pub(super) timestamp: i64,
}

impl Challenge {
    /// `wanted`: the flags of the NEGOTIATE.
    pub(super) fn write(&self, wanted: u32) -> Vec<u8> {
        let unicode = wanted & UNICODE != 0;
        let host: String = self.hostname.chars().take(HOSTNAME_MAX_CHARS).collect();
        let netbios = netbios(&host);
        let target = if wanted & REQUEST_TARGET == 0 {
            Vec::new()
        } else if unicode {
            utf16(&netbios)
        } else {
            // Host names are ASCII; another letter must not make the message another one.
            netbios.replace(|c: char| !c.is_ascii(), "?").into_bytes()
        };
        // §2.2.2.1: of a server that belongs to no domain both domains are itself.
        let mut info = Vec::new();
        pair(&mut info, AV_NETBIOS_DOMAIN, &utf16(&netbios));
        pair(&mut info, AV_NETBIOS_COMPUTER, &utf16(&netbios));
        pair(&mut info, AV_DNS_DOMAIN, &utf16(&host));
        pair(&mut info, AV_DNS_COMPUTER, &utf16(&host));
        let ticks = self.timestamp.saturating_add(EPOCH_S).saturating_mul(TICKS_PER_S);
        pair(&mut info, AV_TIMESTAMP, &ticks.to_le_bytes());
        pair(&mut info, AV_END, &[]);

        let mut flags = (wanted & SAID_BACK) | NTLM | TARGET_INFO;
        flags |= if unicode { UNICODE } else { OEM };
        if wanted & REQUEST_TARGET != 0 {
            flags |= TARGET_TYPE_SERVER;
        }
        let mut out = SIGNATURE.to_vec();
        out.extend(TYPE_CHALLENGE.to_le_bytes());
        put_field(&mut out, target.len(), CHALLENGE_HEADER_BYTES);
        out.extend(flags.to_le_bytes());
        out.extend(self.octets);
        out.extend([0; 8]);
        put_field(&mut out, info.len(), CHALLENGE_HEADER_BYTES + target.len() as u32);
        // §2.2.2.10: for debugging only; revision 15 of NTLM is the only one.
        let version = [6, 1, 0, 0, 0, 0, 0, 15];
        out.extend(if flags & VERSION == 0 { [0; 8] } else { version });
        out.extend(target);
        out.extend(info);
        out
    }
}

/// An AUTHENTICATE, as far as it is looked at.
pub(super) struct Authenticate {
    pub(super) user: String,
    /// As the client wrote it: the proof depends on it.
    pub(super) domain: String,
    /// Encrypted, where one was exchanged.
    pub(super) session_key: Option<Vec<u8>>,
    nt: Vec<u8>,
}

impl Authenticate {
    /// `unicode`: how names are written, by the CHALLENGE.
    pub(super) fn parse(message: &[u8], unicode: bool) -> Option<Self> {
        header(message, TYPE_AUTHENTICATE)?;
        if message.len() < AUTHENTICATE_HEADER_BYTES {
            return None;
        }
        // LM answer and workstation are not read, but must be inside as well.
        field(message, 12)?;
        field(message, 44)?;
        let name = |at| name(field(message, at)?, unicode);
        let key = field(message, 52)?;
        let exchanged = number(message, 60)? & KEY_EXCHANGE != 0 && key.len() == SESSION_KEY_BYTES;
        Some(Self {
            user: name(36)?,
            domain: name(28)?,
            session_key: exchanged.then(|| key.to_vec()),
            nt: field(message, 20)?.to_vec(),
        })
    }

    /// The proof and what it is of; `None`: the answer is not one of NTLMv2 (§2.2.2.7, §2.2.2.8).
    pub(super) fn proof(&self) -> Option<(&[u8], &[u8])> {
        let (proof, temp) = self.nt.split_at_checked(PROOF_BYTES)?;
        (temp.len() >= TEMP_HEADER_BYTES && temp.starts_with(&[1, 1])).then_some((proof, temp))
    }
}

/// The value of the first pair of that kind in what a proof is of.
pub(super) fn av_pair(temp: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = temp.get(TEMP_HEADER_BYTES..)?;
    loop {
        let id = short(rest, 0)?;
        let len = usize::from(short(rest, 2)?);
        let value = rest.get(4..4 + len)?;
        if id == wanted {
            return Some(value);
        }
        if id == AV_END {
            return None;
        }
        rest = rest.get(4 + len..)?;
    }
}

/// An AUTHENTICATE before its MIC, the MIC, and after it.
pub(super) fn around_mic(message: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (before, rest) = message.split_at_checked(MIC_OFFSET_BYTES)?;
    let (mic, after) = rest.split_at_checked(MIC_BYTES)?;
    Some((before, mic, after))
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The first label in capitals.
fn netbios(host: &str) -> String {
    let label = host.split('.').next().unwrap_or_default();
    label
        .chars()
        .take(NETBIOS_NAME_MAX_CHARS)
        .collect::<String>()
        .to_ascii_uppercase()
}

/// In the code page of the client's machine, which nobody says, only ASCII is sure.
fn name(bytes: &[u8], unicode: bool) -> Option<String> {
    let name = if unicode {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())?
    } else {
        std::str::from_utf8(bytes)
            .ok()
            .filter(|name| name.is_ascii())?
            .to_owned()
    };
    (!name.contains('\0')).then_some(name)
}

fn header(message: &[u8], kind: u32) -> Option<()> {
    (message.starts_with(SIGNATURE) && number(message, 8)? == kind).then_some(())
}

fn field(message: &[u8], at: usize) -> Option<&[u8]> {
    let len = usize::from(short(message, at)?);
    // Clients let the offset of an empty field stand anywhere.
    if len == 0 {
        return Some(&[]);
    }
    let offset = usize::try_from(number(message, at + 4)?).ok()?;
    message.get(offset..offset.checked_add(len)?)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// `len`: of a name or of the pairs, both far below 64 KiB by the limits above.
fn put_field(out: &mut Vec<u8>, len: usize, offset: u32) {
    let len = (len as u16).to_le_bytes();
    out.extend(len);
    out.extend(len);
    out.extend(offset.to_le_bytes());
}

fn pair(out: &mut Vec<u8>, id: u16, value: &[u8]) {
    out.extend(id.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
}
