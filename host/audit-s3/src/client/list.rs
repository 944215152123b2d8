//! What is in the bucket, and removing what may be removed.

use super::Client;
use crate::S3Error;
use crate::retry::{Failure, retrying};

/// One version of an object, or a mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) is_delete_marker: bool,
}

impl Client {
    /// The names under `folder`, in order, after `after`.
    pub(crate) async fn list(&self, folder: &str, after: Option<&str>) -> Result<Vec<String>, S3Error> {
        let mut names = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let list = || async {
                let list = self.s3.list_objects_v2().bucket(&self.location.bucket).prefix(self.location.key(folder));
                let list = list.set_start_after(after.map(|after| self.location.key(after)));
                Ok(list.set_continuation_token(next.clone()).send().await?)
            };
            let page =
                retrying(&self.options, list).await.map_err(|failure| failure.of(&format!("listing `{folder}`")))?;
            names.extend(page.contents().iter().filter_map(|object| self.name_of(object.key()?)));
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(names);
            }
        }
    }

    /// All versions of the objects whose names begin with `start`; `None` when
    /// the server has no versions.
    pub(crate) async fn versions(&self, start: &str) -> Result<Option<Vec<Version>>, S3Error> {
        let mut versions = Vec::new();
        let mut next: (Option<String>, Option<String>) = (None, None);
        loop {
            let list = || async {
                let list = self.s3.list_object_versions().bucket(&self.location.bucket);
                let list = list.prefix(self.location.key(start));
                Ok(list.set_key_marker(next.0.clone()).set_version_id_marker(next.1.clone()).send().await?)
            };
            let page = match retrying(&self.options, list).await {
                Ok(page) => page,
                Err(Failure::Unsupported(_)) => return Ok(None),
                Err(failure) => return Err(failure.of(&format!("listing the versions of `{start}`"))),
            };
            let kept = page.versions().iter().map(|version| (version.key(), version.version_id(), false));
            let deleted = page.delete_markers().iter().map(|mark| (mark.key(), mark.version_id(), true));
            versions.extend(kept.chain(deleted).filter_map(|(key, id, is_delete_marker)| {
                Some(Version { name: self.name_of(key?)?, id: id.unwrap_or("null").to_owned(), is_delete_marker })
            }));
            if page.is_truncated() != Some(true) {
                return Ok(Some(versions));
            }
            next = (page.next_key_marker, page.next_version_id_marker);
        }
    }

    /// Removes an object with all its versions. Nothing is left to restore it
    /// from.
    pub(crate) async fn erase(&self, name: &str) -> Result<(), S3Error> {
        let versions = self.versions(name).await?;
        let ids = match versions {
            None => vec![None],
            Some(versions) => {
                versions.into_iter().filter(|version| version.name == name).map(|version| Some(version.id)).collect()
            }
        };
        let key = self.location.key(name);
        for id in ids {
            let delete = || async {
                let delete = self.s3.delete_object().bucket(&self.location.bucket).key(&key);
                delete.set_version_id(id.clone()).send().await?;
                Ok(())
            };
            match retrying(&self.options, delete).await {
                Ok(()) | Err(Failure::Missing) => {}
                Err(failure) => return Err(failure.of(&format!("erasing `{name}`"))),
            }
        }
        Ok(())
    }

    fn name_of(&self, key: &str) -> Option<String> {
        key.strip_prefix(&self.location.key("")).map(str::to_owned)
    }
}
