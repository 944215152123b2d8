//! What each function does.

use vak_engine::{CallState, Stopped};
use wasmtime::component::{ComponentNamedList, Lift, LinkerInstance, Lower};
use wasmtime::{Error, Result};

use super::{random, streams, time};
use crate::output::{Sink, Stream};

type Instance<'a, 'b> = &'a mut LinkerInstance<'b, CallState>;

/// Links one function. One without a behaviour is a trap: it could only tell
/// or do what was not granted.
pub(super) fn link(to: Instance<'_, '_>, interface: &str, name: &str, sink: Option<&Sink>) -> Result<()> {
    let Some((package, interface_name)) = interface.split_once('/') else { return stop(to, interface, name) };
    match (package, interface_name, name) {
        ("wasi:cli", "environment", "get-environment") => wrap(to, name, |_, ()| Ok((Vec::<(String, String)>::new(),))),
        ("wasi:cli", "environment", "get-arguments") => wrap(to, name, |_, ()| Ok((Vec::<String>::new(),))),
        ("wasi:cli", "environment", "initial-cwd") => wrap(to, name, |_, ()| Ok((None::<String>,))),
        ("wasi:cli", "exit", "exit") => wrap(to, name, |_, (status,): (Result<(), ()>,)| exit(status.is_ok())),
        ("wasi:cli", "exit", "exit-with-code") => wrap(to, name, |_, (code,): (u8,)| exit(code == 0)),
        ("wasi:cli", "stdin", "get-stdin") => wrap(to, name, |state, ()| Ok((streams::stdin(state),))),
        ("wasi:cli", "stdout", "get-stdout") => wrap(to, name, |state, ()| Ok((streams::output(state, Stream::Out),))),
        ("wasi:cli", "stderr", "get-stderr") => wrap(to, name, |state, ()| Ok((streams::output(state, Stream::Err),))),
        ("wasi:cli", "terminal-stdin", "get-terminal-stdin")
        | ("wasi:cli", "terminal-stdout", "get-terminal-stdout")
        | ("wasi:cli", "terminal-stderr", "get-terminal-stderr") => {
            wrap(to, name, |_, ()| Ok((None::<wasmtime::component::Resource<streams::Nothing>>,)))
        }
        ("wasi:filesystem", "preopens", "get-directories") => {
            wrap(to, name, |_, ()| Ok((Vec::<(wasmtime::component::Resource<streams::Nothing>, String)>::new(),)))
        }
        ("wasi:clocks", ..) if time::link(to, interface_name, name)? => Ok(()),
        ("wasi:random", ..) if random::link(to, name)? => Ok(()),
        ("wasi:io", "poll", _) if time::link_poll(to, name)? => Ok(()),
        ("wasi:io", "streams", _) if streams::link(to, name, sink)? => Ok(()),
        _ => stop(to, interface, name),
    }
}

/// Links a function that counts as a call into the host.
pub(super) fn wrap<P, R>(
    to: Instance<'_, '_>,
    name: &str,
    function: impl Fn(&mut CallState, P) -> Result<R> + Send + Sync + 'static,
) -> Result<()>
where
    P: ComponentNamedList + Lift + 'static,
    R: ComponentNamedList + Lower + 'static,
{
    to.func_wrap(name, move |mut store, parameters: P| {
        store.data_mut().count_host_call()?;
        function(store.data_mut(), parameters)
    })
}

fn stop(to: Instance<'_, '_>, interface: &str, name: &str) -> Result<()> {
    let message = format!("called `{interface}#{name}`, which it was not granted or cannot have here");
    to.func_new(name, move |_, _, _, _| Err(Error::new(Stopped(message.clone()))))
}

/// A component answers by returning: one that exits has not answered.
fn exit(well: bool) -> Result<()> {
    let how = if well { "success" } else { "failure" };
    Err(Error::new(Stopped(format!("exited with {how} instead of answering"))))
}
