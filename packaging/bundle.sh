#!/usr/bin/env bash
# Builds the packages of onair for this machine's processor: a .deb, an .rpm and an archive, with the manual
# pages and the shells' completions. The program in them is stripped; its debug symbols are in a separate file.
# The same program and the same commit make the same packages, byte for byte.
#
#   packaging/bundle.sh [--binary FILE] [--no-screenshots] [KIND…]
#
# KINDS: deb rpm tar flatpak windows (without a kind: deb rpm tar)
#        all: all of them, with a Flatpak if flatpak-builder is installed
# --binary FILE   package this program instead of building one; Flatpaks and Windows always build their own
# ONAIR_PICTURES_URL   the web address of a copy of assets/pictures, from which software centers load screenshots.
#                      There is no default, because the pictures are not on the web yet.
# --no-screenshots     make packages without screenshots, which need no address
# Everything is written to target/bundle/ (with CARGO_TARGET_DIR set: to bundle/ there).
set -euo pipefail
# shellcheck source=packaging/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
cd "$root"

binary=
screenshots=1
while [[ ${1-} == -* ]]; do
    case $1 in
    --binary)
        binary=$(realpath "${2:?--binary needs a file}")
        shift
        ;;
    --no-screenshots) screenshots= ;;
    *)
        complain "'$1' is not an option: use --binary FILE or --no-screenshots."
        exit 2
        ;;
    esac
    shift
done
kinds=("$@")
[ $# -gt 0 ] || kinds=(deb rpm tar)
if [ "${kinds[*]}" = all ]; then
    kinds=(deb rpm tar windows)
    if command -v flatpak-builder >/dev/null; then
        kinds+=(flatpak)
    else
        say "flatpak-builder is not installed: there will be no Flatpak."
    fi
fi
for kind in "${kinds[@]}"; do
    case $kind in
    deb | rpm | tar | windows) ;;
    flatpak)
        command -v flatpak-builder >/dev/null || {
            complain "A Flatpak needs flatpak-builder, which is not installed."
            exit 1
        }
        ;;
    *)
        complain "'$kind' is not a kind of package: use deb, rpm, tar, flatpak, windows or all."
        exit 2
        ;;
    esac
done
if [ "${kinds[*]}" != windows ] && [ -n "$screenshots" ] && [ -z "${ONAIR_PICTURES_URL-}" ]; then
    complain "The packages would lack the screenshots for software centers, whose address is not known.
Set ONAIR_PICTURES_URL to the web address of a copy of assets/pictures, or use --no-screenshots."
    exit 2
fi

target=${CARGO_TARGET_DIR:-$root/target}
out=$target/bundle
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
machine=$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(commit_time)}
export SOURCE_DATE_EPOCH

# write_metainfo FOLDER: writes the entry for software centers.
write_metainfo() {
    install -D -m 644 -t "$1" packaging/desktop/onair.metainfo.xml
    [ -n "$screenshots" ] || return 0
    sed "s|@PICTURES@|${ONAIR_PICTURES_URL%/}|" packaging/desktop/screenshots.xml >"$work/screenshots.xml"
    sed -i "/<icon /r $work/screenshots.xml" "$1/onair.metainfo.xml"
}

# The manifest names the files in target/flatpak. flatpak-builder needs its folders on one file system.
build_flatpak() {
    local folder=$root/target/flatpak file=$out/onair-$version-$machine.flatpak
    packaging/flatpak_sources.py
    write_metainfo "$folder"
    flatpak-builder --user --install-deps-from=flathub --force-clean --state-dir="$folder/state" \
        --repo="$folder/repository" "$folder/build" packaging/desktop/io.onair.onair.yml
    flatpak build-bundle "$folder/repository" "$file" io.onair.onair
    say "$file"
}

build_windows() { packaging/windows.sh all; }

case ${kinds[*]} in
flatpak | windows)
    "build_${kinds[0]}"
    exit
    ;;
esac

need_packages bundle
if [ -z "$binary" ]; then
    need_packages build decoders sharing
    need_rust
    with_features
    say "Building onair $version with debug symbols."
    CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR=$out/build \
        cargo build --locked --release --bin onair ${features[@]+"${features[@]}"}
    binary=$out/build/release/onair
fi

# The files with their installed paths.
tree=$work/tree
install -D -m 755 "$binary" "$tree/usr/bin/onair"
symbols=$out/onair-$version-$machine.debug
if is_split "$binary"; then
    cp "$binary.debug" "$symbols"
    objcopy --remove-section=.gnu_debuglink "$tree/usr/bin/onair"
    objcopy --add-gnu-debuglink="$symbols" "$tree/usr/bin/onair"
else
    split_symbols "$tree/usr/bin/onair" "$symbols"
fi
onair=$tree/usr/bin/onair
install -D -m 644 -t "$tree/usr/share/applications" packaging/desktop/onair.desktop
write_metainfo "$tree/usr/share/metainfo"
install -D -m 644 -t "$tree/usr/lib/systemd/system" packaging/systemd/onair.service packaging/systemd/onair.socket \
    packaging/systemd/onair-live@.service
install -D -m 644 packaging/systemd/onair.sysusers "$tree/usr/lib/sysusers.d/onair.conf"
install -D -m 644 -t "$tree/usr/share/icons/hicolor/scalable/apps" packaging/desktop/onair.svg
install -D -m 644 -t "$tree/usr/share/doc/onair" README.md CHANGELOG.md THIRD-PARTY.md
install -D -m 644 -t "$tree/usr/share/doc/onair/LICENSES" LICENSES/* assets/web/vendor/*LICENSE*
install -D -m 644 LICENSE "$tree/usr/share/doc/onair/copyright"
# The help in the window shows them.
install -D -m 644 -t "$tree/usr/share/onair/pictures" assets/pictures/*.jpg
"$onair" man --all "$tree/usr/share/man/man1"
gzip -9n "$tree"/usr/share/man/man1/*
completion() {
    mkdir -p "$(dirname "$tree/$2")"
    "$onair" completions "$1" >"$tree/$2"
}
completion bash usr/share/bash-completion/completions/onair
completion zsh usr/share/zsh/site-functions/_onair
completion fish usr/share/fish/vendor_completions.d/onair.fish

same_for_all "$tree"

summary="Live-streaming studio with a server and a player"
description="onair streams cameras, displays, media files and microphones to any RTMP server, records and plays
streams, and includes a server. Everything also works on the command line, without a display."
# Packages that no tool detects: libraries that the program opens at run time, and the TLS root certificates.
opened=(ca-certificates libgl1 libegl1 libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2)
# FFmpeg's libraries with their major versions. A program with FFmpeg's decoders opens the libraries whose headers it
# was built with, and the loader reports their names. After a missing library, the program opens no others.
decoders=()
if grep -qaF sws_setColorspaceDetails "$onair"; then
    loads=$(LD_DEBUG=libs timeout 60 "$onair" devices 2>&1 || true)
    for name in avcodec avutil swscale; do
        number=$(sed -n "/find library=lib$name\.so\./{s/.*\.so\.\([0-9]*\) .*/\1/p;q}" <<<"$loads")
        decoders+=(${number:+"lib$name $number"})
    done
    [ ${#decoders[@]} = 3 ] || {
        complain "The packages do not recommend FFmpeg's libraries, because the program cannot open them here. Install the
versions with which the program was built."
        decoders=()
    }
fi

# script CALL: prints a script of a package, which makes this call to a function in steps.sh.
script() {
    printf '#!/bin/sh\nset -e\n'
    cat packaging/systemd/steps.sh
    printf '%s\n' "$1"
}

# shellcheck disable=SC2016 # The scripts expand their arguments.
build_deb() {
    local folder=$work/deb architecture needed
    architecture=$(dpkg --print-architecture)
    cp -a "$tree" "$folder"
    # Packages of Debian have their own folder.
    mv "$folder/usr/share/zsh/site-functions" "$folder/usr/share/zsh/vendor-completions"
    mkdir -p "$folder/DEBIAN" "$work/debian"
    printf 'Source: onair\n' >"$work/debian/control"
    needed=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "$onair" | sed -n 's/^shlibs:Depends=//p')
    {
        printf 'Package: onair\nVersion: %s\nArchitecture: %s\n' "$version" "$architecture"
        printf 'Maintainer: the onair authors\nSection: video\nPriority: optional\n'
        printf 'Installed-Size: %s\n' "$(du -sk --apparent-size "$tree" | cut -f1)"
        printf 'Depends: %s%s\n' "$needed" "$(printf ', %s' "${opened[@]}")"
        [ ${#decoders[@]} = 0 ] || printf 'Recommends: %s\n' "$(printf '%s, ' "${decoders[@]// /}" | sed 's/, $//')"
        printf 'Description: %s\n' "$summary"
        printf '%s\n' "$description" | sed 's/^/ /'
    } >"$folder/DEBIAN/control"
    script '[ "$1" != configure ] || after_install "$2"' >"$folder/DEBIAN/postinst"
    script '[ "$1" != remove ] || before_remove' >"$folder/DEBIAN/prerm"
    script 'case $1 in remove) after_remove "" ;; purge) after_remove yes ;; esac' >"$folder/DEBIAN/postrm"
    chmod 755 "$folder" "$folder/DEBIAN" "$folder"/DEBIAN/p*
    (cd "$folder" && find usr -type f | LC_ALL=C sort | xargs -d '\n' md5sum >DEBIAN/md5sums)
    chmod 644 "$folder/DEBIAN/control" "$folder/DEBIAN/md5sums"
    dpkg-deb -Zzstd --root-owner-group --build "$folder" "$out/onair_${version}_$architecture.deb" >/dev/null
    say "$out/onair_${version}_$architecture.deb"
}

# The argument of a script of an .rpm is the number of versions that are installed afterwards.
# shellcheck disable=SC2016 # The scripts expand their arguments.
build_rpm() {
    local library bits=
    [ "$(getconf LONG_BIT)" = 32 ] || bits='()(64bit)'
    {
        printf 'Name: onair\nVersion: %s\nRelease: 1\nSummary: %s\n' "$version" "$summary"
        printf 'License: MIT OR Apache-2.0\nBuildArch: %s\nRequires: ca-certificates\n' "$machine"
        # Unlike packages, the files of the libraries have the same names in all distributions.
        for library in "${decoders[@]/ /.so.}" $(listed window | grep -o 'library:[^ ]*' | cut -d: -f2); do
            printf 'Recommends: %s%s\n' "$library" "$bits"
        done
        # The files in the tree are final, and are neither stripped nor compressed again.
        printf '%%global debug_package %%{nil}\n%%global __os_install_post %%{nil}\n'
        printf '%%global _build_id_links none\n%%global _binary_payload w10.zstdio\n'
        printf '%%description\n%s\n%%install\ncp -a "%s/." "%%{buildroot}"\n' "$description" "$tree"
        printf '%%post\n%s\n' "$(script 'after_install "${1#1}"')"
        printf '%%preun\n%s\n' "$(script '[ "$1" != 0 ] || before_remove')"
        printf '%%postun\n%s\n' "$(script '[ "$1" != 0 ] || after_remove yes')"
        printf '%%files\n'
        (cd "$tree" && find usr -type f | LC_ALL=C sort | sed 's|.*|"/&"|')
    } >"$work/onair.spec"
    # Without these, the package names this machine and the time of now.
    rpmbuild --quiet -bb --define '_buildhost onair' --define 'use_source_date_epoch_as_buildtime 1' \
        --define 'clamp_mtime_to_source_date_epoch 1' --define "_topdir $work/rpm" --define "_rpmdir $out" \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' "$work/onair.spec"
    say "$out/onair-$version-1.$machine.rpm"
}

build_tar() {
    local name=onair-$version-$machine
    tar -C "$tree" --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --sort=name \
        --transform "s|^usr|$name|" -cf - usr | gzip -n >"$out/$name.tar.gz"
    say "$out/$name.tar.gz"
}

for kind in "${kinds[@]}"; do "build_$kind"; done
say "$symbols"
