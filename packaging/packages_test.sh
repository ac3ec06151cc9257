#!/usr/bin/env bash
# Tests packages.sh with a made-up system: stub programs in a folder that is the whole PATH.
# Run by test.sh; changes nothing outside a temporary folder.
# shellcheck disable=SC2317 # conditions are called by name
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

folder=$(mktemp -d)
real_id=$(cksum <"$(command -v id)")
trap 'rm -rf "$folder"' EXIT
failed=0

# A fresh system with some real tools and nothing of what is asked for.
system() {
    rm -rf "${folder:?}/bin" "$folder/log"
    mkdir "$folder/bin"
    local tool
    for tool in bash sh env cat cut dirname grep head sed sort id mkdir; do
        ln -s "$(command -v "$tool")" "$folder/bin/$tool"
    done
}

# stub NAME 'SCRIPT': a program of the made-up system. Each call is noted.
stub() {
    # Not through the link: at its other end is the real system's program.
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

# Where all is installed, nothing is called but the question.
system
stub apt-get 'exit 1'
# shellcheck disable=SC2016 # for the stub
stub dpkg-query 'shift 2; for p in "$@"; do printf "installed %s " "$p"; done'
there 'need_packages build window'
expect "a complete system passes" ends 0
expect "a complete system is left alone" not called apt-get
expect "nothing is said about it" test -z "$output"

# Missing packages are named and installed, those alone.
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

# What cannot be installed is named.
# shellcheck disable=SC2016 # for the stub
stub apt-get '[ "$1" = update ]'
there 'need_packages build'
expect "a failing installation fails" not ends 0
expect "and is named" says "could not be installed: nasm"

# An unknown distribution: named by what is missing and what for.
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
expect "no cargo is said" says "or newer is needed; here is none."
expect "what rustup needs is installed" says "packages: rust"
stub cargo 'echo "cargo 1.60.0 (abc 2022-01-01)"'
stub rustup ''
there 'need_rust'
expect "an old cargo is said" says "here is cargo 1.60.0"
expect "rustup is asked" called "rustup toolchain install stable"
stub cargo 'echo "cargo 9.1.0 (abc 2030-01-01)"'
stub cargo-clippy ''
there 'need_rust clippy'
expect "a new cargo passes" ends 0
stub cargo 'echo "cargo 1.100.0-nightly (abc 2030-01-01)"'
there 'need_rust --'
expect "versions are compared as numbers" ends 0

# This once wrote over the real one.
expect "the real system is untouched" test "$real_id" = "$(cksum <"$(command -v id)")"

exit $failed
