//! The index itself, as files that `vak` reads.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path as FilePath;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::answer::{FOREVER, current};
use crate::problem::{Kind, Problem};
use crate::routes::Shared;

/// Longest name of a file of an index.
const NAME_BYTES_MAX: usize = 128;

/// Largest file whose name says nothing of its version: a root.
const SMALL_BYTES_MAX: u64 = 256 << 10;

const KIND: &str = "application/json";

/// A file of TUF's own.
pub(crate) async fn metadata(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let versioned = name.split_once('.').is_some_and(|(version, _)| version.bytes().all(|byte| byte.is_ascii_digit()));
    serve(&shared.site.folder.join("metadata"), &name, versioned, &headers).await
}

/// A file that TUF's files name by its digest.
pub(crate) async fn target(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let hashed = name.split_once('.').is_some_and(|(digest, _)| digest.len() == 64);
    match hashed {
        true => serve(&shared.site.folder.join("targets"), &name, true, &headers).await,
        false => Err(missing()),
    }
}

fn missing() -> Problem {
    Problem::new(Kind::NotFound, "the index has no such file")
}

/// Whether a name is one that files of an index have: it leads nowhere else, and is
/// neither hidden nor half-written.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.len() <= NAME_BYTES_MAX
        && name.bytes().all(plain)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !name.contains("..")
        && (name.ends_with(".json") || name.ends_with(".jsonl"))
}

async fn serve(folder: &FilePath, name: &str, forever: bool, asked: &HeaderMap) -> Result<Response, Problem> {
    if !is_name(name) {
        return Err(missing());
    }
    let failed = |error: io::Error| match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::LOOP) => missing(),
        _ => {
            tracing::warn!("`{}` cannot be read: {error}", folder.join(name).display());
            Problem::new(Kind::Internal, "the file cannot be read")
        }
    };
    let file = open(&folder.join(name)).await.map_err(failed)?;
    let about = file.metadata().await.map_err(failed)?;
    if !about.is_file() {
        return Err(missing());
    }
    if !forever {
        let mut bytes = Vec::new();
        file.take(SMALL_BYTES_MAX).read_to_end(&mut bytes).await.map_err(failed)?;
        return Ok(current(asked, StatusCode::OK, KIND, bytes));
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(KIND)),
        (CONTENT_LENGTH, HeaderValue::from(about.len())),
        (CACHE_CONTROL, FOREVER),
    ];
    let bytes = Body::from_stream(ReaderStream::with_capacity(file.take(about.len()), 64 << 10));
    Ok((headers, bytes).into_response())
}

/// Opens a file, but no link to one, and without waiting for the other end of a
/// pipe.
async fn open(path: &FilePath) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut options = std::fs::OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    OpenOptions::from(options).open(path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["timestamp.json", "12.root.json", "ab-1.catalogue-0000.jsonl"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            ".lock",
            ".json",
            "../a.json",
            "a/../b.json",
            "a/b.json",
            "a\\b.json",
            "a\0.json",
            "a..json",
            "-.json",
            "root.pem",
            "root.json.new",
            "root.json/",
            "root.jsonx",
            "rооt.json",
        ] {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&format!("{}.json", "a".repeat(NAME_BYTES_MAX))));
    }
}
