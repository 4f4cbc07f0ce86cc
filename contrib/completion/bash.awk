# SPDX-License-Identifier: ISC
# Completions for bash 3.2 and later, without the functions of bash-completion, which may be missing.

# The command that prints the words for a kind of argument.
function words_for(kind) {
	if (kind == "SERVICE/SERVER")
		return "_dsrctl_names server"
	if (kind == "SERVICE[/SERVER]")
		return "_dsrctl_names service server"
	if (kind == "SERVICE")
		return "_dsrctl_names service"
	if (kind == "VIP")
		return "_dsrctl_names vip"
	if (kind == "VIP:PORT")
		return "_dsrctl_names vip | sed 's/.*:.*/[&]/; s/$/:/'"
	if (kind == "FILTER")
		return "_dsrctl_filter \"$1\" \"$3\""
	if (kind == "PROTOCOL")
		return "printf '%s\\n' tcp udp sctp"
	if (kind == "ROLE")
		return "printf '%s\\n' active standby observe"
	if (kind == "DURATION")
		return "printf '%s\\n' 30s 5m 1h"
	if (kind == "FILE" || kind == "SOCKET")
		return "compgen -f -- \"$3\""
	if (kind == "IF")
		return "ls /sys/class/net 2>/dev/null || ifconfig -l 2>/dev/null | tr ' ' '\\n'"
	if (kind == "USER[:GROUP]")
		return "compgen -u"
	return ":"
}

function one_word(text) {
	return text ~ /^[A-Za-z0-9_-]+$/ ? text : "\"" text "\""
}

function write_names() {
	print "\n# The names that the director itself knows; nothing when it does not answer."
	print "_dsrctl_names() { # KIND..."
	print "\tlocal name kind"
	print "\tcommand \"$program\" ${socket[@]+\"${socket[@]}\"} show names 2>/dev/null | while read -r name kind; do"
	print "\t\tcase \" $* \" in"
	print "\t\t*\" $kind \"*) printf '%s\\n' \"$name\" ;;"
	print "\t\tesac"
	print "\tdone"
	print "}"
}

function write_filter(    i, j, count, list, name, term) {
	print "\n# \"state=established\""
	print "_dsrctl_filter() { # COMMAND WORD"
	print "\tlocal value"
	print "\tcase $1,$2 in"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		count = split(terms[name], list, " ")
		for (j = 1; j <= count; j++) {
			term = list[j]
			if (choices[name, term] == "")
				continue
			print "\t\"" name "," term "=\"*)"
			if (choices[name, term] ~ /^[a-z0-9]/)
				print "\t\tprintf '" term "=%s\\n' " choices[name, term]
			else
				print "\t\t" words_for(choices[name, term]) " | while read -r value; do printf '%s\\n' \"" term \
				    "=$value\"; done"
			print "\t\t;;"
		}
	}
	print "\t*=*) ;;"
	for (i = 1; i <= command_count; i++)
		if (command[i] in terms) {
			gsub(/ /, "= ", terms[command[i]])
			print "\t\"" command[i] ",\"*)"
			print "\t\tprintf '%s\\n' " terms[command[i]] "="
			print "\t\t_dsrctl_names service server"
			print "\t\t;;"
		}
	print "\tesac"
	print "}"
}

# A pattern for the places below `count`: "[0-1]".
function range(count) {
	return count == 1 ? "0\"" : "\"[0-" (count - 1) "]"
}

function write_arguments(    i, j, p, name, count, list) {
	print "\n# The flags that a command takes behind its name; with a second argument those that take a value."
	print "_dsrctl_options() { # COMMAND [takers]"
	print "\tcase $1,${2-} in"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		if (!(name in options))
			continue
		print "\t\"" name ",\") printf '%s\\n' " options[name] " ;;"
		if (takers_of(name) != "")
			print "\t\"" name ",takers\") printf '%s\\n' " takers_of(name) " ;;"
	}
	print "\tesac"
	print "}"
	print "\n# What a command takes at a place, counted from 0."
	print "_dsrctl_argument() { # COMMAND PLACE WORD WORD-BEFORE"
	print "\tcase $1,$4 in"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		count = split(options[name], list, " ")
		for (j = 1; j <= count; j++) {
			if (option_takes[name, list[j]] == "")
				continue
			print "\t\"" name "," list[j] "\")"
			print "\t\t" words_for(option_takes[name, list[j]])
			print "\t\treturn"
			print "\t\t;;"
		}
	}
	print "\tesac"
	print "\tif [[ $3 == -* ]]; then"
	print "\t\t_dsrctl_options \"$1\""
	print "\t\treturn"
	print "\tfi"
	print "\tcase $1,$2 in"
	for (i = 1; i <= command_count; i++)
		if (command[i] in options && required[command[i]] > 0)
			print "\t\"" command[i] "," range(required[command[i]]) ") ;;"
	print "\t*) _dsrctl_options \"$1\" ;;"
	print "\tesac"
	print "\tcase $1,$2 in"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		for (p = 0; p < positions[name]; p++)
			if (words_for(argument[name, p]) != ":")
				print "\t" one_word(name) "," p ") " words_for(argument[name, p]) " ;;"
		if ((name, "*") in argument)
			print "\t\"" name ",\"*) " words_for(argument[name, "*"]) " ;;"
	}
	print "\tesac"
	print "}"
}

function write_seconds(    i) {
	print "\n# The second words of a command's name."
	print "_dsrctl_seconds() { # FIRST"
	print "\tcase $1 in"
	for (i = 1; i <= first_count; i++)
		if (seconds[firsts[i]] != "")
			print "\t" firsts[i] ") printf '%s\\n' " seconds[firsts[i]] " ;;"
	print "\tesac"
	print "}"
}

function write_command(    i, list) {
	for (i = 1; i <= first_count; i++)
		list = list " " firsts[i]
	print "\n# What may stand behind these words."
	print "_dsrctl_command() { # WORD-IN-THE-MAKING [WORD-BEFORE...]"
	print "\tlocal cur=$1 name=${2-} places=0 word skip="
	print "\tshift"
	print "\tif [[ $# -eq 0 ]]; then"
	print "\t\tprintf '%s\\n'" list
	print "\t\treturn"
	print "\tfi"
	print "\t[[ $# -gt 1 ]] || _dsrctl_seconds \"$name\""
	print "\tif [[ $# -gt 1 ]] && _dsrctl_seconds \"$name\" | grep -qxF -e \"$2\"; then"
	print "\t\tname=\"$name $2\""
	print "\t\tshift"
	print "\tfi"
	print "\tshift"
	print "\tfor word in \"$@\"; do"
	print "\t\tif [[ -n $skip ]]; then"
	print "\t\t\tskip="
	print "\t\telif _dsrctl_options \"$name\" takers | grep -qxF -e \"$word\"; then"
	print "\t\t\tskip=yes"
	print "\t\telif [[ $word != -* ]]; then"
	print "\t\t\tplaces=$((places + 1))"
	print "\t\tfi"
	print "\tdone"
	print "\t_dsrctl_argument \"$name\" \"$places\" \"$cur\" \"${!#}\""
	print "}"
}

function write_flags(    i, list) {
	print "\n# The value of a flag."
	print "_" program "_value() { # FLAG - WORD"
	print "\tcase $1 in"
	for (i = 1; i <= flag_count; i++) {
		list = list " " spellings(i, " ")
		if (takes[i] != "")
			print "\t" spellings(i, " | ") ") " words_for(takes[i]) " ;;"
	}
	print "\tesac"
	print "}"
	flags_list = list
}

# Letters of flags with a value: "s", or "fiprwu".
function takers(    i, list) {
	for (i = 1; i <= flag_count; i++)
		if (takes[i] != "")
			list = list letters[i]
	return list
}

function long_takers(    i, list) {
	for (i = 1; i <= flag_count; i++)
		if (takes[i] != "")
			list = list " | --" names[i]
	return list
}

# Skips the flags before the words; "waiting" is the flag whose value is completed.
function write_main() {
	print "\n_" program "() {"
	print "\tlocal line=${COMP_LINE:0:COMP_POINT} cur='' " (program == "dsrctl" ? "program " : "") \
	    "waiting='' strip='' reply i"
	print "\tlocal -a words=()" (program == "dsrctl" ? " socket=()" : "")
	print "\tread -ra words <<<\"$line\""
	if (program == "dsrctl")
		print "\tprogram=${words[0]}"
	print "\tif [[ $line != *[[:blank:]] ]]; then"
	print "\t\tcur=${words[${#words[@]} - 1]}"
	print "\t\tunset \"words[${#words[@]} - 1]\""
	print "\tfi"
	print "\tfor ((i = 1; i < ${#words[@]}; i++)); do"
	print "\t\tcase ${words[i]} in"
	print "\t\t-[!-]*[" takers() "] | -[" takers() "]" long_takers() ")"
	print "\t\t\tif ((i + 1 == ${#words[@]})); then"
	print "\t\t\t\twaiting=${words[i]}"
	print "\t\t\t\t[[ $waiting == --* ]] || waiting=-${waiting: -1}"
	print "\t\t\tfi"
	if (program == "dsrctl")
		print "\t\t\tsocket=(-s \"${words[++i]-}\")"
	else
		print "\t\t\ti=$((i + 1))"
	print "\t\t\t;;"
	if (program == "dsrctl")
		print "\t\t--socket=*) socket=(\"${words[i]}\") ;;"
	print "\t\t-*) ;;"
	print "\t\t*) break ;;"
	print "\t\tesac"
	print "\tdone"
	print "\tCOMPREPLY=()"
	print "\tcase $cur in"
	print "\t*[=:]*) [[ $COMP_WORDBREAKS != *[=:]* ]] || strip=${cur%\"${cur##*[=:]}\"} ;;"
	print "\tesac"
	print "\twhile IFS= read -r reply; do"
	print "\t\t[[ $reply != \"$cur\"* ]] || COMPREPLY+=(\"${reply#\"$strip\"}\")"
	print "\tdone < <("
	print "\t\tif [[ -n $waiting ]]; then"
	print "\t\t\t_" program "_value \"$waiting\" - \"$cur\""
	print "\t\telif ((i == ${#words[@]})) && [[ $cur == -* ]]; then"
	print "\t\t\tprintf '%s\\n'" flags_list
	if (program == "dsrctl") {
		print "\t\telse"
		print "\t\t\t_dsrctl_command \"$cur\" ${words[@]+\"${words[@]:i}\"}"
	}
	print "\t\tfi"
	print "\t)"
	print "\t# A file's name gets its slash, and a filter its value."
	print "\t[[ -z $waiting ]] || compopt -o filenames 2>/dev/null"
	print "\t[[ ${COMPREPLY[0]-} != *[=:] ]] || compopt -o nospace 2>/dev/null"
	print "\treturn 0"
	print "}"
	print "complete -F _" program " " program
}

END {
	if (failed)
		exit 1
	head_lines()
	print "# shellcheck shell=bash"
	if (program == "dsrctl") {
		write_names()
		write_filter()
		write_seconds()
		write_arguments()
		write_command()
	}
	write_flags()
	write_main()
}
