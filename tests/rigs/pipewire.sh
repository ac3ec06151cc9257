#!/usr/bin/env bash
# A private PipeWire with its PulseAudio server and no hardware, as any user, for one command:
#   tests/rigs/pipewire.sh run -- COMMAND [ARGUMENTS…]        ends with the command's exit status
# Sinks `speakers` (default) and `mic_feed`, 48 kHz. Needs: pipewire wireplumber pipewire-pulse
# pulseaudio-utils dbus. Exit status 125: the rig itself failed.
set -uo pipefail

die() { echo "pipewire.sh: $*" >&2; exit 125; }

[ "${1:-}" = run ] && [ "${2:-}" = -- ] && [ $# -gt 2 ] || die "usage: pipewire.sh run -- COMMAND…"
shift 2
for program in pipewire wireplumber pipewire-pulse pactl dbus-run-session; do
  command -v $program >/dev/null || die "$program is missing"
done
# The session's parts find each other by a bus of their own.
[ -n "${ONAIR_RIG_BUS:-}" ] || ONAIR_RIG_BUS=1 exec dbus-run-session -- "$0" run -- "$@"

dir=$(mktemp -d -t onair-pipewire.XXXXXX) || die "no temporary folder"
chmod 700 "$dir"
parts=()
cleanup() {
  for part in "${parts[@]}"; do kill "$part" 2>/dev/null; done
  for part in "${parts[@]}"; do
    for _ in $(seq 40); do kill -0 "$part" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$part" 2>/dev/null
  done
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

export XDG_RUNTIME_DIR="$dir" PIPEWIRE_RUNTIME_DIR="$dir" PULSE_SERVER="unix:$dir/pulse/native"
unset PULSE_RUNTIME_PATH DISPLAY WAYLAND_DISPLAY
start() {
  HOME="$dir" XDG_CONFIG_HOME="$dir" XDG_STATE_HOME="$dir" "$@" >>"$dir/log" 2>&1 &
  parts+=($!)
}
start pipewire
for _ in $(seq 200); do [ -S "$dir/pipewire-0" ] && break; sleep 0.05; done
[ -S "$dir/pipewire-0" ] || die "PipeWire did not start: $(cat "$dir/log")"
start wireplumber
start pipewire-pulse
for _ in $(seq 200); do
  if pactl info >/dev/null 2>&1; then
    pactl load-module module-null-sink sink_name=speakers rate=48000 >/dev/null || die "no sink"
    pactl load-module module-null-sink sink_name=mic_feed rate=48000 >/dev/null || die "no sink"
    # The session manager takes a moment before it knows of defaults, and one more until it tells.
    for _ in $(seq 200); do
      pactl set-default-sink speakers 2>/dev/null
      default=$(pactl get-default-sink)
      [ "$default" != speakers ] || break
      sleep 0.05
    done
    [ "$default" = speakers ] || die "no default sink"
    ONAIR_SOUND_RIG=pipewire "$@"
    exit $?
  fi
  sleep 0.05
done
die "the server did not answer within 10 s: $(cat "$dir/log")"
