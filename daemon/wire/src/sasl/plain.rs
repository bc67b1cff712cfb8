//! PLAIN (RFC 4616) and LOGIN: the password itself.

use super::{Input, Machine, Reason, Step, text};

#[derive(Default)]
pub(super) struct Plain {
    user: Option<String>,
}

impl Machine for Plain {
    fn step(&mut self, input: Input<'_>) -> Step {
        match (input, self.user.take()) {
            (Input::Start(None), None) => Step::Challenge(Vec::new()),
            (Input::Start(Some(message)) | Input::Response(message), None) => self.message(message),
            (Input::PasswordChecked(right), Some(user)) => checked(right, user),
            _ => Step::Failure(Reason::OutOfOrder),
        }
    }
}

impl Plain {
    fn message(&mut self, message: &[u8]) -> Step {
        let mut parts = message.split(|&byte| byte == 0);
        let (Some(authzid), Some(user), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Step::Failure(Reason::Syntax);
        };
        let (Some(user), Some(password)) = (text(user), text(password)) else {
            return Step::Failure(Reason::Syntax);
        };
        if !authzid.is_empty() && !authzid.eq_ignore_ascii_case(user.as_bytes()) {
            return Step::Failure(Reason::AuthorizationIdentity);
        }
        self.user = Some(user.clone());
        Step::CheckPassword { user, password }
    }
}

#[derive(Default)]
pub(super) struct Login {
    started: bool,
    user: Option<String>,
    asked: bool,
}

impl Machine for Login {
    fn step(&mut self, input: Input<'_>) -> Step {
        match input {
            Input::Start(None) if !self.started => {
                self.started = true;
                Step::Challenge(b"Username:".to_vec())
            }
            Input::Start(Some(name)) if !self.started => self.name(name),
            Input::Response(name) if self.user.is_none() => self.name(name),
            Input::Response(password) if !self.asked => match (text(password), self.user.clone()) {
                (Some(password), Some(user)) => {
                    self.asked = true;
                    Step::CheckPassword { user, password }
                }
                _ => Step::Failure(Reason::Syntax),
            },
            Input::PasswordChecked(right) if self.asked => match self.user.take() {
                Some(user) => checked(right, user),
                None => Step::Failure(Reason::OutOfOrder),
            },
            _ => Step::Failure(Reason::OutOfOrder),
        }
    }
}

impl Login {
    fn name(&mut self, name: &[u8]) -> Step {
        self.started = true;
        self.user = text(name);
        match self.user {
            Some(_) => Step::Challenge(b"Password:".to_vec()),
            None => Step::Failure(Reason::Syntax),
        }
    }
}

fn checked(right: bool, user: String) -> Step {
    if right {
        Step::Success {
            user,
            final_data: None,
            which: 0,
        }
    } else {
        Step::Failure(Reason::Credentials)
    }
}
