#!/bin/sh
# SPDX-License-Identifier: ISC
# The metrics used by the dashboard and the alerts exist in dsrd-metrics(7), which a unit test compares with the code.
#     metrics.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     metrics.sh --selftest     proves that it can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

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
	put man/dsrd-metrics.7.in '.It Li dsrd_a_total Brq Li service\n.It Li dsrd_b_seconds\n.It Li dsrd_c\n'
	put contrib/prometheus/dsrd.rules.yml ''
	put contrib/prometheus/dsrd.test.yml ''
	put contrib/grafana/dsrd.json 'rate(dsrd_a_total[5m]) + dsrd_b_seconds_bucket + dsrd_c\n'
	must_pass
	for bad in dsrd_a dsrd_c_count dsrd_d; do
		must_fail contrib/grafana/dsrd.json "$bad\n" "dsrd.json:1: there is no metric $bad\$"
	done
	must_fail contrib/grafana/dsrd.json 'nothing\n' 'no metric is asked for'
}

lint_main "$@"
