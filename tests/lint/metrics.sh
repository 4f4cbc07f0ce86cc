#!/bin/sh
# SPDX-License-Identifier: ISC
# Whatever asks for a metric asks for one that there is: the dashboard and the alerts, against dsrd-metrics(7), which a unit
# test holds against the code.
#     metrics.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     metrics.sh --selftest     proves that it can fail
set -eu
LC_ALL=C
export LC_ALL

# One line for each name that is not a metric's; status 1 when there is any.
lint() {
	awk '
	FILENAME ~ /\.7\.in$/ {
		if ($1 == ".It" && $3 ~ /^dsrd_/)
			known[$3] = 1
		next
	}
	{
		rest = $0
		while (match(rest, /dsrd_[a-z_]+/)) {
			name = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			asked++
			stem = name
			sub(/_(bucket|sum|count)$/, "", stem)
			if (!(name in known) && !(stem in known && stem ~ /_seconds$/)) {
				printf "%s:%d: there is no metric %s\n", FILENAME, FNR, name
				found = 1
			}
		}
	}
	END {
		if (asked == 0) {
			print "no metric is asked for: is something wrong with this lint?"
			found = 1
		}
		exit found
	}' "$1/man/dsrd-metrics.7.in" "$1/contrib/grafana/dsrd.json" "$1/contrib/prometheus/dsrd.rules.yml" \
	    "$1/contrib/prometheus/dsrd.test.yml"
}

selftest() {
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/metrics.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	mkdir -p "$scratch/man" "$scratch/contrib/grafana" "$scratch/contrib/prometheus"
	printf '.It Li dsrd_a_total Brq Li service\n.It Li dsrd_b_seconds\n.It Li dsrd_c\n' >"$scratch/man/dsrd-metrics.7.in"
	: >"$scratch/contrib/prometheus/dsrd.rules.yml"
	: >"$scratch/contrib/prometheus/dsrd.test.yml"
	echo 'rate(dsrd_a_total[5m]) + dsrd_b_seconds_bucket + dsrd_c' >"$scratch/contrib/grafana/dsrd.json"
	lint "$scratch" || {
		echo "metrics.sh: selftest: good names are refused" >&2
		exit 1
	}
	for bad in dsrd_a dsrd_c_count dsrd_d 'nothing'; do
		echo "$bad" >"$scratch/contrib/grafana/dsrd.json"
		if lint "$scratch" >/dev/null; then
			echo "metrics.sh: selftest: nothing said of $bad" >&2
			exit 1
		fi
	done
	echo "metrics.sh: each rule can fail"
}

if [ "${1:-}" = --selftest ]; then
	selftest
else
	lint "${1:-${SOURCE_DIR:-.}}"
fi
