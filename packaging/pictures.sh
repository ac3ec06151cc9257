#!/usr/bin/env bash
# Makes the pictures of README.md and the guide anew, of the real window on a display without a screen:
# what is shown is drawn and spoken by programs, and is sent and watched as anything is.
#
#   packaging/pictures.sh [NAME…]     NAMES: studio scenes transitions prepared filters desk properties
#                                           watch player wall notice missing slow
#
# Look at each of them before they are committed.
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# In a place of its own with a microphone and a speaker.
if [ -z "${ONAIR_PICTURES-}" ]; then
    need_packages build decoders sharing window test pictures
    need_rust --
    build_onair
    ONAIR_PICTURES=$onair exec "$root/tests/rigs/pulse.sh" run -- "$0" "$@"
fi
onair=$ONAIR_PICTURES

work=$root/target/pictures
rm -rf "$work"
mkdir -p "$work/home/.config/onair"
screen=:97
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT

# What is pointed at: a presenter before a green wall, a slide, a logo, speech, music.
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

# Two more things to watch.
films() {
    ffmpeg -v error -y -f lavfi -i "mandelbrot=s=1280x720:r=30" -t 30 -c:v libx264 -preset ultrafast -pix_fmt yuv420p "$work/Bench.mp4"
    ffmpeg -v error -y -framerate 30 -loop 1 -i "$work/Slide.png" -vf "zoompan=z='1+0.0004*on':d=900:s=1280x720:fps=30,format=yuv420p" \
        -t 30 -c:v libx264 -preset ultrafast "$work/Notes.mp4"
}

sounds() {
    ffmpeg -v error -y -f lavfi -i "flite=voice=slt:text='Good evening and welcome to the workshop. Tonight we build a clock that listens to the radio. First the antenna and the receiver. Then we read the seconds, and at last we solder the display. If you have a question, write it into the chat.'" \
        -af 'volume=3dB,aresample=48000' -ac 2 "$work/Voice.wav"
    ffmpeg -v error -y -f lavfi -i \
        "aevalsrc='0.12*(sin(2*PI*220*t)+sin(2*PI*277.2*t)+sin(2*PI*329.6*t))*(0.6+0.4*sin(2*PI*t/2))|0.12*(sin(2*PI*220.5*t)+sin(2*PI*277.7*t)+sin(2*PI*330*t))*(0.6+0.4*sin(2*PI*t/2+1))':s=48000:d=24" \
        "$work/Music.wav"
}

settings() {
    cat >"$work/home/.config/onair/settings.toml" <<SETTINGS
version = 1
video = "file:$work/Presenter.mp4"
audio = "file:$work/Voice.wav"

[[strips]]
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

# key KEY…: presses keys in the window. click X Y: a click there. write TEXT: types it.
key() { for each in "$@"; do DISPLAY=$screen xdotool key --clearmodifiers "$each"; sleep 0.3; done; }
click() { DISPLAY=$screen xdotool mousemove "$1" "$2" click 1; sleep 0.4; }
write() { DISPLAY=$screen xdotool type --delay 20 "$1"; }
# shot NAME: what the display shows.
shot() {
    DISPLAY=$screen import -window root "$work/$1.png"
    convert "$work/$1.png" -quality 88 "$root/assets/pictures/$1.jpg"
    say "$1.jpg"
}

# A scene with a logo that is no longer there.
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

# A scene of more layers than are drawn in time.
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

# A display in the middle of nothing, and the studio on it.
open_display() {
    Xvfb "$screen" -screen 0 1280x720x24 -nolisten tcp -ac 2>/dev/null &
    pids+=($!)
    for _ in $(seq 50); do [ -S "/tmp/.X11-unix/X${screen#:}" ] && break; sleep 0.1; done
    cat >"$work/openbox.xml" <<'OPENBOX'
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications><application name="*"><decor>no</decor><maximized>yes</maximized></application></applications>
</openbox_config>
OPENBOX
    DISPLAY=$screen openbox --sm-disable --config-file "$work/openbox.xml" 2>/dev/null &
    pids+=($!)
}

open_studio() {
    env HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config" XDG_DATA_HOME="$work/home/.local" XDG_CACHE_HOME="$work/home/.cache" DISPLAY="$screen" \
        LIBGL_ALWAYS_SOFTWARE=1 "$onair" >"$work/log" 2>&1 &
    studio=$!
    pids+=("$studio")
    DISPLAY=$screen timeout 30 xdotool search --sync --onlyvisible --name onair >/dev/null
    sleep 2
}

# wanted NAME: whether a picture is asked for.
asked=("$@")
wanted() { [ ${#asked[@]} = 0 ] || [[ " ${asked[*]} " == *" $1 "* ]]; }

# dialog NAME KEY: what a key opens, and shuts again.
dialog() {
    wanted "$1" || return 0
    key "$2"
    sleep 2
    shot "$1"
    key Escape
}

# watch_at ADDRESS: types it on the page.
watch_at() {
    click 360 71
    key ctrl+a
    write "$1"
}

presenter
slide
films
sounds
settings
open_display
open_studio
# Rows of the lists of scenes and sources.
measure_row=(74 158)
clock_row=(74 258)
presenter_row=(74 318)
talk_row=(74 128)
studio_mode=(240 409)

while paplay --device=mic_feed "$work/Voice.wav"; do :; done 2>/dev/null &
pids+=($!)
key ctrl+l
sleep 20
wanted studio && shot studio
click "${presenter_row[@]}"
wanted scenes && shot scenes
# The menu beside the scenes, and its last line.
if wanted transitions; then
    click 158 68
    sleep 1
    shot transitions
    key Escape
fi
if wanted prepared; then
    click 158 68
    sleep 1
    click "${studio_mode[@]}"
    click "${talk_row[@]}"
    sleep 2
    shot prepared
    click 158 68
    sleep 1
    click "${studio_mode[@]}"
fi
dialog filters ctrl+f
dialog desk ctrl+m
click "${clock_row[@]}"
dialog properties ctrl+e
if wanted notice; then
    pactl unload-module module-remap-source
    sleep 4
    shot notice
fi
click "${measure_row[@]}"
key ctrl+2
if wanted watch || wanted player || wanted wall; then
    watch_at "rtmp://127.0.0.1:1935/live/onair"
    key Return
    sleep 12
    for line in "which crystal is that?" "greetings from Lyon" "that solder joint looks fine now"; do
        click 1060 660
        write "$line"
        key Return
        sleep 1
    done
    sleep 1
    wanted watch && shot watch
fi
if wanted player; then
    key Escape
    click 490 300
    key Left Left
    click 825 664
    sleep 3
    shot player
    click 825 664
    key l
fi
if wanted wall; then
    for address in "$work/Presenter.mp4" "$work/Bench.mp4" "$work/Notes.mp4"; do
        watch_at "$address"
        click 886 71
        sleep 1
    done
    # No folder of this machine in the picture.
    watch_at "rtmp://127.0.0.1:1935/live/onair"
    sleep 6
    shot wall
fi
# again SETTINGS…: the studio begins anew, with one more scene below the others.
again() {
    kill "$studio"
    for _ in $(seq 100); do kill -0 "$studio" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$studio" 2>/dev/null || true
    settings
    "$@"
    open_studio
    sleep 4
    click 74 218
}

if wanted missing; then
    again settings_without_file
    sleep 2
    shot missing
fi
if wanted slow; then
    again settings_of_a_storm
    sleep 15
    shot slow
fi
