//! What a command on a large message takes of memory. In a process of its own, because every allocation of it is counted: a server must not fall over
//! because some of its users look at large messages at the same time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unsafe_code, reason = "an allocator that counts")]

#[path = "session/grammar.rs"]
mod grammar;
#[allow(dead_code)]
#[path = "session/support.rs"]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes of the large part of a message.
const LARGE_BYTES: usize = 24 << 20;
/// Bytes that a command may take beside what was taken before it.
const MORE_MAX_BYTES: usize = 2 << 20;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::SeqCst) + bytes;
    PEAK.fetch_max(now, Ordering::SeqCst);
}

fn gave(bytes: usize) {
    NOW.fetch_sub(bytes, Ordering::SeqCst);
}

// SAFETY: everything is the system's allocator; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        gave(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there for a moment.
        took(size);
        let grown = unsafe { System.realloc(pointer, layout, size) };
        gave(layout.size());
        grown
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The line of the large part, again and again.
const LINE: &[u8] = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";

fn head(subject: &str) -> Vec<u8> {
    format!(
        "From: Anna <anna@example.test>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n\
         --b\r\nContent-Type: application/octet-stream; name=\"{subject}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes()
}

const END: &[u8] = b"--b--\r\n";

/// A client that keeps nothing of what it reads.
struct Reader {
    client: Client,
    number: u32,
}

impl Reader {
    /// Reads up to the tagged answer, which must be an OK; octets read.
    async fn drain(&mut self, tag: &str) -> usize {
        let (mut tail, mut read): (Vec<u8>, usize) = (Vec::new(), 0);
        let mut piece = [0; 8192];
        let tagged = format!("{tag} ");
        loop {
            let len = self.client.stream.read(&mut piece).await.unwrap();
            assert!(len > 0, "the server closed");
            read += len;
            tail.extend_from_slice(&piece[..len]);
            let from = tail.len().saturating_sub(400);
            tail.drain(..from);
            let text = String::from_utf8_lossy(&tail);
            let last = text
                .strip_suffix("\r\n")
                .and_then(|text| text.rsplit("\r\n").next());
            if let Some(line) = last.filter(|line| line.starts_with(&tagged)) {
                assert!(line.starts_with(&format!("{tag} OK")), "{line}");
                return read;
            }
        }
    }

    fn tag(&mut self) -> String {
        self.number += 1;
        format!("m{}", self.number)
    }

    async fn command(&mut self, command: &str) -> usize {
        let tag = self.tag();
        self.client.send(&format!("{tag} {command}\r\n")).await;
        self.drain(&tag).await
    }

    async fn append(&mut self, subject: &str) {
        let (tag, head) = (self.tag(), head(subject));
        let lines = LARGE_BYTES / LINE.len();
        let size = head.len() + lines * LINE.len() + END.len();
        self.client
            .send(&format!("{tag} APPEND INBOX {{{size}+}}\r\n"))
            .await;
        self.client.send_bytes(&head).await;
        for _ in 0..lines {
            self.client.stream.write_all(LINE).await.unwrap();
        }
        self.client.send_bytes(END).await;
        self.client.send("\r\n").await;
        self.drain(&tag).await;
    }
}

/// Fails if it takes too much.
async fn measured<T>(what: &str, call: impl Future<Output = T>) -> T {
    let before = NOW.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    let done = call.await;
    let more = PEAK.load(Ordering::SeqCst).saturating_sub(before);
    eprintln!("{what}: {} KiB", more / 1024);
    assert!(more <= MORE_MAX_BYTES, "{what} took {more} bytes more");
    done
}

#[tokio::test]
async fn a_large_message_is_never_in_memory_as_a_whole() {
    let world = World::new().await;
    let mut reader = Reader {
        client: world.user().await,
        number: 0,
    };
    reader.command("SELECT INBOX").await;
    for subject in ["plain", "Жук"] {
        measured(&format!("APPEND {subject}"), reader.append(subject)).await;
    }
    // The second is shown in the clothes of older mail.
    for number in 1..=2 {
        for (item, least) in [
            ("BODY.PEEK[]", LARGE_BYTES - 100),
            ("BODY.PEEK[2]", LARGE_BYTES - 100),
            ("BINARY.PEEK[2]", LARGE_BYTES / 2),
            ("BODY.PEEK[2]<10000000.100000>", 100_000),
            ("BODY.PEEK[TEXT]", LARGE_BYTES - 100),
            (
                "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE BODYSTRUCTURE RFC822.SIZE)",
                100,
            ),
        ] {
            let what = format!("FETCH {number} {item}");
            let read = measured(&what, reader.command(&what)).await;
            assert!(read >= least, "{what}: {read}");
        }
        for url in [
            "",
            "/;SECTION=2",
            "/;SECTION=TEXT",
            "/;SECTION=HEADER.FIELDS%20(SUBJECT)",
        ] {
            let what = format!("APPEND Drafts CATENATE (URL \"/INBOX/;UID={number}{url}\")");
            measured(&what, reader.command(&what)).await;
        }
    }
    for what in [
        "COPY 1:2 Archive",
        "FETCH 1:2 PREVIEW",
        "SORT (SUBJECT) UTF-8 ALL",
    ] {
        measured(what, reader.command(what)).await;
    }
}
