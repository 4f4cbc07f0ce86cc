/* SPDX-License-Identifier: ISC */
/*
 * The one table of all keys, in the order of `dsrd -T` and dsrd.conf(5): KEY(identifier, name, sections, what it takes,
 * default, how it is read and written). The enum of keys and the table in keys.c are made of it. The last column is a
 * member of struct conf or of a service's settings with its range or words, or OWN for a grammar of its own in
 * key_set_NAME() and key_print_NAME().
 */
#ifndef CONF_KEY_TABLE_H
#define CONF_KEY_TABLE_H

#define KEYS(KEY) \
	KEY(INTERFACE, "interface", IN_ALL, "the name of a network interface, such as eth0", NULL, OWN(interface)) \
	KEY(USER, "user", CONF_IN_DSRD | CONF_AT_START, "a user or user:group", DSRD_USER, OWN(user)) \
	KEY(SANDBOX, "sandbox", CONF_IN_DSRD | CONF_AT_START, "on, log or off", "on", \
	    CHOICE(CONF(sandbox), [SANDBOX_ON] = "on", [SANDBOX_LOG] = "log", [SANDBOX_OFF] = "off")) \
	KEY(LOG, "log", CONF_IN_DSRD, "syslog or stderr", "syslog", \
	    CHOICE(CONF(log), [SINK_STDERR] = "stderr", [SINK_SYSLOG] = "syslog")) \
	KEY(CONTROL, "control", CONF_IN_DSRD | CONF_AT_START, "an absolute path of at most 103 bytes, or off", NULL, \
	    PATH(CONF(control)), .print = key_print_control) \
	KEY(CONTROL_GROUP, "control-group", CONF_IN_DSRD | CONF_AT_START, "a group's name", NULL, \
	    STRING(CONF(control_group), NAME_CHARACTERS)) \
	KEY(CONTROL_GROUP_MAY, "control-group-may", CONF_IN_DSRD, "look or change", "look", \
	    CHOICE(CONF(control_change), "look", "change")) \
	KEY(STATE, "state", CONF_IN_DSRD | CONF_AT_START, "the absolute path of a file, or off", NULL, \
	    PATH(CONF(state)), .print = key_print_state) \
	KEY(HTTP, "http", CONF_IN_DSRD | CONF_AT_START, \
	    "ADDRESS:PORT, such as 127.0.0.1:9190 or [::1]:9190, or off", NULL, \
	    OWN(http)) \
	KEY(HTTP_HOST, "http-host", CONF_IN_DSRD | CONF_AT_START, \
	    "names of hosts, such as director.example.org, or addresses", NULL, \
	    STRING(CONF(http_host), NAME_CHARACTERS ":, \t")) \
	KEY(CONNECTIONS, "connections", CONF_IN_DSRD | CONF_AT_START, \
	    "a number from 16 to 256m, where k is 1024 and m 1024k", "1000000", \
	    NUMBER(CONF(settings.connections), KEY_SIZE, CONNECTIONS_LEAST, CONNECTIONS_MOST)) \
	KEY(OFFLOAD, "offload", CONF_IN_DSRD | CONF_AT_START, "auto, tc, xdp or off", "auto", \
	    CHOICE(CONF(offload), [OFFLOAD_AUTO] = "auto", [OFFLOAD_TC] = "tc", [OFFLOAD_XDP] = "xdp", \
	    [OFFLOAD_OFF] = "off")) \
	KEY(QUEUE_DISCIPLINE, "queue-discipline", CONF_IN_DSRD | CONF_AT_START, "use or bypass", "use", \
	    CHOICE(CONF(bypass), "use", "bypass")) \
	KEY(WITHHOLD, "withhold", CONF_IN_DSRD | CONF_AT_START, "yes or no", "no", FLAG(CONF(withhold))) \
	KEY(HASH_KEY, "hash-key", CONF_IN_DSRD, "any text", NULL, STRING(CONF(hash_key), NULL)) \
	KEY(PROBE_ADDRESS, "probe-address", CONF_IN_DSRD, \
	    "an address that no host has, or two: one IPv4, one IPv6, such as 192.0.2.250", NULL, \
	    OWN(probe_address)) \
	KEY(ROLE, "role", CONF_IN_DSRD, \
	    "active, standby, follow ADDRESS, file PATH or carp INTERFACE, and, if wished, group=NAME, such as " \
	    "follow 192.0.2.5", \
	    NULL, OWN(role), .repeats = true) \
	KEY(LINGER, "linger", CONF_IN_DSRD, "a duration from 0s to 24h, such as 60s", "1m", \
	    NUMBER(CONF(settings.roles.linger), KEY_DURATION, 0, LINGER_MOST)) \
	KEY(ANNOUNCE, "announce", CONF_IN_DSRD, \
	    "off, device, route or program PATH, and, if wished, when=any|all|N, last=keep|withdraw, metric=N, " \
	    "table=N, device=NAME and group=NAME, such as device when=all", \
	    NULL, OWN(announce), .repeats = true) \
	KEY(PEER_MAC, "peer-mac", CONF_IN_DSRD, "the MAC addresses of the other directors, such as 02:00:00:00:00:02", \
	    NULL, \
	    OWN(peer_mac), .repeats = true) \
	KEY(READY_FILE, "ready-file", CONF_IN_DSRD | CONF_AT_START, "the absolute path of a file", NULL, \
	    OWN(ready_file)) \
	KEY(PEER, "peer", CONF_IN_DSRD, \
	    "a director's name and address, such as lb2 192.0.2.2 or lb2 [2001:db8::2]:9191", NULL, \
	    OWN(peer), .repeats = true) \
	KEY(PEER_NAME, "peer-name", CONF_IN_DSRD, "a name, such as lb1", NULL, OWN(peer_name)) \
	KEY(PEER_LISTEN, "peer-listen", CONF_IN_DSRD, \
	    "an address of this host, such as 192.0.2.1 or [2001:db8::1]:9191", NULL, OWN(peer_listen)) \
	KEY(SYNC_KEY_FILE, "sync-key-file", CONF_IN_DSRD, "the absolute path of a file", NULL, \
	    PATH(CONF(sync_key_file))) \
	KEY(INCLUDE, "include", CONF_IN_DSRD, "a file's name or a pattern, such as dsrd.d/*.conf", NULL, \
	    .set = key_set_include, .repeats = true) \
	KEY(NOTIFY, "notify", IN_ALL, \
	    "the absolute path of a program, or off; in services also servers=NAME,...", NULL, \
	    OWN(notify), .repeats = true) \
	KEY(MAC, "mac", CONF_IN_DSRD, "a MAC address, such as 02:00:00:00:00:01", NULL, OWN(mac)) \
	KEY(MTU, "mtu", CONF_IN_DSRD, "a number from 576 to 65535", NULL, \
	    NUMBER(CONF(mtu), KEY_NUMBER, MTU_LEAST, MTU_MOST)) \
	KEY(ADDRESS, "address", CONF_IN_DSRD, \
	    "an address and its prefix length, such as 192.0.2.250/24, of IPv4, IPv6 or each", NULL, \
	    OWN(address), .repeats = true) \
	KEY(LISTEN, "listen", CONF_IN_SERVICE, \
	    "ADDRESS PROTOCOL/PORTS ... [dscp=N], such as 192.0.2.10 tcp/80,443 udp/8000-8099", NULL, \
	    OWN(listen), .repeats = true) \
	KEY(GROUP, "group", IN_SERVICES, "the name of a group that a `role` has, or main", "main", OWN(group)) \
	KEY(ARP, "arp", IN_SERVICES, "on or off", "on", CHOICE(SERVICE(routed), "on", "off")) \
	KEY(SCHEDULER, "scheduler", IN_SERVICES, \
	    "one of rr wrr lc wlc sed nq sh maglev twos fo ovf lblc dh random least-latency", "wlc", \
	    OWN(scheduler)) \
	KEY(PERSIST, "persist", IN_SERVICES, \
	    "off, or a duration from 1s to 24d and, if wished, prefix lengths of IPv4 and IPv6, such as 5m /24 /64", \
	    "off", \
	    OWN(persist)) \
	KEY(WARMUP, "warmup", IN_SERVICES, "a duration from 0s (off) to 1h, such as 30s", "0s", \
	    NUMBER(SERVICE(warmup), KEY_DURATION, 0, DURATION_MOST)) \
	KEY(ON_DOWN, "on-down", IN_SERVICES, "keep or move", "keep", \
	    CHOICE(SERVICE(on_down), [ON_DOWN_KEEP] = "keep", [ON_DOWN_MOVE] = "move")) \
	KEY(ONE_PACKET, "one-packet", IN_SERVICES, "yes or no", "no", FLAG(SERVICE(one_packet))) \
	KEY(QUIC_LB, "quic-lb", IN_SERVICES, \
	    "off, or CONFIGURATION:BYTES, ..., with configurations from 0 to 6 and 1 to 15 bytes, such as 0:2", "off", \
	    OWN(quic_lb)) \
	KEY(LIMIT_NEW, "limit-new", IN_SERVICES, \
	    "off, or new connections a second from 1/s to 10000000/s and, if wished, per-client=N/s and " \
	    "prefix=IPv4,IPv6, such as 1000/s or 1000/s per-client=20/s prefix=24,64", "off", \
	    OWN(limit_new)) \
	KEY(SYNC, "sync", IN_SERVICES, "auto, all or off", "auto", \
	    CHOICE(SERVICE(sync), [SYNC_AUTO] = "auto", [SYNC_ALL] = "all", [SYNC_OFF] = "off")) \
	KEY(TIMEOUT_ESTABLISHED, "timeout-established", IN_SERVICES, FLOW_TIME, "15m", LIFETIME(CONN_ESTABLISHED)) \
	KEY(TIMEOUT_SYN, "timeout-syn", IN_SERVICES, FLOW_TIME, "1m", LIFETIME(CONN_SYN)) \
	KEY(TIMEOUT_FIN, "timeout-fin", IN_SERVICES, FLOW_TIME, "2m", LIFETIME(CONN_FIN_WAIT)) \
	KEY(TIMEOUT_CLOSED, "timeout-closed", IN_SERVICES, FLOW_TIME, "10s", LIFETIME(CONN_CLOSED)) \
	KEY(TIMEOUT_UDP, "timeout-udp", IN_SERVICES, FLOW_TIME, "5m", LIFETIME(CONN_UDP)) \
	KEY(CHECK, "check", IN_SERVICES, \
	    "tcp, http, https, icmp, dns, udp, script or none, and options, such as tcp port=80", "tcp", \
	    OWN(check), .repeats = true) \
	KEY(INTERVAL, "interval", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", "2s", \
	    CHECK_TIME(interval)) \
	KEY(RETRY, "retry", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", NULL, \
	    CHECK_TIME(retry)) \
	KEY(TIMEOUT, "timeout", IN_SERVICES, "a duration from 10ms to 1h, such as 500ms, 2s or 1m", "1s", \
	    CHECK_TIME(timeout)) \
	KEY(RISE, "rise", IN_SERVICES, "a number from 1 to 1000", "2", \
	    NUMBER(SERVICE(rise), KEY_NUMBER, 1, STREAK_MOST)) \
	KEY(FALL, "fall", IN_SERVICES, "a number from 1 to 1000", "3", \
	    NUMBER(SERVICE(fall), KEY_NUMBER, 1, STREAK_MOST)) \
	KEY(QUORUM, "quorum", IN_SERVICES, \
	    "a number or a percentage of servers, and, if wished, recover=N or recover=P%, " \
	    "such as 2, 50% or 2 recover=3", "1", \
	    OWN(quorum)) \
	KEY(VIP_CHECK, "vip-check", IN_SERVICES, "require, warn or off", "require", \
	    CHOICE(SERVICE(vip_check), [VIP_CHECK_REQUIRE] = "require", [VIP_CHECK_WARN] = "warn", \
	    [VIP_CHECK_OFF] = "off")) \
	KEY(VIP_PAYLOAD, "vip-payload", IN_SERVICES, "a text in quotes, such as \"ping\\r\\n\"", NULL, \
	    OWN(vip_payload)) \
	KEY(VIP_CONFLICT, "vip-conflict", IN_SERVICES, "log, announce or remove", "log", \
	    CHOICE(SERVICE(vip_conflict), [VIP_CONFLICT_LOG] = "log", [VIP_CONFLICT_ANNOUNCE] = "announce", \
	    [VIP_CONFLICT_REMOVE] = "remove")) \
	KEY(NEIGHBOR, "neighbor", IN_SERVICES, "prove, pin or follow", "prove", \
	    CHOICE(SERVICE(neighbor), [NEIGHBOR_PROVE] = "prove", [NEIGHBOR_PIN] = "pin", \
	    [NEIGHBOR_FOLLOW] = "follow")) \
	KEY(OUTLIER, "outlier", IN_SERVICES, \
	    "off, warn or eject, which may be followed by max=P%, such as eject max=20%", "warn", \
	    OWN(outlier)) \
	KEY(METHOD, "method", IN_SERVICES, "mac, dscp, ipip, gre, gue or gue1", "mac", \
	    CHOICE(SERVICE(method), [ENCAP_MAC] = "mac", [ENCAP_DSCP] = "dscp", [ENCAP_IPIP] = "ipip", \
	    [ENCAP_GRE] = "gre", [ENCAP_GUE] = "gue", [ENCAP_GUE1] = "gue1")) \
	KEY(GATEWAY, "gateway", IN_SERVICES, "the address of a router, such as 192.0.2.1", NULL, OWN(gateway)) \
	KEY(SERVER, "server", CONF_IN_SERVICE, \
	    "NAME ADDRESS [weight=N] [max-connections=N] [mac=MAC] [interface=NAME] [method=NAME] [gateway=ADDRESS] [local] " \
	    "[quic-id=HEX] [backup], " \
	    "such as web1 192.0.2.11 weight=3", NULL, \
	    OWN(server), .repeats = true)

#endif
