#!/bin/sh
# SPDX-License-Identifier: ISC
#
# By hand: BUILD_DIR=build sh tests/integration/pacemaker.sh; on Debian 12 it needs the packages pacemaker, corosync,
# resource-agents, crmsh and libxml2-utils, and it takes a minute.
#
# Two directors that share connections, with corosync, Pacemaker and the files of doc/operating.md: switched by hand, and
# dsrd killed. Long transfers by wlc go on.

PAIR_SYNC=${PAIR_SYNC:-auto}
# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_pair.sh
. "$(dirname -- "$0")/lib_pair.sh"
net_require corosync pacemakerd crm ocf-tester python3 mount nsenter unshare

PAIR_LONG=40
pair_up 2
pair_guide /etc/corosync/corosync.conf 644
pair_guide /usr/lib/ocf/resource.d/dsrd/ready 755
pair_guide /etc/dsrd/dsrd.crm 644
cp -a /usr/lib/ocf/resource.d "$NET_DIR/agents"
mkdir "$NET_DIR/agents/dsrd"
cp "$NET_DIR/guide/ready" "$NET_DIR/agents/dsrd/ready"

# Its daemons with directories and a host name of their own.
start_cluster() { # HOST NAME
	printf '#!/bin/sh\nexec "%s" -s %s "$@"\n' "$DSRCTL" "$NET_DIR/$1/sock" >"$NET_DIR/$1/dsrctl"
	cat >"$NET_DIR/$1/cluster" <<-END
	set -e
	mount --make-rprivate /
	for place in /run /var/lib/pacemaker /var/lib/corosync /var/log /etc/corosync /dev/shm /usr/local/sbin; do
		mkdir -p \$place
		mount -t tmpfs -o mode=755 none \$place
	done
	chmod 1777 /dev/shm
	mkdir -p /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/pacemaker/cores /var/log/pacemaker /var/log/crmsh /run/crm
	chown -R hacluster:haclient /var/lib/pacemaker /var/log/pacemaker /run/crm
	cp $NET_DIR/guide/corosync.conf /etc/corosync/corosync.conf
	cp $NET_DIR/$1/dsrctl /usr/local/sbin/dsrctl
	chmod 755 /usr/local/sbin/dsrctl
	mount --bind $NET_DIR/agents /usr/lib/ocf/resource.d
	hostname $2
	corosync -f &
	until corosync-quorumtool -s >/dev/null 2>&1; do
		sleep 0.2
	done
	exec pacemakerd -f
	END
	start_in "$1" "engine-$1" unshare -m -u -i sh "$NET_DIR/$1/cluster"
}

in_cluster() { # HOST COMMAND...
	cluster_host=$1
	shift
	nsenter -t "$(pid_of "engine-$cluster_host")" -m -u -i -n "$@"
}

stop_cluster() { # HOST
	for cluster_pid in $(net_host_pids "$1"); do
		case $(cat "/proc/$cluster_pid/comm" 2>/dev/null) in
		corosync | pacemaker*) kill -KILL "$cluster_pid" 2>/dev/null || true ;;
		esac
	done
	wait_until 5 pid_gone "$(pid_of "engine-$1")" || fail "Pacemaker on $1 does not end"
	rm -f "$NET_DIR/engine-$1.pid"
}

for host in director second; do
	echo "role = follow $SERVER_PREFIX.5" | pair_conf "$host" wlc 2
	pair_start "$host"
done
start_cluster director lb1
start_cluster second lb2
both_online() {
	in_cluster director crm_mon -1 2>/dev/null | grep -q 'Online: \[ lb1 lb2 \]'
}
wait_until 40 both_online || pair_fail "the cluster does not form"
step "the agent keeps the rules of OCF"
in_cluster director ocf-tester -n ready /usr/lib/ocf/resource.d/dsrd/ready >"$NET_DIR/tester" 2>&1 ||
	pair_fail "ocf-tester: $(cat "$NET_DIR/tester")"
in_cluster director crm -F configure load update "$NET_DIR/guide/dsrd.crm" >"$NET_DIR/crm" 2>&1 ||
	pair_fail "crm: $(tail -n 5 "$NET_DIR/crm")"
wait_until 30 pair_one_active || pair_fail "no director, or more than one, is active"
pair_traffic

name_of() { # HOST
	[ "$1" = director ] && echo lb1 || echo lb2
}
switch() { # HOST
	in_cluster "$1" crm_standby -N "$(name_of "$1")" -v on
}
pair_takes_over "node standby" 5 none-breaks switch
in_cluster "$pair_from" crm_standby -N "$(name_of "$pair_from")" -D

kill_dsrd() { # HOST
	stop "dsrd-$1" KILL
}
pair_takes_over "dsrd killed" 10 none-breaks kill_dsrd
pair_start "$pair_from"
for host in director second; do
	stop_cluster "$host"
	stop "dsrd-$host"
done
stop traffic
