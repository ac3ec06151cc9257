#!/usr/bin/env bash
# Builds, once, the kernel that camera.sh runs: Linux as an ordinary program (User-Mode Linux) with
# cameras built in (vivid, v4l2loopback). 3 minutes on two idle cores, more than 20 on busy ones;
# goes on where a build before it was ended. Prints the path of the kernel, 7 MB.
# Needs the packages listed as `camera` in packaging/packages, and Debian's packages
# linux-source-6.1 and v4l2loopback-dkms, which apt-get download gets without installing them.
set -uo pipefail

die() { echo "camera-kernel.sh: $*" >&2; exit 125; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/onair/camera-rig
kernel=$cache/linux
[ -x "$kernel" ] && { echo "$kernel"; exit 0; }
for tool in gcc make flex bison bc xz dpkg-deb apt-get; do
  command -v $tool >/dev/null || die "$tool is missing: see camera in packaging/packages"
done
mkdir -p "$cache" || die "cannot write $cache"
exec 9>"$cache/lock"
flock 9
[ -x "$kernel" ] && { echo "$kernel"; exit 0; }

source=$cache/linux-source-6.1
if [ ! -e "$source/.unpacked" ]; then
  rm -rf "$source"
  (cd "$cache" && apt-get download -q linux-source-6.1 v4l2loopback-dkms) >&2 || die "cannot download the sources (apt-get update?)"
  dpkg-deb -x "$cache"/v4l2loopback-dkms_*.deb "$cache/loopback" || die "cannot unpack v4l2loopback"
  dpkg-deb --fsys-tarfile "$cache"/linux-source-6.1_*.deb | tar xO ./usr/src/linux-source-6.1.tar.xz |
    tar xJ -C "$cache" || die "cannot unpack the kernel's source"
  drivers=$source/drivers/media/test-drivers
  mkdir "$drivers/v4l2loopback"
  cp "$cache"/loopback/usr/src/v4l2loopback-*/v4l2loopback*.[ch] "$drivers/v4l2loopback/"
  echo 'obj-y += v4l2loopback.o' >"$drivers/v4l2loopback/Makefile"
  echo 'obj-y += v4l2loopback/' >>"$drivers/Makefile"
  # A tick of 10 ms is too coarse for pictures.
  sed -i '/^config HZ$/,/^$/s/default 100/default 250/' "$source/arch/um/Kconfig"
  touch "$source/.unpacked"
  rm -rf "$cache"/*.deb "$cache/loopback"
fi

cd "$source" || die "no source"
export ARCH=um KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=rig KBUILD_BUILD_HOST=rig
unset SUBARCH CROSS_COMPILE MAKEFLAGS
on=(VIRTIO_MENU VIRTIO_UML UML_PCI_OVER_VIRTIO HIGH_RES_TIMERS MEDIA_SUPPORT MEDIA_SUPPORT_FILTER
  MEDIA_CAMERA_SUPPORT MEDIA_TEST_SUPPORT V4L_TEST_DRIVERS VIDEO_DEV FB VIDEO_VIVID HOSTFS DEVTMPFS
  DEVTMPFS_MOUNT OVERLAY_FS TMPFS)
off=(MODULES DEBUG_INFO DEBUG_KERNEL EXT4_FS REISERFS_FS ISO9660_FS HW_CONSOLES WLAN ATA ETHERNET
  HID_SUPPORT INPUT_MOUSE INPUT_KEYBOARD UML_SOUND SOUND)
mapfile -t wish < <(printf -- '-e\n%s\n' "${on[@]}"; printf -- '-d\n%s\n' "${off[@]}")
if [ ! -e .config ]; then
  { make defconfig && ./scripts/config "${wish[@]}" && make olddefconfig; } >"$cache/build.log" 2>&1 ||
    die "configuring failed: see $cache/build.log"
fi
for option in VIDEO_VIVID HOSTFS OVERLAY_FS; do
  grep -q "^CONFIG_$option=y" .config || die "the kernel's option $option did not stay on"
done
echo "camera-kernel.sh: building the kernel; this takes minutes" >&2
make -j"$(nproc)" linux >>"$cache/build.log" 2>&1 || die "the build failed: see $cache/build.log"
strip -o "$kernel.new" linux && mv "$kernel.new" "$kernel" || die "cannot write $kernel"
cd / && rm -rf "$source"
echo "$kernel"
