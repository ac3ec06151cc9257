#!/usr/bin/env bash
# Makes the pictures of the guide in docs/, in English (NAME.jpg) and in Chinese (NAME.zh-CN.jpg): the states that the
# window of the example `window_demo` simulates, on a virtual display.
#
#   packaging/guide_pictures.sh [NAME…]                  NAMES: the first words below, under "pictures"
#   packaging/guide_pictures.sh review FOLDER [NAME…]    pictures to look at: of each state, as FOLDER/NAME-…png, in
#                                                        four sizes, both languages and both themes (half an hour)
#
# Check each of them before you commit them. ONAIR_PICTURES_DEMO is the path of the example, if it is already built.
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

review=
if [ "${1-}" = review ]; then
    mkdir -p "${2:?review needs a folder}"
    review=$(realpath "$2")
    shift 2
fi

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
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
# Waits: none is without an end, and each says what it waits for.
give_up() {
    complain "guide_pictures.sh: $1"
    [ ! -s "$work/log" ] || tail -n 20 "$work/log" >&2
    exit 1
}
# open_display WIDTH HEIGHT: starts a virtual display of this size, which the window fills.
open_display() {
    width=$1
    height=$2
    rm -f "$work/display"
    Xvfb -displayfd 3 -screen 0 "${width}x${height}x24" -noreset -nolisten tcp 3>"$work/display" 2>/dev/null &
    display=$!
    pids+=("$display")
    for _ in $(seq 50); do [ -s "$work/display" ] && break; sleep 0.1; done
    [ -s "$work/display" ] || give_up "The display has not begun within 5 s."
    DISPLAY=:$(cat "$work/display")
    export DISPLAY
}
# The names of recordings fit this time zone.
export LIBGL_ALWAYS_SOFTWARE=1 HOME=$work TZ=PIC-4
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
    xdotool windowmove "$window" 0 0 windowsize "$window" "$width" "$height" windowfocus "$window"
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
    xdotool mousemove 2 "$((height - 2))"
    sleep 2
    import -window root "$work/picture.png"
    convert "$work/picture.png" -quality 88 "$file"
    kill "$demo"
    wait "$demo" 2>/dev/null || true
    say "$(basename "$file")"
}

asked=("$@")
# each_state COMMAND…: runs the command with the name, the state and what is pressed of each requested picture.
each_state() {
    local each name state pressed
    for each in "${pictures[@]}"; do
        read -r name state pressed <<<"$each"
        [ ${#asked[@]} = 0 ] || [[ " ${asked[*]} " == *" $name "* ]] || continue
        "$@" "$name" "$state" "$pressed"
    done
}
of_guide() {
    picture "$root/assets/pictures/$1.jpg" "$2" "$3"
    picture "$root/assets/pictures/$1.zh-CN.jpg" "$2" "$3" zh
}
of_review() {
    local pressed=$3 language theme
    # Each position is that in the guide's size.
    [ "$width" = 1280 ] || [[ $pressed != @* ]] || pressed=
    for language in en zh; do
        for theme in dark light; do
            picture "$review/${1#guide-}-${width}x$height-$language-$theme.png" "$2" "$pressed" "$language" "$theme"
        done
    done
}
if [ -z "$review" ]; then
    open_display 1280 720
    each_state of_guide
    exit
fi
for size in "960 600" "1280 720" "1920 1080" "3840 2160"; do
    # shellcheck disable=SC2086 # Two words.
    open_display $size
    each_state of_review
    kill "$display"
    wait "$display" 2>/dev/null || true
done
