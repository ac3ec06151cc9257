#!/usr/bin/env bash
# Plays a tone on the sound server as an application of a name, until it is ended:
#   tests/rigs/tone.sh NAME HERTZ [AMPLITUDE [SINK]]
# Amplitude 1 is full scale, beyond which it is cut off (0.5); the sink is the default one. 48 kHz
# stereo. Needs: pulseaudio-utils, perl (part of every Debian).
exec pacat --playback --client-name="$1" --format=float32le --rate=48000 --channels=2 \
  --latency-msec=50 ${4:+--device="$4"} < <(exec perl -e '
    my ($hertz, $amplitude) = @ARGV; my $second = "";
    for my $i (0 .. 47999) {
      my $s = $amplitude * sin(6.283185307179586 * $hertz * $i / 48000);
      $s = $s > 1 ? 1 : $s < -1 ? -1 : $s;
      $second .= pack("f<f<", $s, $s);
    }
    while (1) { print $second or exit }' "$2" "${3:-0.5}")
