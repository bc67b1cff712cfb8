//! The daemon from its first to its last moment.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use disk::{Lock, SharedDisk};
use i18n::Language;
use tokio::sync::{Notify, watch};

use super::assemble::{self, Server};
use super::trouble::Trouble;
use crate::arguments::{say, warn};

/// After a failure of the store the disk is tried this often.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long what still runs when the server has stopped may take to end.
const LEFTOVERS: Duration = Duration::from_secs(5);

/// Keeps a second daemon away from a data directory.
pub(super) fn lock(disk: &SharedDisk, data: &Path) -> Result<Lock, Trouble> {
    disk.lock(data).map_err(|error| match error.kind() {
        std::io::ErrorKind::ResourceBusy => Trouble::new("locked").with("data", data.display()),
        std::io::ErrorKind::NotFound => Trouble::new("not-initialised").with("data", data.display()),
        _ => Trouble::unwritable(data, &error),
    })
}

/// Runs the server until `stop` is set: by a signal, the control channel or a service manager. `started` is called whenever all
/// ports have been opened; `reload` has the certificates read anew.
///
/// After a failed write or sync nobody knows what is on the disk, so nothing is acknowledged any more: mail is put off, and once the disk
/// takes a file again everything is closed and opened anew, as after a crash. Each such life has a runtime of its own, with which all that it left ends.
pub(super) fn run(
    disk: &SharedDisk,
    data: &Path,
    language: Language,
    stop: &watch::Sender<bool>,
    reload: &Arc<Notify>,
    started: impl Fn(Arc<Server>),
) -> Result<(), Trouble> {
    let _lock = lock(disk, data)?;
    // Signals must be heard between two lives, too.
    let ears = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Trouble::new("start").with("reason", error))?;
    // Registered here, before anybody is told that the server runs.
    let heard = {
        let _within = ears.enter();
        signals(stop.clone(), Arc::clone(reload))
    };
    ears.spawn(heard);
    ears.block_on(survive_size_limit());
    let mut lived = false;
    loop {
        let runtime = super::runtime()?;
        let life = runtime.block_on(life(disk, data, stop, reload, |server| {
            if !lived {
                say_running(data, language);
            }
            lived = true;
            started(server);
        }));
        runtime.shutdown_timeout(LEFTOVERS);
        match life {
            Ok(End::Stopped) => break,
            Ok(End::Failed) => {}
            Err(trouble) if !lived => return Err(trouble),
            // What the first start could read is there: the disk is not quite well yet.
            Err(trouble) => {
                warn(&trouble.text(language));
                ears.block_on(wait_or_stop(stop));
            }
        }
        if *stop.borrow() {
            break;
        }
    }
    ears.shutdown_background();
    say(&i18n::text(language, "daemon-stopped"));
    Ok(())
}

enum End {
    Stopped,
    /// The store has failed, and the disk works again.
    Failed,
}

/// From one opening of the store to its closing.
async fn life(
    disk: &SharedDisk,
    data: &Path,
    stop: &watch::Sender<bool>,
    reload: &Arc<Notify>,
    started: impl FnOnce(Arc<Server>),
) -> Result<End, Trouble> {
    let server = Arc::new(assemble::start(disk, data, stop.clone()).await?);
    let (reloading, wish) = (Arc::clone(&server), Arc::clone(reload));
    tokio::spawn(async move {
        loop {
            wish.notified().await;
            reloading.reload_certificates();
        }
    });
    tell_manager(Moment::Started);
    started(Arc::clone(&server));
    let failed = tokio::select! {
        () = stopped(stop) => None,
        reason = server.until_failed() => Some(reason),
    };
    let Some(reason) = failed else {
        tell_manager(Moment::Stopping);
        server.stop("request").await;
        return Ok(End::Stopped);
    };
    server.tell_store_stopped(&reason);
    while !*stop.borrow() {
        wait_or_stop(stop).await;
        if server.takes_files().await {
            server.tell_store_resumed(&reason);
            break;
        }
    }
    server.stop(&reason).await;
    Ok(End::Failed)
}

fn say_running(data: &Path, language: Language) {
    let args = [
        ("version", crate::VERSION.into()),
        ("data", data.display().to_string().into()),
    ];
    say(&i18n::format(language, "daemon-running", &args));
}

async fn stopped(stop: &watch::Sender<bool>) {
    // The sender is ours, so an error can't come before a wish to stop.
    let _ = stop.subscribe().wait_for(|stop| *stop).await;
}

async fn wait_or_stop(stop: &watch::Sender<bool>) {
    // Which of both it was, the caller sees.
    let _ = tokio::time::timeout(RETRY_AFTER, stopped(stop)).await;
}

#[derive(Clone, Copy)]
enum Moment {
    Started,
    Stopping,
}

/// Tells systemd (sd_notify(3)); nothing happens if it has not started this process.
#[cfg(target_os = "linux")]
fn tell_manager(moment: Moment) {
    let state = match moment {
        Moment::Started => sd_notify::NotifyState::Ready,
        Moment::Stopping => sd_notify::NotifyState::Stopping,
    };
    // systemd then waits until its own limit and says so.
    let _ = sd_notify::notify(&[state]);
}

/// The service manager of Windows is told by `service`; other systems have none that wants to know.
#[cfg(not(target_os = "linux"))]
fn tell_manager(_: Moment) {}

/// A file that may grow no more is an error of the write, not the death of the process (SIGXFSZ, setrlimit(2)).
#[cfg(unix)]
async fn survive_size_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    // Once heard of, the signal stays without effect. If it can't be, the write still fails, if loudly.
    let _ = signal(SignalKind::from_raw(libc::SIGXFSZ));
}

#[cfg(not(unix))]
async fn survive_size_limit() {}

/// Ctrl-C and SIGTERM stop the server; SIGHUP reads the certificates anew. Within a runtime; they are heard from the call on.
#[cfg(unix)]
fn signals(stop: watch::Sender<bool>, reload: Arc<Notify>) -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let streams = kinds.map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = streams else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = hangup.recv() => reload.notify_one(),
            }
        }
        stop.send_replace(true);
    }
}

/// Ctrl-C, Ctrl-Break and the closing of the console stop the server. Within a runtime; they are heard from the call on.
#[cfg(windows)]
fn signals(stop: watch::Sender<bool>, _reload: Arc<Notify>) -> impl Future<Output = ()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let streams = (ctrl_c(), ctrl_close(), ctrl_break(), ctrl_shutdown());
    async move {
        let (Ok(mut interrupt), Ok(mut close), Ok(mut end), Ok(mut shutdown)) = streams else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = close.recv() => {}
            _ = end.recv() => {}
            _ = shutdown.recv() => {}
        }
        stop.send_replace(true);
    }
}
