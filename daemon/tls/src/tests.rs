#![allow(clippy::unwrap_used, clippy::panic)]
use std::path::PathBuf;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::*;

mod neighbours;

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

/// A chain of a root and a leaf for `mail.example.test`, and what a handshake with it came to.
struct Chain {
    root: rustls::pki_types::CertificateDer<'static>,
    leaf: rustls::pki_types::CertificateDer<'static>,
    tls: Tls,
    _temp: tempfile::TempDir,
}

fn chain() -> Chain {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("tls");
    std::fs::create_dir(&dir).unwrap();
    let root_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "A root");
    let root = params.self_signed(&root_key).unwrap();
    let issuer = rcgen::Issuer::new(params, root_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["mail.example.test".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("cert.pem"), format!("{}{}", leaf.pem(), root.pem())).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
    let (tls, _) = open(temp.path());
    Chain {
        root: root.der().clone(),
        leaf: leaf.der().clone(),
        tls,
        _temp: temp,
    }
}

async fn trusts(chain: &Chain, trust: &Trust, must: bool, name: &str) -> (bool, Option<bool>) {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let side = chain.tls.client(trust, must).unwrap();
    let connector = TlsConnector::from(side.config.clone());
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let acceptor = chain.tls.acceptor();
    let (_, client) = tokio::join!(acceptor.tokio().accept(server), connector.connect(name, client));
    (client.is_ok(), side.verified().map(Result::is_ok))
}

fn record(usage: u8, selector: u8, matching: u8, of: &[u8]) -> DaneRecord {
    use sha2::{Digest, Sha256, Sha512};
    let selected = match selector {
        0 => of.to_vec(),
        _ => webpki::EndEntityCert::try_from(&of.into())
            .unwrap()
            .subject_public_key_info()
            .to_vec(),
    };
    let data = match matching {
        0 => selected,
        1 => Sha256::digest(&selected).to_vec(),
        _ => Sha512::digest(&selected).to_vec(),
    };
    DaneRecord {
        usage,
        selector,
        matching,
        data,
    }
}

// Mail would go to whoever stands between, or not at all to a host that is who it says.
#[tokio::test]
async fn records_of_the_dns_say_which_certificate_is_right() {
    let chain = chain();
    let other = self::chain();
    let (root, leaf) = (&chain.root[..], &chain.leaf[..]);
    let host = "mail.example.test";
    for (records, name, right) in [
        (vec![record(3, 1, 1, leaf)], host, true),
        (vec![record(3, 0, 2, leaf)], host, true),
        (vec![record(3, 0, 0, leaf)], "another.test", true),
        (vec![record(3, 1, 1, root)], host, false),
        (vec![record(3, 1, 1, &other.leaf)], host, false),
        (vec![record(2, 0, 1, root)], host, true),
        (vec![record(2, 1, 2, root)], host, true),
        (vec![record(2, 0, 0, root)], host, true),
        (vec![record(2, 0, 1, root)], "another.test", false),
        (vec![record(2, 0, 0, &other.root)], host, false),
        // A leaf is no authority, and the usages 0 and 1 are not for mail.
        (vec![record(2, 0, 1, leaf)], host, false),
        (vec![record(1, 1, 1, leaf)], host, false),
        (
            vec![record(3, 1, 1, &other.leaf), record(3, 1, 1, leaf)],
            host,
            true,
        ),
    ] {
        let shown = format!(
            "{:?} {name}",
            records
                .iter()
                .map(|r| (r.usage, r.selector, r.matching))
                .collect::<Vec<_>>()
        );
        let trust = Trust::Dane {
            records,
            names: Vec::new(),
        };
        assert_eq!(
            trusts(&chain, &trust, true, name).await,
            (right, Some(right)),
            "{shown}"
        );
        // Where it need not hold, the mail goes, and it is known all the same.
        assert_eq!(
            trusts(&chain, &trust, false, name).await,
            (true, Some(right)),
            "{shown}"
        );
    }
    let trust = Trust::Dane {
        records: vec![record(2, 0, 1, root)],
        names: vec![host.to_owned()],
    };
    assert!(
        trusts(&chain, &trust, true, "another.test").await.0,
        "by the domain's name"
    );
}

// A house with an authority of its own could not deliver to its own hosts.
#[tokio::test]
async fn further_roots_are_believed() {
    let chain = chain();
    for known in [false, true] {
        if known {
            let dir = chain.tls.inner.dir.clone();
            let pem = std::fs::read(dir.join("cert.pem")).unwrap();
            std::fs::write(dir.join("roots.pem"), pem).unwrap();
            chain.tls.reload().unwrap();
        }
        // A machine without any root can't verify at all.
        let Ok(_) = chain.tls.client(&Trust::Verified, true) else {
            assert!(!known);
            continue;
        };
        assert_eq!(
            trusts(&chain, &Trust::Verified, true, "mail.example.test")
                .await
                .0,
            known
        );
        assert!(!trusts(&chain, &Trust::Verified, true, "another.test").await.0);
    }
}

/// A certificate for these names until that year, and its key.
fn issued(names: &[&str], year: i32) -> String {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    format!(
        "{}{}",
        key.serialize_pem(),
        params.self_signed(&key).unwrap().pem()
    )
}

// An administrator who imports, renews and removes certificates never has a name without one.
#[tokio::test]
async fn certificates_are_imported_renewed_and_removed_while_the_server_runs() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    let first = handshake(&tls, "mail.example.test", SERVER_END_POINT).await.1;
    assert!(tls.certificates()[0].default);
    let old = tls
        .import(&issued(&["mail.example.test", "imap.example.test"], 2040))
        .unwrap();
    assert_eq!(old.served_for, ["mail.example.test", "imap.example.test"]);
    // It is for the server's own name: whoever names nothing gets it as well.
    assert!(old.default && !tls.certificates()[0].default);
    let second = handshake(&tls, "nothing.example", SERVER_END_POINT).await.1;
    assert_ne!(first, second);
    let new = tls
        .import(&issued(&["imap.example.test", "mail.example.test"], 2041))
        .unwrap();
    let ids: Vec<String> = tls.certificates().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, [String::new(), new.id.clone()], "what was renewed is gone");
    assert!(!temp.path().join("tls").join(&old.id).exists());
    let other = tls.import(&issued(&["*.example.test"], 2039)).unwrap();
    assert_eq!(other.served_for, ["*.example.test"]);
    assert!(matches!(tls.remove(""), Err(TlsError::Unknown)));
    assert!(matches!(tls.remove("../tls"), Err(TlsError::Unknown)));
    tls.remove(&new.id).unwrap();
    tls.remove(&other.id).unwrap();
    assert_eq!(
        handshake(&tls, "mail.example.test", SERVER_END_POINT).await.1,
        first
    );
    // Also after a restart.
    assert_eq!(open(temp.path()).0.certificates().len(), 1);
}

#[test]
fn what_can_not_be_served_is_refused_and_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    let (one, two) = (issued(&["a.test"], 2040), issued(&["b.test"], 2040));
    let key = one.split("-----BEGIN CERTIFICATE").next().unwrap();
    let certificate = &two[two.find("-----BEGIN CERTIFICATE").unwrap()..];
    for pem in [
        "",
        "nonsense",
        key,
        certificate,
        &format!("{key}{certificate}"),
        &issued(&["a.test"], 2001),
    ] {
        assert!(matches!(tls.import(pem), Err(TlsError::Refused(_))), "{pem}");
    }
    assert_eq!(tls.certificates().len(), 1);
    assert_eq!(std::fs::read_dir(temp.path().join("tls")).unwrap().count(), 2);
}

/// webpki reads no certificate with a critical extension that it doesn't know, and acmeIdentifier is one.
#[derive(Debug)]
struct Blind;

impl ServerCertVerifier for Blind {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// What a client is shown that offers these protocols for a name; `None` if the server ended it as an authority's.
async fn offered(
    tls: &Tls,
    name: &str,
    protocols: &[&[u8]],
    authorities: bool,
) -> (bool, Vec<u8>, Option<Vec<u8>>) {
    let (client, server) = tokio::io::duplex(16 * 1024);
    let acceptor = tls.acceptor();
    let mut config = rustls::ClientConfig::builder_with_provider(tls.inner.provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Blind))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (accepted, client) = tokio::join!(
        acceptor.accept(server, authorities),
        connector.connect(name, client)
    );
    let client = client.unwrap();
    let session = client.get_ref().1;
    let shown = session.peer_certificates().unwrap()[0].to_vec();
    let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
    (matches!(accepted.unwrap(), Accepted::Challenge), shown, protocol)
}

// An authority must find what it looks for, and nobody else may notice that it looks (RFC 8737 §3).
#[tokio::test]
async fn an_authority_is_shown_its_certificate_and_others_are_served_as_ever() {
    let temp = tempfile::tempdir().unwrap();
    let (tls, _) = open(temp.path());
    let acme: &[&[u8]] = &[b"acme-tls/1"];
    let usual = offered(&tls, "mail.example.test", &[], true).await.1;
    assert_eq!(
        offered(&tls, "mail.example.test", acme, true).await.1,
        usual,
        "none is pending"
    );
    tls.answer_challenge("Mail.example.test", [7; 32]).unwrap();

    let (ended, shown, protocol) = offered(&tls, "mail.example.test", acme, true).await;
    assert!(ended && shown != usual);
    assert_eq!(protocol.as_deref(), Some(acme[0]));
    let mut extension = vec![0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f];
    extension.extend([0x01, 0x01, 0xff, 0x04, 0x22, 0x04, 0x20]);
    extension.extend([7; 32]);
    assert!(shown.windows(extension.len()).any(|bytes| bytes == extension));

    for (name, protocols, authorities) in [
        ("mail.example.test", &[] as &[&[u8]], true),
        ("mail.example.test", &[b"http/1.1"], true),
        ("mail.example.test", &[b"acme-tls/1", b"http/1.1"], true),
        ("other.example.test", acme, true),
        ("mail.example.test", acme, false),
    ] {
        let (ended, shown, protocol) = offered(&tls, name, protocols, authorities).await;
        assert!(
            !ended && shown == usual && protocol.is_none(),
            "{name} {protocols:?} {authorities}"
        );
    }
    tls.end_challenge("mail.example.test");
    assert_eq!(offered(&tls, "mail.example.test", acme, true).await.1, usual);
}
