//! The program against a real daemon: what is shown comes from it, and what is done is done there.
//!
//! `BATPOSTD` names the daemon; without it the one beside this test's own build is taken. If there is none, the test
//! says so and is left out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use batpost_configurator::app::App;
use batpost_configurator::link::{Link, Target};
use batpost_configurator::model::{Model, Page};
use batpost_configurator::theme::Choice;
use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use i18n::Language;
use shared::client::{Client, Endpoint};
use shared::model::Domain;
use shared::protocol::{DomainAdd, MonitorGet, Request, ServiceSet, ServiceState, UserAdd};

/// When to give up waiting for something that should come, so that a fault fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_mins(5);

struct Daemon {
    child: Child,
    /// Closed, it would be a failure to the daemon.
    _output: ChildStdout,
    data: tempfile::TempDir,
    offset: u16,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("BATPOSTD") {
        return Some(PathBuf::from(named));
    }
    let beside = std::env::current_exe()
        .ok()?
        .parent()?
        .parent()?
        .join(format!("batpostd{}", std::env::consts::EXE_SUFFIX));
    beside.exists().then_some(beside)
}

impl Daemon {
    /// A fresh server on ports of its own; another offset is tried if one is taken.
    fn start(batpostd: &Path) -> Self {
        // The tests of this process run beside each other: none takes an offset of another's.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        for _ in 0..20 {
            let attempt = NEXT.fetch_add(1, Ordering::Relaxed);
            // Below the ports of outgoing connections, and those of other tests.
            let offset = 1_200 + (std::process::id() % 70) as u16 * 100 + attempt * 7;
            let data = tempfile::tempdir().unwrap();
            let made = Command::new(batpostd)
                .args([
                    "init",
                    "--hostname",
                    "mail.example.test",
                    "--bind",
                    "127.0.0.1",
                    "--port-offset",
                ])
                .arg(offset.to_string())
                .arg("--data")
                .arg(data.path().join("d"))
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let mut child = Command::new(batpostd)
                .args(["run", "--data"])
                .arg(data.path().join("d"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut output = child.stdout.take().unwrap();
            // It speaks once all its ports are open, or ends.
            let said = output.read(&mut [0; 1]).unwrap();
            let daemon = Self {
                child,
                _output: output,
                data,
                offset,
            };
            if said > 0 {
                return daemon;
            }
        }
        panic!("no daemon came up");
    }

    fn target(&self) -> Target {
        Target::Local(Endpoint::Data(self.data.path().join("d")))
    }
}

struct Window {
    harness: Harness<'static, App>,
}

impl Window {
    fn open(daemon: &Daemon) -> Self {
        let target = daemon.target();
        let harness = Harness::builder()
            .with_size([1280.0, 820.0])
            .build_eframe(move |cc| {
                let model: Model = App::model(&target.name(), Language::En, Choice::Light);
                let link = Link::start(target, Language::En, || {}).unwrap();
                let clock = Box::new(|| jiff::Timestamp::now().as_second());
                App::new(&cc.egui_ctx, model, Some(link), None, clock)
            });
        Self { harness }
    }

    fn model(&self) -> &Model {
        &self.harness.state().model
    }

    /// Draws until it is so.
    fn until(&mut self, what: &str, so: impl Fn(&Harness<'static, App>) -> bool) {
        let since = Instant::now();
        while !so(&self.harness) {
            assert!(
                since.elapsed() < PATIENCE,
                "{what} never came; notices: {:?}",
                self.model().notices
            );
            self.harness.step();
        }
        self.harness.run_steps(8);
    }

    fn click(&mut self, label: &str) {
        self.harness.get_all_by_label(label).last().unwrap().click();
        self.harness.run_steps(8);
    }

    fn fill(&mut self, label: &str, text: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(2);
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.harness.run_steps(2);
    }
}

/// An administrator sets up a new server and ends a session of a mail program.
#[test]
fn a_new_server_is_set_up_and_a_real_session_is_ended() {
    let Some(batpostd) = binary() else {
        eprintln!("left out: no batpostd; build it, or name it in BATPOSTD");
        return;
    };
    let daemon = Daemon::start(&batpostd);
    let mut window = Window::open(&daemon);
    window.until("the wizard", |window| window.state().model.page == Page::Wizard);
    window.click("Next");
    window.until("the step of the domain", |window| {
        window.query_by_label("Domain").is_some()
    });
    window.fill("Domain", "firm.test");
    window.click("Next");
    window.until("the step of the mailbox", |window| {
        window.query_by_label("Password").is_some()
    });
    window.fill("Address", "boss");
    window.fill("Password", "secret 1");
    window.fill("Password again", "secret 1");
    window.click("Next");
    window.until("the records", |window| {
        window.query_by_label("10 mail.example.test.").is_some()
    });

    let mut imap = TcpStream::connect(("127.0.0.1", 143 + daemon.offset)).unwrap();
    imap.set_read_timeout(Some(PATIENCE)).unwrap();
    imap.write_all(b"a LOGIN boss@firm.test \"secret 1\"\r\n")
        .unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("a OK") {
        let mut part = [0; 4096];
        let read = imap.read(&mut part).unwrap();
        assert!(
            read > 0,
            "the login was refused: {}",
            String::from_utf8_lossy(&seen)
        );
        seen.extend_from_slice(&part[..read]);
    }
    window.click("Monitor");
    let peer = imap.local_addr().unwrap().to_string();
    let mine = peer.clone();
    window.until("the session", |window| {
        let sessions = &window.state().model.sessions;
        sessions
            .held()
            .any(|(_, row)| row.user == "boss@firm.test" && row.peer.ends_with(&mine))
    });
    let row = window
        .model()
        .sessions
        .held()
        .find(|(_, row)| row.user == "boss@firm.test")
        .unwrap()
        .1
        .clone();
    assert_eq!(row.service, "imap");
    window.until("the figure of the session", |window| {
        let imap = window.state().model.monitor.service("imap");
        imap.is_some_and(|service| service.active == 1)
    });
    window.click("boss@firm.test");
    window.click("End session");
    window.click("End session");
    let mut rest = Vec::new();
    let drained = std::thread::spawn(move || imap.read_to_end(&mut rest).is_ok() || !rest.is_empty());
    window.until("the end of the session", |window| {
        let model = &window.state().model;
        model.dialog.is_none() && model.sessions.held().all(|(_, held)| held.id != row.id)
    });
    assert!(drained.join().unwrap(), "the mail program's connection is closed");
}

/// A connection of the test's own to the daemon, to ask what is true.
struct Ask {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Ask {
    fn new(daemon: &Daemon) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let endpoint = Endpoint::Data(daemon.data.path().join("d"));
        let client = runtime
            .block_on(Client::connect(&endpoint, "test", "en"))
            .unwrap();
        Self { runtime, client }
    }

    fn call<R: Request>(&self, request: R) -> R::Reply {
        self.runtime.block_on(self.client.call(request)).unwrap()
    }
}

/// Sends a message by SMTP and waits for its 250.
fn send(port: u16, text: &str) {
    let mut smtp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    smtp.set_read_timeout(Some(PATIENCE)).unwrap();
    let dialogue = format!(
        "EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<boss@firm.test>\r\nDATA\r\n{text}\r\n.\r\nQUIT\r\n"
    );
    // EHLO's answer comes first, so that what follows is pipelined as RFC 2920 has it.
    let (hello, rest) = dialogue.split_at("EHLO c.test\r\n".len());
    smtp.write_all(hello.as_bytes()).unwrap();
    smtp.write_all(rest.as_bytes()).unwrap();
    let mut answers = String::new();
    smtp.read_to_string(&mut answers).unwrap();
    assert!(answers.contains("queued as"), "{answers}");
}

/// An administrator would trust a wrong figure: every one that the monitor shows is the daemon's.
#[test]
fn every_figure_of_the_monitor_is_the_daemons() {
    let Some(batpostd) = binary() else {
        eprintln!("left out: no batpostd; build it, or name it in BATPOSTD");
        return;
    };
    let daemon = Daemon::start(&batpostd);
    let ask = Ask::new(&daemon);
    ask.call(DomainAdd {
        domain: Domain::new("firm.test".parse().unwrap()),
    });
    let user = serde_json::from_str(r#"{"address": "boss@firm.test", "password": "secret 1"}"#).unwrap();
    ask.call(UserAdd { user });
    for number in 0..7 {
        send(25 + daemon.offset, &format!("Subject: {number}\r\n\r\ntext"));
    }
    let since = Instant::now();
    loop {
        let now = ask.call(MonitorGet {});
        if now.delivered_total == 7 && now.queue_messages == 0 {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "the messages were never delivered");
    }
    // Two sessions that stay: greeted, so that the daemon has them.
    let pop3: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", 110 + daemon.offset)).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            assert!(stream.read(&mut [0; 512]).unwrap() > 0);
            stream
        })
        .collect();
    ask.call(ServiceSet {
        service: "lmtp".to_owned(),
        state: ServiceState::Paused,
    });

    let mut window = Window::open(&daemon);
    window.until("the figures", |window| {
        let history = &window.state().model.monitor;
        history.service("pop3").is_some_and(|row| row.active == 2)
            && ["smtp", "delivery"]
                .iter()
                .all(|service| history.service(service).is_some_and(|row| row.active == 0))
            && window.query_by_label("paused").is_some()
    });
    let truth = ask.call(MonitorGet {});
    assert_eq!(
        (truth.accepted_total, truth.delivered_total, truth.queue_messages),
        (7, 7, 0)
    );
    let shown = window.model().monitor.now.clone().unwrap();
    // Figures that grow by themselves (time, traffic, memory) are those of the daemon's last push; the rest is what it says now.
    assert_eq!(shown.services, truth.services);
    for (service, figure) in truth
        .services
        .iter()
        .map(|row| (&row.service, format!("{} of {}", row.active, grouped(row.max))))
    {
        assert!(
            window.harness.query_all_by_label(&figure).next().is_some(),
            "{service}: {figure} is not shown"
        );
    }
    let bytes = |size| i18n::bytes(Language::En, size);
    for (what, figure) in [
        ("accepted and delivered", grouped(truth.accepted_total)),
        ("the queue", grouped(truth.queue_messages)),
        ("sessions", grouped(2)),
        ("traffic", bytes(shown.bytes_in_total + shown.bytes_out_total)),
        ("memory", bytes(shown.memory_bytes)),
    ] {
        assert!(
            window.harness.query_all_by_label(&figure).next().is_some(),
            "{what}: {figure} is not shown"
        );
    }
    assert!(shown.memory_bytes > 0 && shown.bytes_in_total > 0 && shown.bytes_out_total > 0);
    drop(pop3);
    window.until("the end of the sessions", |window| {
        window
            .state()
            .model
            .monitor
            .service("pop3")
            .is_some_and(|row| row.active == 0)
    });
}

fn grouped(number: u64) -> String {
    i18n::grouped(Language::En, number)
}
