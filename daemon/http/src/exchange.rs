//! One request and one answer over a connection of their own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::{Answer, HttpError, Inner, Limits, Method, Request};

/// Bytes of an answer's head, and of what is read ahead.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// Fields of an answer's head.
const HEADERS_MAX_COUNT: usize = 100;
/// Addresses of one host that are tried.
const TRIES_MAX: usize = 4;

pub(crate) async fn exchange(inner: &Inner, request: &Request, limits: &Limits) -> Result<Answer, HttpError> {
    let stream = connect(inner, &request.url, limits).await?;
    if request.url.scheme() == "http" {
        return talk(stream, request, limits).await;
    }
    let name = match request.url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()),
        Some(Host::Ipv4(ip)) => Ok(IpAddr::V4(ip).into()),
        Some(Host::Ipv6(ip)) => Ok(IpAddr::V6(ip).into()),
        None => return Err(HttpError::Url(request.url.to_string())),
    };
    let name = name.map_err(|error| HttpError::Url(error.to_string()))?;
    let config = inner.config.get_or_try_init(|| config(inner)).await?;
    let connector = TlsConnector::from(config.clone());
    let stream = connector.connect(name, stream).await.map_err(tls_error)?;
    talk(stream, request, limits).await
}

/// Reads the machine's roots, off the runtime's threads.
async fn config(inner: &Inner) -> Result<Arc<ClientConfig>, HttpError> {
    let roots = inner.roots.clone();
    let made = tokio::task::spawn_blocking(move || tls::verified_config(&roots)).await;
    let made = made.map_err(|error| HttpError::Tls(error.to_string()))?;
    let mut config = (*made.map_err(|error| HttpError::Tls(error.to_string()))?).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A certificate that does not hold is told apart from a handshake that fails.
fn tls_error(error: std::io::Error) -> HttpError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(error @ rustls::Error::InvalidCertificate(_)) => HttpError::Certificate(error.to_string()),
        _ => HttpError::Tls(error.to_string()),
    }
}

/// To the first address that takes the connection.
async fn connect(inner: &Inner, url: &Url, limits: &Limits) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::Dns("the host has no address".to_owned());
    for address in addresses(inner, url).await?.into_iter().take(TRIES_MAX) {
        match tokio::time::timeout(limits.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = HttpError::Connect(format!("{address}: {error}")),
            Err(_) => last = HttpError::Connect(format!("{address}: no answer in time")),
        }
    }
    Err(last)
}

async fn addresses(inner: &Inner, url: &Url) -> Result<Vec<SocketAddr>, HttpError> {
    let port = url
        .port_or_known_default()
        .ok_or_else(|| HttpError::Url(url.to_string()))?;
    let name = match url.host() {
        Some(Host::Domain(name)) => name,
        Some(Host::Ipv4(ip)) => return Ok(vec![SocketAddr::new(ip.into(), port)]),
        Some(Host::Ipv6(ip)) => return Ok(vec![SocketAddr::new(ip.into(), port)]),
        None => return Err(HttpError::Url(url.to_string())),
    };
    if let Some(address) = inner.addresses.get(name) {
        return Ok(vec![*address]);
    }
    let found = inner.dns.addresses(name.trim_end_matches('.')).await;
    let found = found.map_err(|error| HttpError::Dns(format!("{name}: {error}")))?;
    Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

async fn talk<S>(stream: S, request: &Request, limits: &Limits) -> Result<Answer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let unreadable = |error: hyper::Error| HttpError::Answer(error.to_string());
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX_COUNT)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(unreadable)?;
    // Ends with the set: an answer that is given up takes its connection along.
    let mut task = JoinSet::new();
    task.spawn(connection);
    let answer = sender.send_request(build(request)?).await.map_err(unreadable)?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, limits.body_max_bytes).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            HttpError::TooLarge(limits.body_max_bytes)
        } else {
            HttpError::Answer(error.to_string())
        }
    })?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Ok(Answer {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: body.to_bytes(),
        url: request.url.clone(),
    })
}

fn build(request: &Request) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
    let url = &request.url;
    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        target.push('?');
        target.push_str(query);
    }
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let method = match request.method {
        Method::Get => hyper::Method::GET,
        Method::Head => hyper::Method::HEAD,
        Method::Post => hyper::Method::POST,
    };
    let mut built = hyper::Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, host)
        .header(USER_AGENT, "BatPost")
        .header(hyper::header::CONNECTION, "close");
    for (name, value) in &request.headers {
        let name =
            HeaderName::try_from(name.as_str()).map_err(|error| HttpError::Request(error.to_string()))?;
        let value =
            HeaderValue::try_from(value.as_str()).map_err(|error| HttpError::Request(error.to_string()))?;
        built = built.header(name, value);
    }
    built
        .body(Full::new(request.body.clone()))
        .map_err(|error| HttpError::Request(error.to_string()))
}
