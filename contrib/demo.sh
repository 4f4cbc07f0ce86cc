#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Demonstrates dsrd on this machine: builds it, creates a network of namespaces with three web servers, fetches pages
# through a virtual IP, displays the frames, stops a server and starts it again. Changes nothing else and cleans up.

set -eu

usage() {
	cat <<-END
	usage: demo.sh [--stay] [--offline] [--no-install]
	    --stay         leave the network up to play with, until Ctrl-C
	    --offline      no network and no privilege: balance a capture that the demo makes itself
	    --no-install   install no packages
	Environment: DSRD_DEMO_DIR is where to build (default: build-demo in the source tree); it is kept, so that the next
	demo starts at once.
	END
}

stay=no offline=no install=yes built=no
for option; do
	case $option in
	--stay) stay=yes ;;
	--offline) offline=yes ;;
	--no-install) install=no ;;
	--built) built=yes ;; # by ourselves, before sudo
	-h | --help)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 64 # EX_USAGE, sysexits(3)
		;;
	esac
done

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=${DSRD_DEMO_DIR:-$top/build-demo}
PATH=$PATH:/usr/sbin:/sbin

# --- output --------------------------------------------------------------------------------------------------------

bold='' plain=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

chapter_number=0
chapter() {
	chapter_number=$((chapter_number + 1))
	printf '\n%s%s. %s%s\n\n' "$bold" "$chapter_number" "$*" "$plain"
}

# Text, command lines, and output of programs, with different indents.
tell() {
	sed '/./s/^/   /'
}

quote() {
	sed 's/^/     | /; s/ *$//'
}

give_up() { # LOG SENTENCE
	echo
	echo "demo.sh: $2 The end of $1:" >&2
	tail -n 25 "$1" >&2
	exit 1
}

# --- packages and build ----------------------------------------------------------------------------------------------

build_dsrd() {
	if ! mkdir -p "$work" 2>/dev/null || ! [ -w "$work" ]; then
		work=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-demo.XXXXXX")
	fi
	DSRD_DEMO_DIR=$work
	export DSRD_DEMO_DIR
	log=$work/demo.log
	: >"$log"
	begin=$(date +%s)
	if [ "$install" = yes ]; then
		# Offline mode needs less, but which it will be is not known yet.
		sh "$top/contrib/packages.sh" demo 2>&1 | tee -a "$log" |
			sed -n 's/^\(Installing:.*\|No apt-get.*\)/   \1/p'
	fi
	if [ -f "$top/config.status" ]; then
		# The source tree itself is configured, and then it is the only place where one can build.
		work=$top
	fi
	cd "$work"
	if [ ! -x "$top/configure" ]; then
		(cd "$top" && ./autogen.sh) >>"$log" 2>&1 || give_up "$log" "autogen.sh failed."
	fi
	if [ ! -f Makefile ]; then
		"$top/configure" >>"$log" 2>&1 || give_up "$log" "configure failed."
	fi
	make -j "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)" dsrd dsrctl man/dsrd.conf.5 >>"$log" 2>&1 ||
		give_up "$log" "make failed."
	echo "$(./dsrd --version | head -n 1) is built in $work ($(($(date +%s) - begin)) s)." | tell
	cd "$top"
}

# --- offline: a generated capture ----------------------------------------------------------------------------------

# A savefile (pcap-savefile(5)) with one short TCP connection from each of $1 client ports to the VIP: SYN, ACK, data,
# FIN.
make_capture() { # CONNECTIONS
	# printf(1) knows octal only, and awk cannot print a zero byte everywhere: so awk writes what printf shall say.
	bytes=$(awk -v connections="$1" '
		function byte(n) { return sprintf("\\%03o", n % 256) }
		function big(n, count) { return count == 0 ? "" : big(int(n / 256), count - 1) byte(n) }
		function little(n, count) { return count == 0 ? "" : byte(n) little(int(n / 256), count - 1) }
		# Fields of IPv4 (RFC 791) and TCP (RFC 9293); checksums are the receivers business, and stay zero.
		function frame(port, flags, data,    text, length_of) {
			length_of = 40 + data
			text = big(2, 1) big(1, 5) big(2, 1) big(153, 5) big(2048, 2)
			text = text big(69, 1) big(0, 1) big(length_of, 2) big(0, 4) big(64, 1) big(6, 1) big(0, 2)
			text = text big(192, 1) big(0, 1) big(2, 1) big(100, 1) big(192, 1) big(0, 1) big(2, 1) big(10, 1)
			text = text big(port, 2) big(80, 2) big(1, 4) big(flags == 2 ? 0 : 1, 4) big(80, 1) big(flags, 1)
			text = text big(65535, 2) big(0, 4)
			while (data-- > 0)
				text = text byte(120)
			microseconds += 250
			printf "%s%s%s%s%s", little(1700000000, 4), little(microseconds, 4), little(14 + length_of, 4),
			    little(14 + length_of, 4), text
		}
		BEGIN {
			printf "%s%s%s", little(2712847316, 4), little(2, 2) little(4, 2), \
			    little(0, 8) little(65535, 4) little(1, 4)
			for (i = 0; i < connections; i++) {
				frame(20000 + i, 2, 0)
				frame(20000 + i, 16, 0)
				frame(20000 + i, 24, 20)
				frame(20000 + i, 17, 0)
			}
		}')
	# shellcheck disable=SC2059 # the format is the point
	printf "$bytes"
}

offline_demo() { # WHY
	dir=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-demo.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	chapter "Offline: dsrd processes a capture file"
	printf '%s\n' "$1" "The following uses the same code, reading from a file and writing to a file, on the file's clock." | tell
	cat >"$dir/dsrd.conf" <<-END
	[dsrd]
	mac = 02:00:00:00:00:01
	address = 192.0.2.1/24

	[service web]
	listen = 192.0.2.10 tcp/80
	scheduler = wrr
	server = web1 192.0.2.11 weight=3 mac=02:00:00:00:00:11
	server = web2 192.0.2.12 weight=2 mac=02:00:00:00:00:12
	server = web3 192.0.2.13 weight=1 mac=02:00:00:00:00:13
	END
	echo
	quote <"$dir/dsrd.conf"
	make_capture 300 >"$dir/in.pcap"
	printf '\n   %s\n\n' "300 connections of four frames each; $ dsrd -f dsrd.conf -r in.pcap -w out.pcap"
	"$work/dsrd" -f "$dir/dsrd.conf" -r "$dir/in.pcap" -w "$dir/out.pcap" >"$dir/decisions" 2>"$dir/summary" ||
		give_up "$dir/summary" "dsrd failed."
	head -n 12 "$dir/decisions" | sed 's/ protocol=tcp//' | quote
	echo "     | ..."
	for server in web1 web2 web3; do
		grep -c "new=yes.*server=web/$server\|server=web/$server.*new=yes" "$dir/decisions" >"$dir/$server" ||
			true
	done
	echo
	print_table 300 "web1 3 $(cat "$dir/web1")" "web2 2 $(cat "$dir/web2")" "web3 1 $(cat "$dir/web3")"
	if command -v tcpdump >/dev/null 2>&1; then
		printf '\n   %s\n\n' "What went out differs from what came in by the MAC addresses only: in.pcap, out.pcap"
		tcpdump -n -e -q -t -c 1 -r "$dir/in.pcap" 2>/dev/null | quote
		tcpdump -n -e -q -t -c 1 -r "$dir/out.pcap" 'dst host 192.0.2.10' 2>/dev/null | quote
	fi
	printf '\n   %s\n' "As root on a machine with network namespaces, the demo shows real servers: sudo sh contrib/demo.sh"
	[ "$(cat "$dir/web1") $(cat "$dir/web2") $(cat "$dir/web3")" = "150 100 50" ] || {
		echo "demo.sh: the shares do not match the weights" >&2
		exit 1
	}
}

# --- the table -------------------------------------------------------------------------------------------------------

print_table() { # TOTAL "SERVER WEIGHT SERVED"...
	table_total=$1 table_weights=0
	shift
	for row; do
		# shellcheck disable=SC2086 # a row is three words
		set_row $row
		[ "$row_weight" = down ] || table_weights=$((table_weights + row_weight))
	done
	printf '     %-8s %8s %10s %8s\n' server weight expected served
	for row; do
		# shellcheck disable=SC2086
		set_row $row
		expected=0
		[ "$row_weight" = down ] || expected=$((table_total * row_weight / table_weights))
		bar=$(awk -v n="$row_served" -v all="$table_total" 'BEGIN {
			n = all > 0 ? int(40 * n / all + 0.5) : 0
			while (n-- > 0) printf "#"
		}')
		printf '     %-8s %8s %10s %8s   %s\n' "$row_name" "$row_weight" "$expected" "$row_served" "$bar"
	done | sed 's/ *$//'
}

set_row() { # SERVER WEIGHT SERVED
	row_name=$1 row_weight=$2 row_served=$3
}

# --- the network -----------------------------------------------------------------------------------------------------

# Fetch COUNT pages and show which server sent them, and the weights; the weight of a dead server is "down".
show_pages() { # COUNT WEIGHT1 WEIGHT2 WEIGHT3
	fetch_many "$1" "$NET_DIR/pages"
	print_table "$1" "web1 $2 $(count_lines web1 "$NET_DIR/pages")" "web2 $3 $(count_lines web2 "$NET_DIR/pages")" \
	    "web3 $4 $(count_lines web3 "$NET_DIR/pages")"
}

# The pages are fetched one after the other, so the shares must match the weights exactly.
expect_pages() { # SHARES
	[ "$(shares_of "$NET_DIR/pages")" = "$1" ] || fail "expected pages from web1 web2 web3: $1"
}

# The newest matching line of the director's log, without its time.
show_log() { # PATTERN
	grep -e "$1" "$NET_DIR/dsrd.log" | tail -n 1 | sed 's/^[^ ]* //' | quote
}

# One request on the wire, from the captures of client and director, with names for MAC addresses.
show_wire() {
	{
		tcpdump -tt -n -e -r "$NET_DIR/wire-client.pcap" tcp 2>/dev/null
		tcpdump -tt -n -e -r "$NET_DIR/wire-director.pcap" "tcp and ether src $DIRECTOR_MAC" 2>/dev/null
	} | sort -n | awk -v client="$CLIENT_MAC" -v director="$DIRECTOR_MAC" -v web1="$(server_mac 1)" -v \
	    web2="$(server_mac 2)" \
	    -v web3="$(server_mac 3)" '
		BEGIN {
			name[client] = "client"; name[director] = "director"
			name[web1] = "web1"; name[web2] = "web2"; name[web3] = "web3"
			printf "%9s  %-19s  %-19s  %s\n", "time", "Ethernet from", "to", "IP packet"
		}
		NR <= 9 {
			if (first == "")
				first = $1
			from = $2; to = $4; sub(/,$/, "", to)
			# "... ethertype IPv4 (0x0800), length 74: A.1234 > B.80: Flags [S], seq 1, ..., length 0: HTTP ..."
			rest = $0; sub(/.*ethertype IPv4 [^:]*: /, "", rest)
			packet = rest; sub(/: Flags.*/, "", packet)
			flags = rest; sub(/^[^[]*\[/, "", flags); sub(/\].*/, "", flags)
			size = match(rest, /, length [0-9]+/) ? substr(rest, RSTART + 9, RLENGTH - 9) : 0
			what = flags == "S" ? "SYN" : flags == "S." ? "SYN, ACK" : flags ~ /F/ ? "FIN" : size > 0 ? size " bytes" : "ACK"
			split(packet, ends, " > ")
			sub(/\.[0-9]*$/, "", ends[1]); sub(/\.[0-9]*$/, "", ends[2])
			note = ""
			if (NR == 1) note = "the client asks the VIP"
			if (from == director && !seen_director++) note = "the same packet: only the MACs are new"
			if (to == client && !seen_answer++) note = "the answer does not pass the director"
			printf "%6.0f us  %s..%s %-9s  %s..%s %-9s  %s > %s %-9s %s\n", ($1 - first) * 1000000,
			    substr(from, 1, 2), substr(from, 16), name[from], substr(to, 1, 2), substr(to, 16), name[to],
			    ends[1], ends[2], what, note == "" ? "" : "<- " note
		}' | quote
}

play() {
	cat >"$NET_DIR/dsrctl" <<-END
	#!/bin/sh
	exec "$work/dsrctl" -s "$NET_DIR/dsrd.sock" "\$@"
	END
	chmod +x "$NET_DIR/dsrctl"
	chapter "The network stays up"
	echo "The hosts are network namespaces. Try, from another terminal, as root:" | tell
	echo
	while IFS='|' read -r command meaning; do
		printf '     %-58s  %s\n' "$command" "$meaning"
	done <<-END
	ip netns exec $NET-client curl http://$VIP/|fetch a page
	ip netns exec $NET-client arping -I eth0 -c 3 $VIP|who answers for the VIP?
	ip netns exec $NET-director tcpdump -e -n -i eth0|watch the director
	$NET_DIR/dsrctl show|what the director does
	$NET_DIR/dsrctl drain web/web3|no new connections for a server (and: enable)
	ip -n $NET-web1 address delete $VIP/32 dev lo|take the VIP off a server, and ask what is wrong:
	$NET_DIR/dsrctl doctor web/web1|(and: ip -n $NET-web1 address add $VIP/32 dev lo)
	ip -n $NET-web2 link set eth0 down|unplug a server (and: up)
	vi $NET_DIR/dsrd.conf|change weights, servers, scheduler, then:
	kill -HUP $(pid_of dsrd)|reload
	kill -USR1 $(pid_of dsrd)|counters into the log
	tail -f $NET_DIR/dsrd.log|the director's log
	END
	printf '\n   %s\n' "Ctrl-C stops and removes everything."
	while is_running dsrd; do
		sleep 1
	done
	echo "The director has ended." | tell
}

network_demo() {
	DSRD=$work/dsrd
	# The network of the integration tests, with a shorter name if nobody else has it.
	# shellcheck source-path=SCRIPTDIR source=../tests/integration/net.sh
	. "$top/tests/integration/net.sh"
	if ! ip netns list 2>/dev/null | grep -q '^demo-'; then
		NET=demo
	fi
	# Where net.sh would skip a test, the demo goes on offline.
	skip() {
		net_exit_quietly
		offline_demo "No network of namespaces here: $*"
		exit 0
	}
	net_exit_quietly() {
		trap - EXIT INT TERM HUP PIPE
		rm -rf "$NET_DIR"
	}
	net_require nginx curl tcpdump sysctl

	chapter "A separate network"
	net_up 3
	for server in web1 web2 web3; do
		start_nginx "$server"
	done
	cat <<-END | tell
	Six network namespaces, which are removed at the end. Nothing else on this machine changes.

	     client    192.0.2.100 ---+            +--- web1  192.0.2.11  nginx
	                              +-- switch --+--- web2  192.0.2.12  nginx
	     director  192.0.2.1   ---+            +--- web3  192.0.2.13  nginx

	The virtual IP, VIP, is $VIP. Each web server has it on its loopback and does not answer ARP for it:
	END
	echo
	quote <<-END
	web1# sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	web1# ip address add $VIP/32 dev lo
	END

	chapter "The director"
	{
		conf_head
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		scheduler = wrr
		server = web1 $(server_ip 1) weight=3
		server = web2 $(server_ip 2) weight=2
		server = web3 $(server_ip 3) weight=1
		END
	} >"$NET_DIR/dsrd.conf"
	echo "The complete configuration:" | tell
	echo
	quote <"$NET_DIR/dsrd.conf"
	# shellcheck disable=SC2119
	start_dsrd
	wait_servers_up web web1 web2 web3
	printf '\n   %s\n\n' "It resolves the servers' MACs, checks each, and serves. Of its log:"
	show_log ' ready '
	for server in web1 web2 web3; do
		show_log "server-state server=web/$server"
	done

	chapter "300 pages through the VIP"
	echo "client# curl 'http://$VIP/?[1-300]'      each over a new connection" | tell
	echo
	# Without the director's own probe of the VIP, whose answers are for the director.
	capture director at-director "ip host $VIP and host $CLIENT_IP"
	capture client at-client "ip src $VIP"
	show_pages 300 3 2 1
	expect_pages "150 100 50"
	capture_end at-director
	capture_end at-client

	chapter "The answers bypass the director"
	cat <<-END | tell
	packets to the VIP received by the director:            $(capture_count at-director "dst $VIP and ether dst $DIRECTOR_MAC")
	packets from the VIP received by the client:            $(capture_count at-client)
	packets from the VIP to a client seen by the director:  $(capture_count at-director "src $VIP and dst $CLIENT_IP")
	(Only the servers' answers to the VIP check return to the director.)

	One request on the wire, captured by tcpdump on client and director (with short names for MAC addresses):

	END
	capture client wire-client "tcp port 80 and host $VIP"
	capture director wire-director "tcp port 80 and host $VIP and host $CLIENT_IP"
	fetch / >/dev/null
	wait_until 5 capture_has wire-client 8 tcp || true
	capture_end wire-client
	capture_end wire-director
	show_wire
	assert_equal "packets from the VIP to a client at the director" 0 \
	    "$(capture_count at-director "src $VIP and dst $CLIENT_IP")"

	chapter "A server dies"
	echo "web2's nginx is killed. The director's health check detects it:" | tell
	echo
	stop_nginx web2
	wait_server down web/web2
	show_log 'server-state server=web/web2'
	printf '\n   %s\n\n' "100 pages more:"
	show_pages 100 3 down 1
	expect_pages "75 0 25"

	chapter "It returns"
	start_nginx web2
	wait_server up web/web2
	show_log 'server-state server=web/web2'
	printf '\n   %s\n\n' "120 pages more:"
	show_pages 120 3 2 1
	expect_pages "60 40 20"

	if [ "$stay" = yes ]; then
		play
		exit 0
	fi
	stop_dsrd
	chapter "Done"
	cat <<-END | tell
	Director, servers and network have been removed.

	    sh contrib/demo.sh --stay     the same, and the network stays up for experiments
	    sh tests/run.sh               the tests of one build; with --all everything

	The manual of the configuration:

	    man $work/man/dsrd.conf.5
	END
}

# --- main -----------------------------------------------------------------------------------------------------------

if [ "$built" = no ]; then
	printf '%s%s%s\n' "$bold" "dsrd: load balancing by direct server return, shown on this machine" "$plain"
	chapter "Build"
	build_dsrd
else
	chapter_number=1
	[ -x "$work/dsrd" ] || work=$top
fi

if [ "$offline" = yes ]; then
	offline_demo "No network was asked for."
	exit 0
fi
case $(uname -s) in
Linux) ;;
*)
	offline_demo "Network namespaces are Linux's, and this is $(uname -s)."
	exit 0
	;;
esac
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null 2>&1 && sudo -v; then
		set -- --built --no-install
		[ "$stay" = no ] || set -- "$@" --stay
		exec sudo env DSRD_DEMO_DIR="$DSRD_DEMO_DIR" sh "$top/contrib/demo.sh" "$@"
	fi
	offline_demo "The network needs root, and there is no sudo for you."
	exit 0
fi
network_demo
