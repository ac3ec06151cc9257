#!/usr/bin/env bash
# Installs the packages that onair needs, builds onair and opens the studio. Without a display, the same program
# (the scenes, sources and quality of the settings file) runs without a window for a limited time. It is sent
# only to the built-in server, and the script prints the URL for watching it.
#
#   packaging/run.sh [--seconds N] [ONAIR'S OWN ARGUMENTS…]
#
# --seconds N     the duration of the broadcast without a window (60; also ONAIR_SECONDS)
# If the first argument is a command of onair (live, serve, play, probe, …), the script runs that command.
# ONAIR_PROFILE=dev builds in the profile that the tests use.
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

seconds=${ONAIR_SECONDS:-60}
if [ "${1-}" = --seconds ]; then
    seconds=${2:?--seconds needs a number}
    shift 2
fi
case $seconds in
'' | *[!0-9]*)
    complain "'$seconds' is not a valid number of seconds."
    exit 2
    ;;
esac

# Runs the broadcast without a window. $1 is the reason, and the other arguments are for `onair live`.
headless() {
    local length=(--duration "${seconds}s") own=()
    say "$1"
    shift
    case " $* " in *" --duration"*) length=() ;; esac
    if [ ${#length[@]} -gt 0 ]; then
        say "Broadcasting without a window for $seconds seconds (to change this, use --seconds N; to stop, press Ctrl-C)."
    else
        say "Broadcasting without a window (to stop, press Ctrl-C)."
    fi
    # Unless other targets, a recording or other settings are requested, send the program only to the built-in server.
    local served=yes file=${XDG_CONFIG_HOME:-${HOME-}/.config}/onair/settings.toml
    case " $* " in
    *" --built-in "*) ;;
    *" --to"[\ =]* | *" --service"[\ =]* | *" --copy"[\ =]* | *" --record"[\ =]* | *" --settings"[\ =]* | *" --resume "*)
        served=
        ;;
    *) own=(--built-in) ;;
    esac
    case " $* " in
    *" --settings"*) ;;
    *)
        if [ -f "$file" ]; then
            say "Using the scenes, sources and quality in $file."
            own+=(--settings "$file")
            case " $* " in *" --delay"*) ;; *) own+=(--delay 0s) ;; esac
        fi
        ;;
    esac
    [ -z "$served" ] ||
        say "Watch the stream with any RTMP player at the URL below (default: rtmp://127.0.0.1:1935/live/onair)."
    exec "$onair" live ${length[@]+"${length[@]}"} ${own[@]+"${own[@]}"} "$@"
}

# Standard output belongs to onair, which may print JSON, so this script writes to standard error.
say() { complain "$@"; }
{
    need_packages build
    need_packages decoders || say "Without the FFmpeg libraries, onair cannot play HEVC, AV1, VP9 and other codecs."
    need_packages sharing || say "Without the PipeWire library, onair cannot capture displays in Wayland sessions."
    need_rust --
    build_onair
} >&2

case ${1-} in
live | serve | play | probe | remux | repair | scenes | collections | profiles | devices | check | completions | man | help | --help | -h | --version | -V)
    exec "$onair" "$@"
    ;;
studio) shift ;;
esac

if [ -z "${DISPLAY-}${WAYLAND_DISPLAY-}" ]; then
    headless "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)." "$@"
fi
need_packages window >&2
# The window has a separate process group, so that it gets each signal only once, from this script. Otherwise,
# it would get Ctrl-C twice, and would end immediately instead of in an orderly way.
set -m
"$onair" studio "$@" &
window=$! asked=
set +m
for signal in INT TERM HUP; do
    # shellcheck disable=SC2064 # what is known now
    trap "asked=yes; kill -$signal $window 2>/dev/null || :" "$signal"
done
begin=$SECONDS
status=0
# A signal ends the wait, but not yet the window.
while kill -0 "$window" 2>/dev/null; do wait "$window" || :; done
wait "$window" || status=$?
trap - INT TERM HUP
# A display that cannot be opened causes exit code 4 (device), or exit code 1 if the graphics library fails.
# Both occur immediately.
case $status in
1 | 4) [ -z "$asked" ] && [ $((SECONDS - begin)) -lt 15 ] || exit "$status" ;;
*) exit "$status" ;;
esac
headless "The window could not be opened on display '${WAYLAND_DISPLAY:-$DISPLAY}'." "$@"
