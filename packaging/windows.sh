#!/usr/bin/env bash
# Builds onair for Windows on this machine, and tests it with wine.
#
#   packaging/windows.sh check [CARGO ARGUMENT…]   checks the types of the whole workspace
#   packaging/windows.sh build                     builds onair.exe and onair.com, with no library beside them
#   packaging/windows.sh test                      runs a build in the profile of the tests with wine
#   packaging/windows.sh units [CRATE…]            runs unit tests with wine
#   packaging/windows.sh all                       builds, and writes a portable .zip and an installer to target/bundle
#   packaging/windows.sh sign FILE…                signs programs and installers (see below)
#
# The compiler is the usual one, and its library for Windows is fetched with rustup. Debian's MinGW compiles C and C++.
# ONAIR_PROFILE=dev builds with the profile of the tests. With CARGO_TARGET_DIR set, everything is written there.
#
# ONAIR_CERTIFICATE            the certificate and its key (PKCS#12); `all` signs if it is set
# ONAIR_CERTIFICATE_PASSWORD   a file with its password
# ONAIR_TIMESTAMPS             the address of a server for timestamps; without one, signatures end with the certificate
set -uo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
cd "$root" || exit 1

triple=x86_64-pc-windows-gnu
mingw=x86_64-w64-mingw32
target=${CARGO_TARGET_DIR:-$root/target}

# MinGW, and the library of Rust for Windows. Fails with 77 if rustup cannot fetch it.
need_windows() {
    need_packages build windows || return 1
    need_rust || return 1
    if [ ! -d "$(rustc --print target-libdir --target "$triple" 2>/dev/null)" ]; then
        rustup target add "$triple" || {
            say "rustup cannot fetch the library of Rust for $triple: onair is NOT built for Windows."
            return 77
        }
    fi
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=${CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER-$here/windows/link-gcc.sh} \
        CC_x86_64_pc_windows_gnu=$here/windows/cc.sh \
        CXX_x86_64_pc_windows_gnu=$mingw-g++-posix \
        AR_x86_64_pc_windows_gnu=$mingw-ar
}

# In a folder of its own, so that other builds need not wait. Without features, because these use libraries of Linux. The
# runtime libraries of C and C++ are part of the program. What only Linux calls is no mistake.
for_windows() {
    env -u RUSTC_WORKSPACE_WRAPPER CARGO_TARGET_DIR="$target/windows" \
        RUSTFLAGS="-A dead_code -C target-feature=+crt-static" "$@" --locked --target "$triple"
}

# Clippy does not know what Windows lacks.
check() { for_windows cargo check --quiet --workspace "$@"; }

# Sets $folder to the folder with onair.exe and onair.com.
build() {
    local profile=${ONAIR_PROFILE:-release}
    folder=$target/windows/$triple/$profile
    [ "$profile" != dev ] || folder=$target/windows/$triple/debug
    for_windows cargo build --quiet --profile "$profile" --bin onair || return 1
    "$mingw-gcc-posix" -O2 -s -municode -static -Wall -Werror -Wl,--no-insert-timestamp \
        -o "$folder/onair.com" packaging/windows/onair.c || return 1
    alone "$folder/onair.exe" && alone "$folder/onair.com"
}

# Succeeds if a program needs only libraries of Windows.
alone() {
    local lacking
    lacking=$("$mingw-objdump" -p "$1" | sed -n 's/^\tDLL Name: //p' | grep -i '^lib.*\(gcc\|stdc++\|pthread\)')
    [ -z "$lacking" ] || { complain "$1 needs $(tr '\n' ' ' <<<"$lacking")"; return 1; }
}

# Writes the files that are installed to this folder.
tree() {
    local into=$1 file
    install -D -t "$into" "$folder/onair.exe" "$folder/onair.com"
    # A release keeps the names of functions, for crash reports.
    local symbols=--strip-debug
    [ "${ONAIR_PROFILE:-release}" = release ] || symbols=--strip-all
    "$mingw-strip" "$symbols" "$into/onair.exe" || return 1
    install -D -m 644 -t "$into/LICENSES" LICENSES/* assets/web/vendor/*LICENSE*
    # The runtime libraries that are linked into the program.
    cp /usr/share/doc/mingw-w64-common/copyright "$into/LICENSES/MinGW-w64.txt" || return 1
    cp /usr/share/doc/gcc-mingw-w64-base/copyright "$into/LICENSES/GCC.txt" || return 1
    install -D -m 644 -t "$into/pictures" assets/pictures/*.jpg
    for file in README.md README.zh-CN.md CHANGELOG.md THIRD-PARTY.md LICENSE; do
        [ ! -f "$file" ] || sed 's/$/\r/' "$file" >"$into/${file%.md}.txt"
    done
}

# Prints the commands of the installer that remove these files.
removals() {
    (cd "$1" && find . -type f -printf '%P\n' | LC_ALL=C sort | sed 's|/|\\|g; s|.*|Delete "$INSTDIR\\&"|')
    (cd "$1" && find . -mindepth 1 -type d -printf '%P\n' | LC_ALL=C sort -r | sed 's|/|\\|g; s|.*|RMDir "$INSTDIR\\&"|')
}

all() {
    local version name work out=$target/bundle
    need_packages windows-bundle || return 1
    # The linker, strip and the installer write this time.
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(commit_time)}
    export SOURCE_DATE_EPOCH
    build || return 1
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
    name=onair-$version-windows-x86_64
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    mkdir -p "$out"
    tree "$work/$name" || return 1
    [ -z "${ONAIR_CERTIFICATE-}" ] || sign "$work/$name/onair.exe" "$work/$name/onair.com" || return 1
    same_for_all "$work" || return 1
    removals "$work/$name" >"$work/removals.nsh"
    rm -f "$out/$name.zip" "$out/$name-setup.exe"
    # The compression of a release takes minutes.
    local level=9 quick=
    [ "${ONAIR_PROFILE:-release}" = release ] || { level=1 && quick=-DQUICK; }
    (cd "$work" && find "$name" -type f | LC_ALL=C sort | TZ=UTC zip -q -X "-$level" "$out/$name.zip" -@) || return 1
    makensis -V2 -NOCD ${quick:+"$quick"} -DVERSION="$version" -DFOLDER="$work/$name" -DREMOVALS="$work/removals.nsh" \
        -DOUTPUT="$out/$name-setup.exe" packaging/windows/onair.nsi || return 1
    [ -z "${ONAIR_CERTIFICATE-}" ] || sign "$out/$name-setup.exe" || return 1
    (cd "$out" && sha256sum "$name.zip" "$name-setup.exe" >"$name.sha256")
    say "$out/$name.zip" "$out/$name-setup.exe" "$out/$name.sha256"
}

sign() {
    local file
    [ -n "${ONAIR_CERTIFICATE-}" ] || {
        complain "To sign, set ONAIR_CERTIFICATE to a file with a certificate and its key (PKCS#12)."
        return 2
    }
    need_packages windows-bundle || return 1
    for file in "$@"; do
        osslsigncode sign -pkcs12 "$ONAIR_CERTIFICATE" \
            ${ONAIR_CERTIFICATE_PASSWORD:+-readpass "$ONAIR_CERTIFICATE_PASSWORD"} \
            ${ONAIR_TIMESTAMPS:+-ts "$ONAIR_TIMESTAMPS"} -h sha256 -n onair -in "$file" -out "$file.signed" >/dev/null &&
            mv "$file.signed" "$file" || { complain "$file could not be signed."; rm -f "$file.signed"; return 1; }
    done
}

# The unit tests of these crates; without one, of those that know the system and the formats.
units() {
    local crates=("$@")
    [ $# -gt 0 ] || crates=(onair-platform onair-base onair-wire)
    WINEPREFIX=${WINEPREFIX:-$target/windows/wine} \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$here/windows/wine.sh \
        for_windows cargo test --quiet --lib --no-fail-fast "${crates[@]/#/--package=}"
}

# Exits with 77 if something is missing here.
run_tests() {
    local status=0
    need_packages windows-test || return 77
    ONAIR_PROFILE=dev build || return 1
    packaging/windows/test.sh "$folder" || status=$?
    case $status in
    0 | 77) ;;
    # As for the other tests: on a slow machine, a program can be late once.
    *)
        say "Running the program for Windows again."
        status=0
        packaging/windows/test.sh "$folder" || status=$?
        ;;
    esac
    # Those of the other crates take minutes to build, and hardly know the system.
    [ "$status" = 77 ] || units onair-platform || status=1
    return "$status"
}

case ${1-} in
check | test)
    need_windows
    case $? in
    0) ;;
    # Nothing here is wrong if rustup's server cannot be reached.
    77) exit 0 ;;
    *) exit 1 ;;
    esac
    if [ "$1" = test ]; then run_tests; else "$@"; fi
    ;;
build | all | units)
    need_windows || exit
    "$@"
    ;;
sign) "$@" ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
