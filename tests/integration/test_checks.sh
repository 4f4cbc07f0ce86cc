#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Health checks above TCP on real servers and without root: http, https, icmp, dns, udp and a script with a weight,
# several for one server. Each failure is logged with its reason and passed to the program of `notify`.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl dnsmasq dig openssl
nginx -V 2>&1 | grep -q http_ssl_module || skip "this nginx has no TLS"
net_up 2
# dsrd runs as user nobody, which must be able to read the certificate authority and to run the programs.
chmod 755 "$NET_DIR"
: >"$NET_DIR/notified"
chmod 666 "$NET_DIR/notified"

make_certificate() { # SERVER NAME
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
	    -keyout "$NET_DIR/$1/key.pem" -out "$NET_DIR/$1/cert.pem" 2>/dev/null || fail "openssl makes no certificate"
}

# /health is a file: without it the status is 503.
start_web() { # SERVER
	mkdir -p "$NET_DIR/$1/www" "$NET_DIR/$1/tmp"
	echo "all is well" >"$NET_DIR/$1/www/health"
	make_certificate "$1" www.example.org
	cat >"$NET_DIR/$1/nginx.conf" <<-END
	user root;
	daemon off;
	worker_processes 1;
	pid nginx.pid;
	error_log error.log;
	events { worker_connections 100; }
	http {
		access_log off;
		client_body_temp_path tmp/body;
		proxy_temp_path tmp/proxy;
		fastcgi_temp_path tmp/fastcgi;
		uwsgi_temp_path tmp/uwsgi;
		scgi_temp_path tmp/scgi;
		server {
			listen 80;
			listen 443 ssl;
			ssl_certificate $NET_DIR/$1/cert.pem;
			ssl_certificate_key $NET_DIR/$1/key.pem;
			root www;
			location = / { return 200 "$1\n"; }
			location = /health { try_files /health =503; }
		}
	}
	END
	start_in "$1" "$1-nginx" nginx -p "$NET_DIR/$1/" -c nginx.conf -e stderr
	wait_until 10 run_in "$1" curl -s -k -o /dev/null "https://127.0.0.1/health" ||
		fail "nginx on $1 does not answer"
}

start_dns() { # SERVER
	start_in "$1" "$1-dns" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
	    --pid-file= --log-facility=- --host-record="www.example,192.0.2.80"
	wait_until 10 run_in "$1" dig +short +time=1 +tries=1 @127.0.0.1 www.example ||
		fail "dnsmasq on $1 does not answer"
}

for server in web1 web2; do
	start_web "$server"
	start_dns "$server"
	echo "weight 100" >"$NET_DIR/$server.weight"
done
cat "$NET_DIR/web1/cert.pem" "$NET_DIR/web2/cert.pem" >"$NET_DIR/ca.pem"

cat >"$NET_DIR/check" <<'END'
#!/bin/sh
# Prints the contents of the file for its server, and fails if there is no file.
[ "$(id -u)" != 0 ] && [ "$DSRD_SERVICE $DSRD_PORT" = "web 80" ] && cat "$1/$DSRD_SERVER.weight" && exit 0
echo "no \"weight\" for $DSRD_SERVER as user $(id -u)"
exit 3
END
cat >"$NET_DIR/notify" <<'END'
#!/bin/sh
echo "$1 $2 $3 $4 $5 ($DSRD_SERVICE $DSRD_SERVER $DSRD_ADDRESS)" >>"${0%/*}/notified"
END
sed 's/echo "/&own: /' "$NET_DIR/notify" >"$NET_DIR/notify-dns"
chmod 755 "$NET_DIR/check" "$NET_DIR/notify" "$NET_DIR/notify-dns"

{
	CONF_USER=nobody conf_head | sed -e "s|^log = .*|&\nnotify = $NET_DIR/notify|" \
	    -e 's/^interval = .*/interval = 400ms/' -e 's/^timeout = .*/timeout = 390ms/'
	cat <<-END

	[service web]
	listen = $VIP tcp/80,443
	scheduler = wrr
	check = http path=/health expect=200 body="is well"
	check = https path=/health host=www.example.org ca=$NET_DIR/ca.pem
	check = icmp
	check = script $NET_DIR/check $NET_DIR
	server = web1 $(server_ip 1) weight=10
	server = web2 $(server_ip 2) weight=10

	[service dns]
	listen = $VIP udp/53
	notify = $NET_DIR/notify-dns
	notify = off servers=web2
	check = dns name=www.example expect=192.0.2.80
	check = icmp
	check = udp send="\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01" expect="\x12\x34"
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"

notified_like() { # PATTERN [grep's options]
	wait_until 10 grep -q -x ${2:+"$2"} -e "$1" "$NET_DIR/notified" || {
		cat "$NET_DIR/notified" >&2
		fail "the program of notify was not run: $1"
	}
}

notified() { # LINE
	notified_like "$1" -F
}

step "all checks succeed, and dsrd does not run as root"
start_dsrd
wait_servers_up web web1 web2
wait_servers_up dns web1 web2
assert_equal "user of dsrd" "$(id -u nobody)" "$(awk '/^Uid:/ { print $2 }' "/proc/$(pid_of dsrd)/status")"
notified "web web1 unknown up check succeeded (web web1 $(server_ip 1))"
notified "web - unknown up a server is up (web  )"
notified_like "own: dns web1 unknown up .*"
notified_like "own: dns - unknown up .*"

step "http: another status, then another text"
mv "$NET_DIR/web1/www/health" "$NET_DIR/web1/health"
wait_server down web/web1
assert_log "server-state server=web/web1 from=up to=down reason=\"https* :[0-9]*/health: status 503, expected [0-9]*[-0-9]*\" check=\"https* $(server_ip 1):[0-9]* /health: status 503\""
notified_like "web web1 up down https* :[0-9]*/health: status 503, expected 200[-0-9]* (web web1 $(server_ip 1))"
mv "$NET_DIR/web1/health" "$NET_DIR/web1/www/health"
wait_server up web/web1
echo "all is lost" >"$NET_DIR/web1/www/health"
wait_server down web/web1
assert_log "reason=\"http :80/health: the expected text is not in the body\" check=\"http $(server_ip 1):80 /health\""
echo "all is well" >"$NET_DIR/web1/www/health"
wait_server up web/web1

step "https: a certificate for another name"
make_certificate web2 shop.example.org
kill -HUP "$(pid_of web2-nginx)"
wait_server down web/web2
assert_log "server=web/web2 .*reason=\"https :443/health: certificate not valid for this server ([^)]*)\" check=\"https $(server_ip 2):443 /health: "
assert_equal "state of web1, whose certificate is good" up "$(server_state web/web1)"

step "both down: so is the service"
mv "$NET_DIR/web1/www/health" "$NET_DIR/web1/health"
wait_server down web/web1
notified_like "web - up down no server is up: web1: http.*: status 503, expected 200[-0-9]* (web  )"
mv "$NET_DIR/web1/health" "$NET_DIR/web1/www/health"
wait_server up web/web1
notified "web - down up a server is up (web  )"

step "script: a part of the weight, then a failure"
echo "weight 50" >"$NET_DIR/web1.weight"
wait_log 10 'server-weight server=web/web1 weight=5 percent=50'
dump_dsrd
assert_equal "weight of web1" 5 "$(server_value web/web1 weight)"
rm "$NET_DIR/web1.weight"
wait_server down web/web1
assert_log "server=web/web1 .*reason=\"script check: exit status 3: no .weight. for web1 as user [0-9]*\" check=\"script $NET_DIR/check: exit status 3: no "'\\"weight\\"'" for web1"

step "dns and udp: no program listens"
stop web1-dns TERM
wait_server down dns/web1
# Silence too: Linux says "port unreachable" once a second to each host, and there are several askers.
assert_log "server=dns/web1 .*reason=\"[^\"]*53[^\"]*: \(connection refused\|timeout\)\" check=\"\(dns\|udp\) $(server_ip 1):53"
start_dns web1
wait_server up dns/web1

step "icmp: silence"
run_in web2 sysctl -q -w net.ipv4.icmp_echo_ignore_all=1
wait_server down dns/web2
assert_log "server=dns/web2 .*reason=\"ping: timeout\" check=\"icmp $(server_ip 2)\""

step "no program is left behind"
stop_dsrd
assert_equal "changes of dns that went to the program of [dsrd], or are of web2" "" \
    "$(grep -e '^dns ' -e 'own: dns web2' "$NET_DIR/notified")"
assert_no_log 'notify result='
assert_no_log 'check-trouble'
