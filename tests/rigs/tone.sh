#!/usr/bin/env bash
# Plays a tone on the sound server's default sink as an application of a name, until it is ended:
#   tests/rigs/tone.sh NAME HERTZ
# Half of full scale, 48 kHz stereo, without end. Needs: pulseaudio-utils, perl (part of every Debian).
exec pacat --playback --client-name="$1" --format=float32le --rate=48000 --channels=2 \
  --latency-msec=50 < <(exec perl -e '
    my $hertz = shift; my $second = "";
    for my $i (0 .. 47999) {
      my $s = 0.5 * sin(6.283185307179586 * $hertz * $i / 48000);
      $second .= pack("f<f<", $s, $s);
    }
    while (1) { print $second or exit }' "$2")
