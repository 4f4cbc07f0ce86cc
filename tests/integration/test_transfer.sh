#!/bin/sh
# SPDX-License-Identifier: ISC
#
# 100 MB up and 100 MB down between hosts with the system's default offloads: unfinished checksums and super-frames
# reach the director, and every byte arrives.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl sha256sum
net_up 1
start_nginx web1
for host in client web1; do
	run_in "$host" ethtool -k eth0 | grep -q '^tcp-segmentation-offload: on' ||
		fail "$host has no segmentation offload by default: this test would show nothing here"
done

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	server = web1 $(server_ip 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server up web/web1

sum_of() { # FILE
	sha256sum <"$1"
}

head -c 100000000 /dev/urandom >"$NET_DIR/original"

step "up"
run_in client curl -sS --max-time 60 -T "$NET_DIR/original" -w '# %{size_upload} bytes in %{time_total} s\n' -o \
    /dev/null \
    -H 'Expect:' "http://$VIP/up/copy" || fail "the upload broke off"
assert_equal "SHA-256 of what arrived" "$(sum_of "$NET_DIR/original")" "$(sum_of "$NET_DIR/web1/www/up/copy")"

step "down"
run_in client curl -sS --max-time 60 -w '# %{size_download} bytes in %{time_total} s\n' -o "$NET_DIR/back" \
    "http://$VIP/up/copy" || fail "the download broke off"
assert_equal "SHA-256 of what came back" "$(sum_of "$NET_DIR/original")" "$(sum_of "$NET_DIR/back")"

dump_dsrd
step "$(counter checksums_left) checksums left unfinished, $(counter frames_whole) super-frames left whole"
# What the kernel carries it also finishes and splits, where the wire begins.
if [ "${DSRD_OFFLOAD:-off}" = off ]; then
	assert_at_least "unfinished checksums that were left to the network card" 10 "$(counter checksums_left)"
	# With receive offloads off at the director, it is the sender's super-frames that come over a virtual link.
	assert_at_least "super-frames that went out whole" 100 "$(counter frames_whole)"
	assert_equal "super-frames split by dsrd" 0 "$(counter frames_split)"
else
	assert_at_least "offloaded frames" 100 "$(counter offloaded)"
fi
assert_equal "frames dropped as too big" 0 "$(drop_count too-big)"
assert_equal "frames that the capture had cut" 0 "$(drop_count truncated)"
stop_dsrd
