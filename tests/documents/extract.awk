# SPDX-License-Identifier: ISC
# The commands that documents show: "FILE:LINE<tab>COMMAND", one a line. In Markdown: the lines of blocks of sh, powershell
# and bat, and `code` in the text that begins with one of our programs. In manual pages: .Dl, and the literal displays of
# EXAMPLES. A block without a language and indented code are rejected, because their kind is unknown.

function say(text) {
	sub(/[ \t]+#[ \t].*/, "", text)
	sub(/^[ \t]+/, "", text)
	sub(/[ \t]+$/, "", text)
	if (text != "" && text !~ /^#/)
		print file ":" FNR "\t" text
}

function wrong(text) {
	print file ":" FNR ": " text >"/dev/stderr"
	failed = 1
}

# In running text a program's name alone is not a command; with an argument it is.
function is_command(code) {
	return code ~ /^(sudo |\.\/)?(dsrd|dsrctl|dsr-realserver|ipvs2dsrd|sh|ethtool|ip|sysctl|ifconfig|ipadm|netsh) / ||
	    code ~ /^(systemctl|journalctl|curl|arping|make|tcpdump|kill|route|ssh|taskset|perf) /
}

function inline(text,    code) {
	while (match(text, /`[^`]+`/)) {
		code = substr(text, RSTART + 1, RLENGTH - 2)
		text = substr(text, RSTART + RLENGTH)
		if (is_command(code))
			say(code)
	}
}

FNR == 1 {
	file = FILENAME
	sub(".*/", "", file)
	manual = FILENAME ~ /\.[1-9]\.in$/
	language = ""
	held = ""
	before = ""
	examples = literal = 0
}

manual && /^\.Sh / { examples = $2 == "EXAMPLES" }
manual && /^\.Dl / {
	text = $0
	sub(/^\.Dl /, "", text)
	gsub(/\\\(dq/, "\"", text)
	if (is_command(text))
		say(text)
}
manual && /^\.Bd -literal/ { literal = examples; next }
manual && /^\.Ed/ { literal = 0 }
manual && literal && is_command($0) { say($0) }
manual { next }

/^ *```/ {
	word = $0
	sub(/^ *```/, "", word)
	if (language != "")
		language = ""
	else if (word == "")
		wrong("a block without a language: sh, powershell, bat, ini or text")
	else
		language = word
	next
}

language == "sh" || language == "powershell" || language == "bat" {
	line = $0
	sub(/^ +/, "", line)
	if (line ~ /\\$/) {
		held = held substr(line, 1, length(line) - 1)
		next
	}
	say(held line)
	held = ""
	next
}

language != "" { next }

# Indented code stands after an empty line, and not in a list.
/^    / && before == "" && !listed { wrong("indented code: put it between ``` and name its language") }
/^[ \t]*([0-9]+\.|[-*]) / { listed = 1 }
/^[^ \t]/ && !/^([0-9]+\.|[-*]) / { listed = 0 }
{
	before = $0
	inline($0)
}

END { exit failed }
