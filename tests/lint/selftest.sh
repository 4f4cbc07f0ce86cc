#!/bin/sh
# SPDX-License-Identifier: ISC
# A lint that cannot fail is worth nothing: each proves here that every rule of its own finds what it is for.
set -eu

"${SOURCE_DIR:-.}/tests/lint/layers.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/habits.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/json.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/metrics.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/log.sh" --selftest
