# SPDX-License-Identifier: ISC
#
# Is everything there that run.sh was to measure, and has the table a row for each? Reads its results, then the table; says
# what is missing. How large a figure is does not matter here, but nothing is nothing.

function want(condition, what) {
	if (!condition) {
		print "missing: " what
		bad = 1
	}
}

FNR == 1 { file++ }
file == 1 && $1 == "rate" && $5 > 0 { have["rate", $3, $4] = 1 }
file == 1 && $1 == "loss" && $6 > 0 && $7 > 0 { have["loss", $3] = 1 }
file == 1 && $1 == "delay" && $5 > 0 { have["delay", $3, $4] = 1 }
file == 1 && $1 == "tcp" && $4 > 0 { have["tcp", $3] = 1 }
file == 1 && $1 == "memory" && $6 > 0 { have["memory", $3] = 1 }
file == 2 && NF > 5 { row[$1, $2] = 1 }
file == 2 && / (yes|NO)$/ { judged++ }

END {
	forwarders = split(ran, forwarder, " ")
	load_count = split(loads, load, " ")
	want(forwarders > 0, "every forwarder")
	for (i = 1; i <= forwarders; i++) {
		name = forwarder[i]
		for (j = 1; parts ~ /rate/ && j <= load_count; j++) {
			want(have["rate", name, load[j]], "the rate of " name " with " load[j])
			want(row[load[j], name], "a row of the table for " name " with " load[j])
		}
		if (name == "generator")
			continue
		want(parts !~ /loss/ || have["loss", name], "what arrives of a bounded rate by " name)
		want(parts !~ /delay/ || (have["delay", name, "low"] && have["delay", name, "half"]), "the delay of " name)
		want(parts !~ /tcp/ || name ~ /pen|nft|bare|xsk|encap/ || have["tcp", name], "a TCP stream by " name)
		want(parts !~ /rate/ || name !~ /^(pen|dsrd.*)$/ || have["memory", name], "the memory of " name)
	}
	want(judged > 0, "targets that are judged")
	exit bad
}
