@echo off
rem SPDX-License-Identifier: ISC
rem
rem Prepares a Windows real server for Direct Server Return: Windows 2000, XP, Server 2003, Server 2008 and 2008 R2. Newer
rem systems have dsr-realserver.ps1. Only cmd.exe and the programs of a bare Windows are needed.
rem
rem Every line of this file ends in CR LF. cmd.exe misses labels in a file without.
rem
rem Tests run it in Wine's cmd.exe, against programs that imitate Windows. It has not run on a real Windows: look at what
rem /dry-run prints first, and keep another way to the server's console.
rem
rem 2000, XP and 2003 are weak hosts: the address is enough, and its loopback adapter must have the interface metric 254.
rem 2008 and later are strong hosts: three settings per address family let the VIP in and out.
rem
rem The journal has a line for each thing to take back, written before the change: KIND FAMILY WHAT NAME/
rem     weak ipv4 weakhostreceive net/          disable that setting
rem     address ipv4 192.0.2.10 loopback/       delete the address
rem     dhcp ipv4 192.0.2.10 loopback/          the address is the only one: give the connection back to DHCP instead
rem     dns ipv4 static loopback/               register in DNS again
rem     nodns ipv4 static loopback/             no, that change was refused
rem     rule TCP 80,443 192.0.2.10/             delete the firewall rule of that VIP
rem     port TCP 80 loopback/                   close the port
rem Lines are only added, and undo can run each of them twice, so an interruption at any moment loses nothing. NAME may have
rem blanks; the slash, which no name has, shows that the line is complete. Names are used as "!NAME!", which cmd.exe does not
rem read a second time.

setlocal EnableExtensions EnableDelayedExpansion
set "ACTION=%~1"
set "VIP="
set "LOOPBACK="
set "NETWORK="
set "PORT="
set "NOTED=1"
set "DRY="
set "WRONG=0"
set "DATA=%ALLUSERSPROFILE%"
if defined ProgramData set "DATA=%ProgramData%"
set "STATE=%DATA%\dsr-realserver"
set "JOURNAL=%STATE%\journal.txt"

if /i "%ACTION%"=="undo" goto options
if /i "%ACTION%"=="apply" goto names
if /i not "%ACTION%"=="check" goto usage

:names
set "VIP=%~2"
set "LOOPBACK=%~3"
set "NETWORK=%~4"
if not defined VIP goto usage
if not defined LOOPBACK goto usage
if not defined NETWORK goto usage
shift
shift
shift

rem cmd.exe reads a comma between arguments as a blank: the ports are all words up to the next one with a slash.
:options
shift
:option
set "WORD=%~1"
if not defined WORD goto arguments
if /i "%ACTION%"=="check" goto usage
if /i "%WORD%"=="/dry-run" goto option_dry
if /i "%ACTION%"=="undo" goto usage
if /i not "%WORD%"=="/port" goto usage
set "WORD=%~2"
if not defined WORD goto usage
if "%WORD:~0,1%"=="/" goto usage
:port
shift
set "WORD=%~1"
if not defined WORD goto arguments
if "%WORD:~0,1%"=="/" goto option
if defined PORT set "WORD=%PORT%,%WORD%"
set "PORT=%WORD%"
goto port
:option_dry
set "DRY=1"
goto options

:arguments
call :find_version
if /i "%ACTION%"=="undo" goto locked
if /i "!LOOPBACK!"=="!NETWORK!" goto same_name
rem What is left when the characters of an address are removed does not belong there.
set "BAD="
for /f "eol=0 delims=0123456789abcdefABCDEF.:" %%x in ("%VIP%") do set "BAD=%%x"
if defined BAD goto bad_vip
set "BAD="
if defined PORT for /f "eol=0 delims=0123456789," %%x in ("%PORT%") do set "BAD=%%x"
if defined BAD goto bad_port
set "FAMILY="
echo !VIP!| findstr /l /c:"." >nul
if not errorlevel 1 set "FAMILY=ipv4"
echo !VIP!| findstr /l /c:":" >nul
if not errorlevel 1 set "FAMILY=ipv6"
if not defined FAMILY goto bad_vip
if "%MAJOR%%FAMILY%"=="5ipv6" goto no_ipv6
if /i "%ACTION%"=="check" goto check

:locked
if defined DRY goto unlocked
call :lock
if errorlevel 1 exit /b 71
:unlocked
if /i "%ACTION%"=="apply" call :apply
if /i "%ACTION%"=="undo" call :undo
set "STATUS=%errorlevel%"
if not defined DRY call :unlock
exit /b %STATUS%

rem ---------------------------------------------------------------- apply

:apply
call :has_vip
if "%ELSEWHERE%"=="1" goto elsewhere
call :is_network
if "%BAD%"=="1" goto not_loopback
call :foreign_rule
if "%BAD%"=="1" goto foreign
if "%MAJOR%"=="5" goto apply_address

set "NAME=!NETWORK!"
set "SETTING=weakhostreceive"
call :weak
if errorlevel 1 goto failed
set "NAME=!LOOPBACK!"
call :weak
if errorlevel 1 goto failed
set "SETTING=weakhostsend"
call :weak
if errorlevel 1 goto failed

:apply_address
if "%HAS%"=="1" goto apply_dns
set "RECORD=address %FAMILY% !VIP! !LOOPBACK!/"
call :note
if errorlevel 1 exit /b 71
if "%MAJOR%"=="5" goto apply_address5
set "ADDRESS=!VIP! 255.255.255.255"
if "%FAMILY%"=="ipv6" set "ADDRESS=!VIP!/128"
rem Server 2008 has skipassource only with an update (KB 975808), so it is tried first and left out if refused.
set "COMMAND=netsh interface %FAMILY% add address "!LOOPBACK!" !ADDRESS! skipassource=true"
call :run quietly
if not errorlevel 1 goto apply_dns
set "COMMAND=netsh interface %FAMILY% add address "!LOOPBACK!" !ADDRESS!"
call :run
if errorlevel 1 goto failed
goto apply_dns

:apply_address5
set "COMMAND=netsh interface ip add address "!LOOPBACK!" !VIP! 255.255.255.255"
call :run quietly
if defined DRY goto apply_dns
rem netsh of these systems does not report every failure in its exit status.
call :has_vip
if "%HAS%"=="1" goto apply_dns
rem An adapter on DHCP takes no second address, but it can be given its only one.
set "RECORD=dhcp %FAMILY% !VIP! !LOOPBACK!/"
call :note
if errorlevel 1 exit /b 71
set "COMMAND=netsh interface ip set address name="!LOOPBACK!" source=static addr=!VIP! mask=255.255.255.255"
call :run
call :has_vip
if not "%HAS%"=="1" goto failed

:apply_dns
call :dns
if errorlevel 1 goto failed
if not defined PORT goto apply_done
call :firewall
if errorlevel 1 goto failed
:apply_done
if not "%MAJOR%"=="5" exit /b 0
echo By hand, in the properties of the connection "!LOOPBACK!", Internet Protocol (TCP/IP), Advanced, IP Settings:
echo   clear "Automatic metric" and write 254 as the interface metric
exit /b 0

rem ---------------------------------------------------------------- check

:check
call :has_vip
set "AGAIN=dsr-realserver.cmd apply !VIP! "!LOOPBACK!" "!NETWORK!""
if "%HAS%"=="1" echo ok     !VIP! is on "!LOOPBACK!"
if "%HAS%"=="1" goto check_settings
set "WRONG=1"
if "%ELSEWHERE%"=="1" goto check_elsewhere
echo wrong  !VIP! is not on "!LOOPBACK!", so packets for it are dropped; type: !AGAIN!
goto check_settings
:check_elsewhere
echo wrong  !VIP! is not on "!LOOPBACK!" but on a connection that announces it to the network; delete it there, then type: !AGAIN!
:check_settings
call :is_network
if "%BAD%"=="1" set "WRONG=1"
if "%BAD%"=="1" echo wrong  "!LOOPBACK!" has the default route, so it is not a loopback and announces the VIP; type: dsr-realserver.cmd undo
if "%MAJOR%"=="5" (
	echo note   this Windows accepts the VIP on every interface; look whether the metric of "!LOOPBACK!" is 254
	exit /b %WRONG%
)
set "NAME=!NETWORK!"
set "SETTING=weakhostreceive"
call :check_weak
set "NAME=!LOOPBACK!"
call :check_weak
set "SETTING=weakhostsend"
call :check_weak
exit /b %WRONG%

rem ---------------------------------------------------------------- undo

rem Whatever fails leaves the journal as it is, and undo can be repeated.
:undo
if not exist "%JOURNAL%" (
	echo nothing to undo: %JOURNAL% does not exist
	exit /b 0
)
set "LEFT=0"
for /f "usebackq tokens=1-3*" %%a in ("%JOURNAL%") do (
	set "KIND=%%a"
	set "FAMILY=%%b"
	set "WHAT=%%c"
	set "NAME=%%d"
	call :undo_record
	if errorlevel 1 set "LEFT=1"
)
if defined DRY exit /b 0
if "%LEFT%"=="0" del "%JOURNAL%"
if "%LEFT%"=="0" exit /b 0
echo dsr-realserver: not everything could be restored; %JOURNAL% stays, and undo can be repeated 1>&2
exit /b 71

rem A line without its slash was cut short by a full disk, before the change that it was for.
:undo_record
if not defined NAME exit /b 0
if not "%NAME:~-1%"=="/" exit /b 0
set "NAME=%NAME:~0,-1%"
set "VIP=!WHAT!"
set "LOOPBACK=!NAME!"
if "!KIND!"=="weak" goto undo_weak
if "!KIND!"=="address" goto undo_address
if "!KIND!"=="dhcp" goto undo_dhcp
if "!KIND!"=="dns" goto undo_dns
if "!KIND!"=="rule" goto undo_rule
if "!KIND!"=="port" goto undo_port
exit /b 0

:undo_weak
set "COMMAND=netsh interface %FAMILY% set interface "!NAME!" !WHAT!=disabled"
call :run
exit /b %errorlevel%

:undo_address
call :has_vip
if "%ELSEWHERE%"=="1" goto undo_renamed
if "%HAS%"=="0" exit /b 0
set "RECORD=dhcp %FAMILY% !WHAT! !NAME!/"
call :noted
if "%NOTED%"=="1" exit /b 0
set "CONTEXT=%FAMILY%"
if "%MAJOR%"=="5" set "CONTEXT=ip"
set "COMMAND=netsh interface %CONTEXT% delete address "!NAME!" !WHAT!"
call :run
exit /b %errorlevel%

:undo_renamed
echo dsr-realserver: !WHAT! is not on "!NAME!" but on another connection; if it was renamed, give it its old name and repeat 1>&2
exit /b 1

:undo_dhcp
call :has_vip
if "%HAS%"=="0" exit /b 0
set "COMMAND=netsh interface ip set address name="!NAME!" source=dhcp"
call :run
exit /b %errorlevel%

:undo_dns
set "RECORD=no!KIND! !FAMILY! !WHAT! !NAME!/"
call :noted
if "%NOTED%"=="1" exit /b 0
set "COMMAND=netsh interface ipv4 set dnsservers name="!NAME!" source=static address=none register=primary"
if "%MAJOR%"=="5" set "COMMAND=netsh interface ip set dns name="!NAME!" source=static addr=none register=primary"
if "!WHAT!"=="dhcp" set "COMMAND=netsh interface ip set dns name="!NAME!" source=dhcp register=primary"
call :run
exit /b %errorlevel%

:undo_rule
netsh advfirewall firewall show rule name="dsr-realserver !NAME!" >nul 2>&1
if errorlevel 1 exit /b 0
set "COMMAND=netsh advfirewall firewall delete rule name="dsr-realserver !NAME!""
call :run
exit /b %errorlevel%

:undo_port
set "COMMAND=netsh firewall delete portopening !FAMILY! !WHAT! interface="!NAME!""
call :run quietly
if not errorlevel 1 exit /b 0
netsh firewall show portopening | findstr /l /c:"dsr-realserver" >nul
if errorlevel 1 exit /b 0
type "%STATE%\said.txt" 1>&2
exit /b 1

rem ---------------------------------------------------------------- one at a time

:lock
if not exist "%STATE%" mkdir "%STATE%"
rem mkdir sets the status only when it fails.
call :zero
mkdir "%STATE%\lock" 2>nul
if not errorlevel 1 exit /b 0
if exist "%STATE%\lock" (
	echo dsr-realserver: another dsr-realserver.cmd is running; if none is, an interrupted one has left its lock: type 1>&2
	echo   rmdir "%STATE%\lock" 1>&2
	exit /b 1
)
echo dsr-realserver: cannot make %STATE%\lock: run this as an administrator 1>&2
exit /b 1

:zero
exit /b 0

:one
exit /b 1

:unlock
if exist "%STATE%\said.txt" del "%STATE%\said.txt"
rmdir "%STATE%\lock"
if exist "%JOURNAL%" exit /b 0
rmdir "%STATE%"
exit /b 0

rem ---------------------------------------------------------------- the journal

rem :note: RECORD goes into the journal, once, and is read back: a full disk must not lose it.
:note
if defined DRY exit /b 0
call :noted
if "%NOTED%"=="1" exit /b 0
:note_again
rem The last line may have been cut short by a full disk: an empty one ends it.
>>"%JOURNAL%" echo.
>>"%JOURNAL%" echo !RECORD!
call :noted
if "%NOTED%"=="1" exit /b 0
echo dsr-realserver: cannot write %JOURNAL%; without it undo could not restore what was, so nothing more is changed 1>&2
exit /b 1

rem :noted: sets NOTED.
:noted
set "NOTED=0"
if not exist "%JOURNAL%" exit /b 0
rem A journal that cannot be opened leaves the status as it was.
call :one
findstr /x /l /c:"!RECORD!" <"%JOURNAL%" >nul
if not errorlevel 1 set "NOTED=1"
exit /b 0

rem ---------------------------------------------------------------- parts

rem :run [quietly]: prints COMMAND and runs it. What it says is shown if it fails, unless another way is tried then.
:run
echo !COMMAND!
if defined DRY exit /b 0
!COMMAND! >"%STATE%\said.txt" 2>&1
if not errorlevel 1 exit /b 0
if not "%~1"=="quietly" type "%STATE%\said.txt" 1>&2
exit /b 1

rem :is_weak: sets WEAK for SETTING of NAME. Windows prints "Weak Host Receives : enabled" in English; elsewhere it is unknown.
:is_weak
set "WEAK=unknown"
set "WORD=Receives"
if "%SETTING%"=="weakhostsend" set "WORD=Sends"
netsh interface %FAMILY% show interface "!NAME!" | findstr /i /l /c:"Weak Host %WORD%" >nul
if errorlevel 1 exit /b 0
set "WEAK=disabled"
netsh interface %FAMILY% show interface "!NAME!" | findstr /i /l /c:"Weak Host %WORD%" | findstr /i /l /c:": enabled" >nul
if not errorlevel 1 set "WEAK=enabled"
exit /b 0

:weak
call :is_weak
if "%WEAK%"=="enabled" exit /b 0
rem Where the value cannot be read, it is assumed to have been the default of all these systems: disabled.
set "RECORD=weak %FAMILY% %SETTING% !NAME!/"
call :note
if errorlevel 1 exit /b 1
set "COMMAND=netsh interface %FAMILY% set interface "!NAME!" %SETTING%=enabled"
call :run
exit /b %errorlevel%

:check_weak
call :is_weak
if "%WEAK%"=="enabled" echo ok     %SETTING% is enabled on "!NAME!"
if "%WEAK%"=="unknown" echo note   cannot read %SETTING% of "!NAME!"; look at: netsh interface %FAMILY% show interface "!NAME!"
if not "%WEAK%"=="disabled" exit /b 0
set "WRONG=1"
echo wrong  %SETTING% is disabled on "!NAME!": packets for the VIP are dropped; type: netsh interface %FAMILY% set interface "!NAME!" %SETTING%=enabled
exit /b 0

rem :has_vip: sets HAS if LOOPBACK has the VIP, and ELSEWHERE if another connection has it. In every language netsh prints a
rem blank before an address, and after it a blank or the end of the line. ipconfig omits the Loopback Pseudo-Interface.
:has_vip
set "HAS=0"
set "ELSEWHERE=0"
set "CONTEXT=%FAMILY%"
if "%MAJOR%"=="5" set "CONTEXT=ip"
netsh interface %CONTEXT% show address "!LOOPBACK!" | findstr /i /l /e /c:" %VIP%" >nul
if not errorlevel 1 set "HAS=1"
netsh interface %CONTEXT% show address "!LOOPBACK!" | findstr /i /l /c:" %VIP% " >nul
if not errorlevel 1 set "HAS=1"
if "%HAS%"=="1" exit /b 0
netsh interface %CONTEXT% show address | findstr /i /l /e /c:" %VIP%" >nul
if not errorlevel 1 set "ELSEWHERE=1"
netsh interface %CONTEXT% show address | findstr /i /l /c:" %VIP% " >nul
if not errorlevel 1 set "ELSEWHERE=1"
exit /b 0

rem :is_network: sets BAD=1 if LOOPBACK has the default route: the names were exchanged, or it is no loopback.
rem route prints: destination, mask, gateway, address of the interface.
:is_network
set "BAD=0"
for /f "tokens=1-4" %%a in ('route print 0.0.0.0') do call :is_via "%%a %%b" "%%d"
exit /b 0

rem The persistent routes have a metric in place of the interface.
:is_via
if not "%~1"=="0.0.0.0 0.0.0.0" exit /b 0
set "VIA=%~2"
echo !VIA!| findstr /l /c:"." >nul
if errorlevel 1 exit /b 0
netsh interface ip show address "!LOOPBACK!" | findstr /l /e /c:" %VIA%" >nul
if not errorlevel 1 set "BAD=1"
exit /b 0

rem :dns: keeps the addresses of LOOPBACK out of DNS. Only English output can be read; otherwise it is left to the operator,
rem as is a connection that has DNS servers, which this command would remove.
:dns
set "SHOW=netsh interface ipv4 show dnsservers"
if "%MAJOR%"=="5" set "SHOW=netsh interface ip show dns"
%SHOW% "!LOOPBACK!" | findstr /l /c:"Register with which suffix" | findstr /l /c:": None" >nul
if not errorlevel 1 exit /b 0
%SHOW% "!LOOPBACK!" | findstr /l /c:"Register with which suffix" | findstr /l /c:"Primary" >nul
if errorlevel 1 goto dns_by_hand
%SHOW% "!LOOPBACK!" | findstr /l /c:"DNS" | findstr /l /e /c:" None" >nul
if errorlevel 1 goto dns_by_hand
set "SOURCE=static"
%SHOW% "!LOOPBACK!" | findstr /l /c:"DHCP" >nul
if not errorlevel 1 set "SOURCE=dhcp"
set "RECORD=nodns ipv4 %SOURCE% !LOOPBACK!/"
call :noted
if "%NOTED%"=="1" goto dns_by_hand
set "RECORD=dns ipv4 %SOURCE% !LOOPBACK!/"
call :note
if errorlevel 1 exit /b 1
set "COMMAND=netsh interface ipv4 set dnsservers name="!LOOPBACK!" source=static address=none register=none"
if "%MAJOR%"=="5" set "COMMAND=netsh interface ip set dns name="!LOOPBACK!" source=static addr=none register=none"
call :run quietly
if not errorlevel 1 exit /b 0
set "RECORD=nodns ipv4 %SOURCE% !LOOPBACK!/"
call :note
if errorlevel 1 exit /b 1
:dns_by_hand
echo By hand, in the properties of the connection "!LOOPBACK!", Internet Protocol (TCP/IP), Advanced, DNS:
echo   clear "Register this connection's addresses in DNS"
exit /b 0

rem :foreign_rule: sets BAD=1 if there is a firewall rule of our name that is not in the journal.
:foreign_rule
set "BAD=0"
if not defined PORT exit /b 0
if "%MAJOR%"=="5" exit /b 0
call :noted_ports
if defined PORTS exit /b 0
netsh advfirewall firewall show rule name="dsr-realserver !VIP!" >nul 2>&1
if not errorlevel 1 set "BAD=1"
exit /b 0

rem :noted_ports: sets PORTS to what the last rule for the VIP opened. The last line counts, so a line may come again.
:noted_ports
set "PORTS="
if not exist "%JOURNAL%" exit /b 0
for /f "usebackq tokens=1-4" %%a in ("%JOURNAL%") do if "%%a %%d"=="rule %VIP%/" set "PORTS=%%c"
exit /b 0

:firewall
if "%MAJOR%"=="5" goto firewall5
set "RULE=dsr-realserver !VIP!"
call :noted_ports
netsh advfirewall firewall show rule name="!RULE!" >nul 2>&1
if errorlevel 1 goto firewall_add
if "%PORTS%"=="%PORT%" exit /b 0
set "COMMAND=netsh advfirewall firewall delete rule name="!RULE!""
call :run
if errorlevel 1 exit /b 1
:firewall_add
set "RECORD=rule TCP %PORT% !VIP!/"
if defined DRY goto firewall_run
if "%PORTS%"=="%PORT%" goto firewall_run
call :note_again
if errorlevel 1 exit /b 1
:firewall_run
set "COMMAND=netsh advfirewall firewall add rule name="!RULE!" dir=in action=allow protocol=TCP localip=!VIP! localport=%PORT% profile=any"
call :run
exit /b %errorlevel%

rem Windows 2000, and Server 2003 before Service Pack 1, have no such firewall.
:firewall5
netsh firewall show opmode >nul 2>&1
if errorlevel 1 (
	echo note   this Windows has no firewall that netsh can open; nothing was done for /port
	exit /b 0
)
set "STATUS=0"
for %%p in (%PORT%) do (
	set "ONE=%%p"
	call :port5
	if errorlevel 1 set "STATUS=1"
)
exit /b %STATUS%

:port5
set "RECORD=port TCP %ONE% !LOOPBACK!/"
call :note
if errorlevel 1 exit /b 1
set "COMMAND=netsh firewall add portopening TCP %ONE% dsr-realserver ENABLE interface="!LOOPBACK!""
call :run
exit /b %errorlevel%

rem :find_version: sets MAJOR to 5 (2000, XP, 2003) or 6 (2008 and later).
:find_version
set "MAJOR=6"
ver | findstr /l /c:" 5." >nul
if not errorlevel 1 set "MAJOR=5"
exit /b 0

rem ---------------------------------------------------------------- refusals

:elsewhere
echo dsr-realserver: !VIP! is not on "!LOOPBACK!" but on a connection that announces it to the network; nothing was done. Delete it there first 1>&2
exit /b 1

:not_loopback
echo dsr-realserver: "!LOOPBACK!" has the default route, so it is not a loopback and would announce the VIP; nothing was done. Were the two names exchanged? 1>&2
exit /b 1

:foreign
echo dsr-realserver: there is a firewall rule "dsr-realserver !VIP!" that this script did not make; nothing was done. Rename or delete it first 1>&2
exit /b 1

:no_ipv6
echo dsr-realserver: this Windows is a strong host for IPv6 and cannot be changed, so it cannot serve an IPv6 VIP 1>&2
exit /b 71

:failed
echo dsr-realserver: that command failed; "dsr-realserver.cmd undo" takes back what was done so far 1>&2
exit /b 71

:same_name
echo dsr-realserver: LOOPBACK and NETWORK are the same connection, "!LOOPBACK!" 1>&2
exit /b 64

:bad_vip
echo dsr-realserver: "!VIP!" is not an IP address; write it without a prefix length 1>&2
exit /b 64

:bad_port
echo dsr-realserver: "!PORT!" is not a port, or several with commas between 1>&2
exit /b 64

:usage
echo usage: dsr-realserver.cmd apply VIP LOOPBACK NETWORK [/port PORT[,PORT...]] [/dry-run]
echo        dsr-realserver.cmd check VIP LOOPBACK NETWORK
echo        dsr-realserver.cmd undo [/dry-run]
echo.
echo   VIP       the virtual address, IPv4 or (2008 and later) IPv6
echo   LOOPBACK  name of the loopback adapter's connection, in quotes, or its index
echo   NETWORK   name of the connection that receives the packets for the VIP, in quotes, or its index
exit /b 64
