//! The PROXY protocol, versions 1 and 2 (the proxy-protocol.txt of HAProxy, 2020/03/05): a load balancer says for whom it connects.
//!
//! Only addresses named in `net.proxies` may say so, and they must: a connection of theirs without the header is closed, for whoever could
//! leave it out could be anybody. Not a byte more than the header is read, so that a TLS handshake may follow at once.
//!
//! Must not know: what is served behind it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How long the header may take.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections of proxies whose header has not come yet, in all.
pub(crate) const PENDING_MAX_COUNT: usize = 1024;
/// The longest header of version 1, line end included (§2.1).
const V1_MAX_BYTES: usize = 107;
/// The longest header of version 2 after its first 16 bytes; addresses need 36, the rest are extensions.
const V2_MAX_BYTES: usize = 4096;
/// What both versions have at least.
const START_BYTES: usize = 12;
const V2_SIGNATURE: &[u8; START_BYTES] = b"\r\n\r\n\0\r\nQUIT\n";

/// For whom a proxy connects.
enum Said {
    Itself,
    Other(SocketAddr),
}

impl Said {
    fn peer(self) -> Option<SocketAddr> {
        match self {
            Self::Itself => None,
            Self::Other(peer) => Some(peer),
        }
    }
}

/// Reads the header: who the peer is, or `None` if the proxy speaks for itself (health checks).
pub(crate) async fn peer(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut start = [0; START_BYTES];
    io.read_exact(&mut start).await?;
    if &start == V2_SIGNATURE {
        return version_2(io).await;
    }
    if !start.starts_with(b"PROXY ") {
        return Err(bad("no PROXY header"));
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= V1_MAX_BYTES {
            return Err(bad("an endless PROXY header"));
        }
        line.push(io.read_u8().await?);
    }
    version_1(&line)
        .map(Said::peer)
        .ok_or_else(|| bad("a PROXY header that can't be read"))
}

/// §2.1: `PROXY TCP4 source destination port port`.
fn version_1(line: &[u8]) -> Option<Said> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = line.split(' ').skip(1);
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Said::Itself);
    }
    let (source, destination): (IpAddr, IpAddr) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (port, _): (u16, u16) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let right = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    (right && words.next().is_none()).then_some(Said::Other(SocketAddr::new(source, port)))
}

/// §2.2: what follows the signature.
async fn version_2(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let (version_command, family) = (io.read_u8().await?, io.read_u8().await?);
    let length = usize::from(io.read_u16().await?);
    if version_command >> 4 != 2 || length > V2_MAX_BYTES {
        return Err(bad("a PROXY header that can't be read"));
    }
    let mut rest = vec![0; length];
    io.read_exact(&mut rest).await?;
    match version_command & 0x0f {
        // LOCAL
        0 => Ok(None),
        // PROXY
        1 => address(family, &rest)
            .map(Said::peer)
            .ok_or_else(|| bad("a PROXY header that can't be read")),
        _ => Err(bad("a PROXY command that is not known")),
    }
}

/// Families other than TCP over IPv4 and IPv6 name nobody that a mail server could know.
fn address(family: u8, rest: &[u8]) -> Option<Said> {
    Some(match family {
        0x11 => {
            let source: [u8; 4] = rest.get(..4)?.try_into().ok()?;
            let port: [u8; 2] = rest.get(8..10)?.try_into().ok()?;
            rest.get(..12)?;
            Said::Other(SocketAddr::new(
                Ipv4Addr::from(source).into(),
                u16::from_be_bytes(port),
            ))
        }
        0x21 => {
            let source: [u8; 16] = rest.get(..16)?.try_into().ok()?;
            let port: [u8; 2] = rest.get(32..34)?.try_into().ok()?;
            rest.get(..36)?;
            Said::Other(SocketAddr::new(
                Ipv6Addr::from(source).into(),
                u16::from_be_bytes(port),
            ))
        }
        0x00 => Said::Itself,
        _ => return None,
    })
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn v2(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut out = V2_SIGNATURE.to_vec();
        out.extend([version_command, family]);
        out.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        out.extend(rest);
        out
    }

    /// Everybody would be the proxy, or anybody could be anyone.
    #[tokio::test]
    async fn headers_name_the_peer_and_nothing_else_is_read() {
        let four = [&[192, 0, 2, 9, 10, 0, 0, 1, 0x10, 0x00, 0, 25][..], &[4, 0, 0]].concat();
        let six = [&[0x20, 1, 0x0d, 0xb8][..], &[0; 12], &[0; 16], &[0, 7, 0, 25]].concat();
        let cases: [(Vec<u8>, &str); 13] = [
            (
                b"PROXY TCP4 192.0.2.9 10.0.0.1 4096 25\r\n".to_vec(),
                "192.0.2.9:4096",
            ),
            (b"PROXY TCP6 2001:db8:: ::1 7 25\r\n".to_vec(), "[2001:db8::]:7"),
            (b"PROXY UNKNOWN\r\n".to_vec(), "itself"),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), "itself"),
            (v2(0x21, 0x11, &four), "192.0.2.9:4096"),
            (v2(0x21, 0x21, &six), "[2001:db8::]:7"),
            (v2(0x20, 0x00, &[]), "itself"),
            (b"PROXY TCP4 2001:db8::1 ::1 7 25\r\n".to_vec(), "bad"),
            (b"PROXY TCP4 192.0.2.9 10.0.0.1 70000 25\r\n".to_vec(), "bad"),
            (format!("PROXY TCP4 {}\r\n", "1".repeat(200)).into_bytes(), "bad"),
            (b"EHLO client.test\r\n".to_vec(), "bad"),
            (v2(0x31, 0x11, &four), "bad"),
            (v2(0x21, 0x11, &[1, 2, 3]), "bad"),
        ];
        for (header, expected) in cases {
            let bytes = [header.as_slice(), b"\x16\x03EHLO"].concat();
            let mut io = bytes.as_slice();
            let found = match peer(&mut io).await {
                Ok(Some(address)) => address.to_string(),
                Ok(None) => "itself".to_owned(),
                Err(_) => "bad".to_owned(),
            };
            assert_eq!(found, expected, "{}", header.escape_ascii());
            assert!(
                expected == "bad" || io == b"\x16\x03EHLO",
                "{}",
                header.escape_ascii()
            );
        }
    }
}
