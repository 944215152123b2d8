//! The one wasmtime engine of a host.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use vak_types::{Capability, ComponentRef, Digest};
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store};

use crate::bake::{self, BakeError, SNAPSHOT_BYTES};
use crate::cache::{CacheKey, CompileCache};
use crate::failure::classify;
use crate::imports;
use crate::limits::{CallLimits, MEMORY_BYTES_MAX, STACK_BYTES_MAX, TABLE_ELEMENTS_MAX};
use crate::load::{EngineError, LoadError, Problem, Request};
use crate::prepared::Prepared;
use crate::prune::prune;
use crate::state::CallState;
use crate::ticker;

/// Calls that can run at the same time: each holds a thread, and a host has
/// far fewer threads for them.
const INSTANCES_MAX: u32 = 128;

/// Core modules in one component. Rust guests have one to four, a Python guest
/// about forty.
const MODULES_MAX: u32 = 64;

/// Bytes of a slot that are reset by copying rather than by giving the pages
/// back: a page fault costs more than copying the page. A policy in JavaScript
/// writes to some 400 KiB.
const KEEP_RESIDENT_BYTES: usize = 512 << 10;

/// The same for tables, whose pages are few.
const TABLE_KEEP_RESIDENT_BYTES: usize = 16 << 10;

/// Stack of a call whose imports may wait: the guest's, and room for what the
/// host does on top of it.
const WAITING_STACK_BYTES: usize = STACK_BYTES_MAX + (512 << 10);

/// Bytes of such a stack that stay resident, for the reason above: what a call
/// that goes well touches.
const WAITING_STACK_KEEP_RESIDENT_BYTES: usize = 32 << 10;

/// Links what a component imports.
pub type Link<'a> = &'a dyn Fn(&mut Linker<CallState>, &Linking<'_>) -> wasmtime::Result<()>;

/// What is to be linked.
pub struct Linking<'a> {
    /// The component, whose imports are covered by what it is granted.
    pub component: &'a Component,
    /// The kinds of rights it has.
    pub capabilities: &'a BTreeSet<Capability>,
    /// Whether it is linked to be configured. What comes of that is kept for
    /// whoever installs the same component with the same configuration, so it
    /// must not depend on what is granted here.
    pub configuring: bool,
}

/// The one wasmtime engine of a host: compiles, bakes and caches components
/// and gives out [`Prepared`] ones. Cloning it shares it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    wasmtime: wasmtime::Engine,
    cache: Option<CompileCache>,
    templates: Mutex<HashMap<TemplateKey, Weak<Template>>>,
}

/// A component is compiled, linked and resolved once for each of these.
#[derive(PartialEq, Eq, Hash)]
struct TemplateKey {
    component: Digest,
    config: Option<Digest>,
    capabilities: BTreeSet<Capability>,
}

/// What every instance of a component starts from.
pub(crate) struct Template {
    pub(crate) pre: InstancePre<CallState>,
}

impl Engine {
    /// Starts an engine; `cache` is a folder for compiled code that only this
    /// host's user may write.
    ///
    /// # Errors
    /// The pool's address space, the clock's thread or the cache's folder
    /// cannot be had.
    pub fn new(cache: Option<&Path>) -> Result<Self, EngineError> {
        let wasmtime = wasmtime::Engine::new(&config()).map_err(|error| EngineError::Wasmtime(format!("{error:#}")))?;
        ticker::start(wasmtime.weak()).map_err(EngineError::Ticker)?;
        let cache = cache.map(|folder| {
            CompileCache::open(folder).map_err(|source| EngineError::Cache { folder: folder.to_owned(), source })
        });
        let shared = Shared { wasmtime, cache: cache.transpose()?, templates: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Makes a verified component ready to be called: compiled or taken from
    /// the cache, its configuration baked in, linked with what it asked for
    /// and was granted. Whether it starts is seen when it is called.
    ///
    /// # Errors
    /// It is of another kind, imports what it may not, refuses its
    /// configuration, or does not compile.
    pub fn prepare(&self, request: &Request<'_>, link: Link<'_>) -> Result<Prepared, LoadError> {
        let Request { name, kind, component, config, grants, limits } = *request;
        let package = component.get();
        let fail = |problem| LoadError { name: name.clone(), problem };
        if package.manifest.kind != kind {
            return Err(fail(Problem::Kind { found: package.manifest.kind, expected: kind }));
        }
        let capabilities = grants.to(&package.manifest.grants).capabilities();
        let reference = Arc::new(ComponentRef {
            name: name.clone(),
            digest: package.digest,
            config: config.map(|config| Digest::of(config.as_bytes())),
            signer: component.signer(),
        });
        let template = self.template(request, &reference, capabilities, link).map_err(fail)?;
        Ok(Prepared::new(self.shared.wasmtime.clone(), template, reference, limits.within_engine()))
    }

    fn template(
        &self,
        request: &Request<'_>,
        reference: &Arc<ComponentRef>,
        capabilities: BTreeSet<Capability>,
        link: Link<'_>,
    ) -> Result<Arc<Template>, Problem> {
        let key = TemplateKey { component: reference.digest, config: reference.config, capabilities };
        if let Some(template) = self.templates().get(&key).and_then(Weak::upgrade) {
            return Ok(template);
        }
        let wasmtime = &self.shared.wasmtime;
        let requested = &request.component.get().manifest.grants;
        let check =
            |compiled: &Component| imports::check(wasmtime, compiled, request.kind, requested, &key.capabilities);
        let linker = |component: &Component, configuring| -> wasmtime::Result<Linker<CallState>> {
            let mut linker = Linker::new(wasmtime);
            link(&mut linker, &Linking { component, capabilities: &key.capabilities, configuring })?;
            Ok(linker)
        };
        let compiled = self.compiled(request, reference, &|plain| linker(plain, true), &check)?;
        let pre = linker(&compiled, false).and_then(|linker| linker.instantiate_pre(&compiled));
        let pre = pre.map_err(|error| Problem::Link(format!("{error:#}")))?;
        let template = Arc::new(Template { pre });
        let mut templates = self.templates();
        templates.retain(|_, template| template.strong_count() > 0);
        templates.insert(key, Arc::downgrade(&template));
        Ok(template)
    }

    /// The component's code with its configuration baked in.
    fn compiled(
        &self,
        request: &Request<'_>,
        reference: &Arc<ComponentRef>,
        linker: &dyn Fn(&Component) -> wasmtime::Result<Linker<CallState>>,
        check: &dyn Fn(&Component) -> Result<imports::Configurable, Problem>,
    ) -> Result<Component, Problem> {
        let wasmtime = &self.shared.wasmtime;
        let key = CacheKey::new(wasmtime, &reference.digest, reference.config.as_ref());
        let cached = self.shared.cache.as_ref().and_then(|cache| cache.load(wasmtime, &key));
        if let Some(compiled) = cached {
            check(&compiled)?;
            return Ok(compiled);
        }
        let compile = |bytes: &[u8]| {
            Component::from_binary(wasmtime, bytes).map_err(|error| Problem::Compile(format!("{error:#}")))
        };
        let bytes = &request.component.get().bytes;
        let plain = compile(bytes)?;
        let compiled = match (check(&plain)?, request.config) {
            (imports::Configurable::No, None) => plain,
            (imports::Configurable::No, Some(_)) => return Err(Problem::TakesNoConfig),
            (imports::Configurable::Yes, None) => return Err(Problem::NeedsConfig),
            (imports::Configurable::Yes, Some(config)) => {
                let limits = request.limits.to_configure().within_engine();
                let store = new_store(wasmtime, reference.clone(), &limits);
                let linker = linker(&plain).map_err(|error| Problem::Link(format!("{error:#}")))?;
                let baked = bake::bake(wasmtime, &linker, store, bytes, config).map_err(|error| match error {
                    BakeError::Refused { message, line, column } => Problem::Config { message, line, column },
                    BakeError::Failed(failure) => Problem::Bake(failure),
                })?;
                compile(&prune(baked))?
            }
        };
        if let Some(cache) = &self.shared.cache {
            cache.store(&key, &compiled);
        }
        Ok(compiled)
    }

    fn templates(&self) -> std::sync::MutexGuard<'_, HashMap<TemplateKey, Weak<Template>>> {
        // A panic while the map was held leaves a map that is still right.
        self.shared.templates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store for one call under `limits`.
pub(crate) fn new_store(
    engine: &wasmtime::Engine,
    component: Arc<ComponentRef>,
    limits: &CallLimits,
) -> Store<CallState> {
    let mut store = Store::new(engine, CallState::new(component, *limits));
    store.limiter(|state| state);
    store.set_epoch_deadline(limits.ticks());
    store.set_hostcall_fuel(limits.output_bytes_max);
    // Fails only in an engine without fuel, which `config` does not make.
    if let Err(error) = store.set_fuel(limits.fuel_max) {
        tracing::error!(error = %classify(&error), "no fuel in this engine");
    }
    store
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Deterministic kinds must not see which processor they run on.
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(true)
        .wasm_memory64(false)
        .epoch_interruption(true)
        .consume_fuel(true)
        .max_wasm_stack(STACK_BYTES_MAX)
        .async_stack_size(WAITING_STACK_BYTES)
        .memory_init_cow(true)
        .cranelift_opt_level(OptLevel::Speed)
        // Backtraces cost every trap and tell an operator nothing.
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None)
        // For debuggers and profilers. A guest never unwinds into the host.
        .native_unwind_info(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES_MAX)
        .total_core_instances(INSTANCES_MAX * 8)
        .total_memories(INSTANCES_MAX * 2)
        .total_tables(INSTANCES_MAX * 4)
        .total_stacks(INSTANCES_MAX)
        .async_stack_keep_resident(WAITING_STACK_KEEP_RESIDENT_BYTES)
        .max_core_instances_per_component(MODULES_MAX)
        .max_memories_per_component(8)
        .max_tables_per_component(MODULES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(MEMORY_BYTES_MAX + SNAPSHOT_BYTES)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        // Resets the pages that were written, and no others (Linux 6.7).
        .pagemap_scan(Enabled::Auto);
    pool
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("templates", &self.templates().len()).finish_non_exhaustive()
    }
}
