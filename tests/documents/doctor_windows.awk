# SPDX-License-Identifier: ISC
# The commands that the doctor's table of remedies has for Windows alone, filled in as the documents do, one a line.
# The entries are those whose second member is SYSTEM_WINDOWS; adjacent string literals are one, as in C.

function unquote(text) {
	gsub(/\\\\/, "\001", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\n/, "\n", text)
	gsub(/\001/, "\\", text)
	return text
}

# The string literals of a piece of C, one after the other, macros replaced.
function literals(code,    all, found) {
	for (macro in macros)
		gsub(macro, "\"" "\002" macro "\002" "\"", code)
	while (match(code, /"(\\.|[^"\\])*"/)) {
		found = substr(code, RSTART + 1, RLENGTH - 2)
		# A comma between two literals parts members of the entry.
		if (substr(code, 1, RSTART - 1) ~ /,/)
			all = all "\n"
		all = all found
		code = substr(code, RSTART + RLENGTH)
	}
	for (macro in macros)
		while ((at = index(all, "\002" macro "\002")) > 0)
			all = substr(all, 1, at - 1) macros[macro] substr(all, at + length(macro) + 2)
	return unquote(all)
}

function fill(text) {
	gsub(/[{]vip-mask[}]/, "192.0.2.10 255.255.255.255", text)
	gsub(/[{]vip[}]/, "192.0.2.10", text)
	gsub(/[{]family[}]/, "ipv4", text)
	gsub(/[{]PROTO[}]/, "TCP", text)
	gsub(/[{]port[}]/, "80", text)
	gsub(/[{]mtu[}]/, "1500", text)
	gsub(/[{]director[}]/, "ROUTER", text)
	return text
}

/^#define [A-Z_]*WINDOWS "/ {
	name = $2
	value = $0
	sub(/^#define [A-Z_]* "/, "", value)
	sub(/"$/, "", value)
	macros[name] = value
}

/^\t[{] DIAGNOSIS_[A-Z0-9_]*, / { entry = "" }
{ entry = entry " " $0 }
/[}],$/ && entry ~ /[{] DIAGNOSIS_[A-Z0-9_]*, SYSTEM_WINDOWS,/ {
	sub(/^ \t[{] DIAGNOSIS_[A-Z0-9_]*, SYSTEM_WINDOWS,/, "", entry)
	count = split(fill(literals(entry)), said, "\n")
	for (i = 1; i <= count; i++)
		if (said[i] ~ /^(\.\\|netsh |netstat |route |ipconfig |[A-Z][a-z]+-[A-Z][A-Za-z]+ -)/)
			print said[i]
	entry = ""
}
