//! Base64 as logins use it: what is decoded has one spelling.

pub fn run(data: &[u8]) {
    let encoded = wire::base64::encode(data);
    assert_eq!(wire::base64::decode(encoded.as_bytes()).as_deref(), Some(data));
    if let Some(decoded) = wire::base64::decode(data) {
        assert_eq!(wire::base64::encode(&decoded).as_bytes(), data);
    }
}
