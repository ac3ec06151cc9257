#!/usr/bin/env bash
# Builds onair for Windows on this machine, from Debian's packages.
#
#   packaging/windows.sh check [CARGO ARGUMENT…]   checks the types of the whole workspace
#
# The compiler is the usual one, and its library for Windows is fetched with rustup. C and C++ are compiled, and the
# program is linked, by MinGW.
set -uo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
cd "$root" || exit 1

triple=x86_64-pc-windows-gnu

# MinGW as the compiler and the linker, and the library of Rust for Windows.
need_windows() {
    need_packages build windows || return 1
    need_rust || return 1
    if [ ! -d "$(rustc --print target-libdir --target "$triple" 2>/dev/null)" ]; then
        rustup target add "$triple" || {
            complain "The library of Rust for $triple is missing, and rustup cannot fetch it."
            return 1
        }
    fi
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-g++-posix \
        CC_x86_64_pc_windows_gnu=$here/windows/cc.sh \
        CXX_x86_64_pc_windows_gnu=x86_64-w64-mingw32-g++-posix \
        AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-ar
}

# The features read libraries of Linux.
check() { cargo check --locked --quiet --workspace --target "$triple" "$@"; }

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
