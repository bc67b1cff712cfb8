//! The daemon from its first to its last moment.

use std::path::Path;
use std::sync::Arc;

use disk::{Lock, SharedDisk};
use i18n::Language;
use tokio::sync::watch;

use super::assemble::{self, Server};
use super::trouble::Trouble;
use crate::arguments::say;

/// Keeps a second daemon away from a data directory.
pub(super) fn lock(disk: &SharedDisk, data: &Path) -> Result<Lock, Trouble> {
    disk.lock(data).map_err(|error| match error.kind() {
        std::io::ErrorKind::ResourceBusy => Trouble::new("locked").with("data", data.display()),
        std::io::ErrorKind::NotFound => Trouble::new("not-initialised").with("data", data.display()),
        _ => Trouble::unwritable(data, &error),
    })
}

/// Runs the server until `stop` is set: by a signal, the control channel or a service manager. `started` is called once all ports
/// are open.
pub(super) async fn run(
    disk: &SharedDisk,
    data: &Path,
    language: Language,
    stop: watch::Sender<bool>,
    started: impl FnOnce(Arc<Server>),
) -> Result<(), Trouble> {
    let _lock = lock(disk, data)?;
    let stopped = stop.subscribe();
    let server = Arc::new(assemble::start(disk, data, stop.clone()).await?);
    tokio::spawn(signals(stop, Arc::clone(&server)));
    let args = [
        ("version", crate::VERSION.into()),
        ("data", data.display().to_string().into()),
    ];
    say(&i18n::format(language, "daemon-running", &args));
    tell_manager(Moment::Started);
    started(Arc::clone(&server));
    wait(stopped).await;
    tell_manager(Moment::Stopping);
    server.stop("request").await;
    say(&i18n::text(language, "daemon-stopped"));
    Ok(())
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // The sender lives as long as the server, so an error can't come before a wish to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
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

/// Ctrl-C and SIGTERM stop the server; SIGHUP reads the certificates anew.
#[cfg(unix)]
async fn signals(stop: watch::Sender<bool>, server: Arc<Server>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => server.reload_certificates(),
        }
    }
    stop.send_replace(true);
}

/// Ctrl-C, Ctrl-Break and the closing of the console stop the server.
#[cfg(windows)]
async fn signals(stop: watch::Sender<bool>, _server: Arc<Server>) {
    use tokio::signal::windows::{ctrl_break, ctrl_close, ctrl_shutdown};
    let (Ok(mut close), Ok(mut end), Ok(mut shutdown)) = (ctrl_close(), ctrl_break(), ctrl_shutdown()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = close.recv() => {}
        _ = end.recv() => {}
        _ = shutdown.recv() => {}
    }
    stop.send_replace(true);
}
