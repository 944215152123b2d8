//! What every HTTP server here needs: connections within limits, and the tokens
//! that requests show. It knows nothing of what is served.
//!
//! ```no_run
//! use vak_serving::{House, Limits, Plain};
//!
//! # async fn example(router: axum::Router) -> std::io::Result<()> {
//! let house = House::new(Limits::default());
//! let listener = vak_serving::address(([127, 0, 0, 1], 8080).into()).await?;
//! house.open(listener, None, Plain::new(router, &house));
//! // …until somebody wants it to end.
//! house.drain().await;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod bearer;
mod connection;
mod counted;
mod house;
mod listen;
mod plain;

pub use connection::Answers;
pub use counted::Link;
pub use house::{House, Limits};
pub use listen::{Place, Socket, address};
pub use plain::Plain;
