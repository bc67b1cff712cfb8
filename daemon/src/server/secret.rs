//! The key under which the verifiers of passwords lie in the database.

use std::path::Path;

use disk::SharedDisk;

use super::trouble::Trouble;

/// Length in bytes.
pub(super) const SECRET_BYTES: usize = 32;

/// Reads `keys/secret`, or makes it if `make`: only at the first start, since without the old key no old verifier can be read.
pub(super) fn secret(disk: &SharedDisk, data: &Path, make: bool) -> Result<[u8; SECRET_BYTES], Trouble> {
    let folder = data.join("keys");
    let path = folder.join("secret");
    match disk.read(&path) {
        Ok(bytes) => {
            let wrong = |_| {
                let reason = format!("{} ≠ {SECRET_BYTES}", bytes.len());
                Trouble::new("config")
                    .with("path", path.display())
                    .with("reason", reason)
            };
            <[u8; SECRET_BYTES]>::try_from(bytes.as_slice()).map_err(wrong)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && make => {
            let mut key = [0; SECRET_BYTES];
            getrandom::fill(&mut key).map_err(|error| Trouble::new("start").with("reason", error))?;
            let written = disk
                .create_dir_all_synced(&folder)
                .and_then(|()| disk::set_private_permissions(&folder))
                .and_then(|()| disk.write_atomic(&path, &key))
                .and_then(|()| disk::set_private_permissions(&path));
            written.map_err(|error| Trouble::unwritable(&path, &error))?;
            Ok(key)
        }
        Err(error) => Err(Trouble::new("config")
            .with("path", path.display())
            .with("reason", error)),
    }
}
