//! How many records a second become durable: `cargo bench -p batpost-journal [-- DIR]`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use batpost_journal::{Journal, Kind, Options};

const RECORD: [u8; 4096] = [0x55; 4096];
const TIME: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .map(PathBuf::from);
    let temporary = tempfile::tempdir_in(given.unwrap_or_else(std::env::temp_dir))?;
    let opened = Instant::now();
    let (journal, _) = Journal::open(disk::RealDisk::shared(), temporary.path(), Options::default())?;
    println!("open an empty journal: {} µs", opened.elapsed().as_micros());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for committers in [1, 4, 16, 64] {
        let before = journal.stats();
        let start = Instant::now();
        let done = runtime.block_on(run(&journal, committers))?;
        let took = start.elapsed().as_secs_f64();
        let after = journal.stats();
        let per_sync = done as f64 / (after.syncs - before.syncs).max(1) as f64;
        println!(
            "{committers:>3} committers: {:>8.0} records/s, {:>6.1} µs each, {per_sync:.1} to a sync, {} MiB on the disk",
            done as f64 / took,
            took * 1e6 / done as f64,
            after.disk_bytes >> 20,
        );
    }
    let start = Instant::now();
    let mut count = 0_u32;
    let mut last = None;
    while start.elapsed() < TIME / 2 {
        match journal.append(Kind(1), &[&RECORD[..100]]) {
            Ok(id) => {
                journal.release(id);
                last = Some(id);
                count += 1;
            }
            Err(batpost_journal::JournalError::Busy) => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(id) = last {
        let _durable = journal.durable_blocking(id)?;
    }
    println!(
        "append of 100 bytes, nobody waits: {:.2} µs each",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    );
    journal.close()?;
    Ok(())
}

async fn run(journal: &Journal, committers: usize) -> Result<u64, Box<dyn std::error::Error>> {
    let until = Instant::now() + TIME;
    let one = |journal: Journal| async move {
        let mut done = 0;
        while Instant::now() < until {
            let committed = journal.commit(Kind(1), &[&RECORD]).await?;
            journal.release(committed.id());
            done += 1;
        }
        Ok::<u64, batpost_journal::JournalError>(done)
    };
    let tasks: Vec<_> = (0..committers)
        .map(|_| tokio::spawn(one(journal.clone())))
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    Ok(done)
}
