//! Somebody between the server and its name server, who passes questions on and changes some answers.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};

/// What is said of a domain; each has one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// The exchanger has no record of its certificate.
    NoRecord,
    /// There is no such name.
    NoName,
    /// No record, as somebody else's zone has it, which nobody signs.
    OtherZone,
    /// No record, with a signed proof that is about another name.
    OtherProof,
    /// The record, without its signature.
    Unsigned,
    /// The exchanger's address, without its signature.
    UnsignedAddress,
    /// The domain's exchanger, without its signature.
    UnsignedExchanger,
    /// The domain has no key above it: nobody signs there.
    NoKeyAbove,
}

impl Lie {
    pub(super) const ALL: [Self; 8] = [
        Self::NoRecord,
        Self::NoName,
        Self::OtherZone,
        Self::OtherProof,
        Self::Unsigned,
        Self::UnsignedAddress,
        Self::UnsignedExchanger,
        Self::NoKeyAbove,
    ];

    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::NoRecord => "norecord.test",
            Self::NoName => "noname.test",
            Self::OtherZone => "otherzone.test",
            Self::OtherProof => "otherproof.test",
            Self::Unsigned => "unsigned.test",
            Self::UnsignedAddress => "address.test",
            Self::UnsignedExchanger => "exchanger.test",
            Self::NoKeyAbove => "nokey.test",
        }
    }

    /// The question that is answered so.
    fn about(self) -> RecordType {
        match self {
            Self::UnsignedAddress => RecordType::A,
            Self::UnsignedExchanger => RecordType::MX,
            Self::NoKeyAbove => RecordType::DS,
            _ => RecordType::TLSA,
        }
    }

    /// The answer instead of the true one. `ask`: the name server.
    fn answer(self, question: &Message, ask: impl Fn(&Message) -> Message) -> Message {
        let mut said = ask(question);
        let asked = |name: &str, kind: RecordType| {
            let mut other = question.clone();
            let query = other.queries.first_mut().unwrap();
            query.set_name(Name::from_ascii(name).unwrap());
            query.set_query_type(kind);
            ask(&other)
        };
        match self {
            Self::NoRecord | Self::NoName | Self::NoKeyAbove => {
                said.answers.clear();
                said.authorities.clear();
                said.additionals.clear();
                if self == Self::NoName {
                    said.metadata.response_code = ResponseCode::NXDomain;
                }
            }
            Self::OtherZone => {
                said.answers.clear();
                said.authorities = asked("plain.test.", RecordType::TLSA).authorities;
                assert!(!said.authorities.is_empty());
            }
            Self::OtherProof => {
                said.answers.clear();
                said.authorities = asked("mx.otherproof.test.", RecordType::TLSA).authorities;
                // A signed SOA and a signed proof.
                assert!(said.authorities.len() >= 4, "{:?}", said.authorities);
            }
            Self::Unsigned | Self::UnsignedAddress | Self::UnsignedExchanger => {
                for records in [&mut said.answers, &mut said.authorities, &mut said.additionals] {
                    records.retain(|record| record.record_type() != RecordType::RRSIG);
                }
                assert!(!said.answers.is_empty());
            }
        }
        said
    }
}

/// Ends with the test.
pub(super) struct Between {
    pub(super) port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    honest: AtomicBool,
    ended: AtomicBool,
    /// Domains of which a lie was told.
    told: Mutex<BTreeSet<&'static str>>,
}

impl Between {
    /// `to`: the port of the name server.
    pub(super) fn start(to: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let thread = std::thread::spawn(move || serve(&socket, to, &of_thread));
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }

    pub(super) fn be_honest(&self) {
        self.shared.honest.store(true, Relaxed);
    }

    /// The number of domains of which a lie was told.
    pub(super) fn told(&self) -> usize {
        self.shared.told.lock().unwrap().len()
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.shared.ended.store(true, Relaxed);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let _ = socket.send_to(b"", ("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(socket: &UdpSocket, to: u16, shared: &Shared) {
    let above = UdpSocket::bind("127.0.0.1:0").unwrap();
    above.connect(SocketAddr::from(([127, 0, 0, 1], to))).unwrap();
    let mut buffer = vec![0; 65_535];
    loop {
        let (length, client) = socket.recv_from(&mut buffer).unwrap();
        if shared.ended.load(Relaxed) {
            return;
        }
        let Ok(question) = Message::from_vec(&buffer[..length]) else {
            continue;
        };
        let ask = |question: &Message| {
            above.send(&question.to_vec().unwrap()).unwrap();
            let mut answer = vec![0; 65_535];
            let length = above.recv(&mut answer).unwrap();
            Message::from_vec(&answer[..length]).unwrap()
        };
        let lie = question.queries.first().and_then(|query| {
            let of = |lie: &Lie| {
                let domain = Name::from_ascii(format!("{}.", lie.domain())).unwrap();
                domain.zone_of(query.name()) && query.query_type() == lie.about()
            };
            Lie::ALL.into_iter().find(of)
        });
        let answer = match lie {
            Some(lie) if !shared.honest.load(Relaxed) => {
                shared.told.lock().unwrap().insert(lie.domain());
                lie.answer(&question, ask)
            }
            _ => ask(&question),
        };
        socket.send_to(&answer.to_vec().unwrap(), client).unwrap();
    }
}
