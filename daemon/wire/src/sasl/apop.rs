//! APOP (RFC 1939 §7): what the client sends instead of the password. Not SASL, but of its kind; the server has to know the password.

use super::hash::{equal, hex, md5};

/// Whether a digest, 32 hexadecimal digits, is that of the timestamp (with its angle brackets) and the password.
pub fn apop_is(digest: &str, timestamp: &str, password: &str) -> bool {
    let expected = apop(timestamp, password);
    equal(expected.as_bytes(), digest.to_ascii_lowercase().as_bytes())
}

/// The digest itself, for a client.
pub fn apop(timestamp: &str, password: &str) -> String {
    hex(&md5(&[timestamp.as_bytes(), password.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 1939 §7.
    #[test]
    fn the_digest_is_that_of_timestamp_and_password() {
        let timestamp = "<1896.697170952@dbc.mtview.ca.us>";
        assert!(apop_is("c4c9334bac560ecc979e58001b3e22fb", timestamp, "tanstaaf"));
        assert!(apop_is("C4C9334BAC560ECC979E58001B3E22FB", timestamp, "tanstaaf"));
        assert!(!apop_is(
            "c4c9334bac560ecc979e58001b3e22fb",
            timestamp,
            "tanstaaF"
        ));
        assert!(!apop_is("", timestamp, "tanstaaf"));
    }
}
