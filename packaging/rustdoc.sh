#!/usr/bin/env bash
# Builds the documentation from the libraries of the tests, and runs the examples of onair-wire. `cargo test --doc`
# calls this script instead of rustdoc. `cargo doc` would check all libraries again, which takes minutes.
#
#   RUSTDOC=packaging/rustdoc.sh cargo test --doc
set -euo pipefail
all=("$@") words=() tests=
while [ $# -gt 0 ]; do
    case $1 in
    --test) tests=yes ;;
    --test-run-directory | --test-builder | --test-builder-wrapper | --test-runtool | --test-args) shift ;;
    --test-*=*) ;;
    *) words+=("$1") ;;
    esac
    shift
done
# All other calls.
[ -n "$tests" ] || exec rustdoc "${words[@]}"
folder=${CARGO_TARGET_DIR:-target}/doc
rustdoc "${words[@]}" --document-private-items -D warnings --out-dir "$folder"
# Only this library is for other programs.
[[ " ${all[*]} " != *" --crate-name onair_wire "* ]] || exec rustdoc "${all[@]}"
