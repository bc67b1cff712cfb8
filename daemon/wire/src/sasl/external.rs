//! EXTERNAL (RFC 4422 appendix A): who the peer is was shown otherwise, here by its certificate; it only says whom it wants to act for.

use super::{Input, Machine, Reason, Step};

#[derive(Default)]
pub(super) struct External {
    asked: bool,
    checking: bool,
}

impl External {
    fn authzid(&mut self, message: &[u8]) -> Step {
        // Appendix A: UTF-8 without NUL; empty: who the certificate says.
        match std::str::from_utf8(message) {
            Ok(text) if !text.contains('\0') => {
                self.checking = true;
                Step::CheckExternal {
                    authzid: (!text.is_empty()).then(|| text.to_owned()),
                }
            }
            _ => Step::Failure(Reason::Syntax),
        }
    }
}

impl Machine for External {
    fn step(&mut self, input: Input<'_>) -> Step {
        match input {
            Input::Start(None) if !self.asked => {
                self.asked = true;
                Step::Challenge(Vec::new())
            }
            Input::Start(Some(message)) if !self.asked => {
                self.asked = true;
                self.authzid(message)
            }
            Input::Response(message) if self.asked && !self.checking => self.authzid(message),
            Input::Found(Some(user)) if self.checking => Step::Success {
                user: user.to_owned(),
                final_data: None,
                which: 0,
            },
            Input::Found(None) if self.checking => Step::Failure(Reason::Credentials),
            _ => Step::Failure(Reason::OutOfOrder),
        }
    }
}
