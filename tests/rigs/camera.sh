#!/usr/bin/env bash
# Cameras on a machine without one: runs a command inside a small Linux that is an ordinary program
# (User-Mode Linux: neither root nor a virtual machine) and has real Video4Linux devices.
#   tests/rigs/camera.sh [-n VIVID] [-m OF_PLANES] [-l LOOPBACK] [-t SECONDS] [-- COMMAND [ARGUMENTS…]]
# Without a command: the camera parts of the test `devices`. Ends with the command's exit status;
# 124: it took longer than -t (300 s); 125: the rig itself failed.
#   /dev/video0, 1…    -n (3) test cameras of the kernel, raw pixels, rates fixed by size; the last -m (1) of
#                      them hand out a memory for each plane (multi-planar)
#   /dev/video20, 21…  -l (4) cameras that show what a program writes into them
#   camera-unplug I, camera-plug I    pulls test camera I out, in mid-stream too, and puts it back
# Inside, the machine's files are there to read, this project's to write, and /tmp is empty.
# Needs the packages listed as `camera` in packaging/packages, which it installs, and runs
# camera-kernel.sh the first time.
set -uo pipefail

die() { echo "camera.sh: $*" >&2; exit 125; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
vivid=3 several=1 loopback=4 limit=300
while getopts n:m:l:t: option; do
  case $option in
  n) vivid=$OPTARG ;;
  m) several=$OPTARG ;;
  l) loopback=$OPTARG ;;
  t) limit=$OPTARG ;;
  *) die "see the head of $0" ;;
  esac
done
shift $((OPTIND - 1))
# shellcheck source=packaging/packages.sh
(. "$project/packaging/packages.sh" && need_packages camera) >&2 || die "packages are missing"
busybox=$(command -v busybox) || die "busybox is missing"
kernel=$("$here/camera-kernel.sh") || exit 125
if [ $# = 0 ]; then
  test=$(cd "$project" && cargo test --test system --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\/system-[^"]*\)".*/\1/p') || die "the test does not build"
  [ -x "$test" ] || die "the test does not build"
  set -- "$test" --exact devices::camera::inside_camera devices::scenes::inside_scenes --include-ignored --nocapture \
    --test-threads=1
fi

run=$(mktemp -d -t onair-camera.XXXXXX) || die "no temporary folder"
pid=
cleanup() {
  [ -z "$pid" ] || { kill "$pid" && sleep 0.3 && kill -9 "$pid"; } 2>/dev/null
  rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
mkdir "$run/share"
{
  export -p | grep -E '^declare -x (PATH|HOME|LANG|RUST_[A-Z_]*|CI)='
  # shellcheck disable=SC2016 # expanded inside
  echo 'export PATH=/usr/local/bin:$PATH:/usr/sbin:/sbin'
  printf 'cd %q && exec' "$project"
  printf ' %q' "$@"
} >"$run/share/command"
# The machine's files under a layer of memory; the project's own as they are.
cat >"$run/share/init" <<INIT
#!$busybox sh
b() { $busybox "\$@"; }
fail() { echo "\$1" >/mnt/share/failed; b poweroff -f; }
b mount -t proc proc /proc; b mount -t tmpfs mnt /mnt; cd /mnt; b mkdir upper work root share lower
b mount -t hostfs -o $run/share share share
b mount -t hostfs -o ro,/ lower lower
b mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay root || fail overlay
b mount -t proc proc root/proc; b mount -t sysfs sys root/sys; b mount -t devtmpfs dev root/dev
b mkdir -p root/dev/shm; b mount -t tmpfs shm root/dev/shm
b mount -t tmpfs tmp root/tmp; b mount -t tmpfs run root/run; b chmod 1777 root/tmp
b mkdir -p root/run/share "root$project"; b mount --bind share root/run/share
b mount -t hostfs -o "$project" project "root$project" || fail project
for to in plug:bind unplug:unbind; do
  b printf '#!/bin/sh\necho vivid.\$1 >/sys/bus/platform/drivers/vivid/%s\n' \${to#*:} >root/usr/local/bin/camera-\${to%:*}
done
b chmod +x root/usr/local/bin/camera-plug root/usr/local/bin/camera-unplug
b ip link set lo up
for i in 0 1; do b stty -F root/dev/ttyS\$i raw -opost -echo; done
b chroot root /bin/bash /run/share/command </dev/null >root/dev/ttyS0 2>root/dev/ttyS1; status=\$?
for i in 0 1; do b stty -F root/dev/ttyS\$i >/dev/null; done
echo \$status >share/status
b sync; b poweroff -f
INIT
chmod +x "$run/share/init"

[ "$several" -le "$vivid" ] || die "-m is more than -n"
# The first have one memory, the others several.
planes=$(for ((i = 0; i < vivid; i++)); do echo $((i < vivid - several ? 1 : 2)); done | paste -sd,)
# One value for each device, with commas.
list() { local i all=(); for ((i = 0; i < $1; i++)); do all+=("$(($2 + i * $3))"); done; (IFS=,; echo "${all[*]}"); }
arguments=("vivid.n_devs=$vivid" "vivid.node_types=$(list "$vivid" 1 0)" "vivid.num_inputs=$(list "$vivid" 1 0)"
  "vivid.input_types=$(list "$vivid" 0 0)" "vivid.multiplanar=$planes" "v4l2loopback.devices=$loopback")
[ "$loopback" = 0 ] || arguments+=("v4l2loopback.video_nr=$(list "$loopback" 20 1)"
  "v4l2loopback.exclusive_caps=$(list "$loopback" 1 0)")
"$kernel" mem=1024M root=/dev/root rootfstype=hostfs rootflags=/ ro init="$run/share/init" quiet \
  uml_dir="$run/" umid=rig con=null con0=null,fd:3 ssl=null ssl0=null,fd:4 ssl1=null,fd:5 \
  "${arguments[@]}" 3>"$run/console" 4>&1 5>&2 </dev/null >"$run/boot" 2>&1 &
pid=$!
for ((waited = 0; waited < limit * 5; waited++)); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.2
done
kill -0 "$pid" 2>/dev/null && { echo "camera.sh: ended after $limit s" >&2; exit 124; }
wait "$pid"
pid=
[ -s "$run/share/status" ] && exit "$(cat "$run/share/status")"
tail -n 15 "$run/boot" "$run/console" >&2
die "the machine did not finish: $(cat "$run/share/failed" 2>/dev/null)"
