//! Objects of one log in its bucket: reading, and putting what may be put.

mod list;
mod put;

use aws_credential_types::Credentials as SdkCredentials;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

pub(crate) use put::{New, Replaced};

use crate::retry::{Failure, retrying};
use crate::{Credentials, Location, Options, S3Error};

/// The longest object that is read: 512 MiB, far above a segment at its longest.
/// The bucket can't make a reader take more memory.
const OBJECT_BYTES_MAX: usize = 512 << 20;

/// Storage classes whose objects have to be thawed for hours before they are
/// read: a log in them can't be verified.
const COLD: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// The shortest part of an object, but for its last, as S3 has it.
const PART_BYTES_MIN: usize = 5 << 20;

/// Talks to the server. Names of objects are those under the log's prefix.
#[derive(Debug)]
pub(crate) struct Client {
    s3: aws_sdk_s3::Client,
    location: Location,
    options: Options,
}

/// An object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: String,
    /// Where the bucket has versions.
    pub(crate) version: Option<String>,
}

impl Client {
    pub(crate) fn new(location: Location, credentials: Credentials, options: Options) -> Result<Self, S3Error> {
        if location.bucket.is_empty() || location.prefix.contains("//") {
            return Err(S3Error::Configuration("it has no name, or its prefix has an empty part".to_owned()));
        }
        if options.part_bytes < PART_BYTES_MIN {
            return Err(S3Error::Configuration(format!("parts have to have {PART_BYTES_MIN} bytes at least")));
        }
        if options.storage_class.as_deref().is_some_and(|class| COLD.contains(&class)) {
            return Err(S3Error::Configuration("objects of this storage class can't be read at once".to_owned()));
        }
        let plain = location.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let http = match plain {
            true => HttpBuilder::new().build_http(),
            false => HttpBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        };
        let Credentials { access_key_id, secret_access_key, session_token } = credentials;
        let identity = SdkCredentials::new(access_key_id, secret_access_key, session_token, None, "vak-audit-s3");
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(options.request_timeout)
            .operation_attempt_timeout(options.request_timeout)
            .build();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(location.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(identity))
            .http_client(http)
            .sleep_impl(TokioSleep::new())
            .timeout_config(timeouts)
            // Done here, where a 412 after a lost answer can be understood.
            .retry_config(RetryConfig::disabled())
            .force_path_style(location.endpoint.is_some());
        let config = match &location.endpoint {
            Some(endpoint) => config.endpoint_url(endpoint),
            None => config,
        };
        Ok(Self { s3: aws_sdk_s3::Client::from_conf(config.build()), location, options })
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Reads an object; `None` when there is none.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Object>, S3Error> {
        let key = self.location.key(name);
        let read = || async {
            let answer = self.s3.get_object().bucket(&self.location.bucket).key(&key).send().await?;
            let etag = answer.e_tag().unwrap_or_default().to_owned();
            let version = answer.version_id().map(str::to_owned);
            let body = tokio::time::timeout(self.options.request_timeout, collect(answer.body));
            let bytes = body.await.unwrap_or_else(|_| Err(Failure::Transient("its end did not come".to_owned())))?;
            Ok(Object { bytes, etag, version })
        };
        match retrying(&self.options, read).await {
            Ok(object) => Ok(Some(object)),
            Err(Failure::Missing) => Ok(None),
            Err(failure) => Err(failure.of(&format!("reading `{name}`"))),
        }
    }
}

/// A length that a server does not keep to must not count.
async fn collect(mut body: ByteStream) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| Failure::Transient(error.to_string()))?);
        if bytes.len() > OBJECT_BYTES_MAX {
            return Err(Failure::Refused(format!("it has more than {OBJECT_BYTES_MAX} bytes")));
        }
    }
    Ok(bytes)
}
