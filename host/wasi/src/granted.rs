//! WASI as granted to a skill.

mod clock;
mod directory;
mod environment;
mod open;
mod output;

use vak_engine::CallState;
use vak_types::{Capability, Effective, Name};
use wasmtime::Result;
use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtxView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView};

use crate::http::{Gate, body_error};
use crate::output::{Output, Sink};
use crate::stand_in;

pub use directory::DirectoryError;

/// What a call may hold at a time: files, streams, requests, things to wait
/// for. A process has 1,024 file descriptors by default, and other calls and
/// the log need some too.
const HANDLES_MAX: usize = 128;

/// Bytes of the header fields of one request, as they are kept: a handle's worth
/// of memory, and more than servers take.
const FIELDS_BYTES_MAX: usize = 64 << 10;

/// Random bytes at a time. They are made in the host, where fuel does not
/// count.
const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// Why something that was granted cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// A directory is not one, or cannot be opened.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A directory's handle is refused by WASI.
    #[error("the directories could not be opened again: {0}")]
    Reopen(String),
}

/// What a component reaches through WASI, opened once when it is loaded.
pub struct Reach {
    clock: bool,
    environment: Vec<(String, String)>,
    filesystem: WasiFilesystemCtx,
    gate: Gate,
    sink: Option<Sink>,
}

impl Reach {
    /// Opens what is granted to the component `name`, whose output goes to
    /// `sink`. The host's environment is read now and never again.
    ///
    /// # Errors
    /// A directory is not there or not a directory.
    pub fn open(name: &Name, granted: &Effective, sink: Option<Sink>) -> Result<Self, GrantError> {
        Ok(Self {
            clock: granted.clock(),
            environment: environment::read(granted),
            filesystem: directory::open(granted)?,
            gate: Gate::new(name, granted.http()),
            sink,
        })
    }

    /// Gives a call its own view of it.
    pub fn extend(&self, state: &mut CallState) {
        let output = match &self.sink {
            Some(sink) => Output::new(sink.clone(), state.limits().host_calls_max),
            None => Output::default(),
        };
        let mut builder = WasiCtx::builder();
        builder.allow_blocking_current_thread(true).envs(&self.environment).max_random_size(RANDOM_BYTES_MAX);
        output::redirect(&mut builder, output);
        if !self.clock {
            builder.monotonic_clock(clock::Still);
        }
        let gate = self.gate.for_call(state.limits());
        state.extend(Granted::new(builder.build(), self.filesystem.clone(), gate));
    }
}

/// What one call reaches. The default reaches nothing.
struct Granted {
    table: ResourceTable,
    wasi: WasiCtx,
    filesystem: WasiFilesystemCtx,
    http: WasiHttpCtx,
    gate: Gate,
}

impl Granted {
    fn new(wasi: WasiCtx, filesystem: WasiFilesystemCtx, gate: Gate) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS_BYTES_MAX);
        Self { table, wasi, filesystem, http, gate }
    }
}

impl Default for Granted {
    fn default() -> Self {
        let wasi = WasiCtxBuilder::new().monotonic_clock(clock::Still).build();
        Self::new(wasi, WasiFilesystemCtx::default(), Gate::default())
    }
}

/// `wasi:io` works on the table alone.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links what `capabilities` give, and stand-ins for everything else.
pub(crate) fn link(
    linker: &mut Linker<CallState>,
    component: &Component,
    has: impl Fn(Capability) -> bool,
) -> Result<()> {
    io::error::add_to_linker::<_, Table>(linker, table)?;
    io::poll::add_to_linker::<_, Table>(linker, table)?;
    io::streams::add_to_linker::<_, Table>(linker, table)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, cli_view)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, cli_view)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, cli_view)?;
    // Without the right to the time this one stands still, too; it is here
    // because waiting is not telling the time.
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, clocks_view)?;
    let mut given = vec![
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/stderr",
        "wasi:clocks/monotonic-clock",
    ];
    if has(Capability::Clock) {
        clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, clocks_view)?;
        given.push("wasi:clocks/wall-clock");
    }
    if has(Capability::Environment) {
        cli::environment::add_to_linker::<_, WasiCli>(linker, cli_view)?;
        given.push("wasi:cli/environment");
    }
    if has(Capability::Randomness) {
        random::random::add_to_linker::<_, WasiRandom>(linker, |state| granted(state).wasi.random())?;
        random::insecure::add_to_linker::<_, WasiRandom>(linker, |state| granted(state).wasi.random())?;
        random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, |state| granted(state).wasi.random())?;
        given.extend(["wasi:random/random", "wasi:random/insecure", "wasi:random/insecure-seed"]);
    }
    if has(Capability::Directories) {
        filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, filesystem_view)?;
        filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, filesystem_view)?;
        open::link(linker)?;
        given.extend(["wasi:filesystem/preopens", "wasi:filesystem/types"]);
    }
    if has(Capability::Http) {
        http::outgoing_handler::add_to_linker::<_, WasiHttp>(linker, http_view)?;
        http::types::add_to_linker::<_, WasiHttp>(linker, &LinkOptions::default().into(), http_view)?;
        body_error::link(linker, table)?;
    }
    stand_in::link(linker, component, None, |interface| stand_in::covers(interface) && !given.contains(&interface))
}

fn granted(state: &mut CallState) -> &mut Granted {
    state.extension_mut()
}

fn table(state: &mut CallState) -> &mut ResourceTable {
    &mut granted(state).table
}

fn cli_view(state: &mut CallState) -> WasiCliCtxView<'_> {
    let Granted { wasi, table, .. } = granted(state);
    WasiCliCtxView { ctx: wasi.cli(), table }
}

fn clocks_view(state: &mut CallState) -> WasiClocksCtxView<'_> {
    let Granted { wasi, table, .. } = granted(state);
    WasiClocksCtxView { ctx: wasi.clocks(), table }
}

fn filesystem_view(state: &mut CallState) -> WasiFilesystemCtxView<'_> {
    let Granted { filesystem, table, .. } = granted(state);
    WasiFilesystemCtxView { ctx: filesystem, table }
}

fn http_view(state: &mut CallState) -> WasiHttpCtxView<'_> {
    let Granted { http, table, gate, .. } = granted(state);
    WasiHttpCtxView { hooks: gate, table, ctx: http }
}
