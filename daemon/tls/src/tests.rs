#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::PathBuf;

use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::*;

fn open(dir: &Path) -> (Tls, Found) {
    Tls::open(
        Arc::new(disk::RealDisk::new()),
        &dir.join("tls"),
        "mail.example.test",
    )
    .unwrap()
}

/// One handshake by name; gives both sides' channel bindings and the certificate that the client was shown.
async fn handshake(tls: &Tls, name: &str, kind: &str) -> (Option<Vec<u8>>, Vec<u8>) {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let acceptor = tls.acceptor();
    let connector = TlsConnector::from(tls.client_config(Trust::Opportunistic).unwrap());
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (server, client) = tokio::join!(acceptor.tokio().accept(server), connector.connect(name, client));
    let (server, client) = (server.unwrap(), client.unwrap());
    let shown = client.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    if kind == EXPORTER {
        let theirs =
            client
                .get_ref()
                .1
                .export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        assert_eq!(acceptor.channel_binding(server.get_ref().1, kind), theirs.ok());
    }
    (acceptor.channel_binding(server.get_ref().1, kind), shown)
}

// A server without a certificate must not start without TLS, and must not make a new one at every start.
#[test]
fn the_first_start_makes_a_certificate_and_later_ones_keep_it() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, found) = open(temp.path());
    assert_eq!(found, Found::Made);
    assert_eq!(tls.names(), ["mail.example.test"]);
    let key = std::fs::read(temp.path().join("tls/key.pem")).unwrap();
    assert_eq!(open(temp.path()).1, Found::Certificate);
    // What a crash between the two files leaves, and what an administrator's half-done copy leaves.
    std::fs::remove_file(temp.path().join("tls/cert.pem")).unwrap();
    assert_eq!(open(temp.path()).1, Found::Made);
    assert_eq!(std::fs::read(temp.path().join("tls/key.pem")).unwrap(), key);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let _ = open(temp.path());
    let mode = std::fs::metadata(temp.path().join("tls/key.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}

#[tokio::test]
async fn bindings_are_those_of_the_certificate_that_was_served() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    let (binding, shown) = handshake(&tls, "mail.example.test", SERVER_END_POINT).await;
    assert_eq!(binding, binding::end_point(&shown));
    assert!(binding.is_some());
    let (exporter, _) = handshake(&tls, "mail.example.test", EXPORTER).await;
    assert_eq!(exporter.unwrap().len(), 32);
    assert_eq!(handshake(&tls, "mail.example.test", "tls-unique").await.0, None);
}

#[tokio::test]
async fn a_name_is_served_its_own_certificate_after_a_reload() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    let before = handshake(&tls, "other.example.test", SERVER_END_POINT).await.1;
    let other: PathBuf = temp.path().join("tls/other");
    store::ensure(&disk::RealDisk::new(), &other, "*.example.test").unwrap();
    tls.reload().unwrap();
    let after = handshake(&tls, "other.example.test", SERVER_END_POINT).await.1;
    assert_ne!(before, after);
    // The default keeps its own name, and serves what nothing else is known for.
    assert_eq!(
        handshake(&tls, "mail.example.test", SERVER_END_POINT).await.1,
        before
    );
    assert_eq!(
        handshake(&tls, "a.b.example.test", SERVER_END_POINT).await.1,
        before
    );
}

// A half-copied certificate must not take TLS away from a running server.
#[tokio::test]
async fn a_damaged_folder_leaves_what_is_in_use() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    std::fs::write(
        temp.path().join("tls/cert.pem"),
        "-----BEGIN CERTIFICATE-----\nAA",
    )
    .unwrap();
    assert!(tls.reload().is_err());
    handshake(&tls, "mail.example.test", SERVER_END_POINT).await;
}
