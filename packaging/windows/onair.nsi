; The installer of onair for Windows. packaging/windows.sh calls it:
;   makensis -DVERSION=… -DFOLDER=… -DOUTPUT=… onair.nsi
;
; It installs for the current user, which needs no administrator, or for all users by choice. It changes no file
; association, starts nothing with Windows, and adds its folder to no PATH. Options: /S asks nothing, /ALLUSERS installs for
; all users, /D=FOLDER is the folder (last). The uninstaller removes only the files that the installer has written; settings
; and recordings stay.

Unicode true
Target amd64-unicode
!ifdef QUICK
SetCompressor zlib
!else
SetCompressor /SOLID lzma
!endif
SetDateSave off
ManifestDPIAware true
ManifestSupportedOS Win10
RequestExecutionLevel user

!include MUI2.nsh
!include nsDialogs.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\onair"

Name "onair"
OutFile "${OUTPUT}"
BrandingText "onair ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "onair"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileDescription "onair setup"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey LegalCopyright "MIT OR Apache-2.0"
InstallDir ""

Var Everyone
Var RadioMine
Var RadioEveryone

!define MUI_ICON "${__FILEDIR__}/onair.ico"
!define MUI_UNICON "${__FILEDIR__}/onair.ico"
!define MUI_FINISHPAGE_RUN "$INSTDIR\onair.exe"
!insertmacro MUI_PAGE_LICENSE "${FOLDER}\LICENSE.txt"
Page custom AskFor LeaveFor
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"

LangString FOR_TITLE ${LANG_ENGLISH} "Who uses onair?"
LangString FOR_TITLE ${LANG_SIMPCHINESE} "谁使用 onair？"
LangString FOR_TEXT ${LANG_ENGLISH} "Choose for whom to install onair."
LangString FOR_TEXT ${LANG_SIMPCHINESE} "请选择为谁安装 onair。"
LangString FOR_ME ${LANG_ENGLISH} "Only me (no administrator is needed)"
LangString FOR_ME ${LANG_SIMPCHINESE} "仅限我自己（不需要管理员权限）"
LangString FOR_ALL ${LANG_ENGLISH} "All users of this computer (an administrator must agree)"
LangString FOR_ALL ${LANG_SIMPCHINESE} "这台电脑的所有用户（需要管理员同意）"
LangString IS_RUNNING ${LANG_ENGLISH} "onair is running. Close it, then try again."
LangString IS_RUNNING ${LANG_SIMPCHINESE} "onair 正在运行。请将其关闭，然后重试。"
LangString NEEDS_ADMIN ${LANG_ENGLISH} "To install onair for all users, start the installer as an administrator."
LangString NEEDS_ADMIN ${LANG_SIMPCHINESE} "要为所有用户安装 onair，请以管理员身份启动安装程序。"

; Chooses the folder and the part of the registry.
!macro Use un
Function ${un}Use
    ${If} $Everyone == 1
        SetShellVarContext all
        SetRegView 64
    ${Else}
        SetShellVarContext current
    ${EndIf}
FunctionEnd
!macroend
!insertmacro Use ""
!insertmacro Use "un."

Function Place
    Call Use
    ${If} $Everyone == 1
        StrCpy $INSTDIR "$PROGRAMFILES64\onair"
    ${Else}
        StrCpy $INSTDIR "$LOCALAPPDATA\Programs\onair"
    ${EndIf}
    ; An update goes where onair is.
    ReadRegStr $0 SHCTX "${UNINSTALL}" "InstallLocation"
    ${If} $0 != ""
        StrCpy $INSTDIR $0
    ${EndIf}
FunctionEnd

Function .onInit
    StrCpy $R9 $INSTDIR
    StrCpy $Everyone 0
    ${GetParameters} $0
    ClearErrors
    ${GetOptions} $0 "/ALLUSERS" $1
    ${IfNot} ${Errors}
        StrCpy $Everyone 1
        Call IsAdmin
        ${If} $0 != "Admin"
            MessageBox MB_OK|MB_ICONSTOP "$(NEEDS_ADMIN)" /SD IDOK
            SetErrorLevel 740
            Quit
        ${EndIf}
    ${EndIf}
    Call Place
    ${If} $R9 != ""
        StrCpy $INSTDIR $R9
    ${EndIf}
FunctionEnd

Function IsAdmin
    UserInfo::GetAccountType
    Pop $0
FunctionEnd

Function AskFor
    ; Who was asked by an administrator's question has chosen.
    ${GetParameters} $0
    ClearErrors
    ${GetOptions} $0 "/ALLUSERS" $1
    ${IfNot} ${Errors}
        Abort
    ${EndIf}
    !insertmacro MUI_HEADER_TEXT "$(FOR_TITLE)" "$(FOR_TEXT)"
    nsDialogs::Create 1018
    Pop $0
    ${NSD_CreateRadioButton} 0 10u 100% 12u "$(FOR_ME)"
    Pop $RadioMine
    ${NSD_CreateRadioButton} 0 28u 100% 12u "$(FOR_ALL)"
    Pop $RadioEveryone
    ${If} $Everyone == 1
        ${NSD_Check} $RadioEveryone
    ${Else}
        ${NSD_Check} $RadioMine
    ${EndIf}
    nsDialogs::Show
FunctionEnd

Function LeaveFor
    ${NSD_GetState} $RadioEveryone $0
    ${If} $0 == ${BST_CHECKED}
        StrCpy $Everyone 1
        Call IsAdmin
        ${If} $0 != "Admin"
            ; Windows asks for an administrator, and starts the installer again.
            ClearErrors
            ExecShell "runas" "$EXEPATH" "/ALLUSERS"
            ${If} ${Errors}
                StrCpy $Everyone 0
                Abort
            ${EndIf}
            Quit
        ${EndIf}
    ${Else}
        StrCpy $Everyone 0
    ${EndIf}
    Call Place
FunctionEnd

Section
    SetOutPath $INSTDIR
    ; A running program cannot be replaced.
    try:
    ClearErrors
    ${If} ${FileExists} "$INSTDIR\onair.exe"
        FileOpen $0 "$INSTDIR\onair.exe" a
        ${If} ${Errors}
            MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(IS_RUNNING)" /SD IDCANCEL IDRETRY try
            SetErrorLevel 5
            Abort "$(IS_RUNNING)"
        ${EndIf}
        FileClose $0
    ${EndIf}
    File /r "${FOLDER}\*"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    CreateShortcut "$SMPROGRAMS\onair.lnk" "$INSTDIR\onair.exe"
    WriteRegStr SHCTX "${UNINSTALL}" "DisplayName" "onair"
    WriteRegStr SHCTX "${UNINSTALL}" "DisplayVersion" "${VERSION}"
    WriteRegStr SHCTX "${UNINSTALL}" "DisplayIcon" "$INSTDIR\onair.exe"
    WriteRegStr SHCTX "${UNINSTALL}" "Publisher" "the onair authors"
    WriteRegStr SHCTX "${UNINSTALL}" "InstallLocation" "$INSTDIR"
    WriteRegStr SHCTX "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr SHCTX "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD SHCTX "${UNINSTALL}" "NoModify" 1
    WriteRegDWORD SHCTX "${UNINSTALL}" "NoRepair" 1
    ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
    WriteRegDWORD SHCTX "${UNINSTALL}" "EstimatedSize" $0
SectionEnd

Function un.onInit
    ; The part of the registry that has this folder says for whom it was installed.
    StrCpy $Everyone 0
    SetRegView 64
    ReadRegStr $0 HKLM "${UNINSTALL}" "InstallLocation"
    ${If} $0 == $INSTDIR
        StrCpy $Everyone 1
        UserInfo::GetAccountType
        Pop $0
        ${If} $0 != "Admin"
            ExecShell "runas" "$INSTDIR\uninstall.exe"
            Quit
        ${EndIf}
    ${EndIf}
    Call un.Use
FunctionEnd

Section Uninstall
    try:
    ClearErrors
    FileOpen $0 "$INSTDIR\onair.exe" a
    ${If} ${Errors}
    ${AndIf} ${FileExists} "$INSTDIR\onair.exe"
        MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(IS_RUNNING)" /SD IDCANCEL IDRETRY try
        SetErrorLevel 5
        Abort "$(IS_RUNNING)"
    ${EndIf}
    FileClose $0
    ; The list of the files that were installed, which windows.sh writes.
    !include "${REMOVALS}"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    Delete "$SMPROGRAMS\onair.lnk"
    DeleteRegKey SHCTX "${UNINSTALL}"
SectionEnd
