//! SPF (RFC 7208): whether a peer may send mail for a domain. One file for the record, one for macros, one for the evaluation.

mod check;
mod macros;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use check::check;
