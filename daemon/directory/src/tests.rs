//! What an administrator and a peer rely on, run on both drivers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod administration;
mod app_passwords;
mod elsewhere;
mod keys;
mod logins;
mod mechanisms;
mod routes;
mod stale;
mod vacation;
mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;

use drivers::{Driver, Memory, Placed, Sqlite};
use shared::model::{Domain, User};
use shared::protocol::{NewUser, Page};

use super::*;

/// Runs a promise on a directory in memory and on one in SQLite.
pub(crate) fn on_each(promise: impl AsyncFn(&Directory, &Arc<Memory>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.db");
    let memory = Arc::new(Memory::new());
    let sqlite = Sqlite::open(&disk::RealDisk::shared(), &path, true, BTreeMap::new()).unwrap();
    let databases: [Arc<dyn Driver>; 2] = [memory.clone(), Arc::new(sqlite)];
    for database in databases {
        runtime.block_on(async {
            let placed = Arc::new(Placed::single(database));
            let directory = Directory::open(placed, [7; 32], Events::none()).await.unwrap();
            promise(&directory, &memory).await;
        });
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

pub(crate) fn new_user(text: &str, password: Option<&str>) -> NewUser {
    NewUser {
        address: address(text),
        password: password.map(str::to_owned),
        name: String::new(),
        quota_bytes: None,
        groups: Vec::new(),
        enabled: true,
    }
}

/// A domain `a.test` with the users `anna` and `boris`, without passwords.
pub(crate) async fn people(directory: &Directory) {
    directory
        .add_domain(Domain::new(name("a.test")), "test")
        .await
        .unwrap();
    for user in ["anna@a.test", "boris@a.test"] {
        directory.add_user(new_user(user, None), "test").await.unwrap();
    }
}

pub(crate) fn code<T>(result: Result<T, ChangeError>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(ChangeError::Refused(refusal)) => refusal.code,
        Err(ChangeError::Unavailable(_)) => "unavailable!".to_owned(),
    }
}
