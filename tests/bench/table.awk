# SPDX-License-Identifier: ISC
#
# Makes the table of what run.sh measured: its lines in, text out. Ratios are taken within a round, since then both had
# the same load; for each figure the median is printed, with minimum and maximum. Whether a target is met is decided
# here and nowhere else, by the median.

function add(key, value) {
	seen[key, ++count[key]] = value
}

# Leaves the numbers of `key` in order.
function sort_up(key,    i, j, value) {
	for (i = 2; i <= count[key]; i++) {
		value = seen[key, i]
		for (j = i - 1; j > 0 && seen[key, j] + 0 > value + 0; j--)
			seen[key, j + 1] = seen[key, j]
		seen[key, j + 1] = value
	}
}

function median(key,    n) {
	sort_up(key)
	n = count[key]
	return n % 2 ? seen[key, (n + 1) / 2] : (seen[key, n / 2] + seen[key, n / 2 + 1]) / 2
}

# "median (least-greatest)" of what was added under `key`, each divided by `unit`.
function spread(key, format, unit,    text) {
	if (!count[key])
		return "-"
	text = sprintf(format, median(key) / unit)
	return text " (" sprintf(format, seen[key, 1] / unit) "-" sprintf(format, seen[key, count[key]] / unit) ")"
}

# Adds the ratios of two figures, round by round, under a separate key, once, and returns that key.
function ratio(over, under,    key, i, round) {
	key = "ratio " over " / " under
	if (!(key in count)) {
		count[key] = 0
		for (i = 1; i <= rounds; i++) {
			round = names_of_rounds[i]
			if ((over, round) in figure && figure[under, round] + 0 > 0)
				add(key, figure[over, round] / figure[under, round])
		}
	}
	return key
}

function keep(key, round, value) {
	figure[key, round] = value
	add(key, value)
}

function heading(text) {
	printf "\n%s\n\n", text
}

# One line of the targets; `value` is empty when nothing was measured.
function target(text, key, least,    met) {
	if (!count[key])
		met = "not measured"
	else
		met = median(key) >= least ? "yes" : "NO"
	printf "  %-92s %-22s %s\n", text, spread(key, "%.2f", 1), met
}

function target_most(text, key, most, unit,    met) {
	if (!count[key])
		met = "not measured"
	else
		met = median(key) / unit <= most ? "yes" : "NO"
	printf "  %-92s %-22s %s\n", text, spread(key, "%.1f", unit), met
}

BEGIN {
	split("60-10k imix-10k 1400-10k 60-1m 60-new", loads, " ")
	METHODS = split("dscp ipip gre gue gue1", methods, " ")
	names = "generator direct redirect encap pen nft nft-persist bare xsk dsrd-frame dsrd dsrd-tc dsrd-xdp"
	for (i = 1; i <= METHODS; i++)
		names = names " dsrd-" methods[i] " dsrd-tc-" methods[i]
	FORWARDERS = split(names, forwarders, " ")
	LOADS = 5
	# RFC 5681 (section 4.2) has a receiver acknowledge at least every second full segment, of 1448 bytes at an MTU of 1500
	# with timestamps; the acknowledgements are all that passes the director of a download.
	SERVED = 2 * 1448 * 8 / 1e9
}

$1 == "machine" || $1 == "date" {
	told[$1] = $0
	next
}

!($2 in known_rounds) {
	known_rounds[$2] = 1
	names_of_rounds[++rounds] = $2
}

$1 == "rate" {
	keep("rate " $4 " " $3, $2, $5)
	lost_backlog[$4, $3] += $6
	lost_ring[$4, $3] += $7
}

$1 == "loss" {
	keep("peak " $3, $2, $4)
	loss_runs[$3, $5]++
	loss_sent[$3, $5] += $6
	loss_lost[$3, $5] += $6 - $7
	lost_backlog["loss", $3] += $8
	lost_ring["loss", $3] += $9
	if ($6 > $7)
		lossy[$3, $2, $5] = 1
	steps[$5] = 1
	if (!(($3, $2) in best))
		best[$3, $2] = 0
	if ($6 == $7 && $5 > best[$3, $2])
		best[$3, $2] = $5
}

$1 == "delay" && NF >= 8 {
	for (i = 1; i <= 4; i++)
		keep("delay" i " " $4 " " $3, $2, $(4 + i))
	delay_lost[$4, $3] += $9
}

$1 == "memory" {
	keep("rss before " $3, $2, $4)
	keep("rss " $3, $2, $6)
	keep("kernel " $3, $2, $7)
	if ($8 > 0)
		keep("per flow " $3, $2, ($6 - $4 + $7 - $5) * 1024 / $8)
	add("flows " $3, $8)
}

$1 == "idle" { keep("idle " $3, $2, $4) }

$1 == "tcp" && NF >= 4 { keep("tcp " $3, $2, $4) }

# What a processor could forward that had no generator to run: the generator's own time is taken off, round by round.
function take_generator_off(    i, j, n, round, all, generator) {
	for (i = 1; i <= LOADS; i++)
		for (j = 2; j <= FORWARDERS; j++)
			for (n = 1; n <= rounds; n++) {
				round = names_of_rounds[n]
				all = figure["rate " loads[i] " " forwarders[j], round]
				generator = figure["rate " loads[i] " generator", round]
				if (all > 0 && generator > all)
					keep("own " loads[i] " " forwarders[j], round, 1 / (1 / all - 1 / generator))
			}
}

function print_rates(    i, j, load, name, key) {
	heading("Frames a second that arrive when a forwarder is given as many as it takes, in thousands; all on one processor, the\n" \
	    "generator too. own: without the generator's time, which the ratios are made of. us: of time a frame. served: Gbit/s\n" \
	    "of answers of a download, if these frames are acknowledgements of two segments each. backlog, ring: dropped before\n" \
	    "the forwarder.")
	printf "%-9s %-11s %18s %18s %6s %20s %20s %7s %8s %8s\n", "frames", "forwarder", "thousands/s", "own", "us", \
	    "by pen's", "by nft-persist's", "served", "backlog", "ring"
	for (i = 1; i <= LOADS; i++)
		for (j = 1; j <= FORWARDERS; j++) {
			load = loads[i]
			name = forwarders[j]
			key = "own " load " " name
			if (!count["rate " load " " name])
				continue
			printf "%-9s %-11s %18s %18s %6s %20s %20s %7s %8d %8d\n", load, name, \
			    spread("rate " load " " name, "%.0f", 1000), spread(key, "%.0f", 1000), \
			    count[key] ? sprintf("%.2f", 1e6 / median(key)) : "-", spread(ratio(key, "own " load " pen"), "%.2f", 1), \
			    spread(ratio(key, "own " load " nft-persist"), "%.2f", 1), \
			    count[key] ? sprintf("%.1f", median(key) * SERVED) : "-", lost_backlog[load, name], lost_ring[load, name]
		}
}

# Each method's rate by that of mac, and by that of a program that does no more than IP in IP: both in the same round.
function print_methods(    i, j, load, key, tc) {
	heading("Methods: rates without the generator's time, in parts of those of method mac and of the program `encap`.")
	printf "%-9s %-6s %22s %22s %22s\n", "frames", "method", "dsrd by mac's", "dsrd-tc by mac's", "dsrd-tc by encap's"
	for (i = 1; i <= LOADS; i++)
		for (j = 1; j <= METHODS; j++) {
			load = loads[i]
			key = "own " load " dsrd-" methods[j]
			tc = "own " load " dsrd-tc-" methods[j]
			if (count[key] || count[tc])
				printf "%-9s %-6s %22s %22s %22s\n", load, methods[j], \
				    spread(ratio(key, "own " load " dsrd"), "%.2f", 1), \
				    spread(ratio(tc, "own " load " dsrd-tc"), "%.2f", 1), spread(ratio(tc, "own " load " encap"), "%.2f", 1)
		}
}

# Freedom from loss for each round: the largest part of the peak at which every frame arrived.
function print_loss(    j, i, name, key, text, n) {
	heading("Loss at a bounded rate, 60 bytes, 10 000 flows: every frame counted. Rates are in thousands a second.")
	printf "%-11s %22s %24s %22s   %s\n", "forwarder", "peak", "free of loss: % of peak", "free of loss: rate", \
	    "lost of sent, by % of the peak offered"
	for (j = 1; j <= FORWARDERS; j++) {
		name = forwarders[j]
		if (!count["peak " name])
			continue
		for (i = 1; i <= rounds; i++)
			if ((name, names_of_rounds[i]) in best) {
				add("free " name, best[name, names_of_rounds[i]])
				add("free rate " name, best[name, names_of_rounds[i]] / 100 * figure["peak " name, names_of_rounds[i]])
			}
		text = ""
		for (n = 1; n <= 100; n++)
			if ((name, n) in loss_runs)
				text = text sprintf(" %d%%: %d of %d;", n, loss_lost[name, n], loss_sent[name, n])
		printf "%-11s %22s %24s %22s  %s backlog %d, ring %d\n", name, spread("peak " name, "%.0f", 1000), \
		    spread("free " name, "%.0f", 1), spread("free rate " name, "%.0f", 1000), text, lost_backlog["loss", name], \
		    lost_ring["loss", name]
	}
}

function print_delays(    i, j, load, key) {
	heading("Round trip of a small UDP request in microseconds; `half` is with a load of half of the forwarder's own peak.")
	printf "%-5s %-11s %22s %10s %22s %22s %22s %6s\n", "load", "forwarder", "median", "added", "90%", "99%", "99.9%", "lost"
	for (i = 1; i <= 2; i++)
		for (j = 1; j <= FORWARDERS; j++) {
			load = i == 1 ? "low" : "half"
			key = load " " forwarders[j]
			if (!count["delay1 " key])
				continue
			printf "%-5s %-11s %22s %10s %22s %22s %22s %6d\n", load, forwarders[j], spread("delay1 " key, "%.1f", 1), \
			    count["delay1 " load " direct"] ? sprintf("%.1f", median("delay1 " key) - median("delay1 " load " direct")) : "-", \
			    spread("delay2 " key, "%.1f", 1), spread("delay3 " key, "%.1f", 1), spread("delay4 " key, "%.1f", 1), \
			    delay_lost[load, forwarders[j]]
		}
}

function print_memory(    j, name) {
	heading("Memory in MB, and what an idle director costs: the process at first, the process and the kernel's part once the table\n" \
	    "has the flows of the load 60-1m (of which those are there that fitted); bytes a flow by the difference.")
	printf "%-11s %18s %18s %20s %10s %18s %24s\n", "forwarder", "at first", "with flows", "kernel", "flows", "bytes/flow", \
	    "idle: us of time a second"
	for (j = 1; j <= FORWARDERS; j++) {
		name = forwarders[j]
		if (count["rss " name] && (median("rss " name) > 0 || name == "nft-persist"))
			printf "%-11s %18s %18s %20s %10d %18s %24s\n", name, spread("rss before " name, "%.0f", 1024), \
			    spread("rss " name, "%.0f", 1024), spread("kernel " name, "%.0f", 1024), median("flows " name), \
			    spread("per flow " name, "%.0f", 1), spread("idle " name, "%.0f", 1)
	}
}

function print_tcp(    j, name) {
	heading("One TCP stream, client to server, offloads as the system makes them: Gbit/s.")
	printf "%-11s %22s %20s\n", "forwarder", "Gbit/s", "by redirect's"
	for (j = 1; j <= FORWARDERS; j++) {
		name = forwarders[j]
		if (count["tcp " name])
			printf "%-11s %22s %20s\n", name, spread("tcp " name, "%.2f", 1000), \
			    spread(ratio("tcp " name, "tcp redirect"), "%.2f", 1)
	}
}

# 90 % of the peak, in every round that tried it.
function print_loss_target(name, text,    i, round, tried, bad) {
	for (i = 1; i <= rounds; i++) {
		round = names_of_rounds[i]
		if ((name, 90) in loss_runs && (name, round) in best) {
			tried++
			bad += (name, round, 90) in lossy
		}
	}
	printf "  %-92s %-22s %s\n", text, (tried ? bad " of " tried " rounds lost" : "-"),
	    (!tried ? "not measured" : (bad > 0 && bad * 2 >= tried ? "NO" : "yes"))
}

function added_by(name,    key, i, round) {
	key = "added " name
	for (i = 1; i <= rounds; i++) {
		round = names_of_rounds[i]
		if (("delay1 low " name, round) in figure && ("delay1 low direct", round) in figure)
			add(key, figure["delay1 low " name, round] - figure["delay1 low direct", round])
	}
	return key
}

function print_targets() {
	heading("Targets, by the median:")
	target("dsrd by pen, 60 bytes, 10 000 flows: 5 or more", ratio("own 60-10k dsrd", "own 60-10k pen"), 5)
	target("dsrd by bare (the same packet engines, and nothing behind them): 0.90 or more", \
	    ratio("own 60-10k dsrd", "own 60-10k bare"), 0.9)
	target("dsrd with 1 million flows by with 10 000: 0.80 or more", ratio("own 60-1m dsrd", "own 60-10k dsrd"), 0.8)
	target("dsrd by nft-persist, every frame a new flow: 1 or more", ratio("own 60-new dsrd", "own 60-new nft-persist"), 1)
	print_loss_target("dsrd", "dsrd, no loss at 90 % of the peak")
	target_most("dsrd, microseconds added at low rate on the same processor: 40 or less", added_by("dsrd"), 40, 1)
	target_most("dsrd idle, with 7 checks a second, microseconds of processor time a second: 10000 or less", "idle dsrd", 10000, 1)
	target("dsrd-tc by nft-persist, 60 bytes, 10 000 flows: 1.2 or more", ratio("own 60-10k dsrd-tc", "own 60-10k nft-persist"), 1.2)
	target("dsrd-tc by nft: 1 or more", ratio("own 60-10k dsrd-tc", "own 60-10k nft"), 1)
	target("dsrd-tc by redirect (no flow table): 0.85 or more", ratio("own 60-10k dsrd-tc", "own 60-10k redirect"), 0.85)
	target("One TCP stream, dsrd by redirect: 5/13 or more", ratio("tcp dsrd", "tcp redirect"), 5 / 13)
	target("One TCP stream, dsrd-tc by redirect: 10/13 or more", ratio("tcp dsrd-tc", "tcp redirect"), 10 / 13)
}

END {
	print told["machine"]
	print told["date"]
	printf "%d rounds; median (least-greatest)\n", rounds
	take_generator_off()
	print_rates()
	print_methods()
	print_loss()
	print_delays()
	print_memory()
	print_tcp()
	print_targets()
}
