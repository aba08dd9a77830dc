; The Windows installer of Kindred: one folder, a shortcut, .dcm files in "Open with", and an entry in "Apps" that removes
; all of it. No file of the user is touched: reports, settings and archives lie below %LOCALAPPDATA% or where they were put.
; PAYLOAD, OUTPUT, PACKAGE, VERSION, NUMBERS, LICENSE, ICON, COMPRESSOR and KILOBYTES come from installer/windows.py.
Unicode true
SetCompressor /SOLID ${COMPRESSOR}
Name "Kindred ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$PROGRAMFILES64\Kindred"
InstallDirRegKey HKLM "Software\Kindred" "Folder"
RequestExecutionLevel admin
Icon "${ICON}"
UninstallIcon "${ICON}"
LicenseData "${LICENSE}"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Kindred"
!define PROGID "Kindred.DICOM"

VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "Kindred"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${PACKAGE}: radiology assistant, research software"
VIAddVersionKey "LegalCopyright" "Apache-2.0"

Page license
Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Section "Kindred"
  SetRegView 64
  SetShellVarContext all
  IfFileExists "$INSTDIR\uninstall.exe" 0 fresh  ; an upgrade leaves no file of the version before
    RMDir /r "$INSTDIR\_internal"
    RMDir /r "$INSTDIR\licences"
  fresh:
  SetOutPath "$INSTDIR"
  File /r "${PAYLOAD}\*"
  File "/oname=kindred.ico" "${ICON}"
  CreateShortcut "$SMPROGRAMS\Kindred.lnk" "$INSTDIR\kindred.exe" "" "$INSTDIR\kindred.ico"
  WriteRegStr HKLM "Software\Kindred" "Folder" "$INSTDIR"
  WriteRegStr HKLM "Software\Kindred" "Version" "${VERSION}"
  WriteRegStr HKLM "Software\Classes\${PROGID}" "" "DICOM image"
  WriteRegStr HKLM "Software\Classes\${PROGID}\DefaultIcon" "" "$INSTDIR\kindred.ico"
  WriteRegStr HKLM "Software\Classes\${PROGID}\shell\open\command" "" '"$INSTDIR\kindred.exe" "%1"'
  WriteRegStr HKLM "Software\Classes\.dcm\OpenWithProgids" "${PROGID}" ""
  WriteRegStr HKLM "${UNINSTALL}" "DisplayName" "Kindred"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKLM "${UNINSTALL}" "DisplayIcon" "$INSTDIR\kindred.ico"
  WriteRegStr HKLM "${UNINSTALL}" "Publisher" "The Kindred authors"
  WriteRegStr HKLM "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegDWORD HKLM "${UNINSTALL}" "EstimatedSize" ${KILOBYTES}
  WriteUninstaller "$INSTDIR\uninstall.exe"
SectionEnd

Section "Uninstall"
  SetRegView 64
  SetShellVarContext all
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "$INSTDIR\licences"
  Delete "$INSTDIR\kindred.exe"
  Delete "$INSTDIR\kindred.ico"
  Delete "$INSTDIR\LICENSE"
  Delete "$INSTDIR\SHA256SUMS"
  Delete "$INSTDIR\release.json"
  Delete "$INSTDIR\sbom.cdx.json"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"  ; only if it is empty: nothing of the user's is deleted
  Delete "$SMPROGRAMS\Kindred.lnk"
  DeleteRegValue HKLM "Software\Classes\.dcm\OpenWithProgids" "${PROGID}"
  DeleteRegKey HKLM "Software\Classes\${PROGID}"
  DeleteRegKey HKLM "${UNINSTALL}"
  DeleteRegKey HKLM "Software\Kindred"
SectionEnd
