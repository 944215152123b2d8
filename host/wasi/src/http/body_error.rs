//! Errors of bodies, as guests ask for them.

use vak_engine::CallState;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

/// The interface as wasmtime-wasi-http names it.
const INTERFACE: &str = "wasi:http/types@0.2.12";

/// Replaces `http-error-code`: that of wasmtime-wasi-http 48 looks for another
/// type than the one in which bodies, its own and ours, report an error, so it
/// never finds one.
pub(crate) fn link(linker: &mut Linker<CallState>, table: fn(&mut CallState) -> &mut ResourceTable) -> Result<()> {
    linker.allow_shadowing(true);
    linker.instance(INTERFACE)?.func_wrap(
        "http-error-code",
        move |mut store, (error,): (Resource<wasmtime::Error>,)| {
            let error = table(store.data_mut()).get(&error)?;
            let code = error.downcast_ref::<ErrorCode>().cloned();
            Ok((code.or_else(|| error.downcast_ref().and_then(code_of)),))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What `body` and `send` make of what can go wrong in a body.
fn code_of(error: &Error) -> Option<ErrorCode> {
    Some(match error {
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        Error::HttpResponseBodySize(bytes) => ErrorCode::HttpResponseBodySize(*bytes),
        Error::HttpResponseHeaderSectionSize(bytes) => ErrorCode::HttpResponseHeaderSectionSize(*bytes),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        _ => return None,
    })
}
