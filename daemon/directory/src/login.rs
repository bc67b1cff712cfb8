//! Logins: SASL (RFC 4422) by the mechanisms of `wire`, and the plain commands of IMAP and POP3.
//!
//! A user who does not exist, is disabled or has no password takes the same steps and the same time as one with a wrong
//! password. Every end of a login is an event.

mod apop;
mod kept;
pub(crate) mod ntlm;
mod said;
mod vouched;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use events::kinds::security::{LoginFailed, LoginSucceeded};
use shared::model::OwnerId;
use shared::{Address, Refusal};
use wire::sasl::{Context, Input, Mechanism, Reason, Server, Step, Verifiers};

use crate::admin::app_passwords::{self, App};
use crate::cache::Known;
use crate::core::Core;
use crate::password::random;
use crate::resolve::only_domain;
use crate::{Account, Directory, LoginContext, LoginFailure, LoginStep, Unavailable, oauth, records};

pub(crate) use apop::apop;
pub(crate) use said::{checks_waiting, permit};

/// A user's name in an event is cut there, in characters.
const EVENT_USER_LENGTH_MAX: usize = 255;

/// What the log calls the commands that send the password without SASL.
const PLAINTEXT: &str = "plaintext";
/// No user has this number.
const NOBODY: OwnerId = OwnerId(0);

/// A login under way.
pub struct Login {
    directory: Directory,
    context: LoginContext,
    mechanism: &'static str,
    server: Option<Server>,
    /// What the peer called itself.
    user: String,
    /// Whom that means; set before success.
    known: Option<Known>,
    /// The app passwords that would do.
    apps: Vec<App>,
    /// The one that it was.
    app: Option<App>,
    /// Of the passwords that the mechanism compares, those from this one on let nobody in.
    bad_from: Option<usize>,
    /// As whom the peer wants to act, and what its response is compared with, if that is for the next step.
    compared: Option<Box<(Option<String>, Verifiers)>>,
    /// Which of the passwords it was, while the mechanism's last words are on their way.
    proved: Option<usize>,
    /// Tells the same attempt made again, where the password itself was said.
    attempt: Option<u64>,
    /// How it ends if the peer says no more: it may have learned what it wanted.
    left_open: Option<LoginFailure>,
    /// A failure of our own, which the mechanism knows only as a wrong password.
    failure: Option<LoginFailure>,
}

impl Login {
    /// The peer's answer, base64 already decoded.
    pub async fn step(&mut self, response: &[u8]) -> LoginStep {
        self.left_open = None;
        // The answer to the mechanism's last words says nothing.
        match self.proved.take() {
            Some(which) => self.finish(which).await,
            None => self.go(Input::Response(response)).await,
        }
    }

    fn new(directory: &Directory, mechanism: &'static str, context: LoginContext) -> Self {
        Self {
            directory: directory.clone(),
            context,
            mechanism,
            server: None,
            user: String::new(),
            known: None,
            apps: Vec::new(),
            app: None,
            bad_from: None,
            compared: None,
            proved: None,
            left_open: None,
            attempt: None,
            failure: None,
        }
    }

    pub(crate) async fn begin(
        directory: &Directory,
        name: &str,
        initial: Option<&[u8]>,
        context: LoginContext,
    ) -> (Self, LoginStep) {
        let mechanism = Mechanism::from_name(name);
        let mut login = Self::new(directory, mechanism.map_or("", Mechanism::name), context);
        let step = match login.prepare(mechanism) {
            Ok(server) => {
                login.server = Some(server);
                login.go(Input::Start(initial)).await
            }
            Err(failure) => login.failed(failure, reason(failure)),
        };
        (login, step)
    }

    fn prepare(&self, mechanism: Option<Mechanism>) -> Result<Server, LoginFailure> {
        let core = &self.directory.inner;
        admitted(core, &self.context)?;
        let offered = core.offered.load();
        let mechanism = mechanism
            .filter(|mechanism| offered.has(mechanism.name()))
            .ok_or(LoginFailure::Mechanism)?;
        if mechanism.is_plaintext() && !self.context.secure {
            return Err(LoginFailure::NeedsTls);
        }
        let settings = core.settings.load();
        if mechanism.is_token() && !oauth::is_configured(&settings)
            || mechanism == Mechanism::External && self.context.certificate.is_none()
        {
            return Err(LoginFailure::Mechanism);
        }
        if mechanism.needs_channel_binding() && self.context.channel_bindings.is_empty() {
            return Err(LoginFailure::Mechanism);
        }
        let nonce: [u8; 18] = random().map_err(|_| LoginFailure::Unavailable)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let bindings = self.context.channel_bindings.iter();
        let context = Context {
            hostname: settings.text("server.hostname").to_owned(),
            nonce: wire::base64::encode(&nonce),
            channel_bindings: bindings
                .map(|(name, data)| ((*name).to_owned(), data.clone()))
                .collect(),
            timestamp: i64::try_from(now.as_secs()).unwrap_or(0),
            secret: core.secret.to_vec(),
            issuer: Some(settings.text("oauth.issuer").to_owned()).filter(|issuer| !issuer.is_empty()),
        };
        Ok(Server::new(mechanism, context))
    }

    /// Runs the mechanism until the peer is needed again or the login has ended.
    async fn go(&mut self, input: Input<'_>) -> LoginStep {
        // Taken out, and put back when the peer has another turn.
        let Some(mut server) = self.server.take() else {
            return self.failed(LoginFailure::Malformed, "step out of order");
        };
        let mut step = server.step(input);
        loop {
            step = match step {
                Step::Challenge(text) => {
                    self.server = Some(server);
                    return LoginStep::Challenge(text);
                }
                Step::NeedVerifiers { user, authzid } => {
                    let verifiers = self.verifiers(&user, authzid.as_deref()).await;
                    self.user = user;
                    server.step(Input::Verifiers(verifiers.as_ref()))
                }
                Step::CheckPassword { user, password } => {
                    let right = self.check(&user, &password).await;
                    self.user = user;
                    server.step(Input::PasswordChecked(right))
                }
                Step::CheckExternal { authzid } => {
                    let user = self.external(authzid.as_deref()).await;
                    server.step(Input::Found(user.as_deref()))
                }
                Step::CheckToken { user, token } => {
                    let user = self.token(user.as_deref(), &token).await;
                    // A provider that can't be asked is no reason to send the client for another token.
                    if let Some(failure) = self.failure {
                        return self.failed(failure, reason(failure));
                    }
                    // Who is refused is told why first.
                    self.left_open = user.is_none().then_some(LoginFailure::Credentials);
                    server.step(Input::Found(user.as_deref()))
                }
                Step::Success {
                    final_data, which, ..
                } => {
                    if let Some(bad) = self.bad(which) {
                        return self.no_good(bad);
                    }
                    let Some(data) = final_data else {
                        return self.finish(which).await;
                    };
                    self.proved = Some(which);
                    self.left_open = Some(LoginFailure::Cancelled);
                    return LoginStep::Challenge(data);
                }
                Step::Failure(cause) => {
                    self.left_open = None;
                    let failure = self.failure.unwrap_or(match cause {
                        Reason::Syntax | Reason::OutOfOrder => LoginFailure::Malformed,
                        _ => LoginFailure::Credentials,
                    });
                    let text = if self.failure.is_some() {
                        reason(failure).to_owned()
                    } else {
                        cause.to_string()
                    };
                    return self.failed(failure, &text);
                }
            };
        }
    }

    /// The peer has shown that it knows a password.
    async fn finish(&mut self, which: usize) -> LoginStep {
        let which = match self.place_now(which).await {
            Ok(which) => which,
            Err(failure) => return self.failed(failure, reason(failure)),
        };
        if let Some(bad) = self.bad(which) {
            return self.no_good(bad);
        }
        if let Some(place) = which.checked_sub(1) {
            self.app = self.apps.get(place).cloned();
        }
        match self.known.take() {
            Some(known) => self.succeeded(known.account),
            None => self.failed(LoginFailure::Credentials, "no such user"),
        }
    }

    async fn check(&mut self, user: &str, password: &str) -> bool {
        let core = &self.directory.inner;
        // The protocol belongs to it: an app password may open one and not another.
        let protocol = records::protocol_name(self.context.protocol);
        let attempt = core.caches.attempt(&format!("{protocol} {user}"), password);
        self.attempt = Some(attempt);
        if core.caches.is_disproved(attempt) {
            return false;
        }
        let epoch = core.caches.epoch();
        let protocol = self.context.protocol;
        match said::check(core, user, password, protocol, self.policy_name()).await {
            Ok(Some((known, app))) => {
                (self.known, self.app) = (Some(known), app);
                true
            }
            Ok(None) => {
                self.directory.inner.caches.disprove(attempt, epoch);
                false
            }
            Err(Unavailable(_)) => {
                self.failure = Some(LoginFailure::Unavailable);
                false
            }
        }
    }

    /// What a domain's policy calls it: the commands of IMAP and POP3 go with PLAIN.
    fn policy_name(&self) -> &'static str {
        if self.mechanism == PLAINTEXT {
            "PLAIN"
        } else {
            self.mechanism
        }
    }

    fn succeeded(&mut self, account: Arc<Account>) -> LoginStep {
        if account.denied.contains(&self.context.protocol) {
            let caches = &self.directory.inner.caches;
            let tried = || caches.attempt(&format!("no good {}", account.owner.0), "protocol");
            self.attempt.get_or_insert_with(tried);
            return self.failed(LoginFailure::Protocol, reason(LoginFailure::Protocol));
        }
        let event = LoginSucceeded {
            service: records::protocol_name(self.context.protocol).to_owned(),
            user: account.address.to_string(),
            mechanism: self.mechanism.to_owned(),
            app_password: self.app.as_ref().map_or("", App::label).to_owned(),
        };
        let core = &self.directory.inner;
        core.events.emit(self.context.scope, event);
        if let Some(app) = self.app.clone() {
            let core = Arc::clone(core);
            // The client need not wait until that is written.
            tokio::spawn(async move { app_passwords::used(&core, &app).await });
        }
        LoginStep::Success { account }
    }

    fn failed(&self, failure: LoginFailure, reason: &str) -> LoginStep {
        let core = &self.directory.inner;
        if matches!(failure, LoginFailure::Credentials | LoginFailure::Protocol)
            && let Some(guard) = core.guard.load_full()
        {
            guard.failed(self.context.peer, self.attempt);
        }
        let event = LoginFailed {
            service: records::protocol_name(self.context.protocol).to_owned(),
            user: self.user.chars().take(EVENT_USER_LENGTH_MAX).collect(),
            mechanism: self.mechanism.to_owned(),
            reason: reason.to_owned(),
        };
        core.events.emit(self.context.scope, event);
        LoginStep::Failure(failure)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        if let Some(failure) = self.left_open {
            self.failed(failure, reason(failure));
        }
    }
}

/// Mechanisms to offer on a connection, best first.
pub(crate) fn mechanisms(core: &Core, context: &LoginContext) -> Vec<&'static str> {
    let on = core.offered.load();
    let tokens = oauth::is_configured(&core.settings.load());
    let offered = Mechanism::ALL.into_iter().filter(|mechanism| {
        on.has(mechanism.name())
            && (tokens || !mechanism.is_token())
            && (context.certificate.is_some() || *mechanism != Mechanism::External)
            && (context.secure || !mechanism.is_plaintext())
            && (!context.channel_bindings.is_empty() || !mechanism.needs_channel_binding())
    });
    offered.map(Mechanism::name).collect()
}

/// IMAP's LOGIN and POP3's USER and PASS.
pub(crate) async fn plain(
    directory: &Directory,
    user: &str,
    password: &str,
    context: LoginContext,
) -> LoginStep {
    let mut login = Login::new(directory, PLAINTEXT, context);
    user.clone_into(&mut login.user);
    let admitted = admitted(&directory.inner, &login.context);
    let admitted = admitted.and(if login.context.secure {
        Ok(())
    } else {
        Err(LoginFailure::NeedsTls)
    });
    if let Err(failure) = admitted {
        return login.failed(failure, reason(failure));
    }
    let right = login.check(user, password).await;
    match login.known.take().filter(|_| right) {
        Some(known) => login.succeeded(known.account),
        None => {
            let failure = login.failure.unwrap_or(LoginFailure::Credentials);
            login.failed(failure, reason(failure))
        }
    }
}

fn admitted(core: &Core, context: &LoginContext) -> Result<(), LoginFailure> {
    match core.guard.load_full() {
        Some(guard) if !guard.may_try(context.peer) => Err(LoginFailure::TooMany),
        _ => Ok(()),
    }
}

/// For the log.
fn reason(failure: LoginFailure) -> &'static str {
    match failure {
        LoginFailure::Credentials => "wrong user or password",
        LoginFailure::NeedsTls => "plaintext on an insecure connection",
        LoginFailure::Mechanism => "no such mechanism",
        LoginFailure::Malformed => "malformed response",
        LoginFailure::Cancelled => "cancelled",
        LoginFailure::Protocol => "the user may not use this protocol",
        LoginFailure::TooMany => "too many failures from this address",
        LoginFailure::Unavailable => "the directory can't be reached",
    }
}

/// Whom a peer means: a full address in any case, by any name of the domain; a bare local part only if the server has one
/// domain.
async fn find(core: &Core, name: &str) -> Result<Option<Known>, Unavailable> {
    let address: Result<Address, Refusal> = if name.contains('@') {
        Address::parse(name)
    } else {
        let Some(domain) = only_domain(core).await? else {
            return Ok(None);
        };
        Address::from_parts(name, domain)
    };
    match address {
        Ok(address) => core.known(&address).await,
        Err(_) => Ok(None),
    }
}
