//! Streams: an input that is closed, outputs that are lines of the log.

use vak_engine::{CallState, Stopped};
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource, ResourceType};
use wasmtime::{Error, Result};

use super::behaviour::wrap;
use super::time::{self, Pollable};
use crate::output::{Output, Sink, Stream};

/// Stands for `input-stream`.
pub(super) struct Input;

/// Stands for `output-stream`; the handle's number says which it is.
pub(super) struct Writer;

/// Stands for every resource that never comes into being here.
pub(super) struct Nothing;

/// `stream-error` of `wasi:io/streams`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Nothing>),
    #[component(name = "closed")]
    Closed,
}

/// Most bytes at a time, as `check-write` tells.
const WRITE_BYTES_MAX: u64 = 64 << 10;

/// The type that stands for a resource.
pub(super) fn resource(name: &str) -> ResourceType {
    match name {
        "pollable" => ResourceType::host::<Pollable>(),
        "input-stream" => ResourceType::host::<Input>(),
        "output-stream" => ResourceType::host::<Writer>(),
        _ => ResourceType::host::<Nothing>(),
    }
}

pub(super) fn stdin(state: &mut CallState) -> Resource<Input> {
    state.hold();
    Resource::new_own(0)
}

pub(super) fn output(state: &mut CallState, stream: Stream) -> Resource<Writer> {
    state.hold();
    Resource::new_own(match stream {
        Stream::Out => 0,
        Stream::Err => 1,
    })
}

/// Links a function of `wasi:io/streams`, if it is one of those.
pub(super) fn link(to: &mut LinkerInstance<'_, CallState>, name: &str, sink: Option<&Sink>) -> Result<bool> {
    let sink = sink.cloned();
    let write = move |state: &mut CallState, to: &Resource<Writer>, bytes: &[u8]| {
        let max = state.limits().host_calls_max;
        if let (None, Some(sink)) = (state.extension::<Output>(), &sink) {
            state.extend(Output::new(sink.clone(), max));
        }
        let stream = if to.rep() == 0 { Stream::Out } else { Stream::Err };
        state.extension_mut::<Output>().write(stream, bytes)
    };
    let done = || Ok((Ok::<(), StreamError>(()),));
    match name {
        "[method]input-stream.read" | "[method]input-stream.blocking-read" => {
            wrap(to, name, |_, _: (Resource<Input>, u64)| Ok((Err::<Vec<u8>, _>(StreamError::Closed),)))?;
        }
        "[method]input-stream.skip" | "[method]input-stream.blocking-skip" => {
            wrap(to, name, |_, _: (Resource<Input>, u64)| Ok((Err::<u64, _>(StreamError::Closed),)))?;
        }
        "[method]input-stream.subscribe" => wrap(to, name, |state, _: (Resource<Input>,)| Ok((time::ready(state),)))?,
        "[method]output-stream.subscribe" => wrap(to, name, |state, _: (Resource<Writer>,)| Ok((time::ready(state),)))?,
        "[method]output-stream.check-write" => {
            wrap(to, name, |_, _: (Resource<Writer>,)| Ok((Ok::<_, StreamError>(WRITE_BYTES_MAX),)))?;
        }
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => {
            wrap(to, name, move |state, (stream, bytes): (Resource<Writer>, Vec<u8>)| {
                write(state, &stream, &bytes)?;
                done()
            })?;
        }
        "[method]output-stream.write-zeroes" | "[method]output-stream.blocking-write-zeroes-and-flush" => {
            wrap(to, name, move |state, (stream, length): (Resource<Writer>, u64)| {
                if length > WRITE_BYTES_MAX {
                    let message = format!("wrote {length} bytes at once; the most is {WRITE_BYTES_MAX}");
                    return Err(Error::new(Stopped(message)));
                }
                write(state, &stream, &vec![0; length as usize])?;
                done()
            })?;
        }
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => {
            wrap(to, name, move |_, _: (Resource<Writer>,)| done())?;
        }
        "[method]output-stream.splice" | "[method]output-stream.blocking-splice" => {
            wrap(to, name, |_, _: (Resource<Writer>, Resource<Input>, u64)| Ok((Err::<u64, _>(StreamError::Closed),)))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
