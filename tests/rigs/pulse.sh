#!/usr/bin/env bash
# A private PulseAudio daemon without hardware, as any user, for one command:
#   tests/rigs/pulse.sh run -- COMMAND [ARGUMENTS…]        ends with the command's exit status
# Devices, all 48 kHz stereo float: sink `speakers` (default), whose monitor hears what is played;
# sink `mic_feed`, whose sound arrives at source `mic` (default).
# Needs: pulseaudio pulseaudio-utils. Exit status 125: the rig itself failed.
set -uo pipefail

die() { echo "pulse.sh: $*" >&2; exit 125; }

[ "${1:-}" = run ] && [ "${2:-}" = -- ] && [ $# -gt 2 ] || die "usage: pulse.sh run -- COMMAND…"
shift 2
command -v pulseaudio >/dev/null || die "pulseaudio is missing: apt-get install pulseaudio"
command -v pactl >/dev/null || die "pactl is missing: apt-get install pulseaudio-utils"

dir=$(mktemp -d -t onair-pulse.XXXXXX) || die "no temporary folder"
chmod 700 "$dir"
daemon=
cleanup() {
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null
    for _ in $(seq 40); do kill -0 "$daemon" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$daemon" 2>/dev/null
  fi
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Without norewinds a null sink gives its monitor nothing until it has been idle.
null="rate=48000 channels=2 format=float32le norewinds=1"
cat > "$dir/default.pa" <<PA
.fail
load-module module-native-protocol-unix auth-anonymous=1 socket=$dir/native
load-module module-null-sink sink_name=speakers $null sink_properties=device.description=Rig_Speakers
load-module module-null-sink sink_name=mic_feed $null sink_properties=device.description=Rig_Feed
load-module module-remap-source source_name=mic master=mic_feed.monitor source_properties=device.description=Rig_Microphone
set-default-sink speakers
set-default-source mic
PA
printf 'autospawn = no\nenable-shm = no\n' > "$dir/client.conf"
# Only the daemon lives in the folder: a client there would read a half-written cookie.
HOME="$dir" XDG_RUNTIME_DIR="$dir" XDG_CONFIG_HOME="$dir" PULSE_RUNTIME_PATH="$dir" \
  PULSE_STATE_PATH="$dir" DBUS_SESSION_BUS_ADDRESS=disabled: pulseaudio -n \
  -F "$dir/default.pa" --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disallow-exit=no \
  --realtime=no --high-priority=no --system=no --disable-shm=yes --log-level=error \
  --log-target="file:$dir/log" >/dev/null 2>&1 &
daemon=$!
export PULSE_SERVER="unix:$dir/native" PULSE_RUNTIME_PATH="$dir" PULSE_CLIENTCONFIG="$dir/client.conf"
for _ in $(seq 200); do
  if pactl info >/dev/null 2>&1; then
    ONAIR_SOUND_RIG=pulse "$@"
    exit $?
  fi
  kill -0 "$daemon" 2>/dev/null || { cat "$dir/log" >&2; die "the daemon died at its start"; }
  sleep 0.05
done
die "the daemon did not answer within 10 s"
