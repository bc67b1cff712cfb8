//! What NTLMv2 computes ([MS-NLMP] §3.3.2, §3.4.5). Knows nothing of how messages are written, but for the pairs that a proof is of.

use md4::{Digest, Md4};

use super::message::{AV_FLAGS, av_pair, utf16};
use crate::sasl::hash::hmac_md5;

/// The bit of the flags that says that there is a MIC (§2.2.2.1).
const FLAG_MIC: u32 = 2;

/// NTOWFv1 (§3.3.1): MD4 of the password in UTF-16.
pub(crate) fn nt_hash(password: &str) -> [u8; 16] {
    Md4::digest(utf16(password)).into()
}

/// NTOWFv2 (§3.3.2), of the NT hash.
pub(super) fn ntowf_v2(hash: &[u8], user: &str, domain: &str) -> Vec<u8> {
    hmac_md5(hash, &[&utf16(&upper(user)), &utf16(domain)])
}

/// NTProofStr.
pub(super) fn proof(key: &[u8], challenge: &[u8], temp: &[u8]) -> Vec<u8> {
    hmac_md5(key, &[challenge, temp])
}

/// Whether the client says, in what the proof is of, that its message has a MIC. Nobody in the middle can take that back.
pub(super) fn says_mic(temp: &[u8]) -> bool {
    let flags = av_pair(temp, AV_FLAGS).and_then(|flags| flags.try_into().ok());
    flags.is_some_and(|flags| u32::from_le_bytes(flags) & FLAG_MIC != 0)
}

/// ExportedSessionKey (§3.2.5.1.2): the one that the client sent encrypted, or else SessionBaseKey, which is KXKEY's for NTLMv2 (§3.4.5.1).
pub(super) fn session_key(key: &[u8], proof: &[u8], exchanged: Option<&[u8]>) -> Vec<u8> {
    let base = hmac_md5(key, &[proof]);
    match exchanged {
        Some(encrypted) => rc4(&base, encrypted),
        None => base,
    }
}

/// In capitals letter by letter, as Windows does it: what would become two letters stays.
fn upper(text: &str) -> String {
    let upper = |c: char| {
        let mut letters = c.to_uppercase();
        letters.next().filter(|_| letters.next().is_none()).unwrap_or(c)
    };
    text.chars().map(upper).collect()
}

/// RC4, for nothing but the 16 octets of a session key: as a cipher it is broken.
fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|place| place as u8);
    let mut other = 0_u8;
    for (place, letter) in (0..=u8::MAX).zip(key.iter().cycle()) {
        other = other
            .wrapping_add(state[usize::from(place)])
            .wrapping_add(*letter);
        state.swap(usize::from(place), usize::from(other));
    }
    let (mut place, mut other) = (0_u8, 0_u8);
    let mut next = || {
        place = place.wrapping_add(1);
        other = other.wrapping_add(state[usize::from(place)]);
        state.swap(usize::from(place), usize::from(other));
        let sum = state[usize::from(place)].wrapping_add(state[usize::from(other)]);
        state[usize::from(sum)]
    };
    data.iter().map(|octet| octet ^ next()).collect()
}
