#!/bin/sh
# SPDX-License-Identifier: ISC
# No command of dsrctl ends offload: each is given during an offloaded download, which is still offloaded afterwards.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"

export DSRD_OFFLOAD=tc
net_require nginx curl tc
net_up 2
start_nginx web1
start_nginx web2
for host in web1 web2; do
	head -c 20000000 /dev/zero >"$NET_DIR/$host/www/big"
done
{
	conf_head
	cat <<-END
	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
if grep -q 'offload mode=.* result=off' "$NET_DIR/dsrd.log"; then
	echo "skipped: this machine's kernel cannot offload flows" >&2
	exit 77
fi
wait_servers_up web web1 web2

# The share in hundredths of the frames of a download that the kernel offloaded. Its first frames are always the
# daemon's.
offloaded_share() { # WHAT-WAS-DONE-BEFORE
	dump_dsrd
	share_frames=$(counter forwarded) share_offloaded=$(counter offloaded)
	fetch /big -o /dev/null || fail "the download after \`$1\` failed"
	dump_dsrd
	echo $((100 * ($(counter offloaded) - share_offloaded) / ($(counter forwarded) - share_frames)))
}

# As dsrctl itself lists them, so that a new command is tried without being named here: with what it needs, and no more.
commands() {
	"$DSRCTL" -h | sed -n 's/^  \([a-z]\)/\1/p' | sed 's/   .*//' | awk -v client="$CLIENT_IP:4711" -v vip="$VIP:80" '{
		line = ""
		stood = 0 # for placeholders
		for (i = 1; i <= NF && $i !~ /^\[/; i++) {
			word = $i
			if (word ~ /^[A-Z]/) {
				stood = 1
				word = word ~ /^SERVICE/ ? "web/web1" : word == "N" ? "2" : word == "PROTOCOL" ? "tcp" : \
				    word ~ /^CLIENT/ ? client : word ~ /^VIP/ ? vip : word
			} else if (stood)
				break
			line = line " " word
		}
		# These run until they have seen so much.
		if ($1 == "top" || $1 == "trace" )
			line = line " -c 1"
		print line
	}'
}

ended() {
	! is_running "$1"
}

before=$(offloaded_share start)
step "$before % offloaded"
assert_at_least "hundredths offloaded before any command" 50 "$before"
commands >"$NET_DIR/commands"
assert_at_least "commands" 15 "$(grep -c . "$NET_DIR/commands")"
grep -q '^ doctor' "$NET_DIR/commands" || fail "the doctor is not among the commands"
while read -r words; do
	case $words in
	stop*) continue ;; # ends the director, and with it all that is offloaded
	esac
	# shellcheck disable=SC2086 # words
	start_in client word timeout 30 "$DSRCTL" -s "$SOCKET" $words
	case $words in
	trace*) fetch >/dev/null || fail "no page while tracing" ;;
	esac
	wait_until 30 ended word || fail "\`dsrctl $words\` does not end"
	offloaded=$(offloaded_share "dsrctl $words")
	step "dsrctl $words: $offloaded %"
	assert_at_least "hundredths offloaded after \`dsrctl $words\`" 50 "$offloaded"
done <"$NET_DIR/commands"

step "while it is being examined, too"
start_in client word "$DSRCTL" -s "$SOCKET" doctor
assert_at_least "hundredths offloaded during an examination" 50 "$(offloaded_share doctor)"
wait_until 30 ended word || fail "the doctor does not end"
stop_dsrd
