#!/bin/sh
# SPDX-License-Identifier: ISC
# Writes the completions of dsrctl and dsrd for a shell, from the tables of these programs.
#     generate.sh TABLES bash|zsh|fish dsrctl|dsrd       TABLES: the output of tests/completion/tables
# `make completions` writes all of them; `make check` fails if one does not match the tables.
set -eu
LC_ALL=C
export LC_ALL
[ $# -eq 3 ] || {
	echo "usage: generate.sh TABLES bash|zsh|fish dsrctl|dsrd" >&2
	exit 64
}
here=$(dirname -- "$0")
exec awk -v shell="$2" -v program="$3" -f "$here/tables.awk" -f "$here/$2.awk" "$1"
