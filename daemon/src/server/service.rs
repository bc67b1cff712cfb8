//! The daemon as a service of Windows: started by the service manager as `batpostd service`, stopped by it. The control
//! PARAMCHANGE (`sc control BatPost paramchange`) reads the certificates anew, as SIGHUP does elsewhere.
//!
//! A service has no console, so the reason why it could not start is left in the data directory's log folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use disk::SharedDisk;
use i18n::Language;
use tokio::sync::{Notify, watch};
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::service_dispatcher;

use super::trouble::Trouble;
use super::{run, runtime};
use crate::exit;

/// The service's name, under which the installer registers it.
const NAME: &str = "BatPost";
/// How long a start (which may replay the journal) or a stop may take before the system calls the service hung.
const PATIENCE: Duration = Duration::from_mins(2);
/// The file in the log folder that tells why the last start failed.
const FAILURE_FILE: &str = "start-failed.txt";

/// What the command line said; the system calls the entry function without it.
struct Task {
    disk: SharedDisk,
    data: PathBuf,
    language: Language,
}

static TASK: OnceLock<Task> = OnceLock::new();

windows_service::define_windows_service!(entry, enter);

/// Serves as a service until the service manager stops it.
pub(super) fn serve(disk: SharedDisk, data: PathBuf, language: Language) -> Result<(), Trouble> {
    let task = Task { disk, data, language };
    // There is one command line and so one call.
    let _ = TASK.set(task);
    service_dispatcher::start(NAME, entry).map_err(|error| Trouble::new("service").with("reason", error))
}

/// Called by the system on a thread of its own.
fn enter(_: Vec<OsString>) {
    let Some(task) = TASK.get() else { return };
    let stop = watch::Sender::new(false);
    let reload = Arc::new(Notify::new());
    let (asked, changed) = (stop.clone(), Arc::clone(&reload));
    let registered = service_control_handler::register(NAME, move |control| match control {
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        ServiceControl::Stop | ServiceControl::Shutdown => {
            asked.send_replace(true);
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::ParamChange => {
            changed.notify_one();
            ServiceControlHandlerResult::NoError
        }
        _ => ServiceControlHandlerResult::NotImplemented,
    });
    let manager = match registered {
        Ok(handle) => handle,
        Err(error) => return leave_note(task, &Trouble::new("service").with("reason", error)),
    };
    tell(manager, ServiceState::StartPending, 0);
    let code = match carry_out(task, &stop, &reload, manager) {
        Ok(()) => 0,
        Err(trouble) => {
            leave_note(task, &trouble);
            u32::from(exit::REFUSED)
        }
    };
    tell(manager, ServiceState::Stopped, code);
}

fn carry_out(
    task: &Task,
    stop: &watch::Sender<bool>,
    reload: &Arc<Notify>,
    manager: ServiceStatusHandle,
) -> Result<(), Trouble> {
    let mut stopping = stop.subscribe();
    let telling = runtime()?;
    telling.spawn(async move {
        // An error means that the server has ended already.
        if stopping.wait_for(|stop| *stop).await.is_ok() {
            tell(manager, ServiceState::StopPending, 0);
        }
    });
    run::run(&task.disk, &task.data, task.language, stop, reload, |_| {
        tell(manager, ServiceState::Running, 0);
    })
}

/// Tells the service manager how things stand.
fn tell(manager: ServiceStatusHandle, state: ServiceState, code: u32) {
    let controls_accepted = if state == ServiceState::Running {
        ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN | ServiceControlAccept::PARAM_CHANGE
    } else {
        ServiceControlAccept::empty()
    };
    let exit_code = if code == 0 {
        ServiceExitCode::Win32(0)
    } else {
        ServiceExitCode::ServiceSpecific(code)
    };
    let pending = matches!(state, ServiceState::StartPending | ServiceState::StopPending);
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted,
        exit_code,
        checkpoint: 0,
        wait_hint: if pending { PATIENCE } else { Duration::ZERO },
        process_id: None,
    };
    // If the manager can't be told, it finds out by the process.
    let _ = manager.set_service_status(status);
}

/// Leaves the reason where an administrator looks. If that can't be written either, the exit code is all that is left.
fn leave_note(task: &Task, trouble: &Trouble) {
    let folder: &Path = &task.data.join("log");
    let text = format!("{}\r\n", trouble.text(task.language));
    let _ = task.disk.create_dir_all_synced(folder).and_then(|()| {
        task.disk
            .write_atomic(&folder.join(FAILURE_FILE), text.as_bytes())
    });
}
