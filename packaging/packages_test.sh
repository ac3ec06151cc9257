#!/usr/bin/env bash
# Tests packages.sh with a simulated system: stub programs in a folder that is the whole PATH.
# Run by test.sh; changes nothing outside a temporary folder.
# shellcheck disable=SC2317 # conditions are called by name
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

folder=$(mktemp -d)
real_id=$(cksum <"$(command -v id)")
trap 'rm -rf "$folder"' EXIT
failed=0

# A new system with some real tools, in which all requested packages are missing.
system() {
    rm -rf "${folder:?}/bin" "$folder/log"
    mkdir "$folder/bin"
    local tool
    for tool in bash sh env cat cut dirname grep head sed sort id mkdir; do
        ln -s "$(command -v "$tool")" "$folder/bin/$tool"
    done
}

# stub NAME 'SCRIPT': a program of the simulated system. Each call is recorded.
stub() {
    # Do not write through the link, which leads to the real system's program.
    rm -f "$folder/bin/$1"
    printf '#!/bin/sh\necho "%s $*" >>"%s/log"\n%s\n' "$1" "$folder" "$2" >"$folder/bin/$1"
    chmod +x "$folder/bin/$1"
}

# Runs functions of packages.sh there; output and status in $output and $status.
there() {
    output=$(env -i PATH="$folder/bin" HOME="$folder" bash -c ". ./packages.sh; $1" 2>&1)
    status=$?
}

expect() { # WHAT, a condition
    local what=$1
    shift
    "$@" || {
        printf 'FAILED: %s\n  status %s, output:\n%s\n  calls:\n%s\n' "$what" "$status" "$output" \
            "$(cat "$folder/log" 2>/dev/null)"
        failed=1
    }
}
says() { grep -qF -- "$1" <<<"$output"; }
called() { grep -qF -- "$1" "$folder/log" 2>/dev/null; }
not() { ! "$@"; }
ends() { [ "$status" -eq "$1" ]; }

# If everything is installed, only the query is called.
system
stub apt-get 'exit 1'
# shellcheck disable=SC2016 # for the stub
stub dpkg-query 'shift 2; for p in "$@"; do printf "installed %s " "$p"; done'
there 'need_packages build window'
expect "a complete system passes" ends 0
expect "a complete system is left alone" not called apt-get
expect "nothing is said about it" test -z "$output"

# Only the missing packages are named and installed.
# shellcheck disable=SC2016 # for the stub
stub dpkg-query 'shift 2; for p in "$@"; do [ "$p" = nasm ] || printf "installed %s " "$p"; done; exit 1'
stub apt-get 'exit 0'
stub id 'echo 0'
there 'need_packages build'
expect "one package is installed" ends 0
expect "it is named" says "Installing system packages (build): nasm"
expect "the lists are renewed" called "apt-get update"
expect "it alone is installed" called "--no-install-recommends nasm"

# A user without root and sudo is told what to run.
stub id 'echo 1000'
there 'need_packages build'
expect "no root, no sudo: fails" not ends 0
expect "and says what to run as root" says "As root, run:"
# shellcheck disable=SC2016 # for the stub
stub sudo 'exec "$@"'
there 'need_packages build'
expect "sudo is used" called "sudo env DEBIAN_FRONTEND=noninteractive"

# A package that cannot be installed is named.
# shellcheck disable=SC2016 # for the stub
stub apt-get '[ "$1" = update ]'
there 'need_packages build'
expect "a failing installation fails" not ends 0
expect "and is named" says "could not be installed: nasm"

# On an unknown distribution, the missing parts are named with their purposes.
system
stub g++ ''
stub clang ''
stub ldconfig 'echo "libclang-14.so.1 => /usr/lib/libclang-14.so.1"'
there 'need_packages build'
expect "an unknown system fails" not ends 0
expect "nasm is named with its purpose" says "nasm  for the fast paths of the H.264 codec (Debian calls the package nasm)"
expect "what is there is not named" not says "clang"

# Rust: absent, too old, new enough.
system
there 'need_packages() { echo "packages: $*"; }; need_rust'
expect "no cargo is said" says "or newer. Installed: none."
expect "what rustup needs is installed" says "packages: rust"
stub cargo 'echo "cargo 1.60.0 (abc 2022-01-01)"'
stub rustup ''
there 'need_rust'
expect "an old cargo is said" says "Installed: cargo 1.60.0"
expect "rustup is asked for one version" called "rustup toolchain install $(. ./packages.sh; wanted_rust)"
# The second time, nothing is fetched: rustup has the version, or this user's cargo is newer than the system's.
# shellcheck disable=SC2016 # for the stub
stub cargo 'echo "cargo ${RUSTUP_TOOLCHAIN:-1.60}.0 (abc 2022-01-01)"'
rm "$folder/log"
there 'need_rust'
expect "a version that rustup has passes" ends 0
expect "it is not fetched again" not called "rustup toolchain install"
expect "nothing is said about it either" test -z "$output"
system
stub cargo 'echo "cargo 1.60.0 (abc 2022-01-01)"'
mkdir -p "$folder/.cargo/bin"
printf '#!/bin/sh\necho "cargo 9.1.0 (abc 2030-01-01)"\n' >"$folder/.cargo/bin/cargo"
chmod +x "$folder/.cargo/bin/cargo"
there 'need_packages() { :; }; need_rust; cargo --version'
expect "this user's cargo is used" says "cargo 9.1.0"
expect "no installer is fetched" not says "Installing Rust"
rm -r "$folder/.cargo"
stub cargo 'echo "cargo 9.1.0 (abc 2030-01-01)"'
stub cargo-clippy ''
there 'need_rust clippy'
expect "a new cargo passes" ends 0
stub cargo 'echo "cargo 1.100.0-nightly (abc 2030-01-01)"'
there 'need_rust --'
expect "versions are compared as numbers" ends 0

# rustup's installer runs only if it has the expected hash.
system
for tool in mktemp sha256sum chmod rm; do ln -s "$(command -v "$tool")" "$folder/bin/$tool"; done
stub uname 'echo x86_64'
# shellcheck disable=SC2016 # for the stub
stub curl 'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\necho ran it\n" >"$2"'
there 'need_packages() { :; }; need_rust'
expect "a file of another hash fails" not ends 0
expect "and is not run" not says "ran it"
expect "and it says so" says "it was NOT run"
expect "one version is fetched" called "rustup/archive/$(sed -n 's/^rustup \([0-9.]*\) x86_64.*/\1/p' tools)/x86_64"
stub uname 'echo vax'
there 'need_packages() { :; }; need_rust'
expect "an unknown processor is said" says "No installer is known for vax"

# A cargo tool is installed in the version of the list, or not at all without a version.
system
stub cargo ''
ln -s "$(command -v rm)" "$folder/bin/rm"
there "tools=$folder/tools; need_tool cargo-deny"
expect "a tool is pinned" called "--version =$(sed -n 's/^cargo-deny //p' tools) --locked"
there "tools=$folder/tools; need_tool cargo-other"
expect "a tool without a version is refused" not ends 0
# A tool that PyPI has is fetched by its hash, and not built.
system
stub cargo ''
stub python ''
for tool in ln mkdir timeout; do ln -sf "$(command -v "$tool")" "$folder/bin/$tool"; done
mkdir -p "$folder/wheels/bin"
ln -s "$folder/bin/python" "$folder/wheels/bin/python"
there "tools=$folder; need_tool cargo-deny"
expect "a tool that is ready is fetched" says "Fetched cargo-deny"
expect "its hash is asked for" called "--require-hashes"
expect "it is not built" not called "cargo install"

# unpinned FILE…: what they install without a version, or without a hash where no registry keeps one.
unpinned() {
    # A command that continues in the next line is one line; running a script from the network is two commands.
    sed -e ':a' -e '/\\$/N; s/\\\n */ /; ta' "$@" | grep -v '^ *#' | awk '
        /cargo (b?install|binstall)/ && !(/--version/ && /--locked/) { print; next }
        /pip3? (install|download)/ && !/--require-hashes/ { print; next }
        /(^|[^a-z])(pipx|uv|npm|gem|go) install|uv pip|npx / { print; next }
        /rustup toolchain install *"?(stable|beta|nightly)|--default-toolchain *"?(stable|beta|nightly)/ { print; next }
        /(curl|wget)[^|]*$/ && /\| *(ba)?sh/ { print; next }
        /(curl|wget).*\| *$/ || /(curl|wget).*\| *(sudo +)?(ba|da|z)?sh( |$)/ { print }'
}
list=$(cd .. && git ls-files '*.sh' .ci/run CONTRIBUTING.md README.md)
[ -n "$list" ] || { echo "FAILED: no scripts are listed"; failed=1; }
while read -r script; do
    # The violations that are added below.
    [ "$script" != packaging/packages_test.sh ] || continue
    found=$(unpinned "../$script")
    [ -z "$found" ] || { printf 'FAILED: %s installs without a version or hash:\n%s\n' "$script" "$found"; failed=1; }
done <<<"$list"
while read -r breach; do
    printf '%s\n' "$breach" | sed 's/ @ / \\\n    /' >"$folder/breach"
    [ -n "$(unpinned "$folder/breach")" ] || { printf 'FAILED: not seen: %s\n' "$breach"; failed=1; }
done <<'END'
cargo install --locked cargo-deny
cargo install cargo-deny --version 1.0.0
env A=b @ cargo install --quiet @ cargo-deny
python3 -m pip install numpy
"$python" -m pip install --quiet @ numpy==2.0
rustup toolchain install stable
curl -sSf https://sh.rustup.rs | sh
curl -sSf https://sh.rustup.rs | @ sh -s -- -y
go install example.org/tool
END
# Every file of Python's packages has a hash and a version.
grep -hv '^ *#' requirements*.txt | sed -e ':a' -e '/\\$/N; s/\\\n */ /; ta' | while read -r line; do
    grep -Eq '^[a-z0-9-]+==[0-9.]+( +--hash=sha256:[0-9a-f]{64})+$' <<<"$line" || printf '%s\n' "$line"
done >"$folder/loose"
[ ! -s "$folder/loose" ] || { echo "FAILED: without a version or hash:"; cat "$folder/loose"; failed=1; }

# An earlier version of this test overwrote the real file.
expect "the real system is untouched" test "$real_id" = "$(cksum <"$(command -v id)")"

exit $failed
