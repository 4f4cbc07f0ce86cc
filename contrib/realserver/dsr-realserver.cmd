@echo off
rem SPDX-License-Identifier: ISC
rem
rem Prepares a Windows real server for Direct Server Return: Windows 2000, Server 2003, Server 2008 and 2008 R2. Newer
rem systems have dsr-realserver.ps1. Only cmd.exe and netsh are needed.
rem
rem This script was never run on any Windows: its syntax was checked, and it follows Microsoft's documentation. Look at what
rem /dry-run prints first, and keep another way to the server's console.
rem
rem 2000 and 2003 are weak hosts: the address is enough, and its loopback adapter must have the interface metric 254.
rem 2008 and later are strong hosts: three settings per address family let the VIP in and out.

setlocal EnableExtensions EnableDelayedExpansion
set "ACTION=%~1"
set "VIP=%~2"
set "LOOPBACK=%~3"
set "NETWORK=%~4"
set "PORT="
set "DRY="
set "WRONG=0"
if /i "%~5"=="/port" set "PORT=%~6"
if /i "%~5"=="/dry-run" set "DRY=1"
if /i "%~7"=="/dry-run" set "DRY=1"
set "DATA=%ALLUSERSPROFILE%"
if defined ProgramData set "DATA=%ProgramData%"
set "STATE=%DATA%\dsr-realserver"
set "JOURNAL=%STATE%\undo.cmd"

if /i "%ACTION%"=="undo" goto undo
if /i "%ACTION%"=="apply" goto arguments
if /i "%ACTION%"=="check" goto arguments
goto usage

:arguments
if not defined VIP goto usage
if not defined LOOPBACK goto usage
if not defined NETWORK goto usage
rem Whatever is left when the characters of addresses are taken away does not belong there.
for /f "eol=0 delims=0123456789abcdefABCDEF.:" %%x in ("!VIP!") do (
	echo dsr-realserver: "!VIP!" is not an IP address; write it without a prefix length 1>&2
	exit /b 64
)
if defined PORT for /f "eol=0 delims=0123456789," %%x in ("!PORT!") do (
	echo dsr-realserver: "!PORT!" is not a port, or ports with commas between 1>&2
	exit /b 64
)
set "FAMILY=ipv4"
if not "!VIP::=!"=="!VIP!" set "FAMILY=ipv6"
call :find_version
if "%MAJOR%"=="5" if "%FAMILY%"=="ipv6" (
	echo dsr-realserver: this Windows is a strong host for IPv6 and cannot be changed, so it cannot serve an IPv6 VIP 1>&2
	exit /b 71
)
if /i "%ACTION%"=="check" goto check

rem ---------------------------------------------------------------- apply

:apply
if not defined DRY if not exist "%STATE%" mkdir "%STATE%"
if "%MAJOR%"=="5" goto apply5

for %%s in ("!NETWORK!,weakhostreceive,Receives" "!LOOPBACK!,weakhostreceive,Receives" "!LOOPBACK!,weakhostsend,Sends") do (
	for /f "tokens=1,2,3 delims=," %%a in (%%s) do call :weak "%%a" %%b %%c
)
call :has_vip
if "%HAS%"=="1" goto apply_firewall
if "%FAMILY%"=="ipv4" (
	rem Server 2008 knows skipassource only with an update, so it is tried first and left out if refused.
	call :note netsh interface ipv4 delete address "!LOOPBACK!" !VIP!
	echo netsh interface ipv4 add address "!LOOPBACK!" !VIP! 255.255.255.255 skipassource=true
	if not defined DRY (
		netsh interface ipv4 add address "!LOOPBACK!" !VIP! 255.255.255.255 skipassource=true >nul
		if errorlevel 1 (
			echo netsh interface ipv4 add address "!LOOPBACK!" !VIP! 255.255.255.255
			netsh interface ipv4 add address "!LOOPBACK!" !VIP! 255.255.255.255 >nul
			if errorlevel 1 goto failed
		)
	)
) else (
	call :note netsh interface ipv6 delete address "!LOOPBACK!" !VIP!
	echo netsh interface ipv6 add address "!LOOPBACK!" !VIP!/128
	if not defined DRY (
		netsh interface ipv6 add address "!LOOPBACK!" !VIP!/128 >nul
		if errorlevel 1 goto failed
	)
)

:apply_firewall
if not defined PORT goto apply_done
netsh advfirewall firewall show rule name="dsr-realserver !VIP!" >nul 2>&1
if not errorlevel 1 goto apply_done
call :note netsh advfirewall firewall delete rule name="dsr-realserver !VIP!"
echo netsh advfirewall firewall add rule name="dsr-realserver !VIP!" dir=in action=allow protocol=TCP localip=!VIP! localport=!PORT! profile=any
if defined DRY goto apply_done
netsh advfirewall firewall add rule name="dsr-realserver !VIP!" dir=in action=allow protocol=TCP localip=!VIP! localport=!PORT! profile=any >nul
if errorlevel 1 goto failed

:apply_done
echo Keep the VIP out of DNS: in the adapter's IPv4 properties, Advanced, DNS, take the tick from "Register this connection's addresses in DNS".
exit /b 0

:apply5
call :has_vip
if "%HAS%"=="1" goto apply5_firewall
call :note netsh interface ip delete address "!LOOPBACK!" !VIP!
echo netsh interface ip add address "!LOOPBACK!" !VIP! 255.255.255.255
if not defined DRY (
	netsh interface ip add address "!LOOPBACK!" !VIP! 255.255.255.255
	if errorlevel 1 goto failed
)

:apply5_firewall
if not defined PORT goto apply5_done
for %%p in (!PORT!) do (
	call :note netsh firewall delete portopening TCP %%p interface="!LOOPBACK!"
	echo netsh firewall add portopening TCP %%p dsr-realserver ENABLE interface="!LOOPBACK!"
	if not defined DRY netsh firewall add portopening TCP %%p dsr-realserver ENABLE interface="!LOOPBACK!" >nul
)

:apply5_done
echo By hand, in the properties of the adapter "!LOOPBACK!", Internet Protocol (TCP/IP), Advanced:
echo   IP Settings: take the tick from "Automatic metric" and write 254 as the interface metric
echo   DNS: take the tick from "Register this connection's addresses in DNS"
exit /b 0

rem ---------------------------------------------------------------- check

:check
call :has_vip
if "%HAS%"=="1" (
	echo ok     !VIP! is an address of this host
) else (
	set "WRONG=1"
	echo wrong  !VIP! is no address of this host; type: dsr-realserver.cmd apply !VIP! "!LOOPBACK!" "!NETWORK!"
)
if "%MAJOR%"=="5" (
	echo note   this Windows accepts the VIP on every interface; look whether the metric of "!LOOPBACK!" is 254
	exit /b %WRONG%
)
for %%s in ("!NETWORK!,weakhostreceive,Receives" "!LOOPBACK!,weakhostreceive,Receives" "!LOOPBACK!,weakhostsend,Sends") do (
	for /f "tokens=1,2,3 delims=," %%a in (%%s) do call :check_weak "%%a" %%b %%c
)
exit /b %WRONG%

rem ---------------------------------------------------------------- undo

:undo
if not exist "%JOURNAL%" (
	echo nothing to undo: %JOURNAL% does not exist
	exit /b 0
)
type "%JOURNAL%"
if /i "%~2"=="/dry-run" exit /b 0
call "%JOURNAL%"
del "%JOURNAL%"
exit /b 0

rem ---------------------------------------------------------------- parts

rem :note COMMAND...: the command that takes back what follows goes into the journal first. Twice does no harm.
:note
if defined DRY exit /b 0
>>"%JOURNAL%" echo %*
exit /b 0

rem :is_weak INTERFACE WORD: sets WEAK. Windows prints "Weak Host Receives : enabled", in English; elsewhere it is unknown.
:is_weak
set "WEAK=unknown"
for /f "tokens=2 delims=:" %%v in ('netsh interface %FAMILY% show interface "%~1" ^| findstr /i /c:"Weak Host %~2"') do (
	set "WEAK=disabled"
	echo %%v| findstr /i "enabled" >nul && set "WEAK=enabled"
)
exit /b 0

rem :weak INTERFACE SETTING WORD
:weak
call :is_weak "%~1" %3
if "%WEAK%"=="enabled" exit /b 0
rem Where the value cannot be read, the default of all these systems is taken for what was: disabled.
call :note netsh interface %FAMILY% set interface "%~1" %2=disabled
echo netsh interface %FAMILY% set interface "%~1" %2=enabled
if defined DRY exit /b 0
netsh interface %FAMILY% set interface "%~1" %2=enabled >nul
if errorlevel 1 echo dsr-realserver: that command failed 1>&2
exit /b 0

:check_weak
call :is_weak "%~1" %3
if "%WEAK%"=="enabled" (
	echo ok     %2 is enabled on "%~1"
	exit /b 0
)
if "%WEAK%"=="unknown" (
	echo note   cannot read %2 of "%~1"; look at: netsh interface %FAMILY% show interface "%~1"
	exit /b 0
)
set "WRONG=1"
echo wrong  %2 is disabled on "%~1": packets for the VIP are dropped; type: netsh interface %FAMILY% set interface "%~1" %2=enabled
exit /b 0

rem :has_vip: sets HAS. ipconfig prints the address at the end of a line, after a blank, in every language.
:has_vip
set "HAS=0"
for /f "tokens=1" %%v in ('ipconfig ^| findstr /i /l /e /c:" !VIP!"') do set "HAS=1"
exit /b 0

rem :find_version: sets MAJOR to 5 (2000, XP, 2003) or 6 (2008 and later).
:find_version
set "MAJOR=6"
ver | findstr /l /c:" 5." >nul && set "MAJOR=5"
exit /b 0

:failed
echo dsr-realserver: that command failed; "dsr-realserver.cmd undo" takes back what was done so far 1>&2
exit /b 71

:usage
echo usage: dsr-realserver.cmd apply VIP LOOPBACK NETWORK [/port PORT[,PORT...]] [/dry-run]
echo        dsr-realserver.cmd check VIP LOOPBACK NETWORK
echo        dsr-realserver.cmd undo [/dry-run]
echo.
echo   VIP       the virtual address, IPv4 or (2008 and later) IPv6
echo   LOOPBACK  name of the loopback adapter's connection, in quotes
echo   NETWORK   name of the connection that packets for the VIP arrive on, in quotes
exit /b 64
