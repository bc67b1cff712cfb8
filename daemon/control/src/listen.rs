//! The socket or pipe: who may speak, where it lies.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::traits::tokio::Listener as _;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName as _};
use shared::client::{Endpoint, SOCKET_NOTE, socket_path};

use crate::Context;
use crate::connection::serve;

/// Longest path of a Unix socket in bytes (the least of what systems allow, with its final zero).
#[cfg(unix)]
const SOCKET_PATH_MAX_BYTES: usize = 103;

#[derive(Debug, thiserror::Error)]
#[error("the control channel can't be opened at {path}: {source}", path = .path.display())]
pub struct ListenError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// The bound socket; removed when dropped.
pub struct Server {
    listener: Listener,
    path: PathBuf,
}

impl Server {
    /// Binds the socket of a data directory. The directory's lock is held by the caller, so a socket that nobody answers on is a
    /// stale one and is replaced.
    pub async fn bind(data: &Path) -> Result<Self, ListenError> {
        let path = place(data).map_err(|source| ListenError {
            path: data.to_owned(),
            source,
        })?;
        let failed = |source| ListenError {
            path: path.clone(),
            source,
        };
        if shared::client::open(&Endpoint::Socket(path.clone()))
            .await
            .is_ok()
        {
            return Err(failed(io::ErrorKind::AddrInUse.into()));
        }
        remove_stale(&path);
        let listener = listener(&path).map_err(failed)?;
        Ok(Self { listener, path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves clients until the daemon stops.
    pub async fn run(self, context: Arc<Context>) {
        let mut stop = context.stop.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok(stream) => {
                    let name = caller_name(&stream);
                    let (read, write) = tokio::io::split(stream);
                    tokio::spawn(serve(read, write, name, Arc::clone(&context)));
                }
                // Out of descriptors, most likely: others must end before this goes on.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        remove_stale(&self.path);
    }
}

/// Where the socket of a data directory is to lie; a path too long for a socket gets a short one, noted in the directory.
#[cfg(unix)]
fn place(data: &Path) -> io::Result<PathBuf> {
    let note = data.join(SOCKET_NOTE);
    let absolute = std::path::absolute(data)?;
    let usual = absolute.join(shared::client::SOCKET_NAME);
    if usual.as_os_str().len() <= SOCKET_PATH_MAX_BYTES {
        match std::fs::remove_file(&note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(usual),
        }
    }
    let digest = absolute
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    // A folder of our own in the system's folder of temporary files, so that nobody else can put a socket there first.
    let folder = std::env::temp_dir().join(format!("batpost-{digest:016x}"));
    match std::fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = std::fs::symlink_metadata(&folder)?;
    let ours = std::os::unix::fs::MetadataExt::uid(&metadata) == nix::unistd::geteuid().as_raw();
    if !metadata.is_dir() || !ours {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    disk::set_private_permissions(&folder)?;
    let short = folder.join(shared::client::SOCKET_NAME);
    std::fs::write(&note, short.as_os_str().as_encoded_bytes())?;
    Ok(short)
}

#[cfg(windows)]
fn place(data: &Path) -> io::Result<PathBuf> {
    let _ = SOCKET_NOTE;
    Ok(socket_path(data))
}

#[cfg(unix)]
fn remove_stale(path: &Path) {
    // If it can't be removed, binding says why.
    let _ = std::fs::remove_file(path);
}

/// A pipe goes with the process that made it.
#[cfg(windows)]
fn remove_stale(_path: &Path) {}

#[cfg(unix)]
fn listener(path: &Path) -> io::Result<Listener> {
    use std::os::unix::fs::PermissionsExt as _;
    let _ = socket_path;
    let listener = ListenerOptions::new()
        .name(path.to_fs_name::<GenericFilePath>()?)
        .create_tokio()?;
    // The mode given at creation is cut by the umask, so it is set afterwards; the folder is private until then.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Open to the system, to elevated administrators and to the account that runs the daemon.
#[cfg(windows)]
fn listener(path: &Path) -> io::Result<Listener> {
    use interprocess::os::windows::local_socket::ListenerOptionsExt as _;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    const ACCESS: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";
    let text = widestring::U16CString::from_str(ACCESS).map_err(io::Error::other)?;
    let descriptor = SecurityDescriptor::deserialize(&text)?;
    let options = ListenerOptions::new().name(path.to_fs_name::<GenericFilePath>()?);
    options.security_descriptor(descriptor).create_tokio()
}

#[cfg(unix)]
fn caller_name(stream: &Stream) -> String {
    use interprocess::local_socket::traits::StreamCommon as _;
    let uid = stream.peer_creds().ok().and_then(|creds| creds.euid());
    let Some(uid) = uid else { return "local".to_owned() };
    match nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}

/// The pipe's access list has let the caller in; the system tells a process number, which says less than nothing in a log.
#[cfg(windows)]
fn caller_name(_stream: &Stream) -> String {
    "administrator".to_owned()
}
