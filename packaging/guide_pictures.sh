#!/usr/bin/env bash
# Makes the pictures of the guide in docs/, in English (NAME.jpg) and in Chinese (NAME.zh-CN.jpg): the states that the
# window of the example `window_demo` simulates, on a virtual display.
#
#   packaging/guide_pictures.sh [NAME…]     NAMES: the first words below, under "pictures"
#
# Check each of them before you commit them. ONAIR_PICTURES_DEMO is the path of the example, if it is already built.
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

if [ -z "${ONAIR_PICTURES_DEMO-}" ]; then
    need_packages build window test pictures
    need_rust --
    cargo build --manifest-path "$root/Cargo.toml" --locked --quiet --example window_demo
    ONAIR_PICTURES_DEMO=${CARGO_TARGET_DIR:-$root/target}/debug/examples/window_demo
fi

# Each picture: its name, the state with more words for `window_demo`, and what is then pressed: a key, words for the
# palette after a colon, or a position after an at sign. Commas separate several keys.
pictures=(
    "guide-on-air on-air"
    "guide-trouble reconnecting"
    "guide-notices notices ctrl+n"
    "guide-hotkeys idle :hotkeys"
    "guide-add-source building :add a source"
    "guide-scene building @90,286"
    "guide-transitions building @180,109"
    "guide-switch scenes,studio"
    "guide-mixer mixer ctrl+m"
    "guide-check custom ctrl+t"
    "guide-delay delayed"
    "guide-first-run idle,guide Return"
    "guide-layout on-air,studio"
    "guide-quality idle,guide Return,Return,Return"
    "guide-recordings recordings @400,257"
    "guide-share shared :share"
    "guide-targets targets"
    "guide-watch watch-chat"
)

work=$root/target/pictures/guide
rm -rf "$work"
mkdir -p "$work"
Xvfb -displayfd 3 -screen 0 1280x720x24 -noreset -nolisten tcp 3>"$work/display" 2>/dev/null &
pids=($!)
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
# Waits: none is without an end, and each says what it waits for.
give_up() {
    complain "guide_pictures.sh: $1"
    [ ! -s "$work/log" ] || tail -n 20 "$work/log" >&2
    exit 1
}
for _ in $(seq 50); do [ -s "$work/display" ] && break; sleep 0.1; done
[ -s "$work/display" ] || give_up "The display has not begun within 5 s."
DISPLAY=:$(cat "$work/display")
# The names of recordings fit this time zone.
export DISPLAY LIBGL_ALWAYS_SOFTWARE=1 HOME=$work TZ=PIC-4
unset WAYLAND_DISPLAY

# picture FILE STATE PRESSED [WORD…]
picture() {
    local file=$1 pressed=$3 demo window words keys
    IFS=, read -ra words <<<"$2"
    IFS=, read -ra keys <<<"${pressed#@}"
    shift 3
    "$ONAIR_PICTURES_DEMO" "${words[@]}" "$@" >"$work/log" 2>&1 &
    demo=$!
    pids+=("$demo")
    window=$(timeout 30 xdotool search --sync --onlyvisible --name '^onair$' | tail -1) ||
        give_up "The window of the state ${words[0]} is not there within 30 s."
    xdotool windowmove "$window" 0 0 windowsize "$window" 1280 720 windowfocus "$window"
    sleep 2
    case "$pressed" in
    :*)
        xdotool key ctrl+k
        sleep 1
        xdotool type --delay 40 "${pressed#:}"
        sleep 1
        xdotool key Return
        ;;
    @*) xdotool mousemove "${keys[@]}" click 1 ;;
    ?*)
        # A dialog needs a frame to take the next one.
        xdotool key --delay 500 "${keys[@]}"
        ;;
    esac
    # A tooltip under the pointer would cover a part of the window.
    xdotool mousemove 2 718
    sleep 2
    import -window root "$work/picture.png"
    convert "$work/picture.png" -quality 88 "$root/assets/pictures/$file.jpg"
    kill "$demo"
    wait "$demo" 2>/dev/null || true
    say "$file.jpg"
}

asked=("$@")
for each in "${pictures[@]}"; do
    read -r name state pressed <<<"$each"
    [ ${#asked[@]} = 0 ] || [[ " ${asked[*]} " == *" $name "* ]] || continue
    picture "$name" "$state" "$pressed"
    picture "$name.zh-CN" "$state" "$pressed" zh
done
