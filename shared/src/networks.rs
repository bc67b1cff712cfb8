//! Networks as people write them: addresses, CIDR (RFC 4632) and from-to, IPv4 and IPv6; the values of `server.own-networks` and `net.proxies`.

use std::net::IpAddr;

use crate::Refusal;

/// First and last address; see [`number`].
pub type Range = (u128, u128);

/// Reads networks with commas, semicolons or spaces between them; a refusal names the first that is none.
pub fn list(text: &str) -> Result<Vec<Range>, Refusal> {
    parts(text)
        .map(|part| parse(part).ok_or_else(|| Refusal::new("network-invalid").with("network", part)))
        .collect()
}

/// The same; what is no network is left out.
pub fn list_of_valid(text: &str) -> Vec<Range> {
    parts(text).filter_map(parse).collect()
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Reads an address, `address/bits` or `first-last`; `None` if it is none of them.
pub fn parse(text: &str) -> Option<Range> {
    if let Some((address, bits)) = text.split_once('/') {
        let (address, bits): (IpAddr, u32) = (address.trim().parse().ok()?, bits.trim().parse().ok()?);
        let bits = match address {
            IpAddr::V4(_) if bits <= 32 => bits + 96,
            IpAddr::V6(_) if bits <= 128 => bits,
            _ => return None,
        };
        let mask = u128::MAX.checked_shr(bits).unwrap_or(0);
        let number = number(address);
        return Some((number & !mask, number | mask));
    }
    if let Ok(address) = text.trim().parse() {
        let number = number(address);
        return Some((number, number));
    }
    let (first, last) = text.split_once('-')?;
    let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let (from, to) = (number(first), number(last));
    (first.is_ipv4() == last.is_ipv4() && from <= to).then_some((from, to))
}

/// An address as a number; IPv4 addresses stand as mapped ones (RFC 4291 §2.5.5.2).
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_network_that_is_mistyped_is_named() {
        assert_eq!(list("10.0.0.0/8, 192.0.2.1-192.0.2.9;::1").unwrap().len(), 3);
        assert!(list(" ").unwrap().is_empty());
        for wrong in ["10.0.0/8", "10.0.0.0/33", "192.0.2.9-192.0.2.1", "example.test"] {
            let refusal = list(&format!("10.0.0.0/8, {wrong}")).unwrap_err();
            assert_eq!(
                (refusal.code.as_str(), list_of_valid(wrong).len()),
                ("network-invalid", 0),
                "{wrong}"
            );
            assert!(format!("{refusal:?}").contains(wrong), "{refusal:?}");
        }
    }
}
