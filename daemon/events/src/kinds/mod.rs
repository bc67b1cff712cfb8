//! The declarations of all events, one file per area. A field is `String`, `u64`, `i64` or `bool`.

/// Declares event types:
/// `Name "code" Channel Severity { field: Type, … }`, with a doc comment that says when it happens.
macro_rules! events {
    ($( $(#[$doc:meta])* $name:ident $code:literal $channel:ident $severity:ident { $( $field:ident : $ty:ty ),* $(,)? } )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name { $( pub $field: $ty ),* }
            impl $crate::Event for $name {
                const CODE: &'static str = $code;
                const CHANNEL: $crate::Channel = $crate::Channel::$channel;
                const SEVERITY: $crate::Severity = $crate::Severity::$severity;
                fn fields(&self) -> Vec<(&'static str, $crate::Value)> {
                    vec![$( (stringify!($field), $crate::Value::from(self.$field.clone())) ),*]
                }
            }
        )*
        /// The codes declared here, with the names of their fields.
        pub const CODES: &[(&str, &[&str])] = &[$( ($code, &[$( stringify!($field) ),*]) ),*];
    };
}

pub mod delivery;
pub mod fetch;
pub mod imap;
pub mod net;
pub mod pop3;
pub mod security;
pub mod server;
pub mod smtp;
pub mod store;

/// Every event there is: its code and the names of its fields (and `peer`, which stands beside each).
pub fn all_codes() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    [
        delivery::CODES,
        fetch::CODES,
        imap::CODES,
        net::CODES,
        pop3::CODES,
        security::CODES,
        server::CODES,
        smtp::CODES,
        store::CODES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
