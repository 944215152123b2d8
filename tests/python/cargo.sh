#!/bin/sh
# What maturin calls for cargo when `cargo xtask` builds the wheel for tests. It asks
# for the one crate, for which cargo would choose other features of what is shared,
# and compile wasmtime a second time: it gets the workspace's. What it says of the
# interpreter is left out for the same reason; the ABI is that of all.
set -eu
case "$1" in
rustc)
    unset PYO3_PYTHON PYO3_CONFIG_FILE PYO3_ENVIRONMENT_SIGNATURE PYTHON_SYS_EXECUTABLE
    exec cargo build --workspace --lib --message-format json-render-diagnostics
    ;;
*) exec cargo "$@" ;;
esac
