#![allow(clippy::unwrap_used, clippy::panic)]
use drivers::{Memory, Placed};
use events::Events;
use shared::model::Domain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn server() -> Arc<Server> {
    let placed = Arc::new(Placed::single(Arc::new(Memory::new())));
    let directory = Directory::open(placed, [7; 32], Events::none()).await.unwrap();
    let domain = Domain::new(DomainName::parse("here.test").unwrap());
    directory.add_domain(domain, "test").await.unwrap();
    for (key, value) in [("server.hostname", "mail.here.test"), ("mta-sts.publish", "true")] {
        let (_, revision) = directory.setting_values().await.unwrap();
        directory.set_setting(key, value, revision, "test").await.unwrap();
    }
    let reach = |service, port, tls| Reach { service, port, tls };
    Server::new(
        directory,
        vec![
            reach(Service::Imap, 993, true),
            reach(Service::Submission, 587, false),
        ],
        tokens(),
    )
}

fn tokens() -> Tokens {
    let tokens = Tokens::default();
    tokens.put("Token-1", "Token-1.print");
    tokens
}

/// No authority would believe that the name is ours.
#[tokio::test]
async fn an_authority_finds_what_it_gave_and_nobody_anything_else() {
    let server = server().await;
    let ask = async |path: &str| {
        ask(
            &server,
            &format!("GET {path} HTTP/1.1\r\nHost: mail.here.test\r\n\r\n"),
        )
        .await
    };
    let found = ask("/.well-known/acme-challenge/Token-1").await;
    assert!(
        found.starts_with("HTTP/1.1 200 OK\r\n") && found.ends_with("\r\n\r\nToken-1.print"),
        "{found}"
    );
    for other in ["token-1", "", "Token-1/", "../x"] {
        let found = ask(&format!("/.well-known/acme-challenge/{other}")).await;
        assert!(found.starts_with("HTTP/1.1 404 "), "{other}: {found}");
    }
}

async fn ask(server: &Arc<Server>, request: &str) -> String {
    let (mut client, io) = tokio::io::duplex(1 << 16);
    let session = tokio::spawn(serve(Conn::for_test(io), server.clone()));
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    session.await.unwrap();
    answer
}

/// People would have to type host names, ports and kinds of encryption.
#[tokio::test]
async fn mail_programs_learn_how_an_account_is_set_up() {
    let server = server().await;
    let found = ask(
        &server,
        "GET /mail/config-v1.1.xml?emailaddress=anna%40here.test HTTP/1.1\r\nHost: autoconfig.here.test\r\n\r\n",
    )
    .await;
    assert!(found.starts_with("HTTP/1.1 200 OK\r\n"), "{found}");
    for part in [
        "<incomingServer type=\"imap\">\n   <hostname>mail.here.test</hostname>\n   <port>993</port>\n   <socketType>SSL<",
        "<outgoingServer type=\"smtp\">\n   <hostname>mail.here.test</hostname>\n   <port>587</port>\n   <socketType>STARTTLS<",
    ] {
        assert!(found.contains(part), "{part} is missing in {found}");
    }
    let by_host =
        "GET /.well-known/autoconfig/mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconfig.here.test:80\r\n\r\n";
    assert!(ask(&server, by_host).await.contains("<domain>here.test</domain>"));

    let body = "<Autodiscover><Request><EMailAddress>Anna@here.test</EMailAddress></Request></Autodiscover>";
    let request = format!(
        "POST /Autodiscover/Autodiscover.xml HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let found = ask(&server, &request).await;
    assert!(found.contains("<LoginName>Anna@here.test</LoginName>"), "{found}");
    assert!(found.contains("<Type>SMTP</Type>\n    <Server>mail.here.test</Server>\n    <Port>587</Port>"));
}

#[tokio::test]
async fn other_servers_learn_that_mail_comes_by_tls() {
    let server = server().await;
    let asked = |host: &str| format!("GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let found = ask(&server, &asked("mta-sts.here.test")).await;
    assert!(
        found.ends_with("version: STSv1\r\nmode: enforce\r\nmx: mail.here.test\r\nmax_age: 604800\r\n"),
        "{found}"
    );
    for host in ["mta-sts.else.test", "here.test", ""] {
        assert!(ask(&server, &asked(host)).await.starts_with("HTTP/1.1 404 "));
    }
}

#[tokio::test]
async fn nonsense_is_refused_and_says_nothing() {
    let server = server().await;
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_MAX_BYTES));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("HEAD /mail/config-v1.1.xml HTTP/1.1\r\n\r\n", "404"),
        (
            "GET /mail/config-v1.1.xml?emailaddress=x%4 HTTP/1.1\r\n\r\n",
            "404",
        ),
        (
            "GET /mail/config-v1.1.xml?emailaddress=a@else.test HTTP/1.1\r\n\r\n",
            "404",
        ),
        ("POST /autodiscover/autodiscover.xml HTTP/1.1\r\n\r\n", "404"),
        ("POST /x HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "413"),
        ("POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
        ("POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "501"),
        ("EHLO client.test\r\n\r\n", "400"),
        (long.as_str(), "431"),
    ] {
        let answer = ask(&server, request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request} {answer}"
        );
    }
    let head = ask(
        &server,
        "HEAD /mail/config-v1.1.xml?emailaddress=a@here.test HTTP/1.1\r\n\r\n",
    )
    .await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}
