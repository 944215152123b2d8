//! What every HTTP server here needs: connections within limits, and the tokens
//! that requests show. It knows nothing of what is served.

#![forbid(unsafe_code)]

pub mod bearer;
