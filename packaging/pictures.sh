#!/usr/bin/env bash
# Makes the pictures of README.md and the guide again, from the real window on a virtual display. Programs
# generate the video and audio, which are sent and watched like any other.
#
#   packaging/pictures.sh [NAME…]     NAMES: studio scenes adding transitions prepared filters desk properties
#                                           settings watch chat listening looking full player recent lost wall small
#                                           notice missing slow screens windows import camera
#
# The guide's pictures of states of the window, in both languages, are made by guide_pictures.sh.
#
# The script finds controls by their names, as a screen reader does, so it contains no positions.
# Check each picture before you commit it. The camera is simulated, with the controls of a usual camera, in the
# window of the example `window_demo` (ONAIR_PICTURES_DEMO; otherwise the script builds it).
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# In a separate session with a microphone and a speaker.
if [ -z "${ONAIR_PICTURES-}" ]; then
    need_packages build decoders sharing window test pictures
    need_rust --
    build_onair
    if [ -z "${ONAIR_PICTURES_DEMO-}" ]; then
        cargo build --manifest-path "$root/Cargo.toml" --locked --quiet --example window_demo
        export ONAIR_PICTURES_DEMO=${CARGO_TARGET_DIR:-$root/target}/debug/examples/window_demo
    fi
    export ONAIR_PICTURES=$onair
fi
# A separate session bus too, with a folder for its sockets: another session's socket would take over the accessibility bus.
if [ -z "${ONAIR_PICTURES_SESSION-}" ]; then
    sockets=$(mktemp -d -t onair-pictures.XXXXXX)
    # The portal of documents has mounted something there, until it ends too.
    trap 'for _ in $(seq 50); do rm -rf "$sockets" 2>/dev/null && break; sleep 0.1; done' EXIT
    XDG_RUNTIME_DIR=$sockets ONAIR_PICTURES_SESSION=1 dbus-run-session -- "$root/tests/rigs/pulse.sh" run -- "$0" "$@"
    exit
fi
onair=$ONAIR_PICTURES

# It is an evening, in UTC plus something.
TZ=PIC$((10#$(date -u +%H) - 20))
export TZ

work=$root/target/pictures
rm -rf "$work"
mkdir -p "$work/home/.config/onair"
screen=:97
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT

# The inputs: a presenter in front of a green wall, a slide, a logo, speech, music.
presenter() {
    convert -size 1280x720 xc:'#19b35b' \
        -fill '#b4532f' -draw 'path "M 330,720 C 340,520 470,470 640,470 C 810,470 940,520 950,720 Z"' \
        -fill '#d9a47c' -draw 'path "M 580,400 L 580,500 C 600,540 680,540 700,500 L 700,400 Z"' \
        "$work/body.png"
    convert -size 1280x720 xc:none \
        -fill '#3a261c' -draw 'ellipse 640,262 152,178 0,360' \
        -fill '#e8b48c' -draw 'ellipse 640,300 124,160 0,360' \
        -fill '#3a261c' -draw 'path "M 512,270 C 520,150 620,120 700,150 C 760,170 770,230 766,270 C 730,220 650,205 600,215 C 560,220 530,240 512,270 Z"' \
        -fill '#ffffff' -draw 'ellipse 590,292 20,12 0,360 ellipse 690,292 20,12 0,360' \
        -fill '#2b1d16' -draw 'circle 592,292 600,292 circle 692,292 700,292' \
        -fill '#c98d6b' -draw 'path "M 632,310 L 622,358 L 652,358 Z"' \
        -fill '#a8524a' -draw 'path "M 596,398 C 620,420 664,420 686,398 C 664,408 620,408 596,398 Z"' \
        "$work/head.png"
    ffmpeg -v error -y -framerate 30 -loop 1 -i "$work/body.png" -framerate 30 -loop 1 -i "$work/head.png" -filter_complex \
        "[0][1]overlay=x='7*sin(2*PI*t/4)':y='5*sin(2*PI*t/2.5)',format=yuv420p" \
        -t 20 -r 30 -c:v libx264 -preset veryfast -crf 16 "$work/Presenter.mp4"
}

slide() {
    convert -size 1280x720 gradient:'#15304f-#0b1526' \
        -fill '#8fd0ff' -font DejaVu-Sans-Bold -pointsize 54 -draw 'text 70,120 "A radio clock in an evening"' \
        -fill '#d5e3f3' -font DejaVu-Sans -pointsize 32 \
        -draw 'text 70,210 "1  Antenna and receiver"' -draw 'text 70,270 "2  Reading the seconds"' \
        -draw 'text 70,330 "3  Soldering the display"' -draw 'text 70,390 "4  Questions"' \
        -fill none -stroke '#4aa3e0' -strokewidth 5 \
        -draw 'path "M 70,560 L 150,560 L 150,490 L 230,490 L 230,560 L 270,560 L 270,490 L 390,490 L 390,560 L 430,560 L 430,490 L 470,490 L 470,560 L 560,560"' \
        "$work/Slide.png"
    convert -size 320x96 xc:none -fill '#e5484d' -draw 'roundrectangle 2,2 317,93 20,20' \
        -fill white -font DejaVu-Sans-Bold -pointsize 40 -gravity center -annotate 0 'Workshop' "$work/Logo.png"
}

# Two more streams to watch, which cost little.
films() {
    ffmpeg -v error -y -f lavfi -i "mandelbrot=s=640x360:r=30" -t 30 -c:v libx264 -preset superfast -pix_fmt yuv420p "$work/Fractal.mp4"
    ffmpeg -v error -y -framerate 30 -loop 1 -i "$work/Slide.png" -vf "zoompan=z='1+0.0004*on':d=900:s=1280x720:fps=30,format=yuv420p" \
        -t 30 -c:v libx264 -preset superfast "$work/Notes.mp4"
}

sounds() {
    ffmpeg -v error -y -f lavfi -i "flite=voice=slt:text='Good evening and welcome to the workshop. Tonight we build a clock that listens to the radio. First the antenna and the receiver. Then we read the seconds, and at last we solder the display. If you have a question, write it into the chat.'" \
        -af 'volume=3dB,aresample=48000' -ac 2 "$work/Voice.wav"
    ffmpeg -v error -y -f lavfi -i \
        "aevalsrc='0.12*(sin(2*PI*220*t)+sin(2*PI*277.2*t)+sin(2*PI*329.6*t))*(0.6+0.4*sin(2*PI*t/2))|0.12*(sin(2*PI*220.5*t)+sin(2*PI*277.7*t)+sin(2*PI*330*t))*(0.6+0.4*sin(2*PI*t/2+1))':s=48000:d=24" \
        "$work/Music.wav"
}

# device KIND NAME DESCRIPTION [MASTER]: a device of sound with the name that a usual one has.
device() {
    case "$1" in
    sink)
        pactl load-module module-null-sink "sink_name=$2" rate=48000 channels=2 format=float32le norewinds=1 \
            "sink_properties=\"device.description='$3'\""
        ;;
    source) pactl load-module module-remap-source "source_name=$2" "master=$4" "source_properties=\"device.description='$3'\"" ;;
    esac >/dev/null
    pactl "set-default-$1" "$2"
}
microphone() { device source mic "USB headset" mic_feed.monitor; }

# In place of those of the rig, whose names are those of a test.
devices() {
    pactl unload-module module-remap-source
    pactl unload-module module-null-sink
    device sink mic_feed "USB headset"
    device sink speakers "Built-in speakers"
    microphone
}

settings() {
    cat >"$work/home/.config/onair/settings.toml" <<SETTINGS
version = 1
video = "file:$work/Presenter.mp4"
audio = "file:$work/Voice.wav"

[window]
recording_folder = "/home/ada/Videos"

[[strips]]
name = "Host"
gain_db = 0.0

[[strips.filters]]
kind = "denoise"
amount = 1.0

[[strips.filters]]
kind = "compressor"
threshold_dbfs = -22.0
ratio = 3.0

[[strips.filters]]
kind = "limiter"

[[strips]]
name = "Guest"
source = "mic"

[[strips]]
name = "Music"
source = "file:$work/Music.wav"
gain_db = -14.0

[[strips.filters]]
kind = "compressor"
threshold_dbfs = -36.0
ratio = 6.0
side_chain = 0

[collection]
current = "Workshop"
transition = "fade"
transition_ms = 300

[[collection.main_filters]]
kind = "chroma-key"
color = "#19b35b"
spill = 0.3

[[collection.main_filters]]
kind = "beauty"
smooth = 0.4
whiten = 0.1

[[collection.main_filters]]
kind = "color"
saturation = 1.1

[[collection.sources]]
name = "Slide"
source = "image:$work/Slide.png"

[[collection.sources]]
name = "Logo"
source = "image:$work/Logo.png"

[[collection.sources]]
name = "Clock"
source = "clock"

[[collection.sources]]
name = "Test"
source = "test"

[[collection.sources]]
name = "Words"
source = "text:Back in a minute · 马上回来"

[[collection.scenes]]
name = "Workshop"

[[collection.scenes.items]]
source = "Slide"

[[collection.scenes.items]]
main = true
x = 0.5
y = 0.28
width = 0.5
height = 0.72
fit = "cover"

[[collection.scenes.items]]
source = "Logo"
x = 0.80
y = 0.05
width = 0.16
height = 0.09

[[collection.scenes.items]]
source = "Clock"
x = 0.05
y = 0.83
width = 0.2
height = 0.1

[[collection.scenes]]
name = "Talk"

[[collection.scenes.items]]
main = true

[[collection.scenes]]
name = "Measure"

[[collection.scenes.items]]
source = "Test"

[[collection.scenes.items]]
main = true
x = 0.6
y = 0.4
width = 0.4
height = 0.55
fit = "cover"

[[collection.scenes]]
name = "Break"

[[collection.scenes.items]]
source = "Words"
x = 0.15
y = 0.4
width = 0.7
height = 0.2
SETTINGS
}

# key KEY…: presses keys in the window. write TEXT: types it.
key() { for each in "$@"; do DISPLAY=$screen xdotool key --clearmodifiers "$each"; sleep 0.3; done; }
write() { DISPLAY=$screen xdotool type --delay 20 "$1"; }

# give_up WHY: with what the studio has written last.
give_up() {
    complain "pictures.sh: $1"
    [ ! -s "$work/log" ] || tail -n 20 "$work/log" >&2
    exit 1
}

# parts_of ROLE: all parts of the window with this role, as JSON.
parts_of() {
    jq -nc --arg role "$1" '{$role}' |
        DISPLAY=$screen timeout 60 /usr/bin/python3 "$root/tests/rigs/widgets.py" "$studio"
}

# middle ROLE NAME: sets $x and $y to the middle of the part of the window with this role and name, once it is there.
middle() {
    local place='' parts end=$((SECONDS + 30))
    while true; do
        parts=$(parts_of "$1") ||
            give_up "Who waits for the $1 \"$2\" cannot read the window."
        place=$(jq -r --arg name "$2" 'map(select(.name == $name))[0].place // empty |
            "\(.[0] + .[2] / 2 | floor) \(.[1] + .[3] / 2 | floor)"' <<<"$parts")
        [ -z "$place" ] || break
        [ $SECONDS -lt $end ] ||
            give_up "Within 30 s, the window has no $1 \"$2\". It has: $(jq -r 'map(.name) | join(", ")' <<<"$parts")"
        sleep 0.3
    done
    read -r x y <<<"$place"
}

# press ROLE NAME [BUTTON]: clicks on it, with the left button unless told.
press() {
    middle "$1" "$2"
    DISPLAY=$screen xdotool mousemove "$x" "$y" click "${3:-1}"
    sleep 0.5
}
# shot NAME: saves a picture of the display, or of its left part if it is wider than the studio.
shot() {
    # Not in the first part of a second, in which the test pattern flashes.
    while [[ $(date +%1N) != 8 ]]; do sleep 0.02; done
    DISPLAY=$screen import -window root -crop 1280x720+0+0 +repage "$work/$1.png"
    convert "$work/$1.png" -quality 88 "$root/assets/pictures/$1.jpg"
    say "$1.jpg"
    if [ "$1" != slow ] && parts_of "status bar" | grep -q "too slow"; then
        complain "$1.jpg says that this computer is too slow. Make it again while nothing else runs."
    fi
}

# A scene with a logo whose file is missing.
settings_without_file() {
    cat >>"$work/home/.config/onair/settings.toml" <<'SETTINGS'

[[collection.sources]]
name = "Sponsors"
source = "image:/media/ada/stick/sponsors.png"

[[collection.scenes]]
name = "Goodbye"

[[collection.scenes.items]]
source = "Slide"

[[collection.scenes.items]]
source = "Sponsors"
x = 0.55
y = 0.4
width = 0.4
height = 0.4
SETTINGS
}

# A part of a wide screen, beside the studio.
settings_of_a_desk() {
    cat >>"$work/home/.config/onair/settings.toml" <<'SETTINGS'

[[collection.sources]]
name = "Slides"
source = "screen:screen@1120x630+1360+45"

[[collection.scenes]]
name = "Desk"

[[collection.scenes.items]]
source = "Slides"
SETTINGS
}

# An empty studio, and a collection of OBS to import.
settings_before_import() {
    cat >"$work/home/.config/onair/settings.toml" <<SETTINGS
version = 1
video = "file:$work/Presenter.mp4"
audio = "file:$work/Music.wav"
SETTINGS
    cat >"$work/Evening.json" <<OBS
{"name": "Evening", "current_scene": "Workshop", "current_program_scene": "Workshop",
 "current_transition": "Fade", "transition_duration": 300, "resolution": {"x": 1280, "y": 720},
 "scene_order": [{"name": "Workshop"}, {"name": "Only the slide"}, {"name": "Back soon"}],
 "sources": [
  {"id": "image_source", "name": "Slide", "settings": {"file": "$work/Slide.png"}},
  {"id": "image_source", "name": "Logo", "settings": {"file": "$work/Logo.png"},
   "filters": [{"id": "shader_filter", "name": "Glow"}]},
  {"id": "text_ft2_source_v2", "name": "Title",
   "settings": {"text": "Evening workshop", "font": {"face": "DejaVu Sans", "size": 44}}},
  {"id": "browser_source", "name": "Alerts", "settings": {"url": "https://example.org/alerts"}},
  {"id": "pulse_input_capture", "name": "Mic", "settings": {"device_id": "usb-7"}},
  {"id": "scene", "name": "Workshop", "settings": {"items": [
   {"name": "Slide", "pos": {"x": 0, "y": 0}},
   {"name": "Title", "pos": {"x": 40, "y": 654}},
   {"name": "Logo", "pos": {"x": 1030, "y": 655}, "scale": {"x": 0.6, "y": 0.6}},
   {"name": "Alerts"}]}},
  {"id": "scene", "name": "Only the slide", "settings": {"items": [{"name": "Slide"}]}},
  {"id": "scene", "name": "Back soon", "settings": {"items": [{"name": "Title", "pos": {"x": 450, "y": 330}}]}}]}
OBS
    # The desktop's dialog for files, in which somebody has chosen this one.
    mkdir -p "$work/bin"
    printf '#!/bin/sh\necho "%s"\n' "$work/Evening.json" >"$work/bin/zenity"
    chmod +x "$work/bin/zenity"
}

# A scene with more layers than the computer can draw in time.
settings_of_a_storm() {
    local layer
    for layer in $(seq 24); do
        cat <<SETTINGS

[[collection.sources]]
name = "Rain $layer"
source = "test"

[[collection.sources.filters]]
kind = "denoise"

[[collection.sources.filters]]
kind = "blur"
sigma = $((4 + layer)).0
SETTINGS
    done >>"$work/home/.config/onair/settings.toml"
    {
        printf '\n[[collection.scenes]]\nname = "Storm"\n'
        for layer in $(seq 24); do
            printf '\n[[collection.scenes.items]]\nsource = "Rain %s"\nopacity = 0.5\n' "$layer"
        done
    } >>"$work/home/.config/onair/settings.toml"
}

# display_of WIDTH: starts a virtual display of this width.
display_of() {
    Xvfb "$screen" -screen 0 "$1x720x24" -nolisten tcp -ac 2>/dev/null &
    pids+=($!)
    # The socket may have been left behind by an earlier run.
    for _ in $(seq 50); do DISPLAY=$screen xdotool getmouselocation >/dev/null 2>&1 && return; sleep 0.1; done
    give_up "The display $screen has not begun within 5 s."
}

# A display that is as large as the studio.
open_display() {
    display_of 1280
    cat >"$work/openbox.xml" <<'OPENBOX'
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications><application name="*"><decor>no</decor><maximized>yes</maximized></application></applications>
</openbox_config>
OPENBOX
    DISPLAY=$screen openbox --sm-disable --config-file "$work/openbox.xml" 2>/dev/null &
    pids+=($!)
}

open_studio() {
    PATH="$work/bin:$PATH" HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config" XDG_DATA_HOME="$work/home/.local" XDG_CACHE_HOME="$work/home/.cache" DISPLAY="$screen" \
        LIBGL_ALWAYS_SOFTWARE=1 "$onair" >"$work/log" 2>&1 &
    studio=$!
    pids+=("$studio")
    DISPLAY=$screen timeout 30 xdotool search --sync --onlyvisible --name onair >/dev/null ||
        give_up "The studio shows no window within 30 s."
    sleep 2
}

# wanted NAME: succeeds if a picture is requested.
asked=("$@")
wanted() { [ ${#asked[@]} = 0 ] || [[ " ${asked[*]} " == *" $1 "* ]]; }

# dialog NAME KEY: takes a picture of the dialog that a key opens, and closes the dialog.
dialog() {
    wanted "$1" || return 0
    key "$2"
    sleep 2
    shot "$1"
    key Escape
}

# menu NAME BUTTON: takes a picture of the menu that a button opens, and closes the menu.
menu() {
    wanted "$1" || return 0
    press "push button" "$2"
    sleep 1
    shot "$1"
    key Escape
    sleep 0.5
}

# watch_at ADDRESS: enters the address on the *Watch* page.
watch_at() {
    press entry "Stream address"
    key ctrl+a
    write "$1"
}

studio_mode() {
    press "push button" "Transition and studio mode"
    press "radio menu item" "Studio mode"
}

# With a screen reader, the window reports the positions of its parts.
for property in IsEnabled ScreenReaderEnabled; do
    gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus --method org.freedesktop.DBus.Properties.Set \
        org.a11y.Status "$property" '<true>' >/dev/null || give_up "The accessibility bus does not begin."
done

presenter
slide
films
sounds
devices
settings
open_display
open_studio

while paplay --device=mic_feed "$work/Voice.wav"; do :; done 2>/dev/null &
pids+=($!)
key ctrl+l
sleep 20
wanted studio && shot studio
press "radio button" Presenter
wanted scenes && shot scenes
menu adding "Add source…"
menu transitions "Transition and studio mode"
if wanted prepared; then
    studio_mode
    press "radio button" Talk
    sleep 2
    shot prepared
    studio_mode
fi
press "radio button" Presenter
dialog filters ctrl+f
dialog desk ctrl+m
dialog settings ctrl+comma
if wanted properties; then
    press "radio button" Clock
    key ctrl+e
    sleep 2
    shot properties
fi
press "radio button" Measure
key ctrl+2
if wanted watch || wanted chat || wanted listening || wanted looking || wanted full || wanted player || wanted recent || wanted lost || wanted wall; then
    press "push button" "Watch your own stream"
    sleep 12
    press entry "Send a message"
    # Looking for the field took processor time, which the window shows.
    sleep 3
    for line in "which crystal is that?" "greetings from Lyon" "that solder joint looks fine now"; do
        write "$line"
        key Return
        sleep 1
    done
    sleep 1
    wanted watch && shot watch
fi
menu chat "Chat display"
menu listening "Audio: balance, offset, speaker"
menu looking "Video and buffer"
if wanted full; then
    press "push button" "Full screen"
    sleep 6
    shot full
    key Escape
    sleep 2
fi
if wanted player; then
    press image "Player video"
    key Left Left
    press "toggle button" "Statistics overlay"
    sleep 3
    shot player
    press "toggle button" "Statistics overlay"
    press image "Player video"
    key l
fi
# A server that stops while the player plays.
if wanted recent || wanted lost; then
    "$onair" serve --rtmp 127.0.0.1:1936 --http 127.0.0.1:0 >"$work/log-serve" 2>&1 &
    serve=$!
    pids+=("$serve")
    sleep 2
    ffmpeg -v quiet -re -stream_loop -1 -i "$work/Notes.mp4" -c copy -f flv rtmp://127.0.0.1:1936/live/notes &
    pids+=($!)
    sleep 2
    watch_at "rtmp://127.0.0.1:1936/live/notes"
    key Return
    sleep 6
    kill -9 "$serve"
    sleep 6
    wanted lost && shot lost
    if wanted recent; then
        watch_at "rtmp://127.0.0.1:1935/live/onair"
        key Return
        # Until the messages that the chat had before have flown past.
        sleep 14
        menu recent "Recent streams"
    fi
fi
if wanted wall; then
    for address in "$work/Presenter.mp4" "$work/Fractal.mp4" "$work/Notes.mp4"; do
        watch_at "$address"
        press "push button" "Add tile"
        sleep 1
    done
    # The picture must not contain a folder of this machine.
    watch_at "rtmp://127.0.0.1:1935/live/onair"
    sleep 6
    shot wall
fi
# A microphone that is unplugged. The others are without this notice.
if wanted notice; then
    key ctrl+1
    press "radio button" Workshop
    pactl unload-module module-remap-source
    sleep 4
    shot notice
    microphone
fi
end_studio() {
    kill "$studio"
    for _ in $(seq 100); do kill -0 "$studio" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$studio" 2>/dev/null || true
}
# again SETTINGS…: starts the studio again, with one more scene below the other scenes.
again() {
    end_studio
    settings
    "$@"
    open_studio
    sleep 4
}

if wanted missing; then
    again settings_without_file
    press "radio button" Goodbye
    press "radio button" Sponsors
    sleep 2
    shot missing
fi
if wanted slow; then
    again settings_of_a_storm
    press "radio button" Storm
    sleep 15
    shot slow
fi
if wanted import; then
    again settings_before_import
    key ctrl+k
    sleep 1
    write "import"
    sleep 1
    key Return
    press "radio button" Workshop
    key ctrl+n
    sleep 2
    shot import
fi
if wanted camera; then
    end_studio
    DISPLAY="$screen" LIBGL_ALWAYS_SOFTWARE=1 "$ONAIR_PICTURES_DEMO" camera >"$work/log-camera" 2>&1 &
    studio=$!
    pids+=("$studio")
    sleep 5
    press "radio button" "HD Pro Webcam C920"
    key ctrl+e
    sleep 2
    shot camera
fi
# On a display that is twice as wide: the studio at its left, what is shown at its right.
if wanted screens || wanted windows || wanted small; then
    screen=:98
    display_of 2560
    DISPLAY=$screen display -title Slides -borderwidth 0 -resize 1120x630! -geometry +1360+45 "$work/Slide.png" 2>/dev/null &
    pids+=($!)
    sleep 1
    DISPLAY=$screen xdotool search --name '^Slides$' set_window --class "Document viewer"
    again settings_of_a_desk
    # There is no window manager to place the windows.
    window=$(DISPLAY=$screen xdotool search --onlyvisible --name '^onair' | tail -1)
    DISPLAY=$screen xdotool windowmove "$window" 0 0 windowsize "$window" 1280 720 windowfocus "$window"
    sleep 2
    press "radio button" Desk
    if wanted windows; then
        press "push button" "Add source…"
        press "push button" "Window capture"
        sleep 1
        shot windows
        key Escape
    fi
    DISPLAY=$screen xdotool mousemove 100 500
    if wanted screens; then
        press "radio button" Slides
        dialog screens ctrl+e
    fi
    # The small window above the studio that is on air.
    if wanted small; then
        press "radio button" Workshop
        key ctrl+l
        sleep 4
        key ctrl+2
        press "push button" "Watch your own stream"
        sleep 6
        press "push button" "Picture in picture"
        sleep 3
        key ctrl+1
        small=$(DISPLAY=$screen xdotool search --onlyvisible --name . | grep -vx "$window" | tail -1)
        # Beside what it shows too, and nothing is pointed at.
        DISPLAY=$screen xdotool windowmove "$small" 888 290 mousemove 640 706
        sleep 2
        shot small
    fi
fi
