//! Requests to one registry, and nothing that was not asked for: every wait, every
//! body and every way to another host has an end.

use std::collections::HashMap;
use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use url::Url;
use vak_types::printable;

use crate::body::Counted;
use crate::challenge::{self, Challenge};
use crate::error::OciError;
use crate::location::is_loopback;
use crate::settings::{Credentials, Limits, Settings};
use crate::tls;

/// How often a blob may be elsewhere.
const REDIRECTS_MAX: usize = 5;

/// Most that is read of an error or of an issuer's answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Longest wait that a registry may ask for.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Longest explanation that is quoted, in bytes.
const QUOTE_BYTES_MAX: usize = 300;

/// What is asked for.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// In the words of an error.
    pub(crate) what: &'a str,
    /// What a token has to be good for, such as `repository:vak/rules:pull`.
    pub(crate) scope: &'a str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<(HeaderValue, Bytes)>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(method: Method, url: Url, what: &'a str, scope: &'a str) -> Self {
        Self { method, url, what, scope, headers: Vec::new(), body: None }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        // What is not fit for a header is not sent; all of them are ours.
        self.headers.extend(HeaderValue::from_str(value).map(|value| (name, value)));
        self
    }

    pub(crate) fn body(mut self, media_type: &'static str, bytes: Bytes) -> Self {
        self.body = Some((HeaderValue::from_static(media_type), bytes));
        self
    }
}

pub(crate) struct Http {
    client: Client,
    origin: Url,
    credentials: Option<Credentials>,
    pub(crate) limits: Limits,
    /// What was sent last with success, by scope.
    authorizations: Mutex<HashMap<String, HeaderValue>>,
}

impl Http {
    pub(crate) fn new(origin: &Url, settings: Settings) -> Result<Self, OciError> {
        let Settings { credentials, limits, authorities } = settings;
        let builder = Client::builder()
            .tls_backend_preconfigured(tls::config(authorities.as_deref()).map_err(OciError::Settings)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // A body that is small here and large when it is read.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .user_agent(concat!("vak/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .tcp_nodelay(true);
        let client = builder.build().map_err(|error| OciError::Settings(error.to_string()))?;
        Ok(Self { client, origin: origin.clone(), credentials, limits, authorizations: Mutex::default() })
    }

    /// The address of `path` in the registry.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.origin.clone();
        url.set_path(path);
        url
    }

    /// One attempt at an answer that is a success. Credentials are given where the
    /// registry asks for them.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Response, OciError> {
        let mut authorization = self.known(ask.scope)?;
        let response = self.follow(ask, authorization.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.is_home(response.url()) {
            return self.success(ask.what, response).await;
        }
        if matches!(self.credentials, Some(Credentials::Token(_))) {
            return self.success(ask.what, response).await;
        }
        authorization = Some(self.answer(ask, response).await?);
        let response = self.follow(ask, authorization.as_ref()).await?;
        if let (true, Some(authorization)) = (response.status() != StatusCode::UNAUTHORIZED, authorization) {
            self.lock().insert(ask.scope.to_owned(), authorization);
        }
        self.success(ask.what, response).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, HeaderValue>> {
        self.authorizations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, scope: &str) -> Result<Option<HeaderValue>, OciError> {
        match &self.credentials {
            Some(Credentials::Token(token)) => secret(&format!("Bearer {}", token.as_str())).map(Some),
            _ => Ok(self.lock().get(scope).cloned()),
        }
    }

    /// Follows redirects of what only reads.
    async fn follow(&self, ask: &Ask<'_>, authorization: Option<&HeaderValue>) -> Result<Response, OciError> {
        let mut url = ask.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let authorization = authorization.filter(|_| self.is_home(&url));
            let response = self.send(ask, url.clone(), authorization).await?;
            let status = response.status();
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
            if !matches!(ask.method, Method::GET | Method::HEAD) {
                return Err(OciError::Redirect(format!("{} is not sent to `{}`", ask.what, printable(location, 200))));
            }
            url = self.elsewhere(&url, location)?;
        }
        Err(OciError::Redirect(format!("{} is elsewhere more than {REDIRECTS_MAX} times", ask.what)))
    }

    /// Where a registry says that something is, or is to be sent.
    pub(crate) fn elsewhere(&self, from: &Url, location: &str) -> Result<Url, OciError> {
        let no = |why: &str| OciError::Redirect(format!("`{}` {why}", printable(location, 200)));
        if location.is_empty() {
            return Err(no("is no address"));
        }
        let url = from.join(location).map_err(|_| no("is no address"))?;
        let local = self.origin.scheme() == "http" && url.scheme() == "http" && is_loopback(&url);
        match url.scheme() == "https" || local {
            true if url.username().is_empty() && url.password().is_none() => Ok(url),
            true => Err(no("has credentials")),
            false => Err(no("is not `https`")),
        }
    }

    /// Whether credentials may be sent there.
    fn is_home(&self, url: &Url) -> bool {
        url.origin() == self.origin.origin()
    }

    async fn send(&self, ask: &Ask<'_>, url: Url, authorization: Option<&HeaderValue>) -> Result<Response, OciError> {
        let host = host(&url);
        let mut headers: HeaderMap = ask.headers.iter().cloned().collect();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.extend(authorization.map(|value| (AUTHORIZATION, value.clone())));
        let mut request = self.client.request(ask.method.clone(), url);
        let sent = Arc::new(AtomicU64::new(0));
        if let Some((media_type, bytes)) = &ask.body {
            headers.insert(CONTENT_TYPE, media_type.clone());
            request = request.body(reqwest::Body::wrap(Counted::new(bytes.clone(), Arc::clone(&sent))));
        }
        let mut sending = pin!(request.headers(headers).send());
        let mut before = 0;
        loop {
            // A large body takes its time as long as it moves.
            match tokio::time::timeout(self.limits.idle, sending.as_mut()).await {
                Ok(response) => return response.map_err(|error| unreachable(host, error)),
                Err(_) if sent.load(Ordering::Relaxed) > before => before = sent.load(Ordering::Relaxed),
                Err(_) => return Err(OciError::Idle { host, idle: self.limits.idle }),
            }
        }
    }

    /// The header that a challenge asks for.
    async fn answer(&self, ask: &Ask<'_>, response: Response) -> Result<HeaderValue, OciError> {
        let headers: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
        let text = headers.iter().map(|value| value.to_str()).collect::<Result<Vec<_>, _>>();
        let text = text.map_err(|_| OciError::Challenge("it is not ASCII".to_owned()))?.join(", ");
        if text.is_empty() {
            return match self.success(ask.what, response).await {
                Ok(_) => Err(OciError::Challenge("it is missing".to_owned())),
                Err(error) => Err(error),
            };
        }
        let password = match &self.credentials {
            Some(Credentials::Password { user, password }) => {
                Some(secret(&format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.as_str()))))?)
            }
            _ => None,
        };
        match Challenge::parse(&text, &self.origin)? {
            Challenge::Basic => password.ok_or_else(|| OciError::Unauthorized {
                what: ask.what.to_owned(),
                detail: "it wants a name and a password".to_owned(),
            }),
            Challenge::Bearer { mut realm, service } => {
                if password.is_some() && !challenge::is_of(&realm, &self.origin) {
                    let host = host(&realm);
                    return Err(OciError::Challenge(format!("it wants the password given to `{host}`, another host")));
                }
                realm.query_pairs_mut().append_pair("scope", ask.scope);
                if let Some(service) = &service {
                    realm.query_pairs_mut().append_pair("service", service);
                }
                let what = "a token";
                let issue = Ask::new(Method::GET, realm.clone(), what, "");
                let response = self.send(&issue, realm, password.as_ref()).await?;
                let response = self.success(what, response).await?;
                let token = challenge::token(&self.read(what, response, ANSWER_BYTES_MAX).await?)?;
                secret(&format!("Bearer {token}"))
            }
        }
    }

    /// The response, if it is a success, or why it is none.
    async fn success(&self, what: &str, response: Response) -> Result<Response, OciError> {
        let status = response.status();
        if status.is_success() {
            let encoding = response.headers().get(CONTENT_ENCODING).map(|it| String::from_utf8_lossy(it.as_bytes()));
            return match encoding {
                Some(encoding) if !encoding.eq_ignore_ascii_case("identity") => {
                    Err(OciError::Encoded { what: what.to_owned(), encoding: printable(&encoding, 40) })
                }
                _ => Ok(response),
            };
        }
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let wait = wait.map(Duration::from_secs);
        let what = what.to_owned();
        match status {
            StatusCode::NOT_FOUND => return Err(OciError::NotFound(what)),
            StatusCode::TOO_MANY_REQUESTS => return Err(OciError::Busy { what, wait }),
            StatusCode::SERVICE_UNAVAILABLE if wait.is_some() => return Err(OciError::Busy { what, wait }),
            _ => {}
        }
        let detail = self.detail(response).await.unwrap_or_else(|| status.to_string());
        Err(match status {
            StatusCode::UNAUTHORIZED => OciError::Unauthorized { what, detail },
            StatusCode::FORBIDDEN => OciError::Forbidden { what, detail },
            _ => OciError::Status { what, status: status.as_u16(), detail },
        })
    }

    /// What the registry says of an error, if it says so in time and in the form
    /// that the specification has.
    async fn detail(&self, response: Response) -> Option<String> {
        #[derive(Deserialize)]
        struct Answer {
            errors: Vec<Told>,
        }
        #[derive(Deserialize)]
        struct Told {
            code: String,
            #[serde(default)]
            message: String,
        }
        let body = self.read("", response, ANSWER_BYTES_MAX).await.ok()?;
        let Answer { errors } = serde_json::from_slice(&body).ok()?;
        let Told { code, message } = errors.first()?;
        Some(printable(&format!("{code} {message}"), QUOTE_BYTES_MAX))
    }

    /// The next piece of a body, or its end.
    pub(crate) async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, OciError> {
        let host = host(response.url());
        match tokio::time::timeout(self.limits.idle, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| unreachable(host, error)),
            Err(_) => Err(OciError::Idle { host, idle: self.limits.idle }),
        }
    }

    /// A whole body of at most `bytes_max` bytes.
    pub(crate) async fn read(&self, what: &str, mut response: Response, bytes_max: u64) -> Result<Vec<u8>, OciError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            if (body.len() + chunk.len()) as u64 > bytes_max {
                return Err(OciError::TooLarge { what: what.to_owned(), bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Tries until it goes well, or cannot, or was tried often enough.
    pub(crate) async fn retry<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, OciError>
    where
        F: Future<Output = Result<T, OciError>>,
    {
        let mut made = 0;
        loop {
            made += 1;
            match attempt().await {
                Err(error) => self.pause(made, error).await?,
                result => return result,
            }
        }
    }

    /// Waits before another attempt.
    ///
    /// # Errors
    /// The error itself, if there is to be none.
    pub(crate) async fn pause(&self, made: u32, error: OciError) -> Result<(), OciError> {
        if !error.is_transient() || made >= self.limits.attempts {
            return Err(error);
        }
        let Some(wait) = self.wait(made, &error) else { return Err(error) };
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// How long to wait after so many attempts: twice as long each time, between a
    /// half and all of it, so that not all come back at once. `None` if the
    /// registry asks for longer than anybody waits.
    fn wait(&self, made: u32, error: &OciError) -> Option<Duration> {
        let whole = self.limits.backoff.saturating_mul(1 << (made - 1).min(10)).min(WAIT_MAX);
        let mut random = [0; 4];
        // Without chance it is the whole.
        let share = getrandom::fill(&mut random).map_or(u32::MAX, |()| u32::from_ne_bytes(random));
        let backoff = whole.mul_f64(0.5 + f64::from(share) / f64::from(u32::MAX) / 2.0);
        match error {
            OciError::Busy { wait: Some(wait), .. } => (*wait <= WAIT_MAX).then_some(backoff.max(*wait)),
            _ => Some(backoff),
        }
    }

    /// Ends a call that takes too long as a whole.
    pub(crate) async fn within<T>(&self, call: impl Future<Output = Result<T, OciError>>) -> Result<T, OciError> {
        let whole = self.limits.whole;
        tokio::time::timeout(whole, call).await.unwrap_or(Err(OciError::TooSlow(whole)))
    }
}

fn secret(text: &str) -> Result<HeaderValue, OciError> {
    let value = HeaderValue::from_str(text);
    let mut value =
        value.map_err(|_| OciError::Settings("the credentials have characters that cannot be sent".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn host(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    printable(&format!("{}{port}", url.host_str().unwrap_or_default()), 200)
}

/// The innermost cause says what is wrong.
fn unreachable(host: String, error: reqwest::Error) -> OciError {
    let error = error.without_url();
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        why = error.to_string();
        cause = error.source();
    }
    OciError::Unreachable { host, why: printable(&why, QUOTE_BYTES_MAX) }
}
