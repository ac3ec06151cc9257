#!/usr/bin/env bash
# Measures onair against other programs, side by side in one run, and writes a table and a JSON file
# to bench-results/. For meaningful figures, run nothing else at the same time.
#
#   packaging/bench.sh [--times N] [--seconds N] [ROW…]
#
# Rows: broadcast quality relay crowd viewers start glass window targets tls blackhole first joining watch
# watch1080 watchflv lasting outages browsers scene filters screen strip wire (all).
# `wire` is measured by criterion, three times in turn with other libraries (benches/peers), in about
# four minutes; `quality` takes about ten, and its clips 1 GB in target/bench/quality; `outages`
# takes ten, `lasting` eleven, `crowd` about forty. OBS takes part in `window` where it is installed
# (ONAIR_BENCH_OBS=1 installs it).
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

need_packages build decoders sharing window test bench
[ -z "${ONAIR_BENCH_OBS-}" ] || need_packages obs
need_rust --
ONAIR_PROFILE=release build_onair
# Examples have the same features as onair, so that the library is built only once.
with_features
example() { cargo build --release --locked --quiet ${features[@]+"${features[@]}"} --example "$1"; }

# wanted ROW WORD…: succeeds if the words request this row. If they name no row, all rows are requested.
wanted() {
    local row=$1 word named=
    shift
    for word in "$@"; do
        case $word in
        "$row") return 0 ;;
        broadcast | quality | relay | crowd | viewers | start | glass | window | targets | tls | blackhole | first | joining | watch | watch1080 | watchflv | lasting | outages | browsers | scene | filters | screen | strip | wire) named=yes ;;
        esac
    done
    [ -z "$named" ]
}

work=$root/target/bench
mkdir -p "$work"
say "Building the load client."
CARGO_TARGET_DIR=$work/load cargo build --release --locked --quiet --manifest-path "$root/benches/load/Cargo.toml"

# A static ffmpeg with OpenH264, from PyPI's imageio-ffmpeg, because Debian's ffmpeg lacks OpenH264.
python=$work/venv/bin/python
if ! "$python" -c 'import imageio_ffmpeg, numpy' 2>/dev/null; then
    say "Fetching a static ffmpeg and numpy (PyPI: imageio-ffmpeg, numpy)."
    /usr/bin/python3 -m venv "$work/venv"
    need_wheels "$python" requirements.txt requirements-bench.txt ||
        complain "Download failed: skipping OpenH264 in ffmpeg."
fi
static=$("$python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())' 2>/dev/null || true)

# criterion NAME MANIFEST TARGET TURN: runs the criterion rows of a package.
criterion() {
    say "Measuring with criterion: $1, turn $4"
    CRITERION_HOME=$work/criterion/$4 CARGO_TARGET_DIR=$3 \
        cargo bench --locked --quiet --manifest-path "$2" --bench wire -- \
        --warm-up-time 0.5 --measurement-time 1.5 --sample-size 30 >"$work/$1.log" 2>&1 ||
        complain "$1 failed: see $work/$1.log"
}
rm -rf "$work/criterion"
if wanted wire "$@"; then
    for turn in 1 2 3; do
        criterion wire "$root/Cargo.toml" "${CARGO_TARGET_DIR:-$root/target}" "$turn"
        criterion peers "$root/benches/peers/Cargo.toml" "$work/peers" "$turn"
    done
fi

encode=
if wanted quality "$@" && "$python" -c 'import numpy' 2>/dev/null; then
    say "Building the encoder program."
    example encode
    encode=${CARGO_TARGET_DIR:-$root/target}/release/examples/encode
fi

viewers=
if wanted viewers "$@"; then
    say "Building the program of viewers."
    example viewers
    viewers=${CARGO_TARGET_DIR:-$root/target}/release/examples/viewers
fi
if wanted crowd "$@" || wanted viewers "$@"; then
    # A descriptor for each viewer, at both ends.
    ulimit -n "$(ulimit -Hn)"
fi

filter=
if wanted filters "$@"; then
    say "Building the filter program."
    example filter
    filter=${CARGO_TARGET_DIR:-$root/target}/release/examples/filter
fi

if wanted browsers "$@"; then
    need_dashjs
fi

exec "$python" "$root/benches/side_by_side" "$@" \
    --onair "$onair" --load "$work/load/release/onair-load" --encode "$encode" --filter "$filter" --viewers "$viewers" --ffmpeg "$(command -v ffmpeg)" \
    --static-ffmpeg "$static" \
    --dashjs "${ONAIR_DASHJS-}" --folder "$work" --results "$root/bench-results"
