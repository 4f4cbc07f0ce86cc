#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The status page of a large site, 200 services of 5 servers: it is short when everything works and when a machine is
# down, reports a fault of a machine once, and has a link to each service. SHOTS=DIRECTORY keeps screenshots.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx python3 chromium
net_up 6
for server in web1 web2 web3 web4 web5 web6; do
	start_nginx "$server"
done
# web5 is in the services of odd numbers, web6 in the others.
{
	# A thousand checks a second and a half.
	conf_head | sed -e 's/^log = stderr/&\nhttp = 127.0.0.1:9190/' -e 's/^interval.*/interval = 1500ms/'
	printf 'vip-check = off\n'
	service=0
	while [ "$service" -lt 200 ]; do
		printf '\n[service shop-%d]\nlisten = 198.51.100.%d tcp/80\ncheck = http path=/health port=80\n' \
		    "$service" $((service + 1))
		for server in 1 2 3 4 $((6 - service % 2)); do
			echo "server = web$server $(server_ip "$server")"
		done
		service=$((service + 1))
	done
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_log 60 'server-state server=shop-199/web5 from=unknown to=up'
# That a thousand servers come up does not hold the director up for a compilation each.
assert_no_log 'checks-late.*held up for [0-9]\{5,\}ms'

start_in director browser chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --user-data-dir="$NET_DIR/browser" --remote-debugging-port=9222 about:blank
browser() { # COMMAND...
	run_in director timeout 120 python3 "$(dirname -- "$0")/browser.py" 9222 "$@" || fail "browser: $*"
}
# Four screens of a desktop, and of a phone.
short() { # NAME
	for size in '1240 900' '390 844'; do
		# shellcheck disable=SC2086 # width and height
		short_on "$1" $size
	done
}
short_on() { # NAME WIDTH HEIGHT
	set -- "$@" "view $2 $3 light"
	# shellcheck disable=SC2086 # words
	height=$(browser $4 , wait 30 "document.documentElement.scrollHeight < 4 * $3 && document.documentElement.scrollWidth <= $2" , \
	    print "document.documentElement.scrollHeight")
	echo "# $1, $2 x $3: $height pixels high"
	# shellcheck disable=SC2086 # words
	[ -z "${SHOTS:-}" ] || browser $4 , shot "$SHOTS/$1-$2.png"
}
title() { # TEXT
	browser wait 60 "document.querySelector('h1') && document.querySelector('h1').textContent === '$1'"
}

step "all is well"
browser view 1240 900 light , open http://127.0.0.1:9190/
title 'Everything is served'
assert_equal "services that are healthy" 'Healthy services200' \
    "$(browser print "document.querySelector('#healthy-title').textContent")"
short well

step "a machine that 100 services share is down"
stop_nginx web5
title 'Degraded: 100 of 1,000 servers are down'
browser wait 30 "document.querySelectorAll('#advice li').length === 1" , \
    wait 0 "document.querySelector('#advice').textContent.includes('$(server_ip 5) (web5)')" , \
    wait 0 "document.querySelector('#advice').textContent.includes('in 100 services')" , \
    wait 30 "document.querySelector('#services-title').textContent === 'Services with problems100'" , \
    wait 30 "document.querySelector('#events').textContent.includes('100 servers up')" , errors all
assert_equal "a service with a server down" degraded \
    "$(browser print "document.querySelector('#services > section .pill').textContent")"
short down

step "a link opens its service, and a filter finds one"
browser open "http://127.0.0.1:9190/?#service-shop-151" , \
    wait 60 "document.querySelectorAll('#service-shop-151 tbody tr').length === 5" , \
    wait 10 "Math.abs(document.querySelector('#service-shop-151').getBoundingClientRect().top) < 100" , \
    wait 10 "document.documentElement.scrollHeight < 4 * 900 + 500" , \
    print "document.querySelector('#filter').value = 'shop-77'; document.querySelector('#filter').dispatchEvent(new Event('input')); ''" , \
    wait 10 "document.querySelectorAll('#services > section:not([hidden])').length === 1" , errors all
browser click '#service-shop-77 .fold' , wait 10 \
    "document.querySelectorAll('#service-shop-77 tbody tr:not([hidden])').length === 5" , \
    readable , named

stop browser
stop_dsrd
