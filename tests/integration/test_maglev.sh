#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Connections survive a change of director: twelve downloads continue when it stops and another machine takes over with
# the same hash-key and the same servers in another order. The two directors exchange no state.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
DSRD_STATE=off
net_require nginx curl
SECOND_MAC=02:00:00:00:00:02
DOWNLOADS='a b c d e f g h i j k l'
net_up 3
net_host_add second
net_attach second eth0 lan "$SECOND_MAC" "$SERVER_PREFIX.2/24"
for server in web1 web2 web3; do
	start_nginx "$server"
done

write_conf() { # FILE SERVER-NUMBER...
	write_file=$1
	shift
	{
		conf_head | sed 's/^log = stderr/&\nhash-key = known to both/'
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		scheduler = maglev
		END
		for number; do
			echo "server = web$number $(server_ip "$number")"
		done
	} >"$write_file"
}
write_conf "$NET_DIR/dsrd.conf" 1 2 3
write_conf "$NET_DIR/second.conf" 3 1 2
start_dsrd
wait_servers_up web web1 web2 web3

# Their ports are given, as the key is: every run has the same shares.
step "twelve downloads by the first director"
port=50000
for name in $DOWNLOADS; do
	port=$((port + 1))
	start_in client "$name" curl -sN --local-port "$port" -H 'Connection: close' -D "$NET_DIR/$name.head" \
	    -o "$NET_DIR/$name.part" "http://$VIP/slow/long"
done
for name in $DOWNLOADS; do
	wait_until 5 grep -q '^X-Server:' "$NET_DIR/$name.head" || fail "the download $name does not begin"
	server_of "$name"
done >"$NET_DIR/servers"
step "web1 web2 web3 have $(shares_of "$NET_DIR/servers")"
for server in web1 web2 web3; do
	assert_at_least "downloads at $server" 1 "$(count_lines "$server" "$NET_DIR/servers")"
done

step "it stops, the second one takes over"
stop_dsrd
mv "$NET_DIR/dsrd.log" "$NET_DIR/first.log"
start_in second dsrd "$DSRD" -d -f "$NET_DIR/second.conf"
wait_until 15 dsrd_settled || fail "the second director did not become ready within 15 s"
wait_servers_up web web1 web2 web3
mac_is_second() {
	ip -n "$NET-client" neighbor show to "$VIP" | grep -q "$SECOND_MAC"
}
wait_until 10 mac_is_second || fail "the client did not notice the second director's announcement"

step "all downloads continue"
size_of() { # NAME
	wc -c <"$NET_DIR/$1.part"
}
has_grown() { # NAME SIZE
	[ "$(size_of "$1")" -gt "$2" ]
}
for name in $DOWNLOADS; do
	echo "$name $(size_of "$name")"
done >"$NET_DIR/sizes"
while read -r name size; do
	# More than what the sender may have had in flight without an answer: 100 kB, at 20 kB a second.
	wait_until 20 has_grown "$name" $((size + 100000)) ||
		fail "the download $name from $(server_of "$name") stands still"
	is_running "$name" || fail "the download $name from $(server_of "$name") broke off"
done <"$NET_DIR/sizes"
dump_dsrd
assert_at_least "flows that the second director took over" 12 \
    "$(sed -n 's/.*flows count=\([0-9]*\).*/\1/p' "$NET_DIR/dump" | tail -n 1)"
stop_dsrd
