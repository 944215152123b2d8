//! Lists that come in pages.

use std::collections::HashSet;

use rmcp::model::{ClientRequest, PaginatedRequestParams, ServerResult};

use super::connection::{Abandon, Connection};
use super::error::RequestError;

/// Pages of one list. Servers page by dozens, if at all.
const PAGES_MAX: usize = 32;

/// Items of one list. No model chooses well among more than some hundred.
const ITEMS_MAX: usize = 1_024;

/// What a list is of, and how one is asked for.
pub(crate) struct List<T> {
    /// In an error message, such as `tools`.
    pub(crate) what: &'static str,
    pub(crate) request: fn(PaginatedRequestParams) -> ClientRequest,
    /// What is in an answer, if it is of that kind.
    pub(crate) page: fn(ServerResult) -> Option<Page<T>>,
}

/// The items of a page, and the cursor of the next one.
pub(crate) type Page<T> = (Vec<T>, Option<String>);

impl<T> List<T> {
    /// All pages.
    ///
    /// The library's own ways would follow cursors for ever, or answer from a
    /// cache when the upstream fails.
    pub(crate) async fn all(&self, connection: &Connection, abandon: &Abandon) -> Result<Vec<T>, RequestError> {
        let (upstream, what) = (&connection.upstream, self.what);
        let endless = |most| RequestError::EndlessList { upstream: upstream.clone(), what, most };
        let (mut items, mut seen, mut cursor) = (Vec::new(), HashSet::new(), None);
        for _ in 0..PAGES_MAX {
            let request = (self.request)(PaginatedRequestParams::default().with_cursor(cursor.take()));
            let answer = connection.request(request, None, abandon).await?;
            let Some((page, next)) = (self.page)(answer) else {
                return Err(RequestError::Unexpected { upstream: upstream.clone(), wanted: "a list" });
            };
            items.extend(page);
            if items.len() > ITEMS_MAX {
                return Err(endless("1024 items"));
            }
            match next {
                None => return Ok(items),
                Some(next) if seen.insert(next.clone()) => cursor = Some(next),
                Some(_) => return Err(endless("its last page")),
            }
        }
        Err(endless("32 pages"))
    }
}
