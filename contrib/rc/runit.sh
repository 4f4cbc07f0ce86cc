#!/bin/sh
# SPDX-License-Identifier: ISC
# runit: copy it to /etc/sv/dsrd/run. `sv hup dsrd` reloads. The tests parse it and do not run it.
# dsrd becomes the user _dsrd: useradd -r -M -s /sbin/nologin _dsrd
exec 2>&1
exec /usr/sbin/dsrd -d -f "${DSRD_CONF:-/etc/dsrd.conf}"
