#!/usr/bin/env bash
# Runs onair for Windows with wine: the command line against ffmpeg on loopback, the window on a virtual display, and the
# portable folder and the installer.
#
#   packaging/windows/test.sh FOLDER      tests onair.exe and onair.com in this folder
#
# What wine cannot show (cameras, the newer ways to capture displays, notifications) is in docs/reference/platforms.md.
# shellcheck disable=SC2317 # conditions are called by name
set -uo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"
cd "$root" || exit 1
built=$(realpath "${1:?which folder?}")

work=$(mktemp -d)
export LC_ALL=C.UTF-8
export WINEPREFIX=$work/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=wine
# Each program in the background is a group of processes, like in a terminal, so that Ctrl+C reaches all of it.
set -m
started=()
# Ends only what this script has started.
finish() {
    local process
    for process in "${started[@]}"; do kill -- "-$process" 2>/dev/null; done
    [ ! -d "$WINEPREFIX" ] || wineserver -k 2>/dev/null || /usr/lib/wine/wineserver -k 2>/dev/null
    [ -n "${ONAIR_KEEP-}" ] || rm -rf "$work"
}
trap finish EXIT

failed=0
# expect WHAT CONDITION…
expect() {
    local what=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        say "ok: $what"
        return
    fi
    complain "FAILED: $what"
    tail -n 30 "$work/output" >&2
    failed=1
}
not() { ! "$@"; }
# await SECONDS CONDITION…
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}
holds() { grep -q -- "$2" "$1"; }
# ends CODE PROCESS: the process ends in time, with this code.
ends() {
    await 60 not kill -0 "$2" || { echo "process $2 runs on"; return 1; }
    wait "$2"
    local code=$?
    [ "$code" = "$1" ] || { echo "ended with $code"; return 1; }
}
codecs() { ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$@" 2>&1 | paste -sd' '; }
# receives URL: ffmpeg gets two seconds of H.264 and AAC there.
receives() {
    timeout 60 ffmpeg -nostdin -v error -t 2 -i "$1" -c copy -f matroska -y "$work/received.mkv" || return 1
    [ "$(codecs "$work/received.mkv")" = "h264 aac" ] || { codecs "$work/received.mkv"; return 1; }
}
# fetch_windows_ffmpeg FOLDER: FFmpeg's libraries for Windows from PyPI.
fetch_windows_ffmpeg() {
    local wheels=$tools/windows-ffmpeg python=$tools/wheels/bin/python
    [ -x "$python" ] || /usr/bin/python3 -m venv "$tools/wheels" >/dev/null
    [ -n "$(find "$wheels" -name 'av-*.whl' 2>/dev/null)" ] ||
        timeout 300 "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
            --platform win_amd64 --python-version 3.11 --dest "$wheels" --requirement packaging/requirements-windows.txt || {
        say "Download failed (python3-venv and PyPI are needed): encoders of FFmpeg are NOT tested under wine."
        [ -z "${CI-}" ] || failed=1
        return 1
    }
    unzip -q -j "$wheels"/av-*.whl 'av.libs/*.dll' -d "$1"
    mv "$1"/avcodec-62-*.dll "$1/avcodec-62.dll"
}
in_c() { local path=$WINEPREFIX/drive_c/$1; printf '%s' "$path"; }

program=$work/onair
mkdir "$program"
cp "$built/onair.exe" "$built/onair.com" "$program"
onair() { timeout -k 5 60 "$wine" "$program/onair.com" "$@"; }
# interrupt PROCESS: like Ctrl+C in its terminal.
interrupt() { kill -INT -- "-$1"; }

# Before everything else: the first program of a wine folder decides which display the others have.
Xvfb -displayfd 7 -screen 0 1280x800x24 -noreset -nolisten tcp 7>"$work/display" 2>/dev/null &
started+=("$!")
await 20 test -s "$work/display" || { complain "Xvfb does not start."; exit 1; }
DISPLAY=:$(cat "$work/display")
export DISPLAY LIBGL_ALWAYS_SOFTWARE=1
unset WAYLAND_DISPLAY

say "wine: $("$wine" --version)"
timeout 180 "$wine" wineboot -i >/dev/null 2>&1 || { complain "wine cannot make its folder."; exit 77; }
# Before version 9, wine lacks the first library, and the second ends the program. They are put beside the program only here.
if [ ! -e "$(in_c windows/system32/bcryptprimitives.dll)" ]; then
    for name in bcryptprimitives pdh; do
        x86_64-w64-mingw32-gcc-posix -O2 -s -shared -o "$program/$name.dll" "packaging/windows/$name.c" -ladvapi32 || exit 1
    done
fi
shows="$(in_c shows)"
mkdir "$shows"

say "== command line"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
is_version() { [ "$(onair --version | tr -d '\r')" = "onair $version" ]; }
expect "onair.com passes output and the exit code on" is_version
onair live --no-such-flag >"$work/refused" 2>&1
expect "an unknown flag ends with code 2" test $? = 2
onair live --built-in --video test --audio tone --duration 1s --record 'C:\shows\nul.mp4' --json >"$work/reserved" 2>&1
expect "a reserved name is refused with a reason" holds "$work/reserved" "Windows allows no file of this name"
expect "the list of devices ends without an error" onair devices

say "== server"
"$wine" "$program/onair.com" serve --rtmp 127.0.0.1:21935 --http 127.0.0.1:28080 --hls always --json >"$work/serve" 2>"$work/serve.log" &
server=$!
started+=("$server")
expect "the server listens" await 60 holds "$work/serve" '"event":"ready"'
ffmpeg -nostdin -v error -re -f lavfi -i testsrc=s=640x360:r=25 -f lavfi -i sine -c:v libx264 -g 25 -preset ultrafast \
    -pix_fmt yuv420p -c:a aac -f flv rtmp://127.0.0.1:21935/live/show >"$work/publish.log" 2>&1 &
publisher=$!
started+=("$publisher")
expect "ffmpeg publishes by RTMP, and plays by RTMP" await 60 receives rtmp://127.0.0.1:21935/live/show
expect "ffmpeg plays by HTTP-FLV" receives http://127.0.0.1:28080/live/show.flv
expect "ffmpeg plays by HLS" receives http://127.0.0.1:28080/live/show.m3u8
onair play rtmp://127.0.0.1:21935/live/show --headless --duration 3s --json >"$work/play" 2>&1
expect "onair plays the stream" test $? = 0
kill "$publisher"

say "== broadcast"
"$wine" "$program/onair.com" live --to rtmp://127.0.0.1:21935/live/wine --video test --audio tone --size 640x360 --fps 25 \
    --record 'C:\shows\节目 1.mp4' --json >"$work/live" 2>"$work/live.log" &
live=$!
started+=("$live")
expect "ffmpeg receives a broadcast of onair" await 60 receives rtmp://127.0.0.1:21935/live/wine
interrupt "$live"
expect "Ctrl+C ends a broadcast cleanly" ends 0 "$live"
expect "the recording is whole" test "$(codecs "$shows/节目 1.mp4")" = "h264 aac"
expect "probe reads it" onair probe 'C:\shows\节目 1.mp4'
expect "remux rewrites it" onair remux 'C:\shows\节目 1.mp4' 'C:\shows\copy.mkv'
expect "ffprobe reads the copy" test "$(codecs "$shows/copy.mkv")" = "h264 aac"

say "== encoders of FFmpeg"
# FFmpeg's libraries are beside each other, with numbers in their names. Only the first is found by its name.
if fetch_windows_ffmpeg "$work/ffmpeg"; then
    export WINEPATH
    WINEPATH=$("$wine" winepath -w "$work/ffmpeg" 2>/dev/null | tr -d '\r')
    onair devices --json >"$work/devices" 2>/dev/null
    offers() { jq -e --arg name "$1" '.encoders[] | select(.name == $name) | .available' "$work/devices"; }
    expect "x264 is an encoder" offers x264
    expect "x265 is an encoder" offers x265
    expect "SVT-AV1 is an encoder" offers svt-av1
    lacks_driver() { jq -e '.encoders[] | select(.name == "h264-nvenc") | .reason | contains("nvcuda.dll")' "$work/devices"; }
    expect "NVENC says which driver it lacks" lacks_driver
    "$wine" "$program/onair.com" live --to rtmp://127.0.0.1:21935/live/x264 --video test --audio tone --size 640x360 --fps 25 \
        --encoder x264 --record 'C:\shows\x264.mkv' --json >"$work/x264" 2>"$work/x264.log" &
    live=$!
    started+=("$live")
    expect "ffmpeg receives a broadcast of x264" await 60 receives rtmp://127.0.0.1:21935/live/x264
    # Other programs on this computer have such processes, too.
    own_encoders() {
        local process
        for process in $(pgrep -f 'onair encoder-process$'); do
            tr '\0' '\n' <"/proc/$process/environ" 2>/dev/null | grep -q -x "WINEPREFIX=$WINEPREFIX" && echo "$process"
        done
    }
    # shellcheck disable=SC2046 # one word for each process
    crashes() { kill -KILL $(own_encoders) && await 30 holds "$work/x264" '"event":"notice"'; }
    expect "a crash of the encoder's process is noticed" crashes
    expect "the broadcast goes on" receives rtmp://127.0.0.1:21935/live/x264
    interrupt "$live"
    expect "Ctrl+C ends it, and the encoder with it" ends 0 "$live"
    is_x264() { jq -es 'map(select(.event == "encoder" and .track == "video").name) | any(. == "x264")' "$work/x264"; }
    expect "the encoder is x264" is_x264
    expect "the recording survives the crash" test "$(codecs "$shows/x264.mkv")" = "h264 aac"
    unset WINEPATH
fi

exit_server() { interrupt "$server"; ends 0 "$server"; }
expect "Ctrl+C ends the server cleanly" exit_server

say "== crash"
"$wine" "$program/onair.com" live --built-in --video test --audio tone --size 640x360 --fps 25 --record 'C:\shows\crash.mp4' --json \
    >"$work/crash" 2>&1 &
live=$!
started+=("$live")
grows() { [ "$(stat -c %s "$shows/crash.mp4" 2>/dev/null || echo 0)" -gt 200000 ]; }
expect "onair records" await 60 grows
kill -KILL -- "-$live"
wait "$live" 2>/dev/null
expect "repair completes a recording after a crash" onair repair 'C:\shows\crash.mp4'
expect "ffprobe reads the repaired recording" test "$(codecs "$shows/crash.mp4")" = "h264 aac"

say "== window"
window() { xdotool search --onlyvisible --name '^onair' 2>/dev/null | head -n 1; }
is_open() { [ -n "$(window)" ]; }
# shot NAME: a picture of the display with more than 200 colors.
shot() {
    local colors
    import -window root "$work/$1.png" || return 1
    colors=$(identify -format %k "$work/$1.png")
    [ "$colors" -gt 200 ] || { echo "$1 has $colors colors"; return 1; }
}
"$wine" "$program/onair.exe" --settings 'C:\shows\new.toml' >"$work/guide" 2>&1 &
guide=$!
started+=("$guide")
expect "the window opens" await 90 is_open
expect "the guide is shown" await 30 shot guide
closes() {
    xdotool windowfocus "$(window)"
    xdotool key alt+F4
    ends 0 "$guide"
}
expect "a closed window ends onair" closes
kill -KILL -- "-$guide" 2>/dev/null

"$wine" "$program/onair.com" serve --rtmp 127.0.0.1:21936 --http 127.0.0.1:28081 --json >"$work/serve2" 2>&1 &
server=$!
started+=("$server")
await 60 holds "$work/serve2" '"event":"ready"'
printf '%s\r\n' 'version = 2' 'video = "test"' 'audio = "tone"' \
    'quality = { size = "320x180", fps = "25", video_bitrate = 500000 }' \
    'targets = [ { enabled = false }, { server = "rtmp://127.0.0.1:21936/live/window" } ]' \
    'window = { reduced_motion = true }' '[hotkeys]' 'other_windows = ["record"]' '[hotkeys.keys]' 'record = "F9"' | sed '1s/^/\xef\xbb\xbf/' >"$shows/show.toml"
"$wine" "$program/onair.com" --settings 'C:\shows\show.toml' --log debug >"$work/window" 2>&1 &
studio=$!
started+=("$studio")
expect "the studio opens with settings that have CRLF and a BOM" await 90 is_open
# The key is pressed once more if the window was too slow; on air, it would ask whether to stop.
goes_live() {
    for _ in 1 2; do
        xdotool windowfocus "$(window)"
        xdotool key ctrl+l
        ! await 20 holds "$work/window" 'activity="on_air"' || break
    done
    receives rtmp://127.0.0.1:21936/live/window
}
expect "Go Live by keyboard" goes_live
expect "the studio is on air" shot studio
"$wine" notepad >/dev/null 2>&1 &
other=$!
started+=("$other")
editor() { xdotool search --onlyvisible --class notepad 2>/dev/null | head -n 1; }
is_there() { [ -n "$(editor)" ]; }
presses() {
    await 30 is_there || return 1
    xdotool windowfocus "$(editor)"
    xdotool key F9
    await 20 holds "$work/window" 'global hotkey pressed: record'
}
expect "a hotkey works in another window" presses
icon() { [ -n "$(xdotool search --onlyvisible --name '^Wine System Tray$' 2>/dev/null)" ]; }
expect "the taskbar has an icon" icon
kill -KILL -- "-$other" 2>/dev/null
# films WORD: records this source for some seconds. The last frame has more than 50 colors.
films() {
    rm -f "$shows/film.mp4"
    timeout 90 "$wine" "$program/onair.com" live --to rtmp://127.0.0.1:21936/live/film --video "$1" --audio silence --size 640x400 --fps 10 \
        --duration 4s --record 'C:\shows\film.mp4' --json --log info >"$work/output.$1" 2>&1 || { cat "$work/output.$1"; return 1; }
    ffmpeg -nostdin -v error -sseof -1 -i "$shows/film.mp4" -frames:v 1 -y "$work/film.png" || return 1
    local colors
    colors=$(identify -format %k "$work/film.png")
    [ "$colors" -gt 50 ] || { echo "$1 has $colors colors"; return 1; }
}
expect "a display is a source" films screen
# The last call names the way, and why those before it failed.
falls_back() { grep 'way="GDI".*Windows.Graphics.Capture: .*DXGI: ' "$work/output.screen"; }
expect "where better ways are refused, GDI follows" falls_back
second() { timeout 60 "$wine" "$program/onair.exe" --settings 'C:\shows\show.toml'; }
expect "a second start hands over and ends" second
interrupt "$studio"
expect "Ctrl+C ends the broadcast of the window" ends 0 "$studio"
interrupt "$server"
wait "$server"

if command -v makensis >/dev/null && command -v zip >/dev/null; then
    say "== downloads"
    target=${CARGO_TARGET_DIR:-$root/target}
    # A commit in between would change the times.
    SOURCE_DATE_EPOCH=$(commit_time)
    export SOURCE_DATE_EPOCH
    # All downloads together if there is a program for Linux, too.
    downloads() {
        local kinds=(windows)
        [ ! -x "$target/debug/onair" ] || kinds=(--binary "$target/debug/onair" --no-screenshots all)
        ONAIR_PROFILE=dev CARGO_TARGET_DIR="$target" packaging/bundle.sh "${kinds[@]}"
    }
    expect "the downloads are made" downloads
    out=$target/bundle
    sums=onair-$version-windows-x86_64.sha256
    expect "the checksums fit" env -C "$out" sha256sum --quiet -c "$sums"
    # Again, as somebody else and elsewhere in the world.
    again() {
        cp "$out/$sums" "$work/$sums"
        (umask 077 && ONAIR_PROFILE=dev CARGO_TARGET_DIR="$target" TZ=Asia/Tokyo LC_ALL=C packaging/windows.sh all) &&
            diff "$work/$sums" "$out/$sums"
    }
    expect "the same program makes the same downloads" again
    unzip -q "$out/onair-$version-windows-x86_64.zip" -d "$shows"
    portable=$shows/onair-$version-windows-x86_64
    cp "$program"/*.dll "$portable" 2>/dev/null
    expect "the portable folder runs" "$wine" "$portable/onair.com" devices
    setup=$out/onair-$version-windows-x86_64-setup.exe
    list() { (cd "$WINEPREFIX/drive_c" && find . | sort) >"$work/$1"; }
    list before
    expect "the installer installs for one user" timeout 120 "$wine" "$setup" /S
    home=$(find "$WINEPREFIX/drive_c/users" -type d -path '*/AppData/Local/Programs/onair')
    expect "the Start menu has an entry" test -n "$(find "$WINEPREFIX/drive_c/users" -name onair.lnk)"
    cp "$program"/*.dll "$home" 2>/dev/null
    expect "the installed onair runs" "$wine" "$home/onair.com" devices
    for dll in "$program"/*.dll; do rm -f "$home/${dll##*/}"; done
    timeout 120 "$wine" "$home/uninstall.exe" /S
    is_gone() { [ ! -e "$home" ]; }
    expect "the uninstaller removes the folder" await 30 is_gone
    list after
    leftovers() { ! comm -13 "$work/before" "$work/after" | grep -i onair; }
    expect "the uninstaller leaves nothing behind" leftovers
    registry() { ! grep -i 'Uninstall\\\\onair' "$WINEPREFIX"/*.reg; }
    wineserver -w 2>/dev/null || /usr/lib/wine/wineserver -w
    expect "the uninstaller leaves nothing in the registry" registry
fi

say "== result"
[ "$failed" = 0 ] || exit 1
