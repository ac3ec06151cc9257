#!/usr/bin/env bash
# Installs the .deb of onair into a clean Debian system in a folder, uses it there, and removes it again.
#
#   packaging/bundle_test.sh PROGRAM     packages this program (any profile) and tests the packages
#
# Needs root, and the Debian archive. If no system can be made, it reports that, and tests only the contents of the packages.
# With CI set, that is a failure.
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
cd "$root"
program=$(realpath "${1:?which program?}")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CARGO_TARGET_DIR=$folder
ONAIR_PICTURES_URL=https://example.org/pictures/ packaging/bundle.sh --binary "$program" >/dev/null
deb=$(echo "$folder"/bundle/*.deb)
rpm=$(echo "$folder"/bundle/*.rpm)
tar=$(echo "$folder"/bundle/*.tar.gz)

failed=0
expect() {
    local what=$1
    shift
    "$@" >"$folder/output" 2>&1 && return
    complain "FAILED: $what"
    cat "$folder/output" >&2
    failed=1
}
holds() { grep -q "$2" <<<"$1"; }
not() { ! "$@"; }
# untested WHY: reports that a part is not tested. Continuous integration must test every part.
untested() {
    complain "$1"
    [ -z "${CI-}" ] || failed=1
}

# The three packages contain the same files, except that zsh has another folder in Debian.
names() { sed 's|^\./||; s|^/||; s|^usr/||' | grep -v '/$\|^$' | sort; }
in_deb=$(dpkg-deb --fsys-tarfile "$deb" | tar -t | names)
in_rpm=$(rpm -qpl "$rpm" 2>/dev/null | names)
in_tar=$(tar -tf "$tar" | sed 's|^[^/]*/||' | names)
elsewhere=$(sort <<<"${in_deb/vendor-completions/site-functions}")
expect "the .rpm has the files of the .deb" diff <(echo "$elsewhere") <(echo "$in_rpm")
expect "the archive has the files of the .deb" diff <(echo "$elsewhere") <(echo "$in_tar")
for file in bin/onair lib/systemd/system/onair.service lib/systemd/system/onair.socket lib/sysusers.d/onair.conf \
    lib/systemd/system/onair-live@.service \
    share/applications/onair.desktop share/metainfo/onair.metainfo.xml \
    share/icons/hicolor/scalable/apps/onair.svg share/man/man1/onair-live.1.gz \
    share/onair/pictures/guide-on-air.jpg share/onair/pictures/guide-on-air.zh-CN.jpg \
    share/bash-completion/completions/onair share/zsh/vendor-completions/_onair share/fish/vendor_completions.d/onair.fish
do
    expect "$file is in the packages" holds "$in_deb" "^$file\$"
done
expect "the .deb names FFmpeg's libraries" holds "$(dpkg-deb -f "$deb" Recommends)" \
    '^libavcodec[0-9]\+, libavutil[0-9]\+, libswscale[0-9]\+$'
recommended=$(rpm -qp --recommends "$rpm" 2>/dev/null)
for library in libavcodec.so. libavutil.so. libswscale.so. libGL.so.1 libXcursor.so.1; do
    expect "the .rpm names $library" holds "$recommended" "^$library"
done
dpkg-deb -x "$deb" "$folder/unpacked"
# Again, as somebody else and elsewhere in the world.
sums() { (cd "$folder/bundle" && sha256sum -- *.deb *.rpm *.tar.gz); }
sums >"$folder/sums"
(umask 077 && TZ=Asia/Tokyo LC_ALL=C ONAIR_PICTURES_URL=https://example.org/pictures/ \
    packaging/bundle.sh --binary "$program" >/dev/null)
expect "the same program makes the same packages" diff "$folder/sums" <(sums)
expect "an unknown kind is named with all kinds" holds \
    "$(packaging/bundle.sh --no-screenshots zip 2>&1 || true)" "use deb, rpm, tar, flatpak, windows or all"
metainfo=$folder/unpacked/usr/share/metainfo/onair.metainfo.xml
expect "the software-center entry is valid" appstreamcli validate --no-net --no-color "$metainfo"
screenshots=$(sed -n 's|.*<image[^>]*>https://example.org/pictures/\(.*\)</image>|assets/pictures/\1|p' "$metainfo")
# shellcheck disable=SC2086 # One name on each line.
expect "each screenshot in it is a picture of the guide" ls ${screenshots:-"no screenshot"}
expect "a missing address of the screenshots is named" holds \
    "$(ONAIR_PICTURES_URL='' packaging/bundle.sh --binary "$program" tar 2>&1 || true)" "or use --no-screenshots"
packaging/bundle.sh --binary "$program" --no-screenshots tar >/dev/null
expect "a package without screenshots has the rest of the entry" test "$(tar -xOzf "$tar" --wildcards '*/onair.metainfo.xml' |
    grep -c '<id>\|<screenshot')" = 1
expect "the program is stripped" test -z "$(readelf -S "$folder/unpacked/usr/bin/onair" | grep -F .symtab)"
expect "its debug symbols are beside the packages" test -s "$(echo "$folder"/bundle/*.debug)"

expect "the Flatpak has all its crates" /usr/bin/python3 packaging/flatpak_sources.py --test "$folder/flatpak"
if ! command -v flatpak-builder >/dev/null; then
    expect "a missing flatpak-builder is named" holds "$(packaging/bundle.sh flatpak 2>&1 || true)" "needs flatpak-builder"
fi

system=$folder/system
# The archive that this machine is installed from. A system with systemd also has systemd-sysusers.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ ! -s "$file" ] || sources+=("$file")
done
if [ "$(id -u)" != 0 ] || ! mmdebstrap --variant=minbase --include=systemd-standalone-sysusers \
    --mode=root --quiet --skip=cleanup/apt/lists "$(. /etc/os-release && echo "$VERSION_CODENAME")" \
    "$system" "${sources[@]}" >"$folder/log" 2>&1; then
    untested "No clean Debian system can be made here: installing the .deb is NOT tested."
    tail -n 5 "$folder/log" >&2 2>/dev/null || true
    exit "$failed"
fi
inside() { chroot "$system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
cp /etc/resolv.conf "$system/etc/resolv.conf" 2>/dev/null || true
inside find / -xdev -type f -path '*onair*' >"$folder/before" 2>/dev/null || true
cp "$deb" "$system/root/onair.deb"
# A program in place of systemd's, which records its calls.
mkdir -p "$system/run/systemd/system"
printf '#!/bin/sh\necho "$*" >>/root/calls\n' >"$system/usr/bin/systemctl"
chmod +x "$system/usr/bin/systemctl"
# called ARGUMENTS: succeeds if systemctl was called with these arguments since the last call of `forget`.
called() { grep -qxF -- "$1" "$system/root/calls"; }
forget() { : >"$system/root/calls"; }
forget
expect "the .deb installs" inside apt-get install -y -q --no-install-recommends /root/onair.deb
expect "systemd reads the units" called "daemon-reload"
expect "no server is restarted" not called "try-restart onair.service"
forget
expect "the .deb is upgraded" inside dpkg -i /root/onair.deb
expect "systemd reads the new units" called "daemon-reload"
expect "a running server is restarted" called "try-restart onair.service"
expect "it is not stopped before" not called "stop onair.socket onair.service"
# The scripts of the .rpm get the number of versions that are installed afterwards.
scriptlet() { rpm -qp --qf "%{$1}" "$rpm" 2>/dev/null | inside sh -s "$2"; }
forget
expect "the script of a new .rpm works" scriptlet POSTIN 1
expect "no server is restarted by it" not called "try-restart onair.service"
expect "the script of a newer .rpm works" scriptlet POSTIN 2
expect "it restarts a running server" called "try-restart onair.service"
expect "the script of an older .rpm works" scriptlet PREUN 1
expect "it stops no server" not called "stop onair.socket onair.service"
expect "the script of a removed .rpm works" scriptlet PREUN 0
expect "it stops the server" called "stop onair.socket onair.service"
forget
expect "the last script of a removed .rpm works" scriptlet POSTUN 0
expect "systemd forgets the units of the .rpm" called "daemon-reload"
# The user of the service reads a file that only root and its group may read.
expect "the service has a group" inside install -d -m 750 -g onair /etc/onair
printf 'rtmp = "127.0.0.1:0"\npublish_keys = ["a-long-secret"]\n' >"$system/root/serve.toml"
expect "a file can belong to the group" inside install -m 640 -g onair /root/serve.toml /etc/onair/
# checks_as USER GROUP: checks the configuration as this user.
checks_as() {
    inside HOME=/var/lib/onair setpriv --reuid "$1" --regid "$2" --clear-groups onair serve --check --config /etc/onair/serve.toml
}
expect "the service reads its configuration" checks_as onair onair
expect "nobody else does" not checks_as nobody nogroup
expect "the service has no shell" holds "$(inside getent passwd onair)" ":/var/lib/onair:/usr/sbin/nologin\$"
inside rm -rf /etc/onair /root/serve.toml
expect "it tells its version" inside onair --version
expect "it broadcasts and records" inside onair live --video test --audio tone --size 640x360 --duration 3s \
    --record /root/show.mkv
expect "the recording can be played" inside onair play /root/show.mkv --headless --duration 1s
# The window opens libraries that no tool detects (`opened` in bundle.sh). The clean system has no display, but shares
# the network with this one.
opens_its_window() {
    local display window
    Xvfb -displayfd 1 -ac -listen tcp -noreset -screen 0 1280x720x24 >"$folder/display" 2>/dev/null &
    display=$!
    for _ in $(seq 100); do
        [ ! -s "$folder/display" ] || break
        sleep 0.1
    done
    # shellcheck disable=SC2016 # The shell inside expands it.
    inside DISPLAY="127.0.0.1:$(cat "$folder/display")" LIBGL_ALWAYS_SOFTWARE=1 \
        sh -c 'echo $$ >/root/window && exec onair --log info studio' >"$folder/window" 2>&1 &
    window=$!
    for _ in $(seq 1800); do
        ! grep -q "the window shows its first frame" "$folder/window" || break
        kill -0 "$window" 2>/dev/null || break
        sleep 0.1
    done
    kill -INT "$(cat "$system/root/window")" 2>/dev/null || true
    wait "$window" || true
    kill "$display"
    wait "$display" || true
    rm -f "$system/root/window"
    cat "$folder/window"
    grep -q "the window shows its first frame" "$folder/window"
}
if command -v Xvfb >/dev/null; then
    expect "its window opens" opens_its_window
else
    untested "There is no Xvfb here: opening the window is NOT tested."
fi
expect "it has a manual page" inside test -s /usr/share/man/man1/onair.1.gz
inside rm -rf /root/onair.deb /root/show.mkv /root/.config /root/.local /root/.cache
inside mkdir -p /etc/systemd/system/multi-user.target.wants /etc/systemd/system/sockets.target.wants
inside ln -s /lib/systemd/system/onair.service /etc/systemd/system/multi-user.target.wants/
inside ln -s /lib/systemd/system/onair.socket /etc/systemd/system/sockets.target.wants/
forget
expect "the .deb uninstalls" inside apt-get purge -y -qq onair
expect "the server is stopped" called "stop onair.socket onair.service"
expect "systemd forgets the units" called "daemon-reload"
expect "nothing starts the service any more" test -z "$(ls "$system"/etc/systemd/system/*.wants/onair.* 2>/dev/null || true)"
inside find / -xdev -type f -path '*onair*' -not -path '/proc/*' >"$folder/after" 2>/dev/null || true
expect "nothing of it is left" diff "$folder/before" "$folder/after"
exit "$failed"
