//! The databases by name, and which kind lies where.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use disk::SharedDisk;
use shared::protocol::Placing;

use crate::placement::MAIN;
use crate::sqlite::OpenError;
use crate::{Batch, Descriptor, Driver, Error, Kind, Memory, Placement, Sqlite, kinds};

/// Drivers that this build has.
pub const DRIVERS: &[&str] = &["sqlite", "memory"];

/// Why the placement can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PlacedError {
    #[error("the database {database} has the driver {driver}, which this build lacks")]
    Driver { database: String, driver: String },
    #[error("{kind} is placed in {database}, but there is no such database")]
    NoDatabase { kind: String, database: String },
    #[error("there is no kind {0} that could be placed")]
    NoKind(String),
    #[error("there is no table {0} that could be mapped")]
    NoTable(String),
    #[error("the mapping of {table} names the field {field}, which there is not")]
    NoField { table: String, field: String },
    #[error("the database {database} can't be opened: {cause}")]
    Open { database: String, cause: OpenError },
}

/// The databases by name and which kind lies where.
pub struct Placed {
    databases: BTreeMap<String, Arc<dyn Driver>>,
    placing: BTreeMap<Kind, String>,
    main: Arc<dyn Driver>,
}

impl Placed {
    /// Opens every database of the placement and makes the files that are missing. `data`: the data directory. Blocks.
    pub fn open(placement: &Placement, disk: &SharedDisk, data: &Path) -> Result<Self, PlacedError> {
        let placing = placing(placement)?;
        let mut databases = BTreeMap::new();
        for (name, database) in &placement.databases {
            let driver: Arc<dyn Driver> = match database.driver.as_str() {
                "memory" => Arc::new(Memory::new()),
                "sqlite" => {
                    let path = data.join(&database.path);
                    let mapping = placement.mapping.clone();
                    let opened = Sqlite::open(disk, &path, database.durable, mapping);
                    Arc::new(opened.map_err(|cause| PlacedError::Open {
                        database: name.clone(),
                        cause,
                    })?)
                }
                other => {
                    return Err(PlacedError::Driver {
                        database: name.clone(),
                        driver: other.to_owned(),
                    });
                }
            };
            databases.insert(name.clone(), driver);
        }
        let no_main = || PlacedError::NoDatabase {
            kind: "settings".to_owned(),
            database: MAIN.to_owned(),
        };
        let main = databases.get(MAIN).cloned().ok_or_else(no_main)?;
        Ok(Self {
            databases,
            placing,
            main,
        })
    }

    /// Everything in one database that is open already.
    pub fn single(driver: Arc<dyn Driver>) -> Self {
        let databases = BTreeMap::from([(MAIN.to_owned(), Arc::clone(&driver))]);
        Self {
            databases,
            placing: BTreeMap::new(),
            main: driver,
        }
    }

    /// The database where a kind lies.
    pub fn driver(&self, kind: Kind) -> &Arc<dyn Driver> {
        self.databases.get(self.database(kind)).unwrap_or(&self.main)
    }

    /// Makes all tables of the kinds that lie in tables.
    pub async fn ensure_all(&self) -> Result<(), Error> {
        for descriptor in kinds::ALL {
            self.driver(descriptor.kind).ensure(descriptor).await?;
        }
        Ok(())
    }

    /// Makes the changes of a batch. Those in one database are made all or none; with several databases, in the order in
    /// which the batch names them first, and an error leaves the later ones untouched. Gives the new revisions.
    pub async fn write(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        let mut revisions = vec![0; batch.ops.len()];
        let mut parts: Vec<(&str, Vec<usize>, Batch)> = Vec::new();
        for (number, op) in batch.ops.into_iter().enumerate() {
            let name = self.database(op.descriptor().kind);
            match parts.iter_mut().find(|(database, _, _)| *database == name) {
                Some((_, numbers, part)) => {
                    numbers.push(number);
                    part.ops.push(op);
                }
                None => parts.push((name, vec![number], Batch { ops: vec![op] })),
            }
        }
        for (name, numbers, part) in parts {
            let driver = self.databases.get(name).unwrap_or(&self.main);
            let made = driver
                .write(part)
                .await
                .map_err(|error| renumber(error, &numbers))?;
            for (number, revision) in numbers.into_iter().zip(made) {
                if let Some(place) = revisions.get_mut(number) {
                    *place = revision;
                }
            }
        }
        Ok(revisions)
    }

    /// Where each kind lies, for people.
    pub fn show(&self) -> Vec<Placing> {
        let row = |kind: &Kind| {
            let (database, driver, location) = match kind {
                Kind::Folders | Kind::Messages => ("mail", "sqlite", "mail".to_owned()),
                Kind::Queue => ("queue", "journal", "queue".to_owned()),
                _ => {
                    let driver = self.driver(*kind);
                    (self.database(*kind), driver.name(), driver.location())
                }
            };
            Placing {
                kind: kind.name().to_owned(),
                database: database.to_owned(),
                driver: driver.to_owned(),
                location,
            }
        };
        Kind::ALL.iter().map(row).collect()
    }

    fn database(&self, kind: Kind) -> &str {
        self.placing.get(&kind).map_or(MAIN, String::as_str)
    }
}

/// Checks all names of the placement.
fn placing(placement: &Placement) -> Result<BTreeMap<Kind, String>, PlacedError> {
    let mut placing = BTreeMap::new();
    for (name, database) in &placement.placing {
        let kind = Kind::from_name(name).filter(|kind| kind.is_tabular());
        let kind = kind.ok_or_else(|| PlacedError::NoKind(name.clone()))?;
        if !placement.databases.contains_key(database) {
            return Err(PlacedError::NoDatabase {
                kind: name.clone(),
                database: database.clone(),
            });
        }
        placing.insert(kind, database.clone());
    }
    for (table, mapping) in &placement.mapping {
        let known = kinds::ALL.iter().find(|descriptor| descriptor.table == table);
        let descriptor: &Descriptor = known.ok_or_else(|| PlacedError::NoTable(table.clone()))?;
        if let Some(field) = mapping
            .columns
            .keys()
            .find(|field| descriptor.position(field).is_none())
        {
            return Err(PlacedError::NoField {
                table: table.clone(),
                field: field.clone(),
            });
        }
    }
    Ok(placing)
}

/// An error names the operation by its place in the part of a batch: back to its place in the whole.
fn renumber(error: Error, numbers: &[usize]) -> Error {
    let whole = |op: usize| numbers.get(op).copied().unwrap_or(op);
    match error {
        Error::Duplicate { op, table } => Error::Duplicate { op: whole(op), table },
        Error::Stale { op, table } => Error::Stale { op: whole(op), table },
        Error::Missing { op, table } => Error::Missing { op: whole(op), table },
        Error::ReadOnly { op, table } => Error::ReadOnly { op: whole(op), table },
        Error::Unavailable(cause) => Error::Unavailable(cause),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Database, Row};

    fn memory() -> Database {
        Database {
            driver: "memory".to_owned(),
            path: String::new(),
            durable: true,
        }
    }

    fn placement(placing: &[(&str, &str)]) -> Placement {
        let names = ["main", "people"].map(|name| (name.to_owned(), memory()));
        let placing = placing
            .iter()
            .map(|(kind, database)| ((*kind).to_owned(), (*database).to_owned()));
        Placement {
            databases: names.into(),
            placing: placing.collect(),
            ..Placement::default()
        }
    }

    fn open(placement: &Placement) -> Result<Placed, PlacedError> {
        Placed::open(placement, &disk::RealDisk::shared(), Path::new("nowhere"))
    }

    #[tokio::test]
    async fn a_batch_over_two_databases_names_the_operation_that_failed() {
        let placed = open(&placement(&[("users", "people")])).unwrap();
        placed.ensure_all().await.unwrap();
        let user = || Row::new(&kinds::USER).with("key", "a@b").with("owner", 1_u64);
        let setting = |key: &str| Row::new(&kinds::SETTING).with("key", key);
        placed.write(Batch::new().insert(user())).await.unwrap();
        assert_eq!(
            placed
                .driver(Kind::Users)
                .count(&kinds::USER, None)
                .await
                .unwrap(),
            1
        );
        let batch = Batch::new().insert(setting("a")).put(setting("b")).insert(user());
        assert_eq!(
            placed.write(batch).await.unwrap_err(),
            Error::Duplicate { op: 2, table: "user" }
        );
        assert_eq!(
            placed
                .driver(Kind::Settings)
                .count(&kinds::SETTING, None)
                .await
                .unwrap(),
            2
        );
    }

    #[test]
    fn names_that_nobody_knows_are_refused() {
        assert!(matches!(
            open(&placement(&[("users", "else")])),
            Err(PlacedError::NoDatabase { .. })
        ));
        assert!(matches!(
            open(&placement(&[("cats", "main")])),
            Err(PlacedError::NoKind(_))
        ));
        assert!(matches!(
            open(&placement(&[("messages", "main")])),
            Err(PlacedError::NoKind(_))
        ));
    }

    #[test]
    fn every_kind_is_shown_with_its_place() {
        let shown = open(&placement(&[("users", "people")])).unwrap().show();
        assert_eq!(shown.len(), Kind::ALL.len());
        let users = shown.iter().find(|row| row.kind == "users").unwrap();
        assert_eq!(
            (users.database.as_str(), users.driver.as_str()),
            ("people", "memory")
        );
    }
}
