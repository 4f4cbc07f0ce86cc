# SPDX-License-Identifier: ISC
# Completions for zsh, with its _arguments and _describe.

# A help text inside [...] of _arguments, or behind the colon of _describe.
function escaped(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/\[/, "\\[", text)
	gsub(/\]/, "\\]", text)
	gsub(/:/, "\\:", text)
	return text
}

# The action that completes a kind of argument.
function action_for(kind) {
	if (kind == "SERVICE/SERVER")
		return "_dsrctl_names server"
	if (kind == "SERVICE[/SERVER]")
		return "_dsrctl_names service server"
	if (kind == "SERVICE")
		return "_dsrctl_names service"
	if (kind == "VIP")
		return "_dsrctl_names vip"
	if (kind == "VIP:PORT")
		return "_dsrctl_vip_port"
	if (kind == "FILTER")
		return "_dsrctl_filter"
	if (kind == "PROTOCOL")
		return "compadd tcp udp sctp"
	if (kind == "ROLE")
		return "compadd active standby observe"
	if (kind == "DURATION")
		return "compadd 30s 5m 1h"
	if (kind == "FILE" || kind == "SOCKET")
		return "_files"
	if (kind == "IF")
		return "_net_interfaces"
	if (kind == "USER[:GROUP]")
		return "_users"
	return "_message " quoted(kind)
}

function write_flags(    i, spec) {
	for (i = 1; i <= flag_count; i++) {
		spec = quoted("[" escaped(flag_help[i]) "]" (takes[i] == "" ? "" : ":" escaped(takes[i]) ":" \
		    (takes[i] == "IF" || takes[i] ~ /^USER/ ? action_for(takes[i]) : "_files")))
		if (letters[i] == "")
			print "\t\t" quoted("--" names[i]) spec " \\"
		else if (takes[i] == "")
			print "\t\t'(-" letters[i] " --" names[i] ")'{-" letters[i] ",--" names[i] "}" spec " \\"
		else
			print "\t\t'(-" letters[i] " --" names[i] ")'{-" letters[i] "+,--" names[i] "=}" spec " \\"
	}
}

function write_names() {
	print "\n# The names that the director itself knows; nothing when it does not answer."
	print "_dsrctl_names() { # KIND..."
	print "\tlocal line"
	print "\tlocal -a found"
	print "\tfor line in ${(f)\"$(_call_program names $program ${(q)socket} show names 2>/dev/null)\"}; do"
	print "\t\t(( ${@[(Ie)${line##* }]} )) && found+=(${line%% *})"
	print "\tdone"
	print "\t_wanted names expl 'name' compadd -a found"
	print "}"
}

# Names are used unchanged; this one is followed by the port.
function write_vip_port() {
	print "\n# \"192.0.2.10:\", \"[2001:db8::10]:\""
	print "_dsrctl_vip_port() {"
	print "\tlocal line vip"
	print "\tlocal -a found"
	print "\tfor line in ${(f)\"$(_call_program names $program ${(q)socket} show names 2>/dev/null)\"}; do"
	print "\t\tvip=${line%% *}"
	print "\t\t[[ ${line##* } != vip ]] || { [[ $vip != *:* ]] || vip=\"[$vip]\"; found+=(\"$vip:\") }"
	print "\tdone"
	print "\t_wanted vips expl 'VIP' compadd -S '' -a found"
	print "}"
}

function write_filter(    i, j, count, list, name, term) {
	print "\n# \"state=established\""
	print "_dsrctl_filter() { # COMMAND"
	print "\tif ! compset -P 1 '*='; then"
	print "\t\tcase $1 in"
	for (i = 1; i <= command_count; i++)
		if (command[i] in terms)
			print "\t\t" quoted(command[i]) ") compadd -S = " terms[command[i]] " ;;"
	print "\t\tesac"
	print "\t\t_dsrctl_names service server"
	print "\t\treturn"
	print "\tfi"
	print "\tcase $1,${IPREFIX%=} in"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		count = split(terms[name], list, " ")
		for (j = 1; j <= count; j++) {
			term = list[j]
			if (choices[name, term] != "")
				print "\t" quoted(name ",") "*" term ") " (choices[name, term] ~ /^[a-z0-9]/ ? \
				    "compadd " choices[name, term] : action_for(choices[name, term])) " ;;"
		}
	}
	print "\tesac"
	print "}"
}

function write_arguments(    i, p, name, count, list) {
	print "\n# What a command takes; words[1] is the last word of its name."
	print "_dsrctl_argument() { # COMMAND"
	print "\tcase $1 in"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		if (positions[name] == 0 && !((name, "*") in argument) && !(name in options))
			continue
		print "\t" quoted(name) ")"
		print "\t\t_arguments \\"
		count = split(options[name], list, " ")
		for (p = 1; p <= count; p++)
			print "\t\t\t" quoted(list[p] (option_takes[name, list[p]] != "" && list[p] ~ /^--/ ? "=" : "") "[" \
			    escaped(option_help[name, list[p]]) "]" (option_takes[name, list[p]] == "" ? "" : ":" \
			    option_takes[name, list[p]] ":" action_for(option_takes[name, list[p]]))) " \\"
		for (p = 0; p < positions[name]; p++)
			print "\t\t\t" quoted((p + 1) ":" escaped(argument[name, p]) ":" action_for(argument[name, p])) " \\"
		if ((name, "*") in argument)
			print "\t\t\t" quoted("*:" escaped(argument[name, "*"]) ":" (argument[name, "*"] == "FILTER" ? " " : "") action_for(argument[name, "*"]) \
			    (argument[name, "*"] == "FILTER" ? " " (name ~ / / ? "\"" name "\"" : name) : "")) " \\"
		print "\t\t\t&& return"
		print "\t\t;;"
	}
	print "\tesac"
	print "}"
}

# The help of "show", or of the first command that begins with the word.
function help_of(first,    i) {
	if (first in help)
		return help[first]
	for (i = 1; i <= command_count; i++)
		if (index(command[i], first " ") == 1)
			return help[command[i]]
	return ""
}

function write_command(    i, j, count, list) {
	print "\n_dsrctl_command() {"
	print "\tlocal -a firsts seconds"
	print "\tfirsts=("
	for (i = 1; i <= first_count; i++)
		print "\t\t" quoted(firsts[i] ":" escaped(help_of(firsts[i])))
	print "\t)"
	print "\tcase $words[1] in"
	for (i = 1; i <= first_count; i++) {
		if (seconds[firsts[i]] == "")
			continue
		print "\t" firsts[i] ")"
		print "\t\tseconds=("
		count = split(seconds[firsts[i]], list, " ")
		for (j = 1; j <= count; j++)
			print "\t\t\t" quoted(list[j] ":" escaped(help[firsts[i] " " list[j]]))
		print "\t\t)"
		print "\t\t;;"
	}
	print "\tesac"
	print "\tif (( CURRENT == 1 )); then"
	print "\t\t_describe -t commands command firsts"
	print "\telif (( CURRENT == 2 && $#seconds )); then"
	print "\t\t_describe -o -t commands command seconds"
	print "\t\t_dsrctl_argument $words[1]"
	print "\telif (( ${seconds[(I)$words[2]:*]} )); then"
	print "\t\tlocal name=\"$words[1] $words[2]\""
	print "\t\tshift words"
	print "\t\t(( CURRENT-- ))"
	print "\t\t_dsrctl_argument $name"
	print "\telse"
	print "\t\t_dsrctl_argument $words[1]"
	print "\tfi"
	print "}"
}

END {
	if (failed)
		exit 1
	print "#compdef " program
	head_lines()
	if (program == "dsrctl") {
		write_names()
		write_vip_port()
		write_filter()
		write_arguments()
		write_command()
	}
	print "\n_" program "() {"
	print "\tlocal curcontext=$curcontext state state_descr line expl program=$words[1]"
	print "\tlocal -a socket"
	print "\ttypeset -A opt_args\n"
	if (program == "dsrctl") {
		print "\t_arguments -C -s -A '-*' \\"
		write_flags()
		print "\t\t'*::command:->command' && return"
		print "\tsocket=${opt_args[-s]:-${opt_args[--socket]}}"
		print "\tsocket=(${socket:+-s} ${(Q)socket})"
		print "\t[[ $state != command ]] || _dsrctl_command"
	} else {
		print "\t_arguments -s \\"
		write_flags()
		print "\t\t&& return"
	}
	print "}\n"
	print "_" program " \"$@\""
}
