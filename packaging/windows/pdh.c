// The functions of pdh.dll that onair calls, all of which fail, so that onair knows no load of the processors. wine 8 ends a
// program that calls one of them. Only tests use this library; it is in no download.
#include <windows.h>

#define FAILS(name) __declspec(dllexport) LONG WINAPI name(void) { return 0xC0000BB8; }

FAILS(PdhAddEnglishCounterW)
FAILS(PdhCloseQuery)
FAILS(PdhCollectQueryData)
FAILS(PdhEnumObjectsW)
FAILS(PdhGetFormattedCounterValue)
FAILS(PdhOpenQueryW)
FAILS(PdhRemoveCounter)
