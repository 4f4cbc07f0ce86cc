#!/sbin/openrc-run
# SPDX-License-Identifier: ISC
# OpenRC: copy it to /etc/init.d/dsrd, then: rc-update add dsrd default. The tests parse it and do not run it.
# dsrd becomes the user _dsrd: useradd --system --no-create-home --shell /sbin/nologin _dsrd, or
# adduser -S -D -H -s /sbin/nologin _dsrd
# shellcheck shell=sh disable=SC2034 # OpenRC reads the variables

description="Direct Server Return load balancer"
command=/usr/sbin/dsrd
: "${DSRD_CONF:=/etc/dsrd.conf}"
pidfile=/run/dsrd.pid
command_args="-f $DSRD_CONF -p $pidfile"
extra_commands="checkconfig"
extra_started_commands="reload"

depend() {
	need net
	use logger
	after firewall
}

checkconfig() {
	"$command" -n -f "$DSRD_CONF"
}

start_pre() {
	checkconfig
}

reload() {
	checkconfig || return 1
	ebegin "Reloading dsrd"
	start-stop-daemon --signal HUP --pidfile "$pidfile"
	eend $?
}
