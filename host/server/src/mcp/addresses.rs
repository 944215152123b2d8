//! The addresses by which clients know resources: with several upstreams the
//! resource `file:///x` of `files` is `files+file:///x`.

use rmcp::model::{ContentBlock, ResourceContents};

use super::upstream::Upstream;
use super::wish::Given;

/// What stands between an upstream's name and its resource's address. It may stand
/// in a scheme, and in no upstream's name.
pub(crate) const PLUS: char = '+';

impl Upstream {
    /// The address that clients know one of its resources by.
    fn address(&self, uri: &str) -> String {
        match self.prefixed {
            true => format!("{}{PLUS}{uri}", self.name),
            false => uri.to_owned(),
        }
    }

    /// Puts those in place of its own addresses.
    pub(crate) fn readdress(&self, given: &mut Given) {
        match given {
            Given::Tool(result) => result.content.iter_mut().for_each(|content| self.readdress_content(content)),
            Given::Resources(list) => list.iter_mut().for_each(|resource| resource.uri = self.address(&resource.uri)),
            Given::Templates(list) => {
                list.iter_mut().for_each(|template| template.uri_template = self.address(&template.uri_template));
            }
            Given::Resource(result) => {
                result.contents.iter_mut().for_each(|contents| self.readdress_contents(contents))
            }
            Given::Prompt(result) => {
                result.messages.iter_mut().for_each(|message| self.readdress_content(&mut message.content));
            }
            Given::Prompts(_) => {}
        }
    }

    fn readdress_content(&self, content: &mut ContentBlock) {
        match content {
            ContentBlock::ResourceLink(resource) => resource.uri = self.address(&resource.uri),
            ContentBlock::Resource(embedded) => self.readdress_contents(&mut embedded.resource),
            _ => {}
        }
    }

    fn readdress_contents(&self, contents: &mut ResourceContents) {
        if let ResourceContents::TextResourceContents { uri, .. } | ResourceContents::BlobResourceContents { uri, .. } =
            contents
        {
            *uri = self.address(uri);
        }
    }
}
