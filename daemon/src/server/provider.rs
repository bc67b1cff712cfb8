//! Asks the identity provider for the directory: its keys, from the web or a file, and what it knows of a token.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use disk::SharedDisk;
use http::{Http, Limits, Request};

/// A login waits for it.
const LIMITS: Limits = Limits {
    total: Duration::from_secs(10),
    connect: Duration::from_secs(5),
    body_max_bytes: 256 * 1024,
    redirects_max_count: 2,
};

pub(super) struct Provider {
    pub(super) http: Http,
    pub(super) disk: SharedDisk,
    /// The password of this server at the provider, alone in a file, gives that.
    pub(super) secret: std::sync::Arc<dyn Fn() -> Option<String> + Send + Sync>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;

impl directory::Provider for Provider {
    fn read(&self, place: String) -> Answer {
        let (http, disk) = (self.http.clone(), self.disk.clone());
        Box::pin(async move {
            if place.contains("://") {
                let request = Request::get(&place).map_err(|error| error.to_string())?;
                return send(&http, request).await;
            }
            let reading = tokio::task::spawn_blocking(move || disk.read(Path::new(&place)));
            let read = reading.await.map_err(|error| error.to_string())?;
            read.map_err(|error| error.to_string())
        })
    }

    fn introspect(&self, url: String, client: String, token: String) -> Answer {
        let (http, secret) = (self.http.clone(), self.secret.clone());
        Box::pin(async move {
            // RFC 7662 §2.1. A token has no character that a form must escape but these.
            let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            let body = format!("token={token}&token_type_hint=access_token");
            let request = Request::post(&url, "application/x-www-form-urlencoded", body);
            let mut request = request.map_err(|error| error.to_string())?;
            if !client.is_empty() {
                let secret = tokio::task::spawn_blocking(move || secret()).await;
                let secret = secret.ok().flatten().unwrap_or_default();
                let pair = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
                request = request.header("Authorization", &format!("Basic {pair}"));
            }
            send(&http, request.header("Accept", "application/json")).await
        })
    }
}

async fn send(http: &Http, request: Request) -> Result<Vec<u8>, String> {
    // Whoever can change what comes over a plain connection could name any user; on this host nobody can.
    let url = request.url();
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !here {
        return Err(format!("{url} is not protected by TLS"));
    }
    let answer = http
        .send(request, &LIMITS)
        .await
        .map_err(|error| error.to_string())?;
    if !answer.is_success() {
        return Err(format!("{} answered {}", answer.url, answer.status));
    }
    Ok(answer.body.to_vec())
}
