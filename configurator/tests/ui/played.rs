//! The daemon's part: recorded replies, a directory of 100,000 users made by rule, and a stage to play it on.

use std::collections::VecDeque;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use batpost_configurator::app::App;
use batpost_configurator::link::{Arrival, Export, Failed, Outgoing};
use batpost_configurator::model::{Message, Model, Page};
use batpost_configurator::theme::Choice;
use eframe::egui;
use egui_kittest::Harness;
use i18n::Language;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use shared::Refusal;
use shared::protocol::Failure;

/// The moment at which these tests happen, in Unix seconds.
pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const USERS: u64 = 100_000;

/// The daemon as far as the tests need it.
#[derive(Default)]
pub(crate) struct Played {
    /// What was asked, in order.
    pub(crate) asked: Vec<(String, Value)>,
    /// Answers of the next requests of a method, before the recorded ones.
    pub(crate) next: VecDeque<(&'static str, Result<Value, Refusal>)>,
    /// What was to be written, and where to.
    pub(crate) exports: Vec<(Export, PathBuf)>,
    pub(crate) first_run: bool,
    pub(crate) empty: bool,
    /// Messages are larger than what is shown of them.
    pub(crate) large: bool,
}

impl Played {
    pub(crate) fn last(&self, method: &str) -> Option<&Value> {
        self.asked
            .iter()
            .rev()
            .find(|(asked, _)| asked == method)
            .map(|(_, params)| params)
    }

    fn answer(&mut self, method: &str, params: &Value) -> Result<Value, Failed> {
        self.asked.push((method.to_owned(), params.clone()));
        if let Some(at) = self.next.iter().position(|(wanted, _)| *wanted == method) {
            let (_, answer) = self.next.remove(at).unwrap();
            return answer.map_err(refused);
        }
        Ok(self.recorded(method, params))
    }

    fn on_messages(&self, method: &str, params: &Value) -> Value {
        match method {
            "queue.show" => message(params["id"].as_str().unwrap_or_default()),
            "queue.read" if self.large => {
                json!({"base64": STANDARD.encode(vec![b'x'; params["limit"].as_u64().unwrap() as usize])})
            }
            "queue.read" => json!({"base64": "U3ViamVjdDogaGVsbG8NCg0KVGV4dC4NCg=="}),
            _ => json!({"count": 1}),
        }
    }

    fn recorded(&self, method: &str, params: &Value) -> Value {
        let list = |rows: Value| {
            if self.empty {
                json!({"total": 0, "rows": []})
            } else {
                rows
            }
        };
        match method {
            "domain.list" => list(domains()),
            "user.list" => list(users(&params["page"])),
            "alias.list" => list(json!({"total": 2, "rows": [
                {"address": "sales@example.test", "targets": ["ivan@example.test", "maria@example.test"], "revision": 4},
                {"address": "старый@example.test", "targets": ["ivan@example.test"], "enabled": false, "revision": 5},
            ]})),
            "group.list" => list(json!({"total": 2, "rows": [
                {"name": "accounts", "description": "Бухгалтерия", "address": "accounts@example.test",
                 "members": ["ivan@example.test"], "member_groups": [], "revision": 3},
                {"name": "everyone", "members": [], "member_groups": ["accounts"], "revision": 2},
            ]})),
            "tree.list" => list(json!({"total": 2, "rows": [
                {"name": "accounts", "of": "group", "owner": 77, "quota_bytes": 1_073_741_824_u64, "revision": 6},
                {"name": "example.test", "of": "domain", "owner": 78, "quota_bytes": null, "revision": 7},
            ]})),
            "dkim.list" => json!({"total": 1, "rows": [{
                "domain": params["domain"], "selector": "s1", "algorithm": "rsa", "active": false, "created": NOW,
                "record_name": "s1._domainkey.example.test", "record": "v=DKIM1; k=rsa; p=MIIB", "revision": 1}]}),
            "app-password.list" => json!([
                {"label": "Phone", "protocols": ["imap", "submission"], "made_at": 1_790_000_000, "used_at": 1_795_000_000},
                {"label": "Принтер", "protocols": [], "made_at": 1_790_000_000, "used_at": null},
            ]),
            "user-certificate.list" => json!([
                {"fingerprint": "ab".repeat(32), "label": "Ноутбук"},
            ]),
            "certificate.list" => json!([
                {"id": "", "names": ["mail.example.test"], "issuer": "mail.example.test", "not_after": 2_100_000_000,
                 "self_signed": true, "served_for": [], "default": false},
                {"id": "mail.example.test-0123abcd", "names": ["mail.example.test", "почта.example.test"], "issuer": "Trust & Sons",
                 "not_after": 2_000_000_000, "self_signed": false, "served_for": ["mail.example.test"], "default": true},
            ]),
            "certificate.orders" => json!([
                {"names": ["mail.example.test", "почта.example.test"], "working": false, "id": "mail.example.test-0123abcd",
                 "not_after": 2_000_000_000, "next_try": 1_990_000_000, "failures": 0, "reason": ""},
                {"names": ["imap.example.test"], "working": false, "id": "", "not_after": 0, "next_try": 1_990_000_000,
                 "failures": 2, "reason": "imap.example.test: connection: 192.0.2.1: Connection refused"},
            ]),
            "certificate.obtain" => {
                json!({"names": ["imap.example.test"], "working": true, "id": "", "not_after": 0,
                "next_try": 0, "failures": 0, "reason": ""})
            }
            "certificate.forget" | "certificate.revoke" | "certificate.rekey" => json!({}),
            "app-password.add" => json!({"password": "abcd-efgh-ijkm-npqr"}),
            "route.list" => list(json!({"total": 1, "rows": [
                {"name": "archive", "place": 10, "enabled": true, "to": ["archive.test"], "from": [], "hosts": ["192.0.2.9"],
                 "tls": "verified", "protocol": "lmtp", "user": "me", "has_password": true, "comment": "", "revision": 7}
            ]})),
            "route.test" => {
                json!({"by": "route", "route": "archive", "protocol": "lmtp", "tls": "verified", "user": "me", "problem": "",
                "hosts": [{"host": "mx.archive.test", "address": "192.0.2.9:24", "security": "verified"}]})
            }
            "external.list" => list(accounts()),
            "external.fetch" => json!({"is_running": true}),
            "external.test" => {
                json!({"server": "imap.example.com [192.0.2.7]:993", "tls": "TLSv1.3", "certificate": "",
                "mechanism": "SCRAM-SHA-256", "messages": 12, "problem": null})
            }
            "access.list" => list(json!({"total": 3, "rows": [
                {"side": "block", "pattern": "203.0.113.0/24", "comment": "spam since March", "revision": 1},
                {"side": "block", "pattern": "*.dynamic.example.net", "revision": 2},
                {"side": "allow", "pattern": "partner@example.org", "comment": "партнёр", "revision": 3},
            ]})),
            "report.list" => json!({"total": 2, "rows": [
                {"kind": "dmarc", "domain": "signer.test", "day": 1_764_288_000, "count": 5},
                {"kind": "tls", "domain": "far.test", "day": 1_764_288_000, "count": 2}]}),
            "queue.list" => list(queue()),
            _ if method.starts_with("queue.") => self.on_messages(method, params),
            "session.list" => list(sessions()),
            "folder.list"
                if params["user"]
                    .as_str()
                    .is_some_and(|user| user.starts_with("Public/")) =>
            {
                public()
            }
            "folder.list" => folders(),
            "log.query" => list(log(params)),
            "setting.list" => json!({"revision": 7, "values": shared::settings::SETTINGS.iter()
                .map(|setting| json!([setting.key, setting.default])).collect::<Vec<_>>()}),
            "storage.show" => json!({"drivers": ["sqlite"], "kinds": [
                {"kind": "settings", "database": "config", "driver": "sqlite", "location": "/var/lib/batpost/config.db"},
                {"kind": "messages", "database": "mail", "driver": "sqlite", "location": "/var/lib/batpost/mail"},
                {"kind": "queue", "database": "queue", "driver": "journal", "location": "/var/lib/batpost/queue"},
            ]}),
            "check" => json!({"mailboxes": 12, "messages": 3456, "problems": []}),
            "user.get" => user(0)["user"].clone(),
            _ => json!({"revision": 8}),
        }
    }
}

/// External accounts: one that is fetched, one that fails.
fn accounts() -> Value {
    json!({"total": 2, "rows": [
        {"user": "ivan.petrov@example.test", "name": "gmail", "host": "imap.example.com", "login": "ivan", "has_password": true,
         "after": {"days": 30}, "into": "Old mail", "revision": 7,
         "state": {"last_visit": NOW, "next_visit": NOW + 900, "fetched_total": 1234}},
        {"user": "мария@example.test", "name": "Работа", "protocol": "pop3", "host": "pop.example.net", "login": "maria", "revision": 3,
         "state": {"last_visit": NOW, "failures": 3, "problem": {"code": "external-login-refused", "args": {"answer": "-ERR no"}}}},
    ]})
}

pub(crate) fn refused(refusal: Refusal) -> Failed {
    Failed::Daemon(Failure {
        code: 1,
        message: refusal.code.clone(),
        data: Some(refusal),
    })
}

fn domains() -> Value {
    json!({"total": 3, "rows": [
        {"name": "example.test", "users": USERS, "description": "Головной офис", "user_quota_bytes": 2_147_483_648_u64, "revision": 1},
        {"name": "xn--e1afmkfd.xn--p1ai", "users": 12, "aliases": ["example.org"], "revision": 1},
        {"name": "old.example.test", "users": 0, "enabled": false, "revision": 1},
    ]})
}

const NAMES: [&str; 6] = [
    "Иван Петров",
    "Maria Schmidt",
    "Алексей Ёлкин",
    "Zoë O’Neill",
    "Жанна Щукина",
    "John Smith",
];
const LOCALS: [&str; 6] = [
    "ivan.petrov",
    "maria.schmidt",
    "a.yolkin",
    "zoe.oneill",
    "j.schukina",
    "john.smith",
];

pub(crate) fn user(index: u64) -> Value {
    let at = (index % 6) as usize;
    let local = if index < 6 {
        LOCALS[at].to_owned()
    } else {
        format!("{}{index}", LOCALS[at])
    };
    let quota = index.is_multiple_of(3).then_some(1_073_741_824_u64);
    let mut row = json!({
        "address": format!("{local}@example.test"), "owner": index + 1, "name": NAMES[at],
        "enabled": index % 11 != 5, "has_password": index % 13 != 7, "quota_bytes": quota,
        "groups": if index.is_multiple_of(4) { vec!["accounts", "everyone"] } else { vec![] },
        "revision": 5,
    });
    let user = row.clone();
    row["used_bytes"] = json!(index * 7_654_321 % 1_060_000_000);
    row["user"] = user;
    row
}

fn users(page: &Value) -> Value {
    let filter = page["filter"].as_str().unwrap_or_default();
    let (offset, limit) = (
        page["offset"].as_u64().unwrap_or_default(),
        page["limit"].as_u64().unwrap_or(100),
    );
    if filter.is_empty() {
        let rows: Vec<Value> = (offset..(offset + limit).min(USERS)).map(user).collect();
        return json!({"total": USERS, "rows": rows});
    }
    let found: Vec<Value> = (0..600)
        .map(user)
        .filter(|row| row["address"].as_str().unwrap().contains(filter))
        .collect();
    json!({"total": found.len(), "rows": found})
}

fn queue_row(index: i64) -> Value {
    json!({"id": format!("4fK9-{index:04}"), "sender": if index == 2 { String::new() } else { format!("user{index}@example.test") },
        "recipients": ["someone@example.com", "other@example.net"], "recipients_total": 2 + index,
        "size": 4_321 + index * 98_765, "arrived": NOW - 600 * (index + 1), "next_try": NOW + 125 * index,
        "attempts": index, "held": index == 3, "last_reply": "451 4.7.1 Greylisted, please try again in 300 seconds"})
}

fn queue() -> Value {
    json!({"total": 7, "rows": (0..7).map(queue_row).collect::<Vec<_>>()})
}

fn message(id: &str) -> Value {
    let mut message = queue_row(1);
    message["id"] = json!(id);
    message["states"] = json!([
        {"address": "someone@example.com", "state": "waiting", "attempts": 2, "next_try": NOW + 300,
         "last_reply": "451 4.7.1 Greylisted, please try again in 300 seconds"},
        {"address": "other@example.net", "state": "delivered", "attempts": 1, "last_reply": "250 2.0.0 OK", "next_try": null},
    ]);
    message
}

fn sessions() -> Value {
    let rows: Vec<Value> = (0..40)
        .map(|at| {
            let service = ["imap", "smtp", "submission", "pop3"][at % 4];
            let state = ["IDLE", "DATA", "FETCH", "STAT"][at % 4];
            json!({"id": 1000 + at, "service": service, "protocol": service, "peer": format!("192.0.2.{at}:49{at:03}"),
                "user": if service == "smtp" { String::new() } else { format!("{}@example.test", LOCALS[at % 6]) },
                "state": state, "tls": at % 3 != 0, "since": NOW - 37 * at as i64,
                "bytes_in": 1234 * at, "bytes_out": 987_654 * at})
        })
        .collect();
    json!({"total": 40, "rows": rows})
}

fn folders() -> Value {
    let folder = |name: &str, special: Option<&str>, messages: u64| {
        json!({"name": name, "special_use": special, "messages": messages, "unseen": messages / 10,
            "bytes": messages * 45_678, "subscribed": true,
            "rights": if name == "INBOX" { json!({"maria@example.test": "lrs", "$accounts": "lrswi", "anyone": "p"}) } else { json!({}) }})
    };
    json!({"total": 5, "rows": [
        folder("INBOX", None, 1234), folder("Archive", Some("archive"), 56_789), folder("Archive/2025", None, 321),
        folder("Sent", Some("sent"), 77), folder("Работа", None, 0),
    ]})
}

fn public() -> Value {
    let folder = |name: &str, messages: u64, rights: Value| {
        json!({"name": name, "special_use": null, "messages": messages, "unseen": 0, "bytes": messages * 9_876,
            "subscribed": false, "rights": rights})
    };
    json!({"total": 3, "rows": [
        folder("INBOX", 12, json!({"$accounts": "lrswipkxte", "@example.test": "lrs", "-maria@example.test": "lr"})),
        folder("Отчёты", 345, json!({"$accounts": "lrswipkxte"})), folder("Отчёты/2026", 6, json!({})),
    ]})
}

fn log(params: &Value) -> Value {
    let before = params["query"]["before"]
        .as_u64()
        .filter(|before| *before > 0)
        .unwrap_or(300);
    let limit = params["query"]["limit"].as_u64().unwrap_or(200);
    let rows: Vec<Value> = (1..before)
        .rev()
        .take(limit as usize)
        .map(log_row)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    json!({"total": 299, "rows": rows})
}

pub(crate) fn log_row(seq: u64) -> Value {
    let (channel, severity, text) = [
        (
            "imap",
            "info",
            "ivan.petrov@example.test logged in from 192.0.2.17 with SCRAM-SHA-256",
        ),
        (
            "smtp",
            "info",
            "Message 4fK9-0001 of 45 KB accepted from maria@example.test for 3 recipients",
        ),
        (
            "security",
            "warning",
            "Login of root failed from 203.0.113.9: unknown user",
        ),
        (
            "delivery",
            "info",
            "Message 4fK9-0001 delivered to mx.example.com: 250 2.0.0 OK",
        ),
        (
            "errors",
            "error",
            "Почтовый ящик a.yolkin@example.test повреждён: 2 письма пропущены",
        ),
    ][(seq % 5) as usize];
    json!({"seq": seq, "at_us": (NOW - 300 + seq as i64) * 1_000_000 + 123_000, "channel": channel,
        "severity": severity, "code": "login-ok", "session": 1000 + seq % 7, "message": if channel == "smtp" { json!("4fK9-0001") } else { Value::Null },
        "text": text, "fields": {"peer": "192.0.2.17", "user": "ivan.petrov@example.test"}})
}

pub(crate) fn monitor(at: i64) -> Value {
    let wave = |base: f64, phase: f64| (base * (1.4 + ((at as f64) / 37.0 + phase).sin())).round() as u64;
    let service = |name: &str, state: &str, active: u64, max: u64| {
        json!({"service": name, "state": state, "active": active, "max": max, "total": active * 321,
            "listeners": ["0.0.0.0:25", "[::]:25"]})
    };
    json!({"at": at, "uptime_s": 86_400 * 3 + at - NOW + 600, "services": [
        service("smtp", "running", wave(31.0, 0.3), 2000), service("submission", "running", wave(12.0, 1.1), 2000),
        service("lmtp", "stopped", 0, 500), service("pop3", "paused", wave(4.0, 2.0), 5000),
        service("imap", "running", wave(240.0, 4.0), 20_000), service("delivery", "running", wave(8.0, 5.0), 20)],
        "queue_messages": 7, "accepted_total": 123_456 + (at - NOW + 600) * 3, "delivered_total": 123_449 + (at - NOW + 600) * 3,
        "bytes_in_total": 9_876_543_210_u64, "bytes_out_total": 45_678_901_234_u64 + (at - NOW + 600) as u64 * 98_765,
        "memory_bytes": 187_654_321, "missed": 0})
}

/// The program with the played daemon.
pub(crate) struct Stage {
    pub(crate) harness: Harness<'static, App>,
    pub(crate) daemon: Played,
}

pub(crate) fn model(language: Language, theme: Choice) -> Model {
    Model::new("/var/lib/batpost", language, theme, TimeZone::UTC, NOW)
}

impl Stage {
    pub(crate) fn new(language: Language, theme: Choice, size: [f32; 2]) -> Self {
        let harness = Harness::builder()
            .with_size(egui::Vec2::from(size))
            .with_max_steps(64)
            .build_eframe(|cc| App::new(&cc.egui_ctx, model(language, theme), None, None, Box::new(|| NOW)));
        Self {
            harness,
            daemon: Played::default(),
        }
    }

    /// Connected, with some minutes of figures.
    pub(crate) fn connected(language: Language, theme: Choice) -> Self {
        let mut stage = Self::new(language, theme, [1280.0, 820.0]);
        stage.connect();
        stage
    }

    pub(crate) fn connect(&mut self) {
        let welcome = json!({"version": {"major": 1, "minor": 0}, "server": "0.1.0", "hostname": "mail.example.test",
            "first_run": self.daemon.first_run});
        self.arrive(Arrival::Connected(serde_json::from_value(welcome).unwrap()));
        for at in (NOW - 300)..=NOW {
            self.arrive(Arrival::Note {
                channel: "monitor".to_owned(),
                params: monitor(at),
            });
        }
        self.settle();
    }

    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        self.harness.state_mut().model.receive(arrival);
    }

    pub(crate) fn send(&mut self, message: Message) {
        self.harness.state_mut().model.update(message);
        self.settle();
    }

    pub(crate) fn go(&mut self, page: Page) {
        self.send(Message::Go(page));
    }

    /// Draws and answers until nothing is asked any more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..20 {
            self.harness.run_steps(8);
            let asked = self.harness.state_mut().model.take_outbox();
            if asked.is_empty() {
                return;
            }
            for outgoing in asked {
                let (id, result) = match outgoing {
                    Outgoing::Call { id, method, params } => (id, self.daemon.answer(method, &params)),
                    Outgoing::Export { id, what, path } => {
                        let count = match &what {
                            Export::Log(_) => 7,
                            Export::Messages(ids) => ids.len(),
                        };
                        self.daemon.exports.push((what, path));
                        (id, Ok(json!(count)))
                    }
                    Outgoing::Language(_) | Outgoing::Retry => continue,
                };
                self.arrive(Arrival::Answer { id, result });
            }
        }
        panic!("the program never stops asking");
    }
}
