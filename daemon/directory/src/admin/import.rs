//! Users from a CSV file: a header line names the columns, a line that is wrong is reported, the rest is imported.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use drivers::{Batch, Filter, Value, kinds};
use shared::mechanisms::Mechanisms;
use shared::model::{Domain, OwnerId};
use shared::protocol::{ImportError, ImportReport, NewUser};
use shared::{Address, DomainName, Refusal};

use super::domains::add_locked;
use super::users::{check, check_room, insertion, new_user};
use super::{in_own_domain, unknown_domain};
use crate::core::Core;
use crate::password::{Given, Stored};
use crate::{ChangeError, Unavailable};

/// Longest file in bytes.
const CSV_LENGTH_MAX_BYTES: usize = 64 << 20;
/// Users written in one transaction.
const PIECE_USERS: usize = 500;
/// Lines whose refusals are reported one by one.
const REPORTED_MAX: usize = 1000;
/// Groups that one line may name.
const LINE_GROUPS_MAX: usize = 100;
const COLUMNS: [&str; 6] = ["address", "password", "name", "quota", "groups", "enabled"];

/// A line that could be read.
struct Entry {
    line: u64,
    user: NewUser,
    given: Option<Given>,
    /// How the user may log in.
    wanted: Mechanisms,
    stored: Option<Stored>,
}

pub(crate) async fn import(
    core: &Arc<Core>,
    text: &str,
    create_domains: bool,
    by: &str,
) -> Result<ImportReport, ChangeError> {
    if text.len() > CSV_LENGTH_MAX_BYTES {
        return Err(Refusal::new("import-too-large")
            .with("max", CSV_LENGTH_MAX_BYTES)
            .into());
    }
    let mut report = ImportReport::default();
    let mut refused = Vec::new();
    let mut entries = read(text, &mut refused)?.into_iter();
    loop {
        let mut piece: Vec<_> = entries.by_ref().take(PIECE_USERS).collect();
        if piece.is_empty() {
            break;
        }
        for entry in &mut piece {
            entry.wanted = core.mechanisms_of(&entry.user.address).await?;
        }
        let piece = hash(piece, &mut refused).await?;
        report.imported += write(core, piece, create_domains, by, &mut refused).await?;
    }
    refused.sort_by_key(|error: &ImportError| error.line);
    report.refused_total = refused.len() as u64;
    refused.truncate(REPORTED_MAX);
    report.refused = refused;
    Ok(report)
}

/// Reads all lines; those that can't be taken go to `refused`.
fn read(text: &str, refused: &mut Vec<ImportError>) -> Result<Vec<Entry>, Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::Headers)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|_| Refusal::new("import-header-invalid"))?;
    let columns: Vec<_> = header.iter().map(str::to_lowercase).collect();
    for (at, column) in columns.iter().enumerate() {
        let again = columns.iter().take(at).any(|other| other == column);
        if again || !COLUMNS.contains(&column.as_str()) {
            return Err(Refusal::new("import-column-unknown").with("column", column));
        }
    }
    if !columns.iter().any(|column| column == "address") {
        return Err(Refusal::new("import-header-invalid"));
    }
    let mut entries = Vec::new();
    for record in reader.records() {
        let (line, entry) = match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| line_of(text, position));
                (line, entry(&columns, &record, line))
            }
            Err(error) => {
                let line = error.position().map_or(0, |position| line_of(text, position));
                (line, Err(Refusal::new("import-line-invalid")))
            }
        };
        match entry {
            Ok(entry) => entries.push(entry),
            Err(refusal) => refused.push(ImportError { line, refusal }),
        }
    }
    Ok(entries)
}

/// The reader counts the empty lines before a record to the record.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let empty = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|byte| **byte == b'\n');
    position.line() + empty.count() as u64
}

fn entry(columns: &[String], record: &csv::StringRecord, line: u64) -> Result<Entry, Refusal> {
    if record.len() > columns.len() {
        return Err(Refusal::new("import-line-invalid"));
    }
    let cell = |name: &str| {
        let at = columns.iter().position(|column| column == name);
        at.and_then(|at| record.get(at)).unwrap_or_default()
    };
    let password = cell("password");
    let given = if password.is_empty() {
        None
    } else {
        Some(Given::parse(password)?)
    };
    let groups = cell("groups")
        .split([';', ','])
        .map(str::trim)
        .filter(|group| !group.is_empty());
    let groups: Vec<_> = groups.take(LINE_GROUPS_MAX + 1).map(str::to_owned).collect();
    if groups.len() > LINE_GROUPS_MAX {
        return Err(Refusal::new("too-many")
            .with("field", "groups")
            .with("max", LINE_GROUPS_MAX)
            .field("groups"));
    }
    let user = NewUser {
        address: Address::parse(cell("address").trim()).map_err(|refusal| refusal.field("address"))?,
        password: None,
        name: cell("name").trim().to_owned(),
        quota_bytes: quota(cell("quota").trim())?,
        groups,
        enabled: enabled(cell("enabled").trim())?,
    };
    Ok(Entry {
        line,
        user,
        given,
        wanted: Mechanisms::standard(),
        stored: None,
    })
}

/// Bytes, or with K, M, G, T (of 1024); empty: the domain's.
fn quota(text: &str) -> Result<Option<u64>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let upper = text.to_ascii_uppercase();
    let upper = upper
        .strip_suffix("IB")
        .or(upper.strip_suffix('B'))
        .unwrap_or(&upper);
    let (number, shift) = [('K', 10), ('M', 20), ('G', 30), ('T', 40)]
        .iter()
        .find_map(|(letter, shift)| upper.strip_suffix(*letter).map(|number| (number, *shift)))
        .unwrap_or((upper, 0));
    let bytes = number
        .trim()
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift));
    let invalid = || Refusal::new("quota-invalid").with("value", text).field("quota");
    bytes
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .map(Some)
        .ok_or_else(invalid)
}

fn enabled(text: &str) -> Result<bool, Refusal> {
    match text.to_ascii_lowercase().as_str() {
        "" | "1" | "y" | "yes" | "true" | "on" => Ok(true),
        "0" | "n" | "no" | "false" | "off" => Ok(false),
        _ => Err(Refusal::new("enabled-invalid")
            .with("value", text)
            .field("enabled")),
    }
}

/// Hashes the passwords of a piece on as many threads as there are cores.
async fn hash(piece: Vec<Entry>, refused: &mut Vec<ImportError>) -> Result<Vec<Entry>, Unavailable> {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let share = piece.len().div_ceil(cores).max(1);
    let mut piece = piece.into_iter();
    let mut tasks = Vec::new();
    loop {
        let part: Vec<_> = piece.by_ref().take(share).collect();
        if part.is_empty() {
            break;
        }
        tasks.push(tokio::task::spawn_blocking(move || {
            part.into_iter().map(hash_one).collect::<Vec<_>>()
        }));
    }
    let mut hashed = Vec::new();
    for task in tasks {
        for result in task
            .await
            .map_err(|_| Unavailable("hashing passwords failed".to_owned()))?
        {
            match result {
                Ok(entry) => hashed.push(entry),
                Err(error) => refused.push(error),
            }
        }
    }
    Ok(hashed)
}

fn hash_one(mut entry: Entry) -> Result<Entry, ImportError> {
    if let Some(given) = entry.given.take() {
        let stored = Stored::make_for_import(&entry.user.address.key(), &given, entry.wanted);
        entry.stored = Some(stored.map_err(|refusal| ImportError {
            line: entry.line,
            refusal,
        })?);
    }
    Ok(entry)
}

/// Checks and writes a piece in one transaction. Gives the number of users that were made.
async fn write(
    core: &Core,
    piece: Vec<Entry>,
    create_domains: bool,
    by: &str,
    refused: &mut Vec<ImportError>,
) -> Result<u64, ChangeError> {
    let _changing = core.changing.lock().await;
    let mut taken = taken(core, &piece).await?;
    let mut batch = Batch::new();
    let mut names = Vec::new();
    let mut new: HashMap<DomainName, u64> = HashMap::new();
    let mut owners = core.new_owners(piece.len() as u64).await?;
    for entry in piece {
        let line = entry.line;
        match admit(core, &entry, create_domains, by, &mut taken, &mut new).await {
            Ok(address) => {
                let mut user = new_user(address, &entry.user, entry.stored.is_some());
                user.owner = OwnerId(owners.next().unwrap_or(0));
                batch = insertion(core, batch, &user, entry.stored.as_ref())?;
                names.push((user.address.key(), user.address.to_string()));
            }
            Err(ChangeError::Refused(refusal)) => refused.push(ImportError { line, refusal }),
            Err(unavailable @ ChangeError::Unavailable(_)) => return Err(unavailable),
        }
    }
    if names.is_empty() {
        return Ok(0);
    }
    core.write(batch, "user", "").await?;
    for (key, name) in &names {
        core.caches.forget_user(key, None);
        core.record("user", name, "added", by);
    }
    // One for all: a subscriber reads the list again.
    core.announce("user", "", by);
    Ok(names.len() as u64)
}

/// The keys of the piece that somebody has already.
async fn taken(core: &Core, piece: &[Entry]) -> Result<HashSet<String>, Unavailable> {
    let mut keys: Vec<Value> = Vec::with_capacity(piece.len());
    for entry in piece {
        let address = &entry.user.address;
        let domain = core.domain_of(address.domain()).await?;
        keys.push(
            domain
                .map_or_else(
                    || address.key(),
                    |domain| crate::core::local_key(address.local(), &domain),
                )
                .into(),
        );
    }
    let mut taken = HashSet::new();
    for (descriptor, field) in [
        (&kinds::USER, "key"),
        (&kinds::ALIAS, "key"),
        (&kinds::GROUP, "address_key"),
    ] {
        let rows = core.all(descriptor, Filter::any_of(field, keys.clone())).await?;
        taken.extend(rows.iter().map(|row| row.text(field).to_owned()));
    }
    Ok(taken)
}

/// Whether the user may be made; gives the address under the domain's own name.
async fn admit(
    core: &Core,
    entry: &Entry,
    create_domains: bool,
    by: &str,
    taken: &mut HashSet<String>,
    new: &mut HashMap<DomainName, u64>,
) -> Result<Address, ChangeError> {
    let name = entry.user.address.domain();
    if core.domain_of(name).await?.is_none() {
        if !create_domains {
            return Err(unknown_domain(name).into());
        }
        add_locked(core, Domain::new(name.clone()), by).await?;
    }
    let address = in_own_domain(core, &entry.user.address).await?;
    check(core, &new_user(address.clone(), &entry.user, false)).await?;
    let more = new.entry(address.domain().clone()).or_insert(0);
    check_room(core, address.domain(), *more + 1).await?;
    if !taken.insert(address.key()) {
        return Err(Refusal::new("user-exists")
            .with("name", &address)
            .field("address")
            .into());
    }
    *more += 1;
    Ok(address)
}
