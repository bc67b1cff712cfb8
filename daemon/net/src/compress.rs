//! DEFLATE on a connection (RFC 1951, for RFC 4978): raw, both ways, under what the session reads and writes.
//!
//! A peer that is silent costs no more than the window that its own stream may refer back to, grown to what it has said so
//! far (at most 32 KiB), and no compressor at all.
//!
//! Must not know: sockets, protocols.

use std::io;

use bytes::{Buf, BufMut, BytesMut};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
};
use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide, decompress_with_limit};

/// How far back a stream may refer (RFC 1951 §2).
const WINDOW_MAX_BYTES: usize = 32 * 1024;
/// Room for the first words of a peer; doubled as it says more.
const WINDOW_MIN_BYTES: usize = 512;
/// So much is sent as it is while there is no compressor: a hint to an idle peer is worth none.
const STORED_MAX_BYTES: usize = 1024;
/// Between speed and size; text of mail gains little above.
const LEVEL: i32 = 3;
/// Negative: no zlib header.
const WINDOW_BITS: i32 = -15;

/// Both directions of a compressed connection.
#[derive(Default)]
pub(crate) struct Compression {
    /// Came from the peer and was not inflated yet.
    pub(crate) received: BytesMut,
    /// Deflated, not sent yet.
    pub(crate) packed: BytesMut,
    inflater: Inflater,
    deflater: Option<Box<CompressorOxide>>,
}

/// The peer's stream.
#[derive(Default)]
struct Inflater {
    state: State,
    /// What was inflated last, as a ring once it has its full size.
    window: Vec<u8>,
    /// Where the next byte goes in it.
    at: usize,
    /// The last look ended because there was no room left for more.
    more: bool,
}

/// A decoder is 11 KiB; between two blocks, where a flush leaves it, it has nothing to remember but some bits.
enum State {
    Between(BlockBoundaryState),
    Within(Box<DecompressorOxide>),
}

impl Default for State {
    fn default() -> Self {
        Self::Between(BlockBoundaryState::default())
    }
}

impl Compression {
    /// What the peer sent behind the last plain byte is compressed already.
    pub(crate) fn new(received: BytesMut) -> Self {
        Self {
            received,
            ..Self::default()
        }
    }

    /// Inflates of what came; at most `max` bytes at once, so that no peer makes much out of little. 0: more must be read.
    pub(crate) fn inflate(&mut self, out: &mut BytesMut, max: usize) -> io::Result<usize> {
        self.inflater.inflate(&mut self.received, out, max)
    }

    /// Deflates all of it, up to a point from which the peer can read everything (RFC 4978 §3).
    pub(crate) fn deflate(&mut self, plain: &mut BytesMut) -> io::Result<()> {
        if plain.is_empty() {
            return Ok(());
        }
        if self.deflater.is_none() && plain.len() <= STORED_MAX_BYTES {
            put_stored(plain, &mut self.packed);
            plain.clear();
            return Ok(());
        }
        let deflater = self.deflater.get_or_insert_with(|| {
            let flags = create_comp_flags_from_zip_params(LEVEL, WINDOW_BITS, 0);
            Box::new(CompressorOxide::new(flags))
        });
        let packed = &mut self.packed;
        let (status, taken) = compress_to_output(deflater, plain, TDEFLFlush::Sync, |piece| {
            packed.extend_from_slice(piece);
            true
        });
        if status != TDEFLStatus::Okay || taken != plain.len() {
            return Err(io::Error::other("DEFLATE failed"));
        }
        plain.clear();
        Ok(())
    }

    /// The peer is silent: gives back what can be made anew. After a flush the stream stands between two blocks at the beginning
    /// of a byte, so another compressor, which refers to nothing that was before it, can go on.
    pub(crate) fn rest(&mut self) {
        self.deflater = None;
        self.release();
    }

    /// Empty buffers cost nothing.
    pub(crate) fn release(&mut self) {
        if self.received.is_empty() {
            self.received = BytesMut::new();
        }
        if self.packed.is_empty() {
            self.packed = BytesMut::new();
        }
    }

    /// Whether there is something to give back.
    pub(crate) fn is_awake(&self) -> bool {
        self.deflater.is_some()
    }
}

impl Inflater {
    fn inflate(&mut self, input: &mut BytesMut, out: &mut BytesMut, max: usize) -> io::Result<usize> {
        let mut inflated = 0;
        while inflated < max && (self.more || !input.is_empty()) {
            self.make_room();
            let mut decoder = match std::mem::take(&mut self.state) {
                State::Between(state) => Box::new(DecompressorOxide::from_block_boundary_state(&state)),
                State::Within(decoder) => decoder,
            };
            let (status, taken, made) = decompress_with_limit(
                &mut decoder,
                input,
                &mut self.window,
                self.at,
                max - inflated,
                TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
            );
            input.advance(taken);
            out.extend_from_slice(self.window.get(self.at..self.at + made).unwrap_or_default());
            self.at += made;
            inflated += made;
            self.more = status == TINFLStatus::HasMoreOutput;
            self.state = match status {
                TINFLStatus::BlockBoundary => match decoder.block_boundary_state() {
                    Some(state) => State::Between(state),
                    None => State::Within(decoder),
                },
                TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => State::Within(decoder),
                TINFLStatus::Done => return ended(inflated),
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "not DEFLATE")),
            };
        }
        Ok(inflated)
    }

    /// The window is twice as large whenever it is full, and a ring when it is as large as it may be.
    fn make_room(&mut self) {
        if self.at < self.window.len() {
            return;
        }
        if self.window.len() < WINDOW_MAX_BYTES {
            self.window
                .resize((self.window.len() * 2).max(WINDOW_MIN_BYTES), 0);
        } else {
            self.at = 0;
        }
    }
}

/// The peer has ended its stream: what came before is served, then nothing more can come.
fn ended(inflated: usize) -> io::Result<usize> {
    if inflated > 0 {
        Ok(inflated)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// A block that is not compressed (RFC 1951 §3.2.4), at the beginning of a byte.
fn put_stored(plain: &[u8], packed: &mut BytesMut) {
    let length = plain.len() as u16;
    packed.put_u8(0);
    packed.put_u16_le(length);
    packed.put_u16_le(!length);
    packed.put_slice(plain);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn inflate_all(compression: &mut Compression) -> Vec<u8> {
        let mut out = BytesMut::new();
        while compression.inflate(&mut out, 100).unwrap() > 0 {}
        out.to_vec()
    }

    /// Lines that resemble each other, and some that don't.
    fn text(lines: usize) -> Vec<u8> {
        (0..lines)
            .flat_map(|n| format!("* {n} FETCH (FLAGS () UID {})\r\n", n * n * 7919).into_bytes())
            .collect()
    }

    #[test]
    fn what_is_deflated_is_read_with_rests_between_any_two_flushes() {
        let (mut here, mut there) = (Compression::default(), Compression::default());
        for (n, lines) in [1, 3000, 2, 40, 1, 5000, 0, 1].into_iter().enumerate() {
            let text = text(lines);
            here.deflate(&mut BytesMut::from(&text[..])).unwrap();
            if lines >= 40 {
                assert!(here.packed.len() < text.len() * 2 / 3, "{n}: it is smaller");
                assert!(here.is_awake());
            }
            there.received.unsplit(here.packed.split());
            assert_eq!(inflate_all(&mut there), text, "{n}");
            here.rest();
            there.rest();
            assert!(!here.is_awake());
            assert!(
                matches!(there.inflater.state, State::Between(_)),
                "{n}: no decoder is kept"
            );
        }
        assert_eq!(there.inflater.window.len(), WINDOW_MAX_BYTES);
    }

    #[test]
    fn bytes_come_one_by_one() {
        let (mut here, mut there) = (Compression::default(), Compression::default());
        let text = text(3000);
        here.deflate(&mut BytesMut::from(&text[..])).unwrap();
        let mut read = Vec::new();
        for byte in here.packed.split() {
            there.received.put_u8(byte);
            read.extend(inflate_all(&mut there));
        }
        assert_eq!(read, text);
    }

    #[test]
    fn a_small_stream_keeps_a_small_window() {
        let mut there = Compression::default();
        put_stored(b"a1 IDLE\r\n", &mut there.received);
        assert_eq!(inflate_all(&mut there), b"a1 IDLE\r\n");
        assert_eq!(there.inflater.window.len(), WINDOW_MIN_BYTES);
    }

    #[test]
    fn a_bomb_is_inflated_in_bounded_pieces() {
        let (mut here, mut there) = (Compression::default(), Compression::default());
        here.deflate(&mut BytesMut::zeroed(10 << 20)).unwrap();
        assert!(here.packed.len() < 64 << 10);
        there.received = here.packed.split();
        let mut out = BytesMut::new();
        let mut total = 0;
        loop {
            let inflated = there.inflate(&mut out, 5000).unwrap();
            assert!(inflated <= 5000 && out.len() == inflated);
            out.clear();
            total += inflated;
            if inflated == 0 {
                break;
            }
        }
        assert_eq!(total, 10 << 20);
    }

    #[test]
    fn what_is_no_stream_and_what_ends_is_an_error() {
        let mut there = Compression::new(BytesMut::from(&b"\x07\xff\xff\xff"[..]));
        let error = there.inflate(&mut BytesMut::new(), 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        // An empty last block of fixed codes.
        let mut there = Compression::new(BytesMut::from(&b"\x03\x00"[..]));
        let error = there.inflate(&mut BytesMut::new(), 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
