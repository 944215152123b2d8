//! Bindings generated from `wit/`. The export macros use them; authors need not.

#![allow(clippy::all, unsafe_code, unused_qualifications, unreachable_pub)]

#[cfg(feature = "policy")]
pub mod policy {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        world: "vak:policy/policy-component",
        pub_export_macro: true,
        export_macro_name: "export_policy_component",
        default_bindings_module: "vak_sdk::bindings::policy",
        generate_all,
    });
}

/// What a policy may export beside `policy`.
#[cfg(feature = "nearest")]
pub mod nearest {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        inline: "package vak:sdk; world nearest { export vak:policy/nearest@0.1.0; export vak:policy/asks@0.1.0; export vak:policy/outlook@0.1.0; }",
        world: "vak:sdk/nearest",
        pub_export_macro: true,
        export_macro_name: "export_nearest",
        default_bindings_module: "vak_sdk::bindings::nearest",
        with: { "vak:types/types@0.1.0": crate::bindings::policy::vak::types::types },
        generate_all,
    });
}

#[cfg(feature = "scorer")]
pub mod scorer {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/scorer"],
        world: "vak:scorer/scorer-component",
        pub_export_macro: true,
        export_macro_name: "export_scorer_component",
        default_bindings_module: "vak_sdk::bindings::scorer",
        generate_all,
    });
}

#[cfg(feature = "adapter")]
pub mod adapter {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/adapter"],
        world: "vak:adapter/adapter-component",
        pub_export_macro: true,
        export_macro_name: "export_adapter_component",
        default_bindings_module: "vak_sdk::bindings::adapter",
        generate_all,
    });
}

#[cfg(feature = "skill")]
pub mod skill {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/skill"],
        world: "vak:skill/skill-component",
        pub_export_macro: true,
        export_macro_name: "export_skill_component",
        default_bindings_module: "vak_sdk::bindings::skill",
        generate_all,
    });
}

/// What the configurable worlds add to the others. The linker joins the two
/// worlds of such a component into one.
#[cfg(feature = "configure")]
pub mod configure {
    wit_bindgen::generate!({
        path: ["../../wit/types"],
        inline: "package vak:sdk; world configurable { export vak:types/configure@0.1.0; }",
        world: "vak:sdk/configurable",
        pub_export_macro: true,
        export_macro_name: "export_configurable",
        default_bindings_module: "vak_sdk::bindings::configure",
        generate_all,
    });
}
