#!@RCD_SCRIPTS_SHELL@
# SPDX-License-Identifier: ISC
#
# PROVIDE: dsrd
# REQUIRE: NETWORKING syslogd

# shellcheck shell=sh disable=SC1091,SC2034 # rc.subr is NetBSD's
. /etc/rc.subr

name=dsrd
rcvar=$name
command="@PREFIX@/sbin/dsrd"
pidfile="@VARBASE@/run/dsrd.pid"
command_args="-f @PKG_SYSCONFDIR@/dsrd.conf -p $pidfile"
required_files="@PKG_SYSCONFDIR@/dsrd.conf"
extra_commands="reload configtest"
start_precmd=dsrd_configtest
reload_precmd=dsrd_configtest
configtest_cmd=dsrd_configtest

dsrd_configtest() {
	"$command" -n -f "@PKG_SYSCONFDIR@/dsrd.conf"
}

load_rc_config $name
run_rc_command "$1"
