#!/usr/bin/env bash
# Compiles onair for Windows on this machine.
#
#   packaging/windows.sh check [CARGO ARGUMENT…]   checks the types of the whole workspace
#
# The compiler is the usual one, and its library for Windows is fetched with rustup. Debian's MinGW compiles C and C++.
set -uo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
cd "$root" || exit 1

triple=x86_64-pc-windows-gnu

# MinGW, and the library of Rust for Windows.
need_windows() {
    need_packages build windows || return 1
    need_rust || return 1
    if [ ! -d "$(rustc --print target-libdir --target "$triple" 2>/dev/null)" ]; then
        rustup target add "$triple" || {
            say "rustup cannot fetch the library of Rust for $triple: the types for Windows are NOT checked."
            exit 0
        }
    fi
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-g++-posix \
        CC_x86_64_pc_windows_gnu=$here/windows/cc.sh \
        CXX_x86_64_pc_windows_gnu=x86_64-w64-mingw32-g++-posix \
        AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
}

# In a folder of its own, so that other builds need not wait. Clippy does not know what Windows lacks. Without features,
# because these use libraries of Linux. What only Linux calls is no mistake.
check() {
    env -u RUSTC_WORKSPACE_WRAPPER CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/windows" \
        RUSTFLAGS="-A dead_code" cargo check --locked --quiet --workspace --target "$triple" "$@"
}

case ${1-} in
check)
    need_windows || exit 1
    "$@"
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
