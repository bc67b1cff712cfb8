//! One suite, both disks: what the rooms above rely on.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Disk, Linked, Open, RealDisk, SimDisk};

/// Runs a case on a fresh directory of each disk.
fn on_both(case: impl Fn(&dyn Disk, &Path)) {
    let temporary = tempfile::tempdir().unwrap();
    case(&RealDisk::new(), temporary.path());
    let sim = SimDisk::new(1);
    let root = PathBuf::from("/data");
    sim.create_dir(&root).unwrap();
    case(&sim, &root);
}

#[test]
fn files_are_read_and_written_at_positions() {
    on_both(|disk, root| {
        let path = root.join("file");
        let file = disk.open(&path, Open::CreateNew).unwrap();
        file.write_all_at(b"world", 6).unwrap();
        file.write_all_at(b"hello ", 0).unwrap();
        assert_eq!(file.len().unwrap(), 11);
        let mut buffer = [0; 5];
        file.read_exact_at(&mut buffer, 6).unwrap();
        assert_eq!(&buffer, b"world");
        assert_eq!(file.read_at(&mut buffer, 11).unwrap(), 0);
        assert_eq!(
            file.read_exact_at(&mut buffer, 8).unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
        file.set_len(5).unwrap();
        file.set_len(7).unwrap();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"hello\0\0");
        assert_eq!(disk.len(&path).unwrap(), 7);
        file.allocate_zeroed(3 << 20).unwrap();
        assert_eq!(disk.len(&path).unwrap(), 3 << 20);
    });
}

#[test]
fn opening_says_what_is_missing_and_what_is_there() {
    on_both(|disk, root| {
        let path = root.join("file");
        for how in [Open::Read, Open::ReadWrite { create: false }] {
            assert_eq!(
                disk.open(&path, how).unwrap_err().kind(),
                ErrorKind::NotFound,
                "{how:?}"
            );
        }
        disk.open(&path, Open::ReadWrite { create: true })
            .unwrap()
            .write_all_at(b"kept", 0)
            .unwrap();
        assert_eq!(
            disk.open(&path, Open::CreateNew).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        disk.open(&path, Open::ReadWrite { create: true }).unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"kept");
        assert!(
            disk.open(&path, Open::Read)
                .unwrap()
                .write_all_at(b"x", 0)
                .is_err()
        );
        assert!(disk.open(&root.join("no/file"), Open::CreateNew).is_err());
    });
}

#[test]
fn names_change_in_one_step() {
    on_both(|disk, root| {
        let (a, b, c) = (root.join("a"), root.join("b"), root.join("c"));
        disk.write_atomic(&a, b"one").unwrap();
        disk.write_atomic(&b, b"two").unwrap();
        assert_eq!(
            disk.hard_link(&a, &b).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(disk.link_or_copy(&a, &c).unwrap(), Linked::Link);
        disk.rename(&a, &b).unwrap();
        assert_eq!(disk.read_dir(root).unwrap(), ["b", "c"]);
        assert_eq!(disk.read(&b).unwrap(), b"one");
        disk.remove_file(&b).unwrap();
        assert_eq!(
            disk.read(&c).unwrap(),
            b"one",
            "the other name of a removed file stays"
        );
        assert_eq!(disk.remove_file(&b).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(disk.rename(&b, &c).unwrap_err().kind(), ErrorKind::NotFound);
        disk.sync_dir(root).unwrap();
        assert!(disk.exists(&c).unwrap());
        assert!(!disk.exists(&b).unwrap());
    });
}

#[test]
fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
    on_both(|disk, root| {
        let path = root.join("mark");
        for bytes in [&b"first, and long"[..], b"second"] {
            disk.write_atomic(&path, bytes).unwrap();
            assert_eq!(disk.read(&path).unwrap(), bytes);
            assert_eq!(disk.read_dir(root).unwrap(), ["mark"]);
        }
        assert!(disk.write_atomic(&root.join("missing/mark"), b"x").is_err());
    });
}

#[test]
fn directories_are_made_and_removed_with_what_is_in_them() {
    on_both(|disk, root| {
        let deep = root.join("one/two/three");
        disk.create_dir_all(&deep).unwrap();
        disk.create_dir_all_synced(&deep.join("four")).unwrap();
        disk.create_dir_all(&deep).unwrap();
        assert_eq!(
            disk.create_dir(&deep).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        disk.write_atomic(&deep.join("file"), b"x").unwrap();
        assert!(disk.metadata(&deep).unwrap().is_dir);
        assert!(
            disk.create_dir_all(&deep.join("file")).is_err(),
            "a file is not a directory"
        );
        disk.remove_dir_all(&root.join("one")).unwrap();
        assert!(disk.read_dir(root).unwrap().is_empty());
    });
}

#[test]
fn a_directory_has_one_holder_of_its_lock() {
    on_both(|disk, root| {
        let lock = disk.lock(root).unwrap();
        assert_eq!(disk.lock(root).unwrap_err().kind(), ErrorKind::ResourceBusy);
        drop(lock);
        drop(disk.lock(root).unwrap());
        assert!(disk.available_bytes(root).unwrap() > 0);
    });
}

#[test]
fn where_no_link_can_be_made_a_copy_is() {
    let sim = SimDisk::new(2);
    sim.set_links_max(1);
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| n as u8).collect();
    let (from, to) = (Path::new("/from"), Path::new("/to"));
    sim.write_atomic(from, &bytes).unwrap();
    assert_eq!(sim.link_or_copy(from, to).unwrap(), Linked::Copy);
    sim.sync_dir(Path::new("/")).unwrap();
    let sim = sim.restart();
    assert_eq!(
        sim.read(to).unwrap(),
        bytes,
        "the copy is durable as soon as its name is"
    );
    sim.set_full(sim.len(from).unwrap() * 2 + 1000);
    let third = Path::new("/third");
    assert_eq!(
        sim.link_or_copy(from, third).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert!(!sim.exists(third).unwrap(), "no half copy stays");
}

#[cfg(unix)]
#[test]
fn other_accounts_do_not_see_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let temporary = tempfile::tempdir().unwrap();
    let (directory, file) = (temporary.path().join("d"), temporary.path().join("d/f"));
    let disk = RealDisk::shared();
    disk.create_dir_all(&directory).unwrap();
    disk.write_atomic(&file, b"mail").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory) & 0o007, 0);
    assert_eq!(mode(&file) & 0o007, 0);
    crate::set_private_permissions(&directory).unwrap();
    crate::set_private_permissions(&file).unwrap();
    assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
}

#[test]
fn the_system_tells_its_limits() {
    if cfg!(target_os = "linux") {
        assert!(crate::process_memory_bytes().unwrap() > 100_000);
        assert!(crate::raise_open_file_limit().unwrap().unwrap() >= 256);
    }
}
