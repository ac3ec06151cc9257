#!/usr/bin/env bash
# Installs what the tests need and runs every check of the project: formatting, lints, licences,
# unused dependencies, scripts, documentation, all tests with their peers, and run.sh itself.
#
#   packaging/test.sh [SECTION…]
#
# Sections, in order: format lint tests licences unused scripts docs bundle windows plain run readme.
# Fails if any of them fails, after having run them all. With CI set, a missing peer is a failure.
# shellcheck disable=SC2317 # the sections are called by name
set -uo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
cd "$root" || exit 1

sections=(format lint tests licences unused scripts docs bundle windows plain run readme)
wanted=("$@")
[ $# -gt 0 ] || wanted=("${sections[@]}")
PATH=$tools/bin:$PATH
export CARGO_TERM_PROGRESS_WHEN=never
# If nothing is built a second time, incremental compilation only costs time, and so does debug information.
[ -z "${CI-}" ] || export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0

format() { cargo fmt --all --check; }

# Everything is built once with FFmpeg's decoders and with Wayland displays. Without these features, the program
# is only checked, and broadcasts and plays once.
features=(--features "ffmpeg,wayland")

# Clippy checks the code while it is built: as the compiler of onair's code, it makes the same programs, so the
# libraries, which take most of the time, are not checked a second time. If Clippy reports a problem, there is
# no program, and later sections build without Clippy.
lint() {
    export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__
    cargo build --locked --workspace --all-targets --quiet "${features[@]}" || {
        unset RUSTC_WORKSPACE_WRAPPER
        return 1
    }
    benches
}

# The load client is a separate package, and so are benches/peers and fuzz/. The libraries of benches/peers take
# more than a minute, and fuzz/ has no lock file, so only bench.sh and cargo-fuzz build these two.
benches() {
    env -u RUSTC_WORKSPACE_WRAPPER CARGO_TARGET_DIR=$root/target/benches \
        cargo clippy --locked --quiet --manifest-path benches/load/Cargo.toml -- -D warnings
}

licences() {
    need_tool cargo-deny || return 1
    cargo deny --locked --log-level error check licenses bans sources || return 1
    # The advisories are in another Git repository, and are checked only if it can be reached.
    if timeout 30 cargo deny --locked --log-level error fetch db >/dev/null 2>&1; then
        cargo deny --locked --log-level error check --disable-fetch advisories
    else
        say "The advisory database is unreachable: advisories NOT checked."
    fi
}

unused() {
    need_tool cargo-machete || return 1
    cargo machete --with-metadata
}

scripts() {
    local all
    mapfile -t all < <(git ls-files '*.sh' .ci/run)
    shellcheck -x -S warning "${all[@]}" || return 1
    packaging/packages_test.sh || return 1
    desktop-file-validate packaging/desktop/*.desktop || return 1
    units || return 1
    appstreamcli validate --no-net --no-color packaging/desktop/*.metainfo.xml
}

# The units without mistakes, if systemd is installed. systemd only reports an unknown setting, and does not fail.
units() {
    local folder problems
    command -v systemd-analyze >/dev/null || return 0
    folder=$(mktemp -d)
    cp packaging/systemd/* "$folder"
    # The program that a unit starts must exist.
    sed -i 's|=/usr/bin/onair |=/bin/true |' "$folder/onair.service"
    problems=$(systemd-analyze verify --man=no "$folder"/onair.{service,socket} 2>&1 | grep "$folder\|^onair")
    rm -rf "$folder"
    [ -z "$problems" ] || { complain "$problems"; return 1; }
}

docs() { RUSTDOC=$here/rustdoc.sh cargo test --locked --workspace "${features[@]}" --doc --quiet; }

# need_python NAME MODULE LIST WHAT: makes target/tools/NAME, a Python with the packages in this list of packaging/, and
# sets $python to its path. If that is not possible, reports that WHAT is not tested, and fails.
need_python() {
    python=$tools/$1/bin/python
    ! "$python" -c "import $2" 2>/dev/null || return 0
    say "Fetching $2 for the tests of $4 (PyPI; kept in target/tools)."
    /usr/bin/python3 -m venv "$tools/$1" >/dev/null 2>&1 && need_wheels "$python" "$3" || {
        say "Download failed (python3-venv and PyPI are needed): $4 is NOT tested with $2."
        return 1
    }
}

# The functions need_… below fetch peers from PyPI and npm. If one is missing, the tests that use it are skipped, or fail
# if CI is set (see tests/peers/mod.rs). All other tests run anyway.

# A newer ffmpeg than Debian's, which writes Enhanced RTMP.
need_ffmpeg() {
    local python
    [ -z "${ONAIR_FFMPEG-}" ] || return 0
    need_python ffmpeg imageio_ffmpeg requirements.txt "Enhanced RTMP" || return 0
    ONAIR_FFMPEG=$("$python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())') || return 0
    export ONAIR_FFMPEG
}

# Another implementation of WebRTC, independent of Chromium's.
need_aiortc() {
    local python
    [ -z "${ONAIR_AIORTC-}" ] || return 0
    need_python aiortc aiortc requirements-webrtc.txt WebRTC || return 0
    export ONAIR_AIORTC=$python
}

# Other parsers of HLS and DASH.
need_playlists() {
    local python
    [ -z "${ONAIR_PLAYLISTS-}" ] || return 0
    need_python playlists m3u8 requirements-playlists.txt "HLS and DASH" || return 0
    export ONAIR_PLAYLISTS=$python
}

# Clients of obs-websocket.
need_obs_websocket() {
    local python
    [ -n "${ONAIR_OBS_WEBSOCKET-}" ] ||
        { need_python obs-websocket simpleobsws requirements-obs-websocket.txt "remote control" &&
            export ONAIR_OBS_WEBSOCKET=$python; }
    [ -n "${ONAIR_OBS_WEBSOCKET_JS-}" ] || npm_file obs-websocket-js@5.0.8 \
        'QDnQJMr5wuCoYugK02ggZ1/cvESs4KJDEK+UhGg0Ry35jnY8tK1Xr3KoPjKyoD6sd8G+WdtIdzuY+yUyPtogQQ==' \
        dist/obs-ws.global.js "$tools/obs-websocket-js/obs-ws.js" || {
        say "Download failed (npm is needed): remote control is NOT tested with obs-websocket-js."
        return 0
    }
    export ONAIR_OBS_WEBSOCKET_JS=${ONAIR_OBS_WEBSOCKET_JS-$tools/obs-websocket-js/obs-ws.js}
}

# libdatachannel, a third implementation of WebRTC, as a module of Node.js.
need_node_datachannel() {
    [ -n "${ONAIR_NODE_DATACHANNEL-}" ] ||
        { [ "$(uname -m)" = x86_64 ] && npm_file @node-datachannel/linux-x64-gnu@0.33.4 \
            'xN0x3lcQ87qwOAmf1dBLVWrYY40LQ7pM4Y9wuNjP+EtN4IwiXqrhPdgupzGAElxna+n2NgBG0gT60dZpgoYU2Q==' \
            node_datachannel.node "$tools/node-datachannel/node_datachannel.node"; } || {
        say "Download failed (npm and x86_64 are needed): WebRTC is NOT tested with node-datachannel."
        return 0
    }
    export ONAIR_NODE_DATACHANNEL=${ONAIR_NODE_DATACHANNEL-$tools/node-datachannel/node_datachannel.node}
}

# hls.js with audio renditions, which the smaller build in assets/web/vendor lacks.
need_hlsjs() {
    [ -n "${ONAIR_HLSJS-}" ] || npm_file "${hls_js[@]}" dist/hls.min.mjs "$tools/hlsjs/hls.mjs" || {
        say "Download failed (npm is needed): audio tracks are NOT tested with hls.js."
        return 0
    }
    export ONAIR_HLSJS=${ONAIR_HLSJS-$tools/hlsjs/hls.mjs}
}

tests() {
    need_tool cargo-nextest || return 1
    need_ffmpeg
    need_aiortc
    need_playlists
    need_obs_websocket
    need_node_datachannel
    need_dashjs
    need_hlsjs
    # Most tests wait for programs and clocks, so three or more tests per processor run at the same time.
    # .config/nextest.toml says how many threads each takes.
    local failed status
    mkdir -p target
    : >target/nextest.log
    nextest "$(($(nproc) * 6))"
    status=$?
    # nextest ends with 100 if tests failed, and with other codes if, for example, the tests do not compile.
    [ "$status" = 100 ] && failed=$(failed_tests) || return "$status"
    # On a slow machine, many tests at the same time can make a program so late that a test fails. Those tests run
    # again, almost alone. The output contains the reason of each failure, and the summary names the tests.
    say
    say "Running the failed tests again, with fewer at the same time."
    nextest "$(nproc)" --retries 1 -E "$failed"
}

# Runs tests. The first argument is the number of threads.
nextest() {
    cargo nextest run --locked --workspace "${features[@]}" --no-fail-fast --profile suite --show-progress none \
        --status-level fail --final-status-level fail --failure-output immediate --test-threads "$@" 2>&1 |
        tee -a target/nextest.log
    return "${PIPESTATUS[0]}"
}

# The tests that failed in the last run, as a filter of nextest. Fails if there are too many for load to be the cause.
failed_tests() {
    /usr/bin/python3 - "${CARGO_TARGET_DIR:-target}/nextest/suite/junit.xml" <<'PYTHON'
import sys
import xml.etree.ElementTree as xml

cases = xml.parse(sys.argv[1]).iter("testcase")
failed = [it.attrib for it in cases if it.find("failure") is not None or it.find("error") is not None]
print(" | ".join(f"(binary_id(={it['classname']}) & test(={it['name']}))" for it in failed))
sys.exit(not 0 < len(failed) <= 60)
PYTHON
}

# The program that was built for the tests, which takes less time than a release build and has the same files next to it.
bundle() { packaging/bundle_test.sh "${CARGO_TARGET_DIR:-$root/target}/debug/onair"; }

# The program for Windows, built in the profile of the tests, with wine. Without wine, only the build is tested.
windows() {
    packaging/windows.sh test
    case $? in
    0) ;;
    77)
        say "Something is missing: the program for Windows is NOT tested with wine."
        [ -z "${CI-}" ]
        ;;
    *) return 1 ;;
    esac
}

# Prints the URL to play that the program with this id prints within ten seconds.
named_url() {
    local url=
    for _ in $(seq 100); do
        url=$(sed -n 's/.*"play":"\([^"]*\)".*/\1/p' "$2" | head -n 1)
        [ -z "$url" ] || break
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    printf '%s' "$url"
}

# Compiles the library without the features. An example needs the dependencies of the tests, as `plain` does, but not
# the program, whose file the tests use.
plain_library() { cargo build --locked --quiet --example encode; }

# The program without FFmpeg's and PipeWire's libraries. It broadcasts, serves and plays, and reports a missing
# codec and a display that it cannot capture.
plain() {
    local folder url status=0 onair=${CARGO_TARGET_DIR:-$root/target}/debug/onair
    cargo build --locked --quiet --bin onair --test architecture || return 1
    folder=$(mktemp -d)
    cp "$onair" "$folder/onair"
    onair=$folder/onair
    export XDG_CONFIG_HOME=$folder XDG_STATE_HOME=$folder
    "$onair" live --built-in --video test --audio tone --size 640x360 --duration 12s --json \
        --record "$folder/show.flv" >"$folder/live" 2>"$folder/log" &
    local pid=$!
    url=$(named_url "$pid" "$folder/live")
    "$onair" play "${url:-none}" --headless --duration 3s --json >"$folder/play" 2>>"$folder/log" ||
        { complain "play ended with $?"; status=1; }
    ffmpeg -nostdin -v error -f lavfi -i testsrc=d=1:s=320x180 -c:v libx265 -x265-params log-level=none "$folder/hevc.mp4"
    "$onair" play "$folder/hevc.mp4" --headless --duration 3s --json >"$folder/hevc" 2>&1
    local code=$?
    [ "$code" = 5 ] && grep -qi hevc "$folder/hevc" ||
        { complain "a codec that it lacks: ended with $code"; cat "$folder/hevc"; status=1; }
    env -u DISPLAY WAYLAND_DISPLAY=wayland-none XDG_SESSION_TYPE=wayland \
        "$onair" live --video screen --audio silence --built-in --duration 2s --json >"$folder/screen" 2>&1
    grep -q "the feature 'wayland'\|feature \"wayland\"" "$folder/screen" || { complain "a screen of Wayland:"; cat "$folder/screen"; status=1; }
    wait "$pid" || { complain "live ended with $?"; status=1; }
    ffprobe -v warning -show_entries stream=codec_name -of csv=p=0 "$folder/show.flv" >"$folder/codecs" 2>&1
    [ "$(paste -sd' ' "$folder/codecs")" = "h264 aac" ] || { complain "it recorded: $(cat "$folder/codecs")"; status=1; }
    [ "$status" = 0 ] || cat "$folder/live" "$folder/play" "$folder/log"
    rm -rf "$folder"
    return "$status"
}

# run.sh without a display: it broadcasts, an independent player receives the stream, and the broadcast ends on its own.
run() {
    local folder url packets status=0
    folder=$(mktemp -d)
    export ONAIR_PROFILE=dev
    ./packaging/run.sh --version || return 1
    env -u DISPLAY -u WAYLAND_DISPLAY XDG_CONFIG_HOME="$folder" \
        ./packaging/run.sh --seconds 12 --video test --audio tone --json >"$folder/out" 2>"$folder/log" &
    local pid=$!
    url=$(named_url "$pid" "$folder/out")
    if [ -z "$url" ]; then
        complain "run.sh named no URL to play:"
        status=1
    else
        say "playing $url"
        packets=$(timeout 30 ffprobe -v error -read_intervals %+3 -count_packets -select_streams v \
            -show_entries stream=codec_name,nb_read_packets -of csv=p=0 "$url" 2>"$folder/probe")
        say "ffprobe saw: $packets"
        case $packets in h264,[1-9]*) ;; *) status=1 ;; esac
    fi
    wait "$pid" || { complain "run.sh ended with $?"; status=1; }
    grep -q 'no display' "$folder/out" "$folder/log" || { complain "run.sh did not say why it has no window"; status=1; }
    grep -q 'Watch the stream' "$folder/log" || { complain "run.sh did not say where to watch"; status=1; }
    # This broadcast has another target. Nothing listens there.
    env -u DISPLAY -u WAYLAND_DISPLAY XDG_CONFIG_HOME="$folder" ./packaging/run.sh --video test --audio none \
        --to=rtmp://127.0.0.1:9/live/show --duration=1s >/dev/null 2>"$folder/elsewhere" || true
    grep -q 'without a window' "$folder/elsewhere" || { complain "run.sh did not broadcast"; status=1; }
    ! grep -q 'Watch the stream' "$folder/elsewhere" ||
        { complain "run.sh names a stream that is not there"; status=1; }
    # Up to three attempts, because the machine may be busy.
    local own
    for _ in 1 2 3; do
        signals "$folder" || status=1
        [ "$own" -ge 2000 ] || break
    done
    [ "$own" -lt 2000 ] || { complain "run.sh adds more than two seconds to a second start"; status=1; }
    unopened "$folder" || status=1
    returning "$folder" || status=1
    [ "$status" = 0 ] || cat "$folder/out" "$folder/log" "$folder/probe" 2>/dev/null
    rm -rf "$folder"
    return "$status"
}

# A second start shows the window, and a signal to run.sh alone ends the window in an orderly way. Sets $own to
# the time in milliseconds that run.sh itself takes.
signals() {
    local folder=$1 display pid status=0 begin child name=
    Xvfb -displayfd 7 -noreset -nolisten tcp 7>"$folder/display" 2>/dev/null &
    local server=$!
    for _ in $(seq 100); do
        [ ! -s "$folder/display" ] || break
        sleep 0.1
    done
    display=$(cat "$folder/display")
    begin=$(date +%s%N)
    env -u WAYLAND_DISPLAY DISPLAY=":$display" XDG_CONFIG_HOME="$folder" XDG_STATE_HOME="$folder" \
        LIBGL_ALWAYS_SOFTWARE=1 ./packaging/run.sh studio --log info >"$folder/window" 2>&1 &
    pid=$!
    # The time until run.sh has started the program is the time that run.sh itself takes.
    while [ "$name" != onair ] && kill -0 "$pid" 2>/dev/null; do
        for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
            read -r name <"/proc/$child/comm" || name=
            [ "$name" != onair ] || break
        done 2>/dev/null
        sleep 0.01
    done
    own=$((($(date +%s%N) - begin) / 1000000))
    for _ in $(seq 600); do
        ! grep -q 'shows its first frame' "$folder/window" || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    grep -q 'shows its first frame' "$folder/window" || { complain "the window showed nothing"; status=1; }
    say "a second start shows its first frame after $((($(date +%s%N) - begin) / 1000000)) ms, $own ms of them run.sh's own"
    kill -TERM "$pid"
    wait "$pid" || { complain "run.sh ended with $? after SIGTERM"; status=1; }
    grep -q 'a signal ends the program' "$folder/window" || { complain "the window saw no signal"; status=1; }
    [ "$status" = 0 ] || cat "$folder/window"
    kill "$server"
    wait "$server" 2>/dev/null
    return "$status"
}

# Without a display, run.sh sends the program of the settings file only to the built-in server.
returning() {
    local folder=$1/returning url picture pid status=0
    mkdir -p "$folder/onair"
    cat >"$folder/onair/settings.toml" <<'END'
version = 2
audio = "silence"
delay_ms = 600000
[quality]
size = "480x270"
fps = "15"
[[targets]]
enabled = false
[[targets]]
server = "rtmp://127.0.0.1:1/live/elsewhere"
enabled = true
[collection]
current = "Red"
[[collection.scenes]]
name = "Red"
[[collection.scenes.items]]
source = "Red"
[[collection.sources]]
name = "Red"
source = "color:#ff0000"
END
    env -u DISPLAY -u WAYLAND_DISPLAY XDG_CONFIG_HOME="$folder" XDG_STATE_HOME="$folder" \
        ./packaging/run.sh --seconds 8 --json >"$folder/out" 2>"$folder/log" &
    pid=$!
    url=$(named_url "$pid" "$folder/out")
    # The mean color of a frame.
    picture=$(timeout 30 ffmpeg -nostdin -v error -i "${url:-none}" -frames:v 1 -vf scale=1:1 -pix_fmt rgb24 -f rawvideo - \
        2>"$folder/probe" | od -An -tu1 | tr -s ' ')
    wait "$pid" || { complain "run.sh ended with $? with the settings of a streamer"; status=1; }
    say "of a returning streamer ffmpeg saw:$picture"
    case $picture in " 2"[0-9][0-9]" "?" "? | " 2"[0-9][0-9]" "[1-3]?" "?) ;; *) complain "that is not the streamer's scene"; status=1 ;; esac
    grep -q '"size":"480x270"' "$folder/out" || { complain "that is not the streamer's quality"; status=1; }
    grep -q '"kind":"silence"' "$folder/out" || { complain "that is not the streamer's sound"; status=1; }
    ! grep '"event":"target"' "$folder/out" | grep -qv '"url":"rtmp://127.0.0.1[:0-9]*/live/onair"' ||
        { complain "it went to another target than the built-in server"; status=1; }
    [ "$status" = 0 ] || cat "$folder/out" "$folder/log" "$folder/probe"
    return "$status"
}

# If DISPLAY is set but no display can be opened, the broadcast runs without a window.
unopened() {
    local folder=$1 number=90 status=0
    while [ -e "/tmp/.X11-unix/X$number" ]; do number=$((number + 1)); done
    env -u WAYLAND_DISPLAY DISPLAY=":$number" XDG_CONFIG_HOME="$folder" XDG_STATE_HOME="$folder" \
        ./packaging/run.sh --seconds 3 >"$folder/unopened" 2>&1 ||
        { complain "run.sh ended with $? where the display cannot be opened"; status=1; }
    grep -q "could not be opened on display ':$number'" "$folder/unopened" ||
        { complain "run.sh did not say that the window could not be opened"; status=1; }
    ! grep -q '\.rs:' "$folder/unopened" || { complain "an error names a place in a source"; status=1; }
    grep -q 'rtmp://' "$folder/unopened" || { complain "run.sh named no URL to play"; status=1; }
    [ "$status" = 0 ] || cat "$folder/unopened"
    return "$status"
}

# Checks that every script that the README names, and every command of onair in its code blocks, exists.
readme() {
    local name status=0
    while read -r name; do
        [ -x "$name" ] || { complain "README.md names $name, which cannot be run"; status=1; }
    done < <(grep -o '\./packaging/[a-z-]*\.sh' README.md | sort -u)
    ONAIR_PROFILE=dev build_onair || return 1
    while read -r name; do
        "$onair" "$name" --help >/dev/null 2>&1 ||
            { complain "README.md names 'onair $name', which does not exist"; status=1; }
    done < <(awk '/^ *```/ { block = !block } block' README.md |
        sed -n 's/^ *\(\$ \)\{0,1\}onair \([a-z][a-z]*\).*/\2/p' | sort -u)
    return "$status"
}

# Succeeds if this section is to run.
is_wanted() { case " ${wanted[*]} " in *" $1 "*) ;; *) return 1 ;; esac; }

# The tests leave a part of the processors idle. These sections run beside them, one after another. Those that compile and
# check have the lowest priority. `bundle` mostly waits for downloads and has time limits, so it has the usual priority.
# Then, the library for `plain` is compiled.
beside=(licences unused scripts docs bundle)
beside_id=
start_beside() {
    beside_results=$(mktemp -d)
    {
        for section in "${beside[@]}"; do
            is_wanted "$section" || continue
            (
                [ "$section" = bundle ] || renice -n 19 -p "$BASHPID"
                timed "$section" >"$beside_results/$section.log" 2>&1
            )
        done
        renice -n 19 -p "$BASHPID"
        ! is_wanted plain || plain_library
    } </dev/null >/dev/null 2>&1 &
    beside_id=$!
    trap 'kill "$beside_id" 2>/dev/null; rm -rf "$beside_results"' EXIT
}

timed() {
    local start=$SECONDS result=FAILED
    ! "$1" || result=ok
    echo "$result $((SECONDS - start))" >"$beside_results/$1"
}

# Waits for a section that runs beside the tests, and shows its output. Sets $result and $took.
await_beside() {
    while [ ! -s "$beside_results/$1" ] && kill -0 "$beside_id" 2>/dev/null; do sleep 0.2; done
    cat "$beside_results/$1.log"
    read -r result took <"$beside_results/$1" || { result=FAILED; took=0; }
}

for section in "${wanted[@]}"; do
    case " ${sections[*]} " in
    *" $section "*) ;;
    *)
        complain "Unknown section '$section'. Sections: ${sections[*]}"
        exit 2
        ;;
    esac
done

say "== needs"
need_packages build decoders sharing window test || exit 1
need_rust clippy fmt || exit 1

summary=() failed=0
for section in "${sections[@]}"; do
    is_wanted "$section" || continue
    [ "$section" != tests ] || start_beside
    say
    say "== $section"
    case "$beside_id ${beside[*]} " in
    [0-9]*" $section "*) await_beside "$section" ;;
    *)
        start=$SECONDS
        if "$section"; then result=ok; else result=FAILED; fi
        took=$((SECONDS - start))
        ;;
    esac
    [ "$result" = ok ] || failed=1
    summary+=("$(printf '%-9s %-6s %5d s' "$section" "$result" "$took")")
done

say
say "== summary"
printf '%s\n' "${summary[@]}"
[ ! -f target/nextest.log ] || case " ${wanted[*]} " in
*" tests "*)
    grep -h 'Summary \[' target/nextest.log
    sed -n '/Summary \[/,/Running the failed/s/^ *\(FAIL\|TIMEOUT\|SIG[A-Z]*\|ABORT\) \[/failed at least once: [/p' \
        target/nextest.log | sort -u
    ;;
esac
if [ $failed = 0 ]; then say "All checks passed."; else say "FAILED: see above."; fi
exit $failed
