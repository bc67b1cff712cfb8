//! Certificates that are imported beside damaged ones, and by several at once: an administrator would lose the one that was just got.

use std::sync::atomic::AtomicUsize;
use std::sync::{OnceLock, Weak};

use super::*;

/// The first certificate, a neighbour that was in use and is damaged now, and its handshake's certificate.
async fn beside_a_damaged_one(temp: &tempfile::TempDir) -> (Tls, Vec<u8>) {
    let (tls, _) = open(temp.path());
    let neighbour = tls.import(&issued(&["neighbour.test"], 2040)).unwrap();
    let shown = handshake(&tls, "neighbour.test", SERVER_END_POINT).await.1;
    let path = temp.path().join("tls").join(&neighbour.id).join("cert.pem");
    std::fs::write(path, "-----BEGIN CERTIFICATE-----\nAA").unwrap();
    (tls, shown)
}

#[tokio::test]
async fn a_damaged_neighbour_is_told_and_hinders_no_import() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, shown) = beside_a_damaged_one(&temp).await;
    let id = tls.import(&issued(&["a.test"], 2040)).unwrap().id;
    let damaged = tls.damaged();
    assert!(
        damaged.len() == 1 && damaged[0].contains("neighbour.test"),
        "{damaged:?}"
    );
    assert!(tls.reload().is_err());
    // It serves on until a restart, which it does not hinder either.
    assert_eq!(handshake(&tls, "neighbour.test", SERVER_END_POINT).await.1, shown);
    let (again, _) = open(temp.path());
    let ids: Vec<String> = again.certificates().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, [String::new(), id]);
    assert_eq!(again.damaged().len(), 1);
}

// Roots of clients and of outgoing connections are no reason either.
#[tokio::test]
async fn damaged_roots_hinder_no_import() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    std::fs::write(
        temp.path().join("tls/roots.pem"),
        "-----BEGIN CERTIFICATE-----\nAA",
    )
    .unwrap();
    tls.import(&issued(&["a.test"], 2040)).unwrap();
    assert_eq!(tls.damaged().len(), 1);
    assert_eq!(
        tls.certificates().last().unwrap().served_for,
        ["a.test"],
        "it is served"
    );
}

#[tokio::test]
async fn a_superseded_one_that_can_t_be_removed_is_no_failure() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, old) = beside_a_damaged_one(&temp).await;
    // A folder in the place of the file: it can't be removed as one.
    let id = tls.certificates().pop().unwrap().id;
    let path = temp.path().join("tls").join(id).join("cert.pem");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let new = tls.import(&issued(&["neighbour.test"], 2041)).unwrap();
    assert_eq!(new.served_for, ["neighbour.test"]);
    assert!(path.exists());
    assert_ne!(handshake(&tls, "neighbour.test", SERVER_END_POINT).await.1, old);
}

/// A disk that looks, whenever something is done to it or read of the folder, whether whoever does it has the turn.
#[derive(Debug, Default)]
struct Watched {
    disk: disk::RealDisk,
    /// Once the folder is open: then others may come.
    tls: OnceLock<Weak<Inner>>,
    looks: AtomicUsize,
}

impl Watched {
    fn look(&self) {
        if let Some(inner) = self.tls.get().and_then(Weak::upgrade) {
            assert!(inner.changing.is_locked(), "another could be in between");
            self.looks.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// How often it looked meanwhile.
    fn looks_at(&self, work: impl FnOnce()) -> usize {
        let before = self.looks.load(Ordering::SeqCst);
        work();
        self.looks.load(Ordering::SeqCst) - before
    }
}

impl disk::Disk for Watched {
    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.look();
        self.disk.read_dir(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.look();
        self.disk.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.look();
        self.disk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.look();
        self.disk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.look();
        self.disk.remove_dir_all(path)
    }

    fn open(&self, path: &Path, how: disk::Open) -> io::Result<Box<dyn disk::File>> {
        self.disk.open(path, how)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.hard_link(from, to)
    }
    fn metadata(&self, path: &Path) -> io::Result<disk::Metadata> {
        self.disk.metadata(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
    fn syncs_directories(&self) -> bool {
        self.disk.syncs_directories()
    }
    fn lock(&self, directory: &Path) -> io::Result<disk::Lock> {
        self.disk.lock(directory)
    }
    fn available_bytes(&self, path: &Path) -> io::Result<u64> {
        self.disk.available_bytes(path)
    }
    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        self.disk.real_path(path)
    }
    fn space(&self) -> &disk::space::Space {
        self.disk.space()
    }
}

// A renewal while an administrator has the folder read anew: without turns the older view of it would come into use, and the new certificate not.
#[test]
fn an_import_and_a_reload_at_the_same_time_don_t_mix() {
    let temp = tempfile::tempdir().unwrap();
    let disk = Arc::new(Watched::default());
    let (tls, _) = Tls::open(disk.clone(), &temp.path().join("tls"), "mail.example.test").unwrap();
    disk.tls.set(Arc::downgrade(&tls.inner)).unwrap();
    assert!(disk.looks_at(|| tls.reload().unwrap()) > 0);
    assert!(disk.looks_at(|| tls.ask_clients(true).unwrap()) > 0);
    let mut id = String::new();
    let import = || id = tls.import(&issued(&["a.test"], 2040)).unwrap().id;
    // Writes, and reads what is in use then.
    assert!(disk.looks_at(import) > 3);
    assert!(disk.looks_at(|| tls.remove(&id).unwrap()) > 2);
    assert!(!tls.inner.changing.is_locked());
}
