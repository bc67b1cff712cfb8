//! Sets of addresses: single ones, CIDR (RFC 4632) and from-to, IPv4 and IPv6, searched in logarithmic time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use shared::networks::number;

/// Ranges that don't overlap, sorted; IPv4 addresses stand as mapped ones (RFC 4291 §2.5.5.2).
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranges {
    ranges: Vec<(u128, u128)>,
}

impl Ranges {
    pub(crate) fn new(mut all: Vec<(u128, u128)>) -> Self {
        all.sort_unstable();
        let mut ranges: Vec<(u128, u128)> = Vec::with_capacity(all.len());
        for (first, last) in all {
            match ranges.last_mut() {
                Some((_, before)) if first <= *before => *before = last.max(*before),
                _ => ranges.push((first, last)),
            }
        }
        ranges.shrink_to_fit();
        Self { ranges }
    }

    /// The range that holds the address, as a person reads it.
    pub(crate) fn find(&self, address: IpAddr) -> Option<String> {
        let number = number(address);
        let at = self.ranges.partition_point(|(_, last)| *last < number);
        let (first, last) = self.ranges.get(at).filter(|(first, _)| *first <= number)?;
        let (from, to) = (address_of(*first), address_of(*last));
        Some(if from == to {
            from.to_string()
        } else {
            format!("{from}-{to}")
        })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.find(address).is_some()
    }
}

fn address_of(number: u128) -> IpAddr {
    let v6 = Ipv6Addr::from(number);
    v6.to_ipv4_mapped()
        .map_or(IpAddr::V6(v6), |v4: Ipv4Addr| IpAddr::V4(v4))
}

#[cfg(test)]
mod tests {
    use shared::networks::parse;

    use super::*;

    #[test]
    fn addresses_are_found_in_the_ranges_that_hold_them() {
        let texts = [
            "10.0.0.0/8",
            "10.1.2.3",
            "192.0.2.10-192.0.2.20",
            "2001:db8::/32",
            "198.51.100.7",
            "::1",
        ];
        let ranges = Ranges::new(texts.iter().filter_map(|text| parse(text)).collect());
        for (address, want) in [
            ("10.1.2.3", Some("10.0.0.0-10.255.255.255")),
            ("10.255.255.255", Some("10.0.0.0-10.255.255.255")),
            ("11.0.0.0", None),
            ("9.255.255.255", None),
            ("192.0.2.10", Some("192.0.2.10-192.0.2.20")),
            ("192.0.2.21", None),
            ("198.51.100.7", Some("198.51.100.7")),
            ("::ffff:198.51.100.7", Some("198.51.100.7")),
            (
                "2001:db8:ffff::1",
                Some("2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ),
            ("2001:db9::", None),
            ("::1", Some("::1")),
            ("255.255.255.255", None),
        ] {
            let found = address.parse().ok().and_then(|address| ranges.find(address));
            assert_eq!(found.as_deref(), want, "{address}");
        }
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0",
            "host.test",
            "10.0.0.2-10.0.0.1",
            "10.0.0.1-::1",
            "a-b.test",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(
            parse("0.0.0.0/0").map(|(from, to)| to - from),
            Some(u128::from(u32::MAX))
        );
        assert_eq!(parse("::/0"), Some((0, u128::MAX)));
    }
}
