#!/bin/sh
# SPDX-License-Identifier: ISC
# A lint that cannot fail is useless: each proves here that every one of its rules can fail.
set -eu

"${SOURCE_DIR:-.}/tests/lint/layers.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/habits.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/json.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/metrics.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/log.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/words.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/version.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/hardening.sh" --selftest
"${SOURCE_DIR:-.}/tests/lint/sbom.sh" --selftest
