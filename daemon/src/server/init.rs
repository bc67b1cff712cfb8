//! Making a data directory.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use directory::Directory;
use disk::SharedDisk;
use drivers::Placed;
use events::Events;
use shared::DomainName;

use super::config::{Config, FILE, Listen};
use super::secret::secret;
use super::trouble::Trouble;

/// What `init` is told.
pub(super) struct Wish {
    pub(super) hostname: String,
    pub(super) port_offset: u16,
    /// Ports 80 and 443 as well.
    pub(super) web: bool,
    /// Empty: every address.
    pub(super) bind: Vec<IpAddr>,
}

/// Makes the directory, its configuration, the keys and the databases of the configuration. Mailboxes and the certificate are
/// made by the first start.
pub(super) async fn init(disk: &SharedDisk, data: &Path, wish: Wish) -> Result<(), Trouble> {
    let bad_name = |_| Trouble::new("hostname").with("hostname", &wish.hostname);
    let hostname = DomainName::parse(&wish.hostname).map_err(bad_name)?;
    disk.create_dir_all_synced(data)
        .map_err(|error| Trouble::unwritable(data, &error))?;
    let _lock = super::run::lock(disk, data)?;
    if disk
        .exists(&data.join(FILE))
        .map_err(|error| Trouble::unwritable(data, &error))?
    {
        return Err(Trouble::new("initialised").with("data", data.display()));
    }
    let mut config = Config {
        databases: drivers::Placement::default().databases,
        ..Config::default()
    };
    config.listen = Listen {
        port_offset: wish.port_offset,
        web: wish.web,
        ..Listen::default()
    };
    if !wish.bind.is_empty() {
        config.listen.addresses = wish.bind;
    }
    let key = secret(disk, data, true)?;
    let placed = Placed::open(&config.placement(), disk, data)
        .map_err(|error| Trouble::store("configuration", error))?;
    let directory = Directory::open(Arc::new(placed), key, Events::none())
        .await
        .map_err(|error| Trouble::store("configuration", error))?;
    let (_, revision) = directory
        .setting_values()
        .await
        .map_err(|error| Trouble::store("configuration", error))?;
    directory
        .set_setting("server.hostname", hostname.as_str(), revision, "init")
        .await
        .map_err(|error| Trouble::store("configuration", error))?;
    // Last, since it says that the directory is whole.
    config.write(disk, data)
}
