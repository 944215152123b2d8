//! Bindings generated from `wit/`. The export macros use them; authors need not.

#![allow(clippy::all, unsafe_code, unused_qualifications, unreachable_pub)]

#[cfg(feature = "configurable-policy")]
pub mod policy {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        world: "vak:policy/configurable-policy-component",
        pub_export_macro: true,
        export_macro_name: "export_configurable_policy_component",
        default_bindings_module: "vak_sdk::bindings::policy",
        generate_all,
    });
}

#[cfg(all(feature = "policy", not(feature = "configurable-policy")))]
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
