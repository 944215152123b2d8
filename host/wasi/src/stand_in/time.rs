//! Time that stands still, and waiting.

use vak_engine::{CallState, Stopped};
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};
use wasmtime::{Error, Result};

use super::behaviour::wrap;

/// Stands for `pollable`. Which of the two it is, is all there is to know
/// about one, so it is the handle's number.
pub(super) struct Pollable;

const READY: u32 = 0;
const NEVER: u32 = 1;

/// `datetime` of `wasi:clocks/wall-clock`.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

const EPOCH: Datetime = Datetime { seconds: 0, nanoseconds: 0 };

/// What both clocks say about how fine they are: as fine as can be.
const NANOSECOND: Datetime = Datetime { seconds: 0, nanoseconds: 1 };

/// Something to wait for that is there already.
pub(super) fn ready(state: &mut CallState) -> Resource<Pollable> {
    state.hold();
    Resource::new_own(READY)
}

/// Something to wait for that is there if `when` has come.
fn at(state: &mut CallState, when: u64) -> Resource<Pollable> {
    state.hold();
    Resource::new_own(if when == 0 { READY } else { NEVER })
}

/// Links a function of `wasi:clocks`, if it is one of those.
pub(super) fn link(to: &mut LinkerInstance<'_, CallState>, interface: &str, name: &str) -> Result<bool> {
    match (interface, name) {
        ("wall-clock", "now") => wrap(to, name, |_, ()| Ok((EPOCH,)))?,
        ("wall-clock", "resolution") => wrap(to, name, |_, ()| Ok((NANOSECOND,)))?,
        ("monotonic-clock", "now") => wrap(to, name, |_, ()| Ok((0u64,)))?,
        ("monotonic-clock", "resolution") => wrap(to, name, |_, ()| Ok((1u64,)))?,
        // It is always the instant 0, so both mean the same.
        ("monotonic-clock", "subscribe-instant" | "subscribe-duration") => {
            wrap(to, name, |state, (when,): (u64,)| Ok((at(state, when),)))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Links a function of `wasi:io/poll`, if it is one of those.
pub(super) fn link_poll(to: &mut LinkerInstance<'_, CallState>, name: &str) -> Result<bool> {
    match name {
        "poll" => wrap(to, name, |_, (pollables,): (Vec<Resource<Pollable>>,)| {
            let ready = (0u32..).zip(&pollables).filter(|(_, pollable)| pollable.rep() == READY);
            let ready: Vec<u32> = ready.map(|(at, _)| at).collect();
            if ready.is_empty() { Err(endless()) } else { Ok((ready,)) }
        })?,
        "[method]pollable.ready" => wrap(to, name, |_, (it,): (Resource<Pollable>,)| Ok((it.rep() == READY,)))?,
        "[method]pollable.block" => {
            wrap(to, name, |_, (it,): (Resource<Pollable>,)| if it.rep() == READY { Ok(()) } else { Err(endless()) })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Ready at once would be a lie that a loop around it could believe for ever;
/// a wait that ended would tell the time.
fn endless() -> Error {
    let message = "waits for a time that does not come: time stands still here; a skill may ask for `clock`";
    Error::new(Stopped(message.to_owned()))
}
