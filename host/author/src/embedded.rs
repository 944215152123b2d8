//! The files of this checkout that projects are made of.

/// Path from the top of the checkout, and contents.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A path in a project, and contents.
pub(crate) type File = (String, &'static str);

/// The files below the folder `from`, below the folder `to`.
pub(crate) fn below(from: &str, to: &str) -> Vec<File> {
    let renamed = |(path, text): &(&'static str, &'static str)| {
        let path = path.strip_prefix(from)?.strip_prefix('/')?;
        Some((format!("{to}{path}"), *text))
    };
    FILES.iter().filter_map(renamed).collect()
}

/// The files directly in the folder `from`.
pub(crate) fn beside(from: &str) -> Vec<File> {
    below(from, "").into_iter().filter(|(path, _)| !path.contains('/')).collect()
}

/// The contents of one file.
pub(crate) fn text(path: &str) -> &'static str {
    FILES.iter().find(|(name, _)| *name == path).map_or("", |(_, text)| text)
}
