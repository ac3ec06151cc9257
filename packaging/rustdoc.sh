#!/usr/bin/env bash
# Builds the documentation out of the libraries that the tests are built with: `cargo test --doc` calls it
# in rustdoc's place. `cargo doc` would have all of them gone through once more, which takes minutes.
#
#   RUSTDOC=packaging/rustdoc.sh cargo test --doc
set -euo pipefail
words=() tests=
while [ $# -gt 0 ]; do
    case $1 in
    --test) tests=yes ;;
    --test-run-directory | --test-builder | --test-builder-wrapper | --test-runtool | --test-args) shift ;;
    --test-*=*) ;;
    *) words+=("$1") ;;
    esac
    shift
done
# Whatever else it is asked for.
[ -n "$tests" ] || exec rustdoc "${words[@]}"
folder=${CARGO_TARGET_DIR:-target}/doc
exec rustdoc "${words[@]}" --document-private-items -D warnings --out-dir "$folder"
