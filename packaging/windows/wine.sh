#!/bin/sh
# Runs a program for Windows with wine, such as the unit tests of a crate. Before version 9, wine lacks a library, which is
# put beside the program.
folder=$(dirname "$1")
here=$(dirname "$0")
wine=/usr/lib/wine/wine64
[ -x "$wine" ] || wine=wine
export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
case $("$wine" --version) in
wine-[1-8].*)
    [ -e "$folder/bcryptprimitives.dll" ] || x86_64-w64-mingw32-gcc-posix -O2 -s -shared \
        -o "$folder/bcryptprimitives.dll" "$here/bcryptprimitives.c" -ladvapi32 || exit 1
    ;;
esac
exec "$wine" "$@"
