//! A marketplace for people: pages about what its signed index says, a search, the
//! index itself for `vak`, and a door for publishers.
//!
//! Nothing here has to be trusted: whoever installs verifies the same index from
//! the marketplace's root on. So pages are made of what was verified, and show
//! every text of others as text.
//!
//! ```no_run
//! use vak_marketplace_site::{Site, router};
//!
//! # async fn example() -> Result<(), vak_marketplace::IndexError> {
//! let site = Site::open("index".into()).await?;
//! let router = router(site, None);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod answer;
mod cut;
mod entries;
mod files;
mod gate;
mod head;
mod pages;
mod problem;
mod publish;
mod routes;
mod schema;
mod shown;
mod site;
mod tokens;

pub use head::STYLE_BYTES;
pub use publish::{Publish, Uploads};
pub use routes::router;
pub use site::Site;
pub use tokens::{Tokens, TokensError, UploadToken};
