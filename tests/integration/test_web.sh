#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The status page in a real browser: it shows the state and its changes without an error.
# SHOTS=DIRECTORY keeps pictures of it.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl python3 chromium
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
	head -c 200000 /dev/zero >"$NET_DIR/$server/www/big"
done
{
	conf_head | sed 's/^log = stderr/&\nhttp = 127.0.0.1:9190/'
	cat <<-END

	[service shop]
	listen = $VIP tcp/80,443
	listen = 2001:db8:0:1234:5678:9abc:def0:1234 tcp/80,443
	scheduler = wrr
	check = http path=/health port=8080
	vip-check = off
	server = web1 $(server_ip 1) weight=3
	server = web2 $(server_ip 2) weight=2
	server = web3 $(server_ip 3)

	[service a-name-as-long-as-names-can-be-x]
	listen = $VIP tcp/8080
	check = http path=/health
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2) weight=0
	server = a-server-s-name-of-32-bytes-0123 $(server_ip 3) backup
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up shop web1 web2 web3

start_in director browser chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --user-data-dir="$NET_DIR/browser" --remote-debugging-port=9222 about:blank
browser() { # COMMAND...
	run_in director timeout 120 python3 "$(dirname -- "$0")/browser.py" 9222 "$@" || fail "browser: $*"
}
shot() { # NAME WIDTH HEIGHT SCHEME
	if [ -n "${SHOTS:-}" ]; then
		browser view "$2" "$3" "$4" , shot "$SHOTS/$1.png"
		browser view 1240 900 light
	fi
}
# What a server's row says, as a person reads it.
row() { # SERVICE-NUMBER SERVER
	echo "[...document.querySelectorAll('#services > section')[$1].querySelectorAll('tbody tr')].find(
	    (row) => row.querySelector('.name').textContent === '$2')"
}

step "it loads, and shows every server"
browser view 1240 900 light , open http://127.0.0.1:9190/ , \
    wait 60 "document.querySelectorAll('#services tbody tr').length === 6" , errors all
assert_equal "the verdict" "Everything is served" "$(browser print "document.querySelector('h1').textContent")"
assert_equal "the first server" "web1, up, 3" \
    "$(browser print "[...$(row 0 web1).querySelectorAll('.name, .pill, [data-label=Weight]')].map((n) => n.textContent).join(', ')")"
assert_equal "a server without weight" draining "$(browser print "$(row 1 web2).querySelector('.pill').textContent")"
assert_equal "listens" "$VIP tcp/80 tcp/443|2001:db8:0:1234:5678:9abc:def0:1234 tcp/80 tcp/443" \
    "$(browser print "[...document.querySelector('.listens').children].map((n) => n.textContent).join('|')")"

step "connections appear by themselves"
run_in client timeout 100 sh -c "while :; do curl -s --max-time 10 -H 'Connection: close' 'http://$VIP/big?[1-12]' >/dev/null
    curl -s --max-time 10 'http://$VIP/?[1-30]' >/dev/null; sleep 0.2; done" &
traffic=$!
browser wait 60 "$(row 0 web1).querySelector('[data-label=Out]').textContent !== '0\u00a0B/s'" , \
    wait 60 "$(row 0 web1).querySelector('.chart path:last-child').getAttribute('d').length > 0" , errors all
[ -z "${SHOTS:-}" ] || sleep 45
shot light 1240 900 light
shot dark 1240 900 dark
shot phone 390 844 dark

step "a server that dies is seen within seconds, with the reason, and what to do"
browser click '#filter' , type web
stop_nginx web2
wait_server down shop/web2
browser wait 30 "$(row 0 web2).querySelector('.pill').textContent === 'down'" , \
    wait 30 "$(row 0 web2).querySelector('.sub:not(.mono)').textContent.includes('connection refused')" , \
    wait 30 "document.querySelector('#advice').textContent.includes('dsrctl doctor shop/web2')" , \
    wait 30 "document.querySelector('#said').textContent.includes('server shop/web2 is down, http :8080/health: connection refused')" , \
    wait 30 "document.querySelector('h1').textContent === 'Degraded: 2 of 6 servers are down'" , errors all
# An update leaves the field alone that a person types in.
assert_equal "the focus" 'filter, web' \
    "$(browser print "document.activeElement.id + ', ' + document.activeElement.value")"
assert_equal "servers named" 5 "$(browser print "document.querySelectorAll('#services tbody tr:not([hidden])').length")"
browser click '#trouble' , wait 30 "document.querySelectorAll('#services tbody tr:not([hidden])').length === 2" , \
    click '#trouble' , print "document.querySelector('#filter').value = ''; document.querySelector('#filter').dispatchEvent(new Event('input')); ''"
shot down 1240 900 light
shot down-phone 390 844 light

step "a service without servers leads"
stop_nginx web1
stop_nginx web3
wait_server down shop/web1
wait_server down shop/web3
browser wait 60 "document.querySelector('h1').textContent === 'No service is up'" , \
    wait 30 "document.title.startsWith('No service is up')" , errors all
shot none 1240 900 dark
start_nginx web1
wait_server up shop/web1
browser wait 30 "$(row 0 web1).querySelector('.pill').textContent === 'up'"

step "what is narrow fits, and the keyboard reaches everything"
for width in 320 390 768 1240; do
	browser view "$width" 800 dark , wait 30 "document.documentElement.scrollWidth <= $width"
done
browser open http://127.0.0.1:9190/ , wait 60 "document.querySelectorAll('#services tbody tr').length === 6" , \
    key Tab , wait 5 "document.activeElement.className === 'skip'" , key Tab , \
    wait 5 "document.activeElement === document.querySelector('#advice a')" , \
    print "document.querySelector('#filter').focus(); ''" , \
    key Tab , wait 5 "document.activeElement.id === 'trouble'" , key Tab , \
    wait 5 "document.activeElement === document.querySelector('#services .fold')" , errors all
# A table of figures stays at its scroll position when the figures change.
browser view 320 800 light , wait 30 "document.querySelector('#interfaces .scroll').tabIndex === 0" , \
    print "document.querySelector('#interfaces .scroll').focus(); window.old = document.querySelector('#interfaces tbody').textContent; ''" , \
    wait 30 "document.querySelector('#interfaces tbody').textContent !== window.old" , \
    wait 0 "document.activeElement === document.querySelector('#interfaces .scroll')"

step "it can be read, by eyes and by a screen reader"
for scheme in light dark; do
	browser view 1240 900 "$scheme" , readable , named , view 390 844 "$scheme" , readable , named
done
assert_equal "the name of a table for a screen reader" "Servers of service shop" \
    "$(browser print "document.querySelector('table.servers caption').textContent")"
assert_equal "the place for news" "status, polite" \
    "$(browser print "[document.querySelector('#said').getAttribute('role'), document.querySelector('#said').getAttribute('aria-live')].join(', ')")"

step "a director that is gone is said to be gone, and one that is back is back"
stop_dsrd
browser wait 60 "!document.querySelector('#lost').hidden" , \
    wait 30 "document.querySelector('#lost').textContent.includes('has not answered since')" , errors local
shot lost 1240 900 light
sed -i 's/^offload.*/offload = tc/' "$NET_DIR/dsrd.conf"
start_dsrd
wait_server up shop/web1
browser wait 60 "document.querySelector('#lost').hidden" , \
    wait 60 "$(row 0 web1).querySelector('.pill').textContent === 'up'" , errors local

step "offload is shown"
if grep -q 'offload mode=.* result=off' "$NET_DIR/dsrd.log"; then
	step "this machine cannot carry: $(grep 'offload mode=' "$NET_DIR/dsrd.log")"
	browser wait 0 "!document.body.textContent.includes('kernel carries')" , errors local
else
	browser wait 60 "/[1-9][0-9]* in the kernel/.test(document.querySelector('#figures').textContent)" , \
	    wait 0 "document.querySelector('#interfaces tbody td:last-child').textContent === 'tc'" , \
	    wait 0 "document.querySelector('#foot').textContent.includes('that the kernel carries')" , errors local
	shot kernel 1240 900 light
	shot kernel-phone 390 844 dark
fi

step "nothing else runs there: the policy holds"
assert_equal "an external script" undefined "$(browser print "(() => { const s = document.createElement('script');
    s.textContent = 'window.evil = 1'; document.body.append(s); return typeof window.evil; })()")"
kill "$traffic" 2>/dev/null || true
stop browser
stop_dsrd
