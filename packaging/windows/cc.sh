#!/bin/sh
# MinGW's C compiler for the codecs of onair. FDK-AAC's header defines fMax(SHORT) twice unless `long` looks like that of
# other systems.
case " $* " in
*"aac/lib"*) exec x86_64-w64-mingw32-gcc-posix -D__LP64__ "$@" ;;
*) exec x86_64-w64-mingw32-gcc-posix "$@" ;;
esac
