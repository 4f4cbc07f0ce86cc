#!/bin/sh
# SPDX-License-Identifier: ISC
# Writes the completions of dsrctl and dsrd for a shell, from the tables that these programs parse by.
#     generate.sh TABLES bash|zsh|fish dsrctl|dsrd       TABLES: what the program tests/completion/tables prints
# `make completions` does it for all; `make check` fails while one is not what the tables say.
set -eu
LC_ALL=C
export LC_ALL
[ $# -eq 3 ] || {
	echo "usage: generate.sh TABLES bash|zsh|fish dsrctl|dsrd" >&2
	exit 64
}
here=$(dirname -- "$0")
exec awk -v shell="$2" -v program="$3" -f "$here/tables.awk" -f "$here/$2.awk" "$1"
