//! The front door: ports are opened and closed, connections admitted, sessions run and ended.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use events::kinds::net::{Listening, ServiceChanged, SessionEnded, SessionOpened, SessionRefused};
use events::kinds::server::InternalFault;
use events::{Events, Scope};
use parking_lot::Mutex;
use shared::protocol::{ServiceRow, ServiceState, SessionRow};
use socket2::{Domain, Protocol as SocketProtocol, Socket, Type};
use tls::Tls;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::farewell::{self, refusal};
use crate::limits::PerAddress;
use crate::proxy;
use crate::service::{ExternalService, Listener, ServiceConfig, Slot, word};
use crate::session::{Registry, SessionHandle};
use crate::stream::Raw;
use crate::{ACCEPT_PAUSE, BACKLOG, Conn, FAREWELL_TIMEOUT, Gate, NetError, Verdict};

/// The services, their ports and their sessions. Cheap to clone.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Arc<Registry>,
    slots: Vec<Arc<Slot>>,
    external: Mutex<Vec<Arc<dyn ExternalService>>>,
    gate: Arc<dyn Gate>,
    tls: Option<Tls>,
    per_address: Arc<PerAddress>,
    /// Connections of proxies that have not said for whom.
    pending: Arc<Semaphore>,
}

impl Net {
    /// The services, all stopped.
    pub fn new(services: Vec<ServiceConfig>, gate: Arc<dyn Gate>, tls: Option<Tls>, events: Events) -> Self {
        let inner = Inner {
            registry: Arc::new(Registry::new(events)),
            slots: services
                .into_iter()
                .map(|config| Arc::new(Slot::new(config)))
                .collect(),
            external: Mutex::default(),
            gate,
            tls,
            per_address: Arc::default(),
            pending: Arc::new(Semaphore::new(proxy::PENDING_MAX_COUNT)),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The services, all running. If one can't listen, none does.
    pub async fn start(
        services: Vec<ServiceConfig>,
        gate: Arc<dyn Gate>,
        tls: Option<Tls>,
        events: Events,
    ) -> Result<Self, NetError> {
        let net = Self::new(services, gate, tls, events);
        net.open_all().await?;
        Ok(net)
    }

    /// Starts every service that has a port. If one can't listen, those that could are stopped again.
    pub async fn open_all(&self) -> Result<(), NetError> {
        for slot in &self.inner.slots {
            if let Err(error) = self.inner.run(slot).await {
                for slot in &self.inner.slots {
                    self.inner.close(slot).await;
                    slot.set_state(ServiceState::Stopped);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Shows and switches a service that has no ports with the others.
    pub fn add_external(&self, service: Arc<dyn ExternalService>) {
        self.inner.external.lock().push(service);
    }

    pub fn services(&self) -> Vec<ServiceRow> {
        let own = self
            .inner
            .slots
            .iter()
            .map(|slot| slot.row(self.inner.gate.sessions_max(slot.name)));
        let external = self
            .inner
            .external
            .lock()
            .iter()
            .map(|service| service.row())
            .collect::<Vec<_>>();
        own.chain(external).collect()
    }

    /// Starts, pauses or stops a service. `Paused` keeps its sessions and tells new peers to come later; `Stopped` closes the
    /// ports and ends the sessions, and returns when they are gone or were given time enough.
    pub async fn set(&self, service: &str, state: ServiceState, by: &str) -> Result<(), NetError> {
        let inner = &self.inner;
        if let Some(slot) = inner.slots.iter().find(|slot| slot.name == service) {
            match state {
                ServiceState::Running => inner.run(slot).await?,
                ServiceState::Paused => {
                    // A stopped service opens its ports to say that it is paused.
                    inner.run(slot).await?;
                    slot.set_state(state);
                }
                ServiceState::Stopped => {
                    slot.set_state(state);
                    inner.close(slot).await;
                    inner.end_sessions(Some(slot), FAREWELL_TIMEOUT * 2).await;
                }
            }
        } else {
            let external = inner
                .external
                .lock()
                .iter()
                .find(|other| other.row().service == service)
                .cloned();
            external
                .ok_or_else(|| NetError::NoSuchService(service.to_owned()))?
                .set(state);
        }
        let changed = ServiceChanged {
            service: service.to_owned(),
            state: word(state).to_owned(),
            by: by.to_owned(),
        };
        inner.registry.events.emit(Scope::default(), changed);
        Ok(())
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> Vec<SessionRow> {
        self.inner.registry.list()
    }

    /// Ends a session; whether there is one of that number.
    pub fn end(&self, id: u64, by: &str) -> bool {
        let Some((scope, service)) = self.inner.registry.end(id) else {
            return false;
        };
        let ended = SessionEnded {
            service: service.to_owned(),
            by: by.to_owned(),
        };
        self.inner.registry.events.emit(scope, ended);
        true
    }

    /// Bytes of all sessions since the start: in, out.
    pub fn bytes_total(&self) -> (u64, u64) {
        self.inner.registry.bytes_total()
    }

    /// Closes all ports, ends all sessions with a farewell and waits for them at most `limit`; then takes the rest away.
    pub async fn shutdown(&self, limit: Duration) {
        for slot in &self.inner.slots {
            slot.set_state(ServiceState::Stopped);
            self.inner.close(slot).await;
        }
        self.inner.end_sessions(None, limit).await;
    }
}

impl Inner {
    /// Opens the ports unless they are open.
    async fn run(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<(), NetError> {
        let mut accepting = slot.accepting.lock().await;
        if accepting.is_empty() {
            // All or none.
            let mut sockets = Vec::with_capacity(slot.wanted.len());
            for wanted in &slot.wanted {
                sockets.push((bind(wanted.address)?, *wanted));
            }
            for (socket, wanted) in sockets {
                let address = socket.local_addr().unwrap_or(wanted.address);
                slot.bound.lock().push(address);
                let listening = Listening {
                    service: slot.name.to_owned(),
                    address: address.to_string(),
                };
                self.registry.events.emit(Scope::default(), listening);
                accepting.push(tokio::spawn(accept(self.clone(), slot.clone(), socket, wanted)));
            }
        }
        slot.set_state(ServiceState::Running);
        Ok(())
    }

    /// Closes the ports; they are closed when this returns.
    async fn close(&self, slot: &Slot) {
        for task in slot.accepting.lock().await.drain(..) {
            task.abort();
            // The task ended because it was told to: nothing else can come of it.
            let _ = task.await;
        }
        slot.bound.lock().clear();
    }

    async fn end_sessions(&self, of: Option<&Slot>, limit: Duration) {
        self.registry.end_all(of);
        if tokio::time::timeout(limit, self.registry.empty(of))
            .await
            .is_err()
        {
            self.registry.abort_all(of);
            // An aborted task leaves at its next poll; one that blocks a thread is not waited for.
            let _ = tokio::time::timeout(FAREWELL_TIMEOUT, self.registry.empty(of)).await;
        }
    }

    fn refused(&self, slot: &Slot, peer: SocketAddr, reason: &str) {
        let scope = Scope {
            peer: Some(peer),
            ..Scope::default()
        };
        let refused = SessionRefused {
            service: slot.name.to_owned(),
            reason: reason.to_owned(),
        };
        self.registry.events.emit(scope, refused);
    }

    /// A connection of a proxy: who is behind it is the peer in every decision from here on.
    fn admit_proxied(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        mut socket: TcpStream,
        proxy: SocketAddr,
        tls: bool,
    ) {
        let Ok(pending) = self.pending.clone().try_acquire_owned() else {
            return self.refused(slot, proxy, farewell::BUSY);
        };
        let (inner, slot) = (self.clone(), slot.clone());
        tokio::spawn(async move {
            let header = tokio::time::timeout(proxy::HEADER_TIMEOUT, proxy::peer(&mut socket));
            let peer = match header.await {
                Ok(Ok(peer)) => peer.unwrap_or(proxy),
                Ok(Err(error)) => return inner.refused(&slot, proxy, &error.to_string()),
                Err(_) => return inner.refused(&slot, proxy, "no PROXY header in time"),
            };
            drop(pending);
            inner.admit(&slot, socket, peer, tls);
        });
    }

    /// Lets a connection in, or tells it why not. Never waits.
    fn admit(self: &Arc<Self>, slot: &Arc<Slot>, socket: TcpStream, peer: SocketAddr, implicit_tls: bool) {
        let ip = peer.ip().to_canonical();
        let refused = |text: &str| self.refused(slot, peer, text);
        let reply = |text: &'static str| (!implicit_tls).then(|| refusal(slot.protocol, true, text));
        if slot.state() != ServiceState::Running {
            refused(farewell::PAUSED);
            return turn_away(socket, reply(farewell::PAUSED));
        }
        let place = if ip.is_loopback() || self.gate.is_exempt(ip) {
            None
        } else {
            match self.per_address.take(ip, self.gate.sessions_per_address_max()) {
                Some(place) => Some(place),
                None => {
                    refused(farewell::BUSY_ADDRESS);
                    return turn_away(socket, reply(farewell::BUSY_ADDRESS));
                }
            }
        };
        if !slot.enter(self.gate.sessions_max(slot.name)) {
            refused(farewell::BUSY);
            return turn_away(socket, reply(farewell::BUSY));
        }
        // The row gives the service's place back, whatever happens from here on.
        let session = self
            .registry
            .enter(slot.clone(), SocketAddr::new(ip, peer.port()), place);
        let local = socket.local_addr().unwrap_or(peer);
        // Answers are sent when they are complete: nothing is gained by holding them back (40 ms with delayed acknowledgements).
        if socket.set_nodelay(true).is_err() {
            // The peer is gone already; the session will see it.
        }
        let handle = session.clone();
        let conn = Conn::new(Raw::Tcp(socket), session, local, self.tls.clone());
        let task = tokio::spawn(serve(self.clone(), slot.clone(), conn, implicit_tls));
        handle.set_task(task.abort_handle());
    }
}

/// Accepts until it is aborted.
async fn accept(inner: Arc<Inner>, slot: Arc<Slot>, listener: TcpListener, wanted: Listener) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) if inner.gate.is_proxy(peer.ip().to_canonical()) => {
                inner.admit_proxied(&slot, socket, peer, wanted.implicit_tls);
            }
            Ok((socket, peer)) => inner.admit(&slot, socket, peer, wanted.implicit_tls),
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                let fault = InternalFault {
                    place: format!("accept {}", wanted.address),
                    reason: error.to_string(),
                };
                inner.registry.events.emit(Scope::default(), fault);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A session: let in, served, and caught if it panics.
fn serve(
    inner: Arc<Inner>,
    slot: Arc<Slot>,
    conn: Conn,
    implicit_tls: bool,
) -> impl Future<Output = ()> + Send {
    // Boxed, and gone when it is done: a session that waits for its peer does not hold the room for it.
    let opening = Box::pin(open(inner, slot, conn, implicit_tls));
    async move {
        let Some((served, session)) = opening.await else {
            return;
        };
        if let Err(panic) = caught(served).await {
            session.fault(panic_text(&*panic));
        }
    }
}

/// A session as its protocol's room runs it.
type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection is judged, put under TLS where the port says so, and given to its protocol.
async fn open(
    inner: Arc<Inner>,
    slot: Arc<Slot>,
    mut conn: Conn,
    implicit_tls: bool,
) -> Option<(Served, SessionHandle)> {
    let session = conn.session().clone();
    let events = &inner.registry.events;
    let (words, reason) = match inner.gate.connect(conn.peer(), slot.protocol).await {
        Verdict::Allow => (None, None),
        Verdict::Refuse {
            temporary,
            text,
            reason,
        } => (Some(refusal(slot.protocol, temporary, &text)), Some(reason)),
        Verdict::Drop { reason } => (None, Some(reason)),
    };
    if let Some(reason) = reason {
        if !reason.is_empty() {
            events.emit(
                session.scope(),
                SessionRefused {
                    service: slot.name.to_owned(),
                    reason,
                },
            );
        }
        session.set_reason("refused");
        // Under implicit TLS the words are worth no handshake.
        if let Some(words) = words.filter(|_| !implicit_tls) {
            conn.output().extend_from_slice(words.as_bytes());
            conn.close().await;
        }
        return None;
    }
    if implicit_tls && let Err(error) = conn.start_tls().await {
        session.set_reason(error.reason());
        return None;
    }
    events.emit(
        session.scope(),
        SessionOpened {
            service: slot.name.to_owned(),
        },
    );
    Some(((slot.handler)(conn), session))
}

/// Runs a future; a panic in it is caught and costs nobody else.
async fn caught<F: Future<Output = ()> + Unpin>(mut future: F) -> Result<(), Box<dyn Any + Send>> {
    poll_fn(move |cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut future).poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
        .to_owned()
}

/// Says a line, if the socket takes it at once, and closes.
fn turn_away(socket: TcpStream, line: Option<String>) {
    if let (Some(line), Ok(mut socket)) = (line, socket.into_std()) {
        // Non-blocking: the buffer of a new socket is empty, so the line fits or the peer is gone.
        let _ = socket.write(line.as_bytes());
    }
}

/// Failures of one connection, not of the listener (accept(2)).
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn bind(address: SocketAddr) -> Result<TcpListener, NetError> {
    listening(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => NetError::Occupied(address),
        io::ErrorKind::PermissionDenied => NetError::Forbidden(address),
        _ => NetError::Listen { address, source },
    })
}

fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(SocketProtocol::TCP),
    )?;
    // So that a restart need not wait for connections in TIME_WAIT. On Windows the option would let two programs share the
    // port, and is not needed.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `0.0.0.0` and `[::]` are two listeners, everywhere.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}
