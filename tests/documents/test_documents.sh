#!/bin/sh
# SPDX-License-Identifier: ISC
# The table `commands` lists every command shown in a document, and nothing else; every configuration shown has no
# errors;
# links have targets; doc/operating.md explains every counter.
# tests/integration/test_documents.sh runs the commands that the table assigns to a host.
set -eu
LC_ALL=C
export LC_ALL
cd "$SOURCE_DIR"
here=tests/documents
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
tab=$(printf '\t')

wrong() {
	echo "$*" >&2
	failed=1
}

# --- commands ---

awk -f "$here/extract.awk" README.md doc/*.md man/*.in >"$tmp/shown" || exit 1
[ "$(wc -l <"$tmp/shown")" -gt 100 ] || wrong "only $(wc -l <"$tmp/shown") commands are found in the documents"
cut -f 2 "$tmp/shown" | sort -u >"$tmp/commands"
grep -v -e '^#' -e '^$' -e "^+$tab" "$here/commands" | cut -f 2 | sort >"$tmp/listed"
sort -u "$tmp/listed" | comm -23 "$tmp/commands" - >"$tmp/new"
while IFS= read -r command; do
	place=$(grep -F -e "$tab$command" "$tmp/shown" | head -n 1 | cut -f 1)
	wrong "$place: \`$command\` is neither run nor listed: see $here/commands"
done <"$tmp/new"
sort -u "$tmp/listed" | comm -13 "$tmp/commands" - >"$tmp/stale"
while IFS= read -r command; do
	wrong "$here/commands: no document shows \`$command\`"
done <"$tmp/stale"
while IFS=$tab read -r how command; do
	case $how in
	'' | '#'* | not | + | director | web1 | web12 | client | here | *=[0-9] | *'~') ;;
	shown)
		grep -qxF -e "${command#sudo }" tests/realserver/golden/*.txt ||
			wrong "\`$command\`: dsr-realserver does not say that to any system"
		;;
	'by '*) [ -f "${how#by }" ] || wrong "\`$command\`: there is no ${how#by }" ;;
	*) wrong "$here/commands: \`$how\` has no meaning" ;;
	esac
done <"$here/commands"
# The extractor rejects blocks without a language.
printf 'Text\n\n    dsrd --forgotten\n' >"$tmp/indented.md"
# shellcheck disable=SC2016 # no command is meant
printf '```\ndsrd --forgotten\n```\n' >"$tmp/plain.md"
for file in indented plain; do
	if awk -f "$here/extract.awk" "$tmp/$file.md" >/dev/null 2>&1; then
		wrong "extract.awk lets $file code pass"
	fi
done

# --- kinds of Linux: a test behind each "yes" ---

awk -F '|' '/^## / { kinds = /^## Linux, by kind$/ } kinds && $3 ~ /^ (yes|no: reported)/ { print $4 }' \
    doc/portability.md >"$tmp/kinds"
[ "$(wc -l <"$tmp/kinds")" -ge 10 ] ||
	wrong "doc/portability.md, Linux by kind: only $(wc -l <"$tmp/kinds") rows have a test"
while IFS= read -r names; do
	for name in $(echo "$names" | tr -d '`,'); do
		[ "$name" = all ] || [ -f "tests/integration/test_$name.sh" ] ||
			wrong "doc/portability.md: there is no test $name"
	done
	[ -n "$(echo "$names" | tr -d ' ')" ] || wrong "doc/portability.md: a row without a test says yes"
done <"$tmp/kinds"

# --- doctor's advice for Windows: the commands of the document ---

# unshown FILE: the commands in it that the document does not show.
unshown() {
	grep "^real-servers.md:" "$tmp/shown" | cut -f 2 | sort -u | comm -13 - "$1"
}

awk -f "$here/doctor_windows.awk" src/doctor/remedy.c | sort -u >"$tmp/advice"
[ "$(wc -l <"$tmp/advice")" -gt 15 ] ||
	wrong "only $(wc -l <"$tmp/advice") commands for Windows are found in src/doctor/remedy.c"
unshown "$tmp/advice" >"$tmp/unshown"
while IFS= read -r command; do
	wrong "src/doctor/remedy.c: doctor prints \`$command\` for Windows, which doc/real-servers.md does not show"
done <"$tmp/unshown"
sed 's/weakhostsend/weakhostsends/' "$tmp/advice" | sort >"$tmp/forged"
[ -n "$(unshown "$tmp/forged")" ] || wrong "advice that the document does not show is not found"

# --- configurations ---

for document in README.md doc/*.md; do
	awk -v to="$tmp/conf.${document##*/}." '
		/^ *```ini/ { file = to (++count); next }
		/^ *```/ { file = "" }
		file != "" { print >file }' "$document"
done
# The displays of the manual that begin with a section and have a server, and the script.
awk -v to="$tmp/conf.manual." -v script="$tmp/dsrd-mail" '
	/^\.Ed/ { file = "" }
	literal {
		literal = 0
		file = /^\[/ ? to (++count) : /^#!/ ? script : ""
	}
	/^\.Bd -literal/ { literal = 1 }
	file != "" {
		gsub(/\\e/, "\\")
		gsub(/\\\(dq/, "\"")
		print >file
	}' man/dsrd.conf.5.in
grep -L '^server = ' "$tmp"/conf.manual.* | xargs rm -f
recipes=$(find "$tmp" -name 'conf.manual.*' | wc -l)
[ "$recipes" -ge 7 ] || wrong "only $recipes configurations are found in dsrd.conf(5)"
for file in "$tmp"/conf.*; do
	"$BUILD_DIR/dsrd" -n -f "$file" >"$tmp/said" 2>&1 || wrong "$(cat "$tmp/said")"
done

# The script for notify sends one mail, with the name and the state in its subject.
mkdir "$tmp/bin"
printf '#!/bin/sh\nprintf "%%s|" "$@"\ncat\n' >"$tmp/bin/mail"
chmod +x "$tmp/bin/mail"
mails() { # ARGUMENT...
	PATH="$tmp/bin:$PATH" sh "$tmp/dsrd-mail" "$@"
}
[ "$(mails smtp mx1 up down timeout)" = '-s|dsrd: smtp/mx1 is down|root|smtp/mx1: up -> down (timeout)' ] ||
	wrong "dsrd-mail of dsrd.conf(5), for a server: $(mails smtp mx1 up down timeout)"
[ "$(mails smtp - down up '')" = '-s|dsrd: smtp is up|root|smtp: down -> up ()' ] ||
	wrong "dsrd-mail of dsrd.conf(5), for a service: $(mails smtp - down up '')"

# --- links ---

for document in README.md CONTRIBUTING.md doc/*.md; do
	grep -o '](\([^)#]*\)[^)]*)' "$document" | sed 's/](\([^)#]*\).*/\1/' | grep -v -e '^$' -e '^http' |
	    while IFS= read -r link; do
		[ -e "$(dirname "$document")/$link" ] || echo "$document: there is no $link"
	done
done >"$tmp/links"
[ ! -s "$tmp/links" ] || wrong "$(cat "$tmp/links")"

# --- doc/operating.md has every counter; for the lines of the log see tests/lint/log.sh ---

# shellcheck disable=SC2016 # no command is meant
grep -o '`[a-z_]*`' doc/operating.md | tr -d '`' | sort -u >"$tmp/quoted"
sed -n 's/.*X(\([a-z_]*\), ".*/\1/p' src/flow/stats.h | sort -u >"$tmp/counters"
[ "$(wc -l <"$tmp/counters")" -ge 10 ] || wrong "only $(wc -l <"$tmp/counters") counters are found in src/flow/stats.h"
comm -23 "$tmp/counters" "$tmp/quoted" >"$tmp/missing"
while IFS= read -r word; do
	wrong "doc/operating.md does not explain the counter $word"
done <"$tmp/missing"
exit $failed
