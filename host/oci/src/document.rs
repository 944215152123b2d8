//! The JSON documents of OCI, read strictly where we depend on them: what is
//! held is well formed. What others may add to them is let be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vak_types::{Digest, printable};

use crate::error::OciError;
use crate::image::Blob;

/// Largest manifest, index or configuration that is read, in bytes.
pub(crate) const BYTES_MAX: u64 = 1 << 20;

/// Largest component that an image may be said to have, in bytes.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// Largest package manifest or signature file, in bytes.
pub(crate) const REFERRER_BYTES_MAX: u64 = 1 << 20;

/// Most referrers of our types that are looked at: each is a request.
const REFERRERS_MAX: usize = 32;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const WASM: &str = "application/wasm";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The type of what holds a package's manifest.
pub(crate) const PACKAGE_MANIFEST: &str = "application/vnd.vak.manifest.v1+json";

/// The type of what holds a package's signatures.
pub(crate) const SIGNATURES: &str = "application/vnd.vak.signatures.v1+json";

/// The configuration of what needs none, as the specification has it.
pub(crate) const NOTHING: &[u8] = b"{}";

/// What a manifest says of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    pub(crate) fn new(media_type: &str, blob: Blob) -> Self {
        let Blob { digest, size } = blob;
        Self { media_type: media_type.to_owned(), digest, size, artifact_type: None, annotations: None }
    }

    pub(crate) fn blob(&self) -> Blob {
        Blob { digest: self.digest, size: self.size }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
}

impl Manifest {
    fn new(config: Descriptor, layer: Descriptor) -> Self {
        let media_type = MANIFEST.to_owned();
        Self { schema_version: 2, media_type, artifact_type: None, config, layers: vec![layer], subject: None }
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        is("schemaVersion", &manifest.schema_version.to_string(), "2")?;
        is("mediaType", &manifest.media_type, MANIFEST)?;
        Ok(manifest)
    }

    fn layer(&self, media_type: &str, bytes_max: u64) -> Result<Blob, String> {
        let [layer] = &self.layers[..] else {
            return Err(format!("it has {} layers instead of one", self.layers.len()));
        };
        is("the layer's mediaType", &layer.media_type, media_type)?;
        at_most("the layer", layer.size, bytes_max)?;
        Ok(layer.blob())
    }
}

fn is(what: &str, actual: &str, expected: &str) -> Result<(), String> {
    match actual == expected {
        true => Ok(()),
        false => Err(format!("{what} is `{}` instead of `{expected}`", printable(actual, 100))),
    }
}

fn at_most(what: &str, bytes: u64, bytes_max: u64) -> Result<(), String> {
    match bytes <= bytes_max {
        true => Ok(()),
        false => Err(format!("{what} is said to have {bytes} bytes; the most is {bytes_max}")),
    }
}

fn malformed(what: &str) -> impl FnOnce(String) -> OciError + '_ {
    move |why| OciError::Malformed { what: what.to_owned(), why: printable(&why, 300) }
}

/// JSON of a value that has nothing that JSON has not.
fn written(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The manifest of an image with one component, as `wkg` writes and reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageManifest {
    /// What is in the component, for those who list images.
    pub config: Blob,
    /// The component.
    pub component: Blob,
}

impl ImageManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// It is no manifest of an image with one component.
    pub fn parse(bytes: &[u8]) -> Result<Self, OciError> {
        let read = || {
            let manifest = Manifest::parse(bytes)?;
            is("the configuration's mediaType", &manifest.config.media_type, WASM_CONFIG)?;
            at_most("the configuration", manifest.config.size, BYTES_MAX)?;
            let component = manifest.layer(WASM, COMPONENT_BYTES_MAX)?;
            Ok(Self { config: manifest.config.blob(), component })
        };
        read().map_err(malformed("an image's manifest"))
    }

    /// The manifest's bytes, the same for the same image.
    pub fn to_bytes(&self) -> Vec<u8> {
        let config = Descriptor::new(WASM_CONFIG, self.config);
        written(&Manifest::new(config, Descriptor::new(WASM, self.component)))
    }
}

/// The manifest of what refers to an image: a package's manifest, or signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The image's manifest.
    pub subject: Blob,
    /// What is said of the image.
    pub content: Blob,
}

impl Referrer {
    /// Reads a manifest of the given type.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: &[u8], artifact_type: &str) -> Result<Self, OciError> {
        let read = || {
            let manifest = Manifest::parse(bytes)?;
            is("artifactType", manifest.artifact_type.as_deref().unwrap_or_default(), artifact_type)?;
            let content = manifest.layer(artifact_type, REFERRER_BYTES_MAX)?;
            let subject = manifest.subject.ok_or("it has no subject")?;
            is("the subject's mediaType", &subject.media_type, MANIFEST)?;
            Ok(Self { subject: subject.blob(), content })
        };
        read().map_err(malformed("what refers to an image"))
    }

    /// The manifest's bytes, the same for the same content.
    pub fn to_bytes(&self, artifact_type: &str) -> Vec<u8> {
        let config = Descriptor::new(EMPTY, Blob::of(NOTHING));
        let mut manifest = Manifest::new(config, Descriptor::new(artifact_type, self.content));
        manifest.artifact_type = Some(artifact_type.to_owned());
        manifest.subject = Some(Descriptor::new(MANIFEST, self.subject));
        written(&manifest)
    }
}

/// A list of manifests. What others put there stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageIndex(serde_json::Map<String, Value>);

impl Default for ImageIndex {
    fn default() -> Self {
        let fields =
            [("schemaVersion", 2.into()), ("mediaType", INDEX.into()), ("manifests", Value::Array(Vec::new()))];
        Self(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

impl ImageIndex {
    /// Reads an index.
    ///
    /// # Errors
    /// It is none, or one of an entry's members is of the wrong kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, OciError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Index {
            schema_version: u8,
            #[serde(default)]
            media_type: Option<String>,
            manifests: Vec<Entry>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Entry {
            #[serde(rename = "mediaType")]
            _media_type: String,
            #[serde(rename = "digest")]
            _digest: String,
            #[serde(rename = "size")]
            _size: u64,
        }
        let read = || {
            let index: Index = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            is("schemaVersion", &index.schema_version.to_string(), "2")?;
            is("mediaType", index.media_type.as_deref().unwrap_or(INDEX), INDEX)?;
            let _: &Vec<Entry> = &index.manifests;
            serde_json::from_slice(bytes).map(Self).map_err(|error| error.to_string())
        };
        read().map_err(malformed("an index"))
    }

    /// The index's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        written(&self.0)
    }

    fn entries(&self) -> impl Iterator<Item = &Value> {
        self.0.get("manifests").and_then(Value::as_array).into_iter().flatten()
    }

    fn entries_mut(&mut self) -> Option<&mut Vec<Value>> {
        self.0.get_mut("manifests").and_then(Value::as_array_mut)
    }

    /// The manifests in it that hold what we put beside images.
    pub(crate) fn ours(&self) -> Result<Vec<Descriptor>, OciError> {
        let read = |entry: &Value| {
            let ours = matches!(entry.get("artifactType").and_then(Value::as_str), Some(PACKAGE_MANIFEST | SIGNATURES));
            ours.then(|| Descriptor::deserialize(entry).map_err(|error| error.to_string()))
        };
        let ours: Result<Vec<_>, _> = self.entries().filter_map(read).collect();
        let ours = ours.and_then(|ours| {
            ours.iter().try_for_each(|it| is("an entry's mediaType", &it.media_type, MANIFEST))?;
            ours.iter().try_for_each(|it| at_most("an entry", it.size, BYTES_MAX))?;
            match ours.len() <= REFERRERS_MAX {
                true => Ok(ours),
                false => Err(format!(
                    "{} manifests and signatures refer to an image; the most is {REFERRERS_MAX}",
                    ours.len()
                )),
            }
        });
        ours.map_err(malformed("what refers to an image"))
    }

    /// Adds an entry where there is none of its digest. Whether it was added.
    pub(crate) fn add(&mut self, descriptor: &Descriptor) -> bool {
        let digest = descriptor.digest.to_string();
        if self.entries().any(|entry| entry.get("digest").and_then(Value::as_str) == Some(&digest)) {
            return false;
        }
        let entry = serde_json::to_value(descriptor).unwrap_or_default();
        self.entries_mut().is_some_and(|entries| {
            entries.push(entry);
            true
        })
    }

    /// The entry that a layout has under a name.
    pub(crate) fn named(&self, name: &str) -> Option<Result<Descriptor, OciError>> {
        let entry = self.entries().find(|entry| name_of(entry) == Some(name))?;
        Some(Descriptor::deserialize(entry).map_err(|error| malformed("an index's entry")(error.to_string())))
    }

    /// Puts an entry under a name, in the place of what has it.
    pub(crate) fn set_named(&mut self, name: &str, mut descriptor: Descriptor) {
        descriptor.annotations = Some([(NAME.to_owned(), name.to_owned())].into());
        let entry = serde_json::to_value(descriptor).unwrap_or_default();
        let Some(entries) = self.entries_mut() else { return };
        match entries.iter_mut().find(|entry| name_of(entry) == Some(name)) {
            Some(present) => *present = entry,
            None => entries.push(entry),
        }
    }
}

const NAME: &str = "org.opencontainers.image.ref.name";

fn name_of(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(NAME)?.as_str()
}
