// onair.com: starts onair.exe, which is beside it, for cmd and PowerShell, and ends with its exit code.
//
// Windows decides by one flag of a program whether a shell waits for it and whether it gets a console. With the flag of a
// console program, onair would open a black window whenever somebody clicks its icon; without the flag, a shell does not wait
// for it. A shell that finds no extension in a command tries .COM first, so `onair live` runs this program, and the shortcuts
// run onair.exe. onair.exe attaches itself to this console and gets Ctrl+C there, so this program ignores it, and waits.
#include <windows.h>

static BOOL WINAPI ignore(DWORD event) {
    // After other events, Windows ends this process soon, and waits for onair.exe by itself.
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

static int refuse(const wchar_t *what) {
    DWORD written;
    wchar_t text[512];
    int length = wsprintfW(text, L"onair: %s (error %lu)\r\n", what, GetLastError());
    HANDLE error = GetStdHandle(STD_ERROR_HANDLE);
    if (!WriteConsoleW(error, text, length, &written, NULL)) {
        char bytes[1024];
        length = WideCharToMultiByte(CP_UTF8, 0, text, length, bytes, sizeof bytes, NULL, NULL);
        WriteFile(error, bytes, length, &written, NULL);
    }
    return 1;
}

int wmain(void) {
    static wchar_t path[32768];
    DWORD length = GetModuleFileNameW(NULL, path, 32767);
    if (length < 4 || length >= 32767) return refuse(L"the path of this program is too long");
    lstrcpyW(path + length - 4, L".exe");

    // If this program is ended by force, so is onair.exe; programs that onair starts, such as a browser, are not.
    HANDLE job = CreateJobObjectW(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetHandleInformation(start.hStdInput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(start.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(start.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetConsoleCtrlHandler(ignore, TRUE);
    PROCESS_INFORMATION process;
    if (!CreateProcessW(path, GetCommandLineW(), NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &process))
        return refuse(L"onair.exe, which belongs beside onair.com, cannot be started");
    AssignProcessToJobObject(job, process.hProcess);
    ResumeThread(process.hThread);
    WaitForSingleObject(process.hProcess, INFINITE);
    DWORD code = 1;
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}
