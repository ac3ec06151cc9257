# shellcheck shell=bash
# Functions for the scripts in this folder, which source this file: system packages and the Rust toolchain.
#
# need_packages SECTION…   installs the missing packages of packaging/packages, or names them
# need_rust [COMPONENT…]   ensures a toolchain that is new enough, with these components
# need_tool TOOL           ensures a cargo tool, in the version that packaging/tools names
# need_wheels PYTHON FILE… installs the packages in these lists of packaging/ for this Python
# commit_time              prints the time of the last commit, with which the same sources make the same packages
# same_for_all FOLDER      gives all files in a folder this time and the usual rights
# need_dashjs              sets $ONAIR_DASHJS to the path of dash.js, if it can be fetched
# with_features            sets $features to cargo's arguments for FFmpeg's decoders and for Wayland
#                          displays, each if its libraries are installed and new enough
# Nothing is done twice: if nothing is missing, a call takes some milliseconds.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
tools=$root/target/tools

commit_time() { git log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/Cargo.toml"; }
same_for_all() {
    chmod -R u=rwX,go=rX "$1" && find "$1" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-$(commit_time)}" {} +
}

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }

# Prints "package sign purpose" for each package of the wanted sections.
listed() {
    local section package sign purpose
    while read -r section package sign purpose; do
        case " $* " in
        *" $section "*) printf '%s %s %s\n' "$package" "$sign" "$purpose" ;;
        esac
    done < <(grep -v '^#' "$here/packages")
}

# Succeeds if a sign (third column of the list) is found. '-' cannot be checked, and counts as found.
seen() {
    case $1 in
    command:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#*:}" >/dev/null ;;
    file:*) [ -e "${1#*:}" ] ;;
    pkg-config:*) pkg-config --exists "${1#*:}" 2>/dev/null ;;
    library:*) { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q "${1#*:}" ;;
    *) true ;;
    esac
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        complain "This step needs root, but sudo is not installed. As root, run:  $*"
        return 1
    fi
}

need_packages() {
    local package sign purpose all=() missing=()
    while read -r package sign purpose; do all+=("$package"); done < <(listed "$@")
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        need_signs "$@"
        return
    fi
    local installed
    # shellcheck disable=SC2016 # dpkg-query's own variables
    installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package} ' "${all[@]}" 2>/dev/null || true)"
    for package in "${all[@]}"; do
        case $installed in
        *" installed $package "*) ;;
        *) missing+=("$package") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing system packages ($*): ${missing[*]}"
    as_root apt-get update -qq || complain "Cannot update the package lists; continuing with the old ones."
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" || {
        complain "These packages could not be installed: ${missing[*]}"
        return 1
    }
}

# For a distribution without apt: names the missing packages, and continues only if there are none.
need_signs() {
    local package sign purpose lacking=no
    while read -r package sign purpose; do
        seen "$sign" && continue
        [ $lacking = yes ] || complain "This system has no apt. Please install these with the tools of your system:"
        lacking=yes
        complain "  ${sign#*:}  for $purpose (Debian calls the package $package)"
    done < <(listed "$@")
    [ $lacking = no ] || {
        complain "Then run this script again."
        return 1
    }
}

# The required Rust version, from Cargo.toml.
wanted_rust() { sed -n 's/^rust-version *= *"\([0-9.]*\)"/\1/p' "$root/Cargo.toml"; }

# Succeeds if an installed cargo is new enough.
rust_is_new_enough() {
    local have want
    have=$(cargo --version 2>/dev/null | cut -d' ' -f2) || true
    want=$(wanted_rust)
    [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$want" "${have%%-*}" | sort -V | head -n 1)" = "$want" ]
}

# Runs rustup's installer of one version, but only if it has the hash in packaging/tools.
install_rustup() {
    local name version triple sum folder status=1
    # shellcheck disable=SC2034 # the first column is the name
    read -r name version triple sum < <(grep "^rustup .* $(uname -m)-" "$here/tools") || {
        complain "No installer is known for $(uname -m). See https://rustup.rs"
        return 1
    }
    folder=$(mktemp -d) || return 1
    if ! curl --proto '=https' --tlsv1.2 -sSf -o "$folder/rustup-init" \
        "https://static.rust-lang.org/rustup/archive/$version/$triple/rustup-init"
    then
        complain "Cannot download the rustup installer."
    elif ! printf '%s  %s\n' "$sum" "$folder/rustup-init" | sha256sum --check --status; then
        complain "The hash of the rustup installer differs from packaging/tools, so it was NOT run."
    else
        chmod +x "$folder/rustup-init"
        "$folder/rustup-init" -y --profile minimal --default-toolchain "$(wanted_rust)" && status=0
    fi
    rm -rf "$folder"
    return "$status"
}

# Fetches a cargo tool unless it is installed. It is built once, and kept under target/.
need_tool() {
    local version
    command -v "$1" >/dev/null && return
    version=$(sed -n "s/^$1 \([0-9.]*\)\$/\1/p" "$here/tools")
    [ -n "$version" ] || { complain "packaging/tools has no version for $1."; return 1; }
    ! fetch_tool "$1" 2>/dev/null || return 0
    say "Building $1 $version (once; kept in target/tools)."
    env -u RUSTC_WORKSPACE_WRAPPER CARGO_TARGET_DIR="$tools/build" \
        cargo install --quiet --version "=$version" --locked --debug --root "$tools" "$1" || return 1
    rm -rf "$tools/build"
}

# Fetches a cargo tool that PyPI has prebuilt for this kind of machine, and checks its hash. Building it takes minutes.
fetch_tool() {
    local list=$tools/$1.txt python=$tools/wheels/bin/python
    mkdir -p "$tools/bin"
    sed -n "/-$1==/,/[^\\\\]\$/p" "$here/requirements-tools.txt" >"$list"
    [ -s "$list" ] || return 1
    [ -x "$python" ] || /usr/bin/python3 -m venv "$tools/wheels" >/dev/null || return 1
    timeout 300 "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        --only-binary=:all: --requirement "$list" || return 1
    ln -sf "$tools/wheels/bin/$1" "$tools/bin/$1"
    say "Fetched $1 (PyPI; kept in target/tools)."
}

# Installs packages from PyPI for one Python, and checks the hash of each file.
need_wheels() {
    local python=$1 list
    shift
    for list in "$@"; do
        timeout 300 "$python" -m pip install --quiet --disable-pip-version-check \
            --require-hashes --only-binary=:all: --requirement "$here/$list" || return 1
    done
}

need_rust() {
    local own=${CARGO_HOME:-$HOME/.cargo}/bin lack
    # This user's Rust can be newer than the system's.
    rust_is_new_enough || [ ! -x "$own/cargo" ] || PATH=$own:$PATH
    if ! rust_is_new_enough; then
        lack="onair needs Rust $(wanted_rust) or newer. Installed: $(cargo --version 2>/dev/null || echo none)."
        if command -v rustup >/dev/null; then
            RUSTUP_TOOLCHAIN=$(wanted_rust)
            export RUSTUP_TOOLCHAIN
            # An earlier run may have fetched it. Without this variable, rustup would fetch it here without a message.
            RUSTUP_AUTO_INSTALL=0 rust_is_new_enough || {
                say "$lack"
                say "Fetching Rust $(wanted_rust) with rustup."
                rustup toolchain install "$RUSTUP_TOOLCHAIN" --profile minimal --no-self-update
            }
        else
            say "$lack"
            say "Installing Rust for this user with the official rustup installer (https://rustup.rs)."
            need_packages rust || return 1
            install_rustup || return 1
            PATH=$own:$PATH
        fi
        rust_is_new_enough || {
            complain "Rust $(wanted_rust) is still missing. See https://rustup.rs"
            return 1
        }
    fi
    local component
    for component in "$@"; do
        [ "$component" != -- ] || continue
        "cargo-$component" --version >/dev/null 2>&1 || rustup component add "$component" || {
            complain "cargo $component is missing, and rustup is not installed to add it."
            return 1
        }
    done
}

# FFmpeg 5.1 is the oldest version whose structures are known here. PipeWire 0.3.65 is the oldest tested version.
with_features() {
    local list=
    if pkg-config --atleast-version=57.28 libavutil 2>/dev/null &&
        pkg-config --exists libavcodec libavdevice libavfilter libavformat libswresample libswscale 2>/dev/null
    then
        list=ffmpeg
    fi
    if pkg-config --atleast-version=0.3.65 libpipewire-0.3 2>/dev/null && pkg-config --exists libspa-0.2; then
        list=${list:+$list,}wayland
    fi
    features=(${list:+--features "$list"})
}

# Succeeds if the symbols of this program are in another file.
is_split() { [[ $(readelf -SW "$1") == *.gnu_debuglink* ]]; }

# split_symbols PROGRAM FILE: moves the symbols of a program to FILE. Crash reports find the names of functions there,
# if FILE is next to the program.
split_symbols() { objcopy --only-keep-debug "$1" "$2" && objcopy --strip-all --add-gnu-debuglink="$2" "$1"; }

# Builds the program and sets $onair to its path. ONAIR_PROFILE=dev uses the profile of the tests, which
# a developer has already built; otherwise, the profile is release, and cargo shows its progress.
build_onair() {
    local profile=${ONAIR_PROFILE:-release} target folder also=() features
    with_features
    target=${CARGO_TARGET_DIR:-$root/target}
    folder=$profile
    # With one of the tests, the dependencies are those of the tests, which are already built.
    [ "$profile" != dev ] || { folder=debug; also=(--test architecture --quiet); }
    [ -x "$target/$folder/onair" ] ||
        say "Building onair ($profile). The first build takes about 15 minutes on two cores."
    cargo build --manifest-path "$root/Cargo.toml" --locked --profile "$profile" \
        --bin onair ${features[@]+"${features[@]}"} ${also[@]+"${also[@]}"} || return 1
    # shellcheck disable=SC2034 # for the caller
    onair=$target/$folder/onair
    # Without its symbols, the program is a fifth smaller.
    [ "$profile" != release ] || ! command -v objcopy >/dev/null || is_split "$onair" ||
        split_symbols "$onair" "$onair.debug" || complain "The symbols stay in the program."
}

# hls.js, for the viewer page and the tests: the package and its hash.
# shellcheck disable=SC2034 # for the callers
hls_js=(hls.js@1.7.4 '3GlxGdPvT2YHvQYOt+yOzT/DEior/qJVNIylHA77kgeoBTdQQqi70GwefNEUmHQeNGyjC8U62+bruqW/Tpm+tg==')

# npm_package PACKAGE@VERSION SHA512 FOLDER: unpacks an npm package into FOLDER, if it has this hash.
npm_package() {
    local archive
    mkdir -p "$3"
    archive=$(cd "$3" && npm pack --silent "$1" 2>/dev/null) &&
        [ "$(openssl dgst -sha512 -binary "$3/$archive" | base64 -w0)" = "$2" ] &&
        tar -xzf "$3/$archive" -C "$3" --strip-components=1
}

# npm_file PACKAGE@VERSION SHA512 MEMBER FILE: fetches a file of an npm package, if FILE does not exist yet.
npm_file() {
    local folder=${4%/*}/unpacked
    [ -f "$4" ] || { npm_package "$1" "$2" "$folder" && mv "$folder/$3" "$4"; }
}

# The player that the DASH Industry Forum tests with.
need_dashjs() {
    [ -n "${ONAIR_DASHJS-}" ] || npm_file dashjs@5.2.1 \
        'axcJmLeJCTJMLUfQRErUJB1KOiU5iHF+DMLBc3FKeox1HPYtGUQlC6Xm5Mm6vhBUR3CHHLIPOqw0JDIqMtP+Dw==' \
        dist/modern/umd/dash.all.min.js "$tools/dashjs/dash.js" || {
        complain "Download failed (npm is needed): DASH is NOT tested with dash.js."
        return 0
    }
    export ONAIR_DASHJS=${ONAIR_DASHJS-$tools/dashjs/dash.js}
}
