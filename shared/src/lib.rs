//! What both sides of the control channel know: the model of the configuration, its validation, the protocol's
//! messages and its client.
//!
//! Must not know: how anything is stored, served or drawn. No text for people stands here: refusals carry a
//! stable code and arguments, and Fluent turns them into words.

pub mod address;
pub mod client;
pub mod external;
pub mod mechanisms;
pub mod model;
pub mod networks;
pub mod protocol;
pub mod refusal;
pub mod report;
pub mod rights;
pub mod route;
pub mod settings;
pub mod switches;

pub use address::{Address, DomainName};
pub use external::External;
pub use refusal::Refusal;
pub use rights::Rights;
pub use route::Route;
