//! Bindings generated from `wit/`.

#![allow(clippy::all, unsafe_code, unused_qualifications, unreachable_pub, dead_code)]

pub(crate) mod host {
    wasmtime::component::bindgen!({
        path: ["../../wit/host"],
        inline: "package vak:bindings; world host { import vak:host/log@0.1.0; import vak:host/secrets@0.1.0; import vak:host/memory@0.1.0; import vak:host/session@0.1.0; }",
        world: "vak:bindings/host",
        // A line over the limit of host calls ends the guest.
        imports: { default: trappable },
    });
}

pub(crate) mod policy {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        world: "vak:policy/policy-component",
        ownership: Borrowing { duplicate_if_necessary: false },
        with: {
            "vak:host/log": crate::bindings::host::vak::host::log,
            "vak:host/session": crate::bindings::host::vak::host::session,
        },
    });
}

/// What a policy may export beside `policy`.
pub(crate) mod nearest {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        inline: "package vak:bindings; world nearest { export vak:policy/nearest@0.1.0; }",
        world: "vak:bindings/nearest",
        ownership: Borrowing { duplicate_if_necessary: false },
        with: { "vak:types/types": crate::bindings::policy::vak::types::types },
    });
}

/// The same.
pub(crate) mod asks {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        inline: "package vak:bindings; world asks { export vak:policy/asks@0.1.0; }",
        world: "vak:bindings/asks",
    });
}

/// The same.
pub(crate) mod outlook {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        inline: "package vak:bindings; world outlook { export vak:policy/outlook@0.1.0; }",
        world: "vak:bindings/outlook",
    });
}

pub(crate) mod scorer {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/scorer"],
        world: "vak:scorer/scorer-component",
        ownership: Borrowing { duplicate_if_necessary: false },
        with: {
            "vak:host/log": crate::bindings::host::vak::host::log,
            "vak:types/types": crate::bindings::policy::vak::types::types,
        },
    });
}

pub(crate) mod adapter {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/adapter"],
        world: "vak:adapter/adapter-component",
        ownership: Borrowing { duplicate_if_necessary: false },
        with: { "vak:host/log": crate::bindings::host::vak::host::log },
    });
}

pub(crate) mod skill {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/skill"],
        world: "vak:skill/skill-component",
        with: {
            "vak:host/log": crate::bindings::host::vak::host::log,
            "vak:host/secrets": crate::bindings::host::vak::host::secrets,
            "vak:host/memory": crate::bindings::host::vak::host::memory,
        },
    });
}
