//! A registry, as the distribution specification has it.

use std::path::Path;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_RANGE, HeaderName, LINK, LOCATION, RANGE};
use reqwest::{Method, Response, StatusCode};
use url::Url;
use vak_types::Digest;

use crate::document::{self, Descriptor, INDEX, ImageIndex, MANIFEST};
use crate::error::OciError;
use crate::http::{Ask, Http};
use crate::image::Blob;
use crate::location::RegistryUrl;
use crate::partial::Partial;
use crate::settings::Settings;

/// How often what refers to an image is written again, after others wrote too.
const ROUNDS_MAX: usize = 5;

/// Most pages of what refers to an image.
const PAGES_MAX: usize = 8;

/// Said by a registry that lists what refers to an image by itself.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

pub(crate) struct Registry {
    pub(crate) http: Http,
    prefix: String,
}

impl Registry {
    pub(crate) fn new(url: &RegistryUrl, settings: Settings) -> Result<Self, OciError> {
        Ok(Self { http: Http::new(url.origin(), settings)?, prefix: url.prefix().to_owned() })
    }

    pub(crate) fn repository(&self, name: &str, rights: &str) -> Repository<'_> {
        let path = format!("{}{name}", self.prefix);
        Repository { http: &self.http, scope: format!("repository:{path}:{rights}"), path }
    }
}

/// One repository, to be read or also to be written.
pub(crate) struct Repository<'a> {
    http: &'a Http,
    path: String,
    scope: String,
}

impl Repository<'_> {
    fn ask<'b>(&'b self, method: Method, rest: &str, what: &'b str) -> Ask<'b> {
        Ask::new(method, self.http.url(&format!("/v2/{}/{rest}", self.path)), what, &self.scope)
    }

    /// A blob in memory; `part` has what came of it if it does not come whole.
    pub(crate) async fn fetch(&self, blob: Blob, part: &Path) -> Result<Bytes, OciError> {
        let mut partial = Partial::open(part, blob).await?;
        // What was there before may be anything.
        let mut own = partial.is_empty();
        let mut made = 0;
        loop {
            made += 1;
            match self.pull(&mut partial).await {
                Ok(()) if own || partial.is_right() => return partial.finish(),
                Ok(()) => {
                    own = true;
                    partial.restart()?;
                }
                Err(error @ OciError::TooLarge { .. }) => {
                    partial.discard()?;
                    return Err(error);
                }
                Err(error) => self.http.pause(made, error).await?,
            }
        }
    }

    /// One attempt at what is missing.
    async fn pull(&self, partial: &mut Partial) -> Result<(), OciError> {
        let Blob { digest, size } = partial.blob();
        let what = digest.to_string();
        let too_large = || OciError::TooLarge { what: what.clone(), bytes_max: size };
        let have = partial.len();
        if have == size {
            return Ok(());
        }
        let mut ask = self.ask(Method::GET, &format!("blobs/{digest}"), &what);
        if have > 0 {
            ask = ask.header(RANGE, &format!("bytes={have}-"));
        }
        let mut response = match self.http.ask(&ask).await {
            // What we have is more than it has.
            Err(OciError::Status { status: 416, .. }) if have > 0 => return partial.start_again(),
            response => response?,
        };
        match response.status() {
            StatusCode::OK => partial.restart()?,
            StatusCode::PARTIAL_CONTENT if have > 0 && begins(&response, have) => {}
            StatusCode::PARTIAL_CONTENT if have > 0 => return partial.start_again(),
            status => {
                let detail = "a blob comes with 200, or a part with 206".to_owned();
                return Err(OciError::Status { what, status: status.as_u16(), detail });
            }
        }
        if response.content_length().is_some_and(|rest| rest > size - partial.len()) {
            return Err(too_large());
        }
        while let Some(chunk) = self.http.chunk(&mut response).await? {
            if chunk.len() as u64 > size - partial.len() {
                return Err(too_large());
            }
            partial.append(&chunk)?;
        }
        match partial.len() == size {
            true => Ok(()),
            false => Err(OciError::TooShort { what, expected: size, actual: partial.len() }),
        }
    }

    /// The manifest or index with this digest.
    pub(crate) async fn manifest(&self, digest: Digest) -> Result<Bytes, OciError> {
        let bytes = self.reference(&digest.to_string()).await?;
        match Digest::of(&bytes) {
            actual if actual == digest => Ok(bytes),
            actual => Err(OciError::WrongDigest { what: digest.to_string(), expected: digest, actual }),
        }
    }

    /// What a tag is on, if there is such a tag.
    pub(crate) async fn tagged(&self, tag: &str) -> Result<Option<Bytes>, OciError> {
        match self.reference(tag).await {
            Err(OciError::NotFound(_)) => Ok(None),
            manifest => manifest.map(Some),
        }
    }

    async fn reference(&self, reference: &str) -> Result<Bytes, OciError> {
        let what = format!("`{}:{reference}`", self.path);
        self.read(self.ask(Method::GET, &format!("manifests/{reference}"), &what)).await
    }

    async fn read(&self, ask: Ask<'_>) -> Result<Bytes, OciError> {
        let ask = &ask.header(ACCEPT, &format!("{MANIFEST}, {INDEX}"));
        let read = || async {
            let response = self.http.ask(ask).await?;
            self.http.read(ask.what, response, document::BYTES_MAX).await.map(Bytes::from)
        };
        self.http.retry(read).await
    }

    /// Uploads a blob that is not there.
    pub(crate) async fn put(&self, bytes: &Bytes) -> Result<(), OciError> {
        let digest = Digest::of(bytes);
        let what = digest.to_string();
        let put = || async {
            let head = self.ask(Method::HEAD, &format!("blobs/{digest}"), &what);
            match self.http.ask(&head).await {
                Err(OciError::NotFound(_)) => {}
                response => return response.map(|_| ()),
            }
            let begin = self.ask(Method::POST, "blobs/uploads/", &what).body(OCTETS, Bytes::new());
            let response = self.http.ask(&begin).await?;
            let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
            let mut url = self.http.elsewhere(response.url(), location)?;
            url.query_pairs_mut().append_pair("digest", &what);
            let upload = Ask::new(Method::PUT, url, &what, &self.scope).body(OCTETS, bytes.clone());
            created(&what, &self.http.ask(&upload).await?)
        };
        self.http.retry(put).await
    }

    /// Puts a manifest under its digest or a tag.
    pub(crate) async fn put_manifest(&self, reference: &str, bytes: &Bytes) -> Result<(), OciError> {
        self.put_document(reference, MANIFEST, bytes).await.map(|_| ())
    }

    /// Whether the registry takes note of what it refers to.
    async fn put_document(&self, reference: &str, media_type: &'static str, bytes: &Bytes) -> Result<bool, OciError> {
        let what = format!("`{}:{reference}`", self.path);
        let ask = &self.ask(Method::PUT, &format!("manifests/{reference}"), &what).body(media_type, bytes.clone());
        let put = || async {
            let response = self.http.ask(ask).await?;
            created(&what, &response)?;
            Ok(response.headers().contains_key(SUBJECT))
        };
        self.http.retry(put).await
    }

    /// Adds manifests to what refers to an image.
    pub(crate) async fn refer(&self, subject: Digest, manifests: &[(Descriptor, Bytes)]) -> Result<(), OciError> {
        let mut listed = true;
        for (descriptor, bytes) in manifests {
            listed &= self.put_document(&descriptor.digest.to_string(), MANIFEST, bytes).await?;
        }
        if listed {
            return Ok(());
        }
        let tag = fallback(subject);
        for _ in 0..ROUNDS_MAX {
            let index = self.tagged(&tag).await?;
            let mut index = index.map(|bytes| ImageIndex::parse(&bytes)).transpose()?.unwrap_or_default();
            let added = manifests.iter().filter(|(descriptor, _)| index.add(descriptor)).count();
            if added == 0 {
                return Ok(());
            }
            // Whoever writes at the same moment overwrites it, so it is looked at again.
            self.put_document(&tag, INDEX, &index.to_bytes().into()).await?;
        }
        Err(OciError::Contended(subject))
    }

    /// What we, or others like us, put beside an image.
    pub(crate) async fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, OciError> {
        let what = format!("what refers to {subject}");
        let mut found = Vec::new();
        let mut next = Some(self.ask(Method::GET, &format!("referrers/{subject}"), &what).url);
        for _ in 0..PAGES_MAX {
            let Some(url) = next else { return Ok(found) };
            let ask = &Ask::new(Method::GET, url, &what, &self.scope).header(ACCEPT, INDEX);
            let page = || async {
                let response = self.http.ask(ask).await?;
                let next = next_page(&response).map(|link| self.http.elsewhere(response.url(), &link)).transpose()?;
                Ok((next, self.http.read(&what, response, document::BYTES_MAX).await?))
            };
            let (following, bytes): (Option<Url>, Vec<u8>) = match self.http.retry(page).await {
                Err(OciError::NotFound(_)) if found.is_empty() => {
                    let index = self.tagged(&fallback(subject)).await?;
                    return index.map_or(Ok(Vec::new()), |bytes| ImageIndex::parse(&bytes)?.ours());
                }
                page => page?,
            };
            found.append(&mut ImageIndex::parse(&bytes)?.ours()?);
            next = following;
        }
        Err(OciError::TooLarge { what, bytes_max: PAGES_MAX as u64 * document::BYTES_MAX })
    }
}

const OCTETS: &str = "application/octet-stream";

/// The tag that lists what refers to an image where the registry does not.
pub(crate) fn fallback(subject: Digest) -> String {
    format!("sha256-{}", subject.to_hex())
}

fn created(what: &str, response: &Response) -> Result<(), OciError> {
    match response.status() {
        StatusCode::CREATED => Ok(()),
        status => Err(OciError::Status {
            what: what.to_owned(),
            status: status.as_u16(),
            detail: "what was created comes with 201".to_owned(),
        }),
    }
}

/// Whether a part begins where it was asked to.
fn begins(response: &Response, at: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('-'))
        .is_some_and(|(start, _)| start.parse() == Ok(at))
}

fn next_page(response: &Response) -> Option<String> {
    let link = response.headers().get(LINK)?.to_str().ok()?;
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    parameters.contains("rel=\"next\"").then(|| target.to_owned())
}
