//! Where what a model reads comes from.

use rmcp::model::{JsonObject, MetaObject};
use vak_types::{Label, Name};

/// How the keys begin under which the gateway says something of a result. An
/// upstream's own keys of this kind are taken out.
const PREFIX: &str = "vak/";

/// The label of actions that come after something an upstream has said.
pub(crate) fn label(upstream: &Name) -> Option<Label> {
    // Always fits: a name is half as long as a label may be.
    format!("untrusted-{upstream}").parse().ok()
}

/// A result's `_meta` with who said it, and whether the operator believes that.
pub(crate) fn of(meta: Option<MetaObject>, upstream: &Name, trusted: bool) -> MetaObject {
    let MetaObject(mut meta) = meta.unwrap_or(MetaObject(JsonObject::new()));
    meta.retain(|key, _| !key.starts_with(PREFIX));
    meta.insert(format!("{PREFIX}upstream"), upstream.as_str().into());
    meta.insert(format!("{PREFIX}trust"), if trusted { "trusted" } else { "untrusted" }.into());
    MetaObject(meta)
}
