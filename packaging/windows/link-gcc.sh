#!/bin/sh
# MinGW's linker for onair. (The name ends with -gcc, by which rustc knows how to call it.) The compiler asks for the C++ runtime as a library beside the program; without that option, it
# becomes a part of the program. The libraries of Windows are linked in the same way as before.
for argument; do
    shift
    [ "$argument" = -Wl,-Bdynamic ] || set -- "$@" "$argument"
done
exec x86_64-w64-mingw32-g++-posix -static "$@"
