//! Certificates that are imported beside damaged ones, and by several at once: an administrator would lose the one that was just got.

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

/// A disk on which one who reads the folder is held for a while with what was found, so that another could be faster.
#[derive(Debug, Default)]
struct Slow {
    disk: disk::RealDisk,
    holds: AtomicBool,
    held: AtomicBool,
    other: AtomicBool,
}

impl Slow {
    /// Far longer than another needs, if nothing keeps it away.
    const TURNS: usize = 200_000;

    fn wait(flag: &AtomicBool) {
        while !flag.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

impl disk::Disk for Slow {
    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        let found = self.disk.read_dir(path)?;
        if self.holds.swap(false, Ordering::SeqCst) {
            self.held.store(true, Ordering::SeqCst);
            Self::wait(&self.other);
            (0..Self::TURNS).for_each(|_| std::thread::yield_now());
        }
        Ok(found)
    }

    fn open(&self, path: &Path, how: disk::Open) -> io::Result<Box<dyn disk::File>> {
        self.disk.open(path, how)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.hard_link(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(path)
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

// A renewal while an administrator has the folder read anew: without turns the older view of it is in use, and the new certificate is not.
#[test]
fn an_import_and_a_reload_at_the_same_time_don_t_mix() {
    let temp = tempfile::tempdir().unwrap();
    let slow = Arc::new(Slow::default());
    let (tls, _) = Tls::open(slow.clone(), &temp.path().join("tls"), "mail.example.test").unwrap();
    slow.holds.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| tls.reload().unwrap());
        Slow::wait(&slow.held);
        let pem = issued(&["a.test"], 2040);
        slow.other.store(true, Ordering::SeqCst);
        tls.import(&pem).unwrap();
    });
    assert_eq!(tls.names(), ["a.test", "mail.example.test"]);
}
