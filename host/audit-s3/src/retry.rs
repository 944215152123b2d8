//! What an answer means, and trying again.

use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::{Options, S3Error};

/// The longest pause between two attempts: 20 s. After an outage, uploads go on
/// within it.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// Why a request had no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no such object.
    Missing,
    /// What `If-Match` or `If-None-Match` asked for is not so.
    Precondition,
    /// Another attempt may succeed. With a 409, S3 says that another request
    /// for the object is under way.
    Transient(String),
    /// The server can't do this at all.
    Unsupported(String),
    Denied(String),
    Refused(String),
    Configuration(String),
}

impl Failure {
    /// Names what was tried.
    pub(crate) fn of(self, what: &str) -> S3Error {
        let what = what.to_owned();
        match self {
            Self::Transient(cause) => S3Error::Unavailable { what, cause },
            Self::Denied(cause) => S3Error::Denied { what, cause },
            Self::Unsupported(cause) | Self::Refused(cause) => S3Error::Refused { what, cause },
            Self::Missing => S3Error::Refused { what, cause: "404".to_owned() },
            Self::Precondition => S3Error::Refused { what, cause: "412".to_owned() },
            Self::Configuration(cause) => S3Error::Configuration(format!("{what}: {cause}")),
        }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    SdkError<E, HttpResponse>: std::error::Error,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(answer) => {
                let (status, code) = (answer.raw().status().as_u16(), answer.err().code().unwrap_or("no code"));
                of_status(status, code, answer.err().message().unwrap_or_default())
            }
            SdkError::ConstructionFailure(_) => Self::Configuration(DisplayErrorContext(&error).to_string()),
            // No connection, no answer in time, or an answer that broke off.
            _ => Self::Transient(DisplayErrorContext(&error).to_string()),
        }
    }
}

fn of_status(status: u16, code: &str, message: &str) -> Failure {
    let cause = format!("{status} {code} {message}").trim_end().to_owned();
    match status {
        404 if code == "NoSuchBucket" => Failure::Configuration(cause),
        404 => Failure::Missing,
        412 => Failure::Precondition,
        501 => Failure::Unsupported(cause),
        400 if code == "RequestTimeout" => Failure::Transient(cause),
        408 | 409 | 429 | 500.. => Failure::Transient(cause),
        401 | 403 => Failure::Denied(cause),
        _ => Failure::Refused(cause),
    }
}

/// Tries until there is success, or a failure that trying again doesn't change,
/// or it was tried often enough.
pub(crate) async fn retrying<T, F>(options: &Options, mut attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut tried = 1;
    loop {
        match attempt().await {
            Err(Failure::Transient(_)) if tried < options.attempts => {
                tokio::time::sleep(pause(options, tried)).await;
                tried += 1;
            }
            ended => return ended,
        }
    }
}

/// How long to wait after the `tried`th attempt. Random, so that hosts which
/// failed together don't come back together.
pub(crate) fn pause(options: &Options, tried: u32) -> Duration {
    let full = options.pause.saturating_mul(1 << (tried - 1).min(16)).min(PAUSE_MAX);
    let mut random = [0; 1];
    // Without randomness the pause is merely not shortened.
    getrandom::fill(&mut random).unwrap_or(());
    full.mul_f64(1.0 - f64::from(random[0]) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_class() {
        let class = |status, code| of_status(status, code, "");
        assert_eq!(class(404, "NoSuchKey"), Failure::Missing);
        assert!(matches!(class(404, "NoSuchBucket"), Failure::Configuration(_)));
        assert_eq!(class(412, "PreconditionFailed"), Failure::Precondition);
        for (status, code) in
            [(409, "ConditionalRequestConflict"), (500, "InternalError"), (503, "SlowDown"), (400, "RequestTimeout")]
        {
            assert!(matches!(class(status, code), Failure::Transient(_)), "{status}");
        }
        assert!(matches!(class(403, "AccessDenied"), Failure::Denied(_)));
        assert!(matches!(class(501, "NotImplemented"), Failure::Unsupported(_)));
        assert!(matches!(class(400, "InvalidStorageClass"), Failure::Refused(_)));
    }

    #[test]
    fn pauses_double_up_to_their_limit() {
        let options = Options::default();
        for tried in 1..40 {
            let full = options.pause.saturating_mul(1 << (tried - 1).min(16)).min(PAUSE_MAX);
            let pause = pause(&options, tried);
            assert!(pause <= full && pause >= full / 2, "{tried}: {pause:?}");
        }
    }
}
