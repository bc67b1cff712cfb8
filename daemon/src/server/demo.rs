//! A server to try out: loopback only, a domain, two users, a password that is printed.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use disk::SharedDisk;
use i18n::{Arg, Language};
use shared::model::Domain;
use shared::protocol::NewUser;
use shared::{Address, DomainName};
use tokio::sync::watch;

use super::assemble::Server;
use super::config::{FILE, PORTS};
use super::init::{Wish, init};
use super::run::run;
use super::runtime;
use super::trouble::Trouble;
use crate::arguments::warn;

const DOMAIN: &str = "example.test";
const USERS: [&str; 2] = ["alice@example.test", "bob@example.test"];
/// Unless the person wishes otherwise: something else may listen there.
const PORT_OFFSET: u16 = 2000;
/// Where the printed password is kept for the next start.
const PASSWORD_FILE: &str = "demo-password";

/// `port_offset` is for the first start; later ones find it in the directory.
pub(super) fn demo(
    disk: &SharedDisk,
    data: &Path,
    port_offset: Option<u16>,
    language: Language,
) -> Result<(), Trouble> {
    let fresh = !disk
        .exists(&data.join(FILE))
        .map_err(|error| Trouble::unwritable(data, &error))?;
    if fresh {
        let bind = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let wish = Wish {
            hostname: "localhost".to_owned(),
            port_offset: port_offset.unwrap_or(PORT_OFFSET),
            web: false,
            bind,
        };
        runtime()?.block_on(init(disk, data, wish))?;
    }
    let password = password(disk, data)?;
    let stop = watch::Sender::new(false);
    run(disk, data, language, &stop, &Arc::default(), |server| {
        let (data, password) = (data.to_owned(), password.clone());
        tokio::spawn(async move {
            match people(&server, &password).await {
                Ok(()) => tell(&server, &data, &password, language),
                Err(reason) => warn(&Trouble::store("configuration", reason).text(language)),
            }
        });
    })
}

/// The password of the last start, or a new one.
fn password(disk: &SharedDisk, data: &Path) -> Result<String, Trouble> {
    // No letters that look like others.
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let path = data.join(PASSWORD_FILE);
    if let Ok(bytes) = disk.read(&path)
        && let Ok(text) = String::from_utf8(bytes)
    {
        return Ok(text);
    }
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(|error| Trouble::new("start").with("reason", error))?;
    let text: String = random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    disk.write_atomic(&path, text.as_bytes())
        .and_then(|()| disk::set_private_permissions(&path))
        .map_err(|error| Trouble::unwritable(&path, &error))?;
    Ok(text)
}

/// Makes the domain and the users that are missing; what the person has removed on purpose comes back with the next start.
async fn people(server: &Server, password: &str) -> Result<(), String> {
    let directory = &server.directory;
    let domain = DomainName::parse(DOMAIN).map_err(|error| error.to_string())?;
    if directory
        .domain(&domain)
        .await
        .map_err(|error| error.to_string())?
        .is_none()
    {
        directory
            .add_domain(Domain::new(domain), "demo")
            .await
            .map_err(|error| error.to_string())?;
    }
    for text in USERS {
        let address = Address::parse(text).map_err(|error| error.to_string())?;
        if directory
            .user(&address)
            .await
            .map_err(|error| error.to_string())?
            .is_none()
        {
            let user = NewUser {
                address,
                password: Some(password.to_owned()),
                name: String::new(),
                quota_bytes: None,
                groups: Vec::new(),
                enabled: true,
            };
            directory
                .add_user(user, "demo")
                .await
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn tell(server: &Server, data: &Path, password: &str, language: Language) {
    let say = |key: &str, args: &[(&str, Arg)]| crate::arguments::say(&i18n::format(language, key, args));
    let place: Arg = data.display().to_string().into();
    say("daemon-demo-title", &[("data", place.clone())]);
    for port in PORTS {
        for address in server.config.addresses(port) {
            let key = if port.tls {
                "daemon-demo-tls"
            } else {
                "daemon-demo-service"
            };
            let name = port.service.to_uppercase();
            say(
                key,
                &[("service", name.into()), ("address", address.to_string().into())],
            );
        }
    }
    let [first, second] = USERS;
    say(
        "daemon-demo-user",
        &[
            ("user", first.into()),
            ("other", second.into()),
            ("password", password.into()),
        ],
    );
    say("daemon-demo-control", &[("data", place)]);
    say("daemon-demo-stop", &[]);
}
