# SPDX-License-Identifier: ISC
# Completions for fish.

# In single quotes of fish, in which a backslash escapes.
function fish_quoted(text) {
	gsub(/\\/, "\\\\", text)
	gsub(apostrophe, "\\" apostrophe, text)
	return apostrophe text apostrophe
}

# The command that prints the words for a kind of argument.
function words_for(kind) {
	if (kind == "SERVICE/SERVER")
		return "__dsrctl_names server"
	if (kind == "SERVICE[/SERVER]")
		return "__dsrctl_names service server"
	if (kind == "SERVICE")
		return "__dsrctl_names service"
	if (kind == "VIP")
		return "__dsrctl_names vip"
	if (kind == "VIP:PORT")
		return "__dsrctl_names vip | string replace -r '\\t.*' '' | string replace -r '^(.*:.*)$' '[$1]' | string replace -r '$' ':'"
	if (kind == "FILTER")
		return "__dsrctl_filter $name"
	if (kind == "PROTOCOL")
		return "printf '%s\\n' tcp udp sctp"
	if (kind == "ROLE")
		return "printf '%s\\n' active standby observe"
	if (kind == "DURATION")
		return "printf '%s\\n' 30s 5m 1h"
	if (kind == "FILE" || kind == "SOCKET")
		return "__fish_complete_path (commandline -ct)"
	if (kind == "IF")
		return "__fish_print_interfaces"
	if (kind == "USER[:GROUP]")
		return "__fish_complete_users"
	return ""
}

function write_flags(condition,    i) {
	print ""
	for (i = 1; i <= flag_count; i++)
		print "complete -c " program (condition == "" ? "" : " -n " condition) (letters[i] == "" ? "" : " -s " letters[i]) \
		    " -l " names[i] (takes[i] == "" ? "" : " -x -a '(" words_for(takes[i]) ")'") " -d " fish_quoted(flag_help[i])
}

# Flags, with and without letters, that take the next word as value.
function takers(between,    i, list) {
	for (i = 1; i <= flag_count; i++)
		if (takes[i] != "")
			list = list (list == "" ? "" : " ") spellings(i, " ")
	return list
}

function write_words() {
	print "\n# The words of the command before the cursor, without flags and what they take."
	print "function __dsrctl_words"
	print "\tset -l words (commandline -opc)"
	print "\tset -e words[1]"
	print "\twhile set -q words[1]; and string match -q -- '-*' $words[1]"
	print "\t\tcontains -- $words[1] " takers() "; and set -e words[1]"
	print "\t\tset -e words[1]"
	print "\tend"
	print "\tstring join \\n -- $words"
	print "end"
}

function write_names() {
	print "\n# The names that the director itself knows; nothing when it does not answer."
	print "function __dsrctl_names"
	print "\tset -l words (commandline -opc)"
	print "\tset -l socket"
	print "\tset -l before"
	print "\tfor word in $words"
	print "\t\tif contains -- \"$before\" -s --socket"
	print "\t\t\tset socket -s $word"
	print "\t\telse if string match -q -- '--socket=*' $word"
	print "\t\t\tset socket $word"
	print "\t\tend"
	print "\t\tset before $word"
	print "\tend"
	print "\tcommand $words[1] $socket show names 2>/dev/null | while read -l line"
	print "\t\tset -l parts (string split -n ' ' -- $line)"
	print "\t\tcontains -- \"$parts[2]\" $argv; and printf '%s\\t%s\\n' $parts"
	print "\tend"
	print "end"
}

function write_filter(    i, j, count, list, name, term) {
	print "\n# \"state=established\""
	print "function __dsrctl_filter -a name"
	print "\tswitch \"$name,\"(commandline -ct)"
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		count = split(terms[name], list, " ")
		for (j = 1; j <= count; j++) {
			term = list[j]
			if (choices[name, term] == "")
				continue
			print "\t\tcase '" name "," term "=*'"
			if (choices[name, term] ~ /^[a-z0-9]/)
				print "\t\t\tprintf '" term "=%s\\n' " choices[name, term]
			else
				print "\t\t\t" words_for(choices[name, term]) " | string replace -r '^' '" term "='"
		}
	}
	print "\t\tcase '*=*'"
	for (i = 1; i <= command_count; i++)
		if (command[i] in terms) {
			gsub(/ /, "= ", terms[command[i]])
			print "\t\tcase '" command[i] ",*'"
			print "\t\t\tprintf '%s\\n' " terms[command[i]] "="
			print "\t\t\t__dsrctl_names service server"
		}
	print "\tend"
	print "end"
}

function write_arguments(    i, j, p, name, count, list) {
	print "\n# The flags that a command takes behind its name; with a second argument those that take a value."
	print "function __dsrctl_options -a name which"
	print "\tswitch \"$name,$which\""
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		if (!(name in options))
			continue
		print "\t\tcase '" name ",'"
		print "\t\t\tprintf '%s\\n' " options[name]
		if (takers_of(name) == "")
			continue
		print "\t\tcase '" name ",takers'"
		print "\t\t\tprintf '%s\\n' " takers_of(name)
	}
	print "\tend"
	print "end"
	print "\n# What a command takes at a place, counted from 0."
	print "function __dsrctl_argument -a name place before"
	print "\tswitch \"$name,$before\""
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		count = split(options[name], list, " ")
		for (j = 1; j <= count; j++) {
			if (option_takes[name, list[j]] == "")
				continue
			print "\t\tcase '" name "," list[j] "'"
			print "\t\t\t" words_for(option_takes[name, list[j]])
			print "\t\t\treturn"
		}
	}
	print "\tend"
	print "\tif string match -q -- '-*' (commandline -ct)"
	print "\t\t__dsrctl_options $name"
	print "\t\treturn"
	print "\tend"
	print "\tswitch \"$name,$place\""
	for (i = 1; i <= command_count; i++)
		for (j = 0; command[i] in options && j < required[command[i]]; j++)
			print "\t\tcase '" command[i] "," j "'"
	print "\t\tcase '*'"
	print "\t\t\t__dsrctl_options $name"
	print "\tend"
	print "\tswitch \"$name,$place\""
	for (i = 1; i <= command_count; i++) {
		name = command[i]
		for (p = 0; p < positions[name]; p++)
			if (words_for(argument[name, p]) != "") {
				print "\t\tcase '" name "," p "'"
				print "\t\t\t" words_for(argument[name, p])
			}
		if ((name, "*") in argument) {
			print "\t\tcase '" name ",*'"
			print "\t\t\t" words_for(argument[name, "*"])
		}
	}
	print "\tend"
	print "end"
}

function help_of(first,    i) {
	if (first in help)
		return help[first]
	for (i = 1; i <= command_count; i++)
		if (index(command[i], first " ") == 1)
			return help[command[i]]
	return ""
}

# Words and their meaning, separated by a tab.
function write_command(    i, j, count, list) {
	print "\n# The second words of a command's name."
	print "function __dsrctl_seconds -a first"
	print "\tswitch \"$first\""
	for (i = 1; i <= first_count; i++) {
		if (seconds[firsts[i]] == "")
			continue
		print "\t\tcase " firsts[i]
		print "\t\t\tprintf '%s\\t%s\\n' \\"
		count = split(seconds[firsts[i]], list, " ")
		for (j = 1; j <= count; j++)
			print "\t\t\t\t" list[j] " " fish_quoted(help[firsts[i] " " list[j]]) (j < count ? " \\" : "")
	}
	print "\tend"
	print "end"
	print "\n# What may stand at the cursor."
	print "function __dsrctl_command"
	print "\tset -l words (__dsrctl_words)"
	print "\tif not set -q words[1]"
	print "\t\tprintf '%s\\t%s\\n' \\"
	for (i = 1; i <= first_count; i++)
		print "\t\t\t" firsts[i] " " fish_quoted(help_of(firsts[i])) (i < first_count ? " \\" : "")
	print "\t\treturn"
	print "\tend"
	print "\tset -l name $words[1]"
	print "\tset -l before $words[-1]"
	print "\tset -l place 0"
	print "\tset -l skip"
	print "\tif not set -q words[2]"
	print "\t\t__dsrctl_seconds $name"
	print "\telse if contains -- $words[2] (__dsrctl_seconds $name | string replace -r '\\t.*' '')"
	print "\t\tset name \"$name $words[2]\""
	print "\t\tset -e words[1]"
	print "\tend"
	print "\tset -e words[1]"
	print "\tfor word in $words"
	print "\t\tif set -q skip[1]"
	print "\t\t\tset -e skip[1]"
	print "\t\telse if contains -- $word (__dsrctl_options $name takers)"
	print "\t\t\tset skip yes"
	print "\t\telse if not string match -q -- '-*' $word"
	print "\t\t\tset place (math $place + 1)"
	print "\t\tend"
	print "\tend"
	print "\t__dsrctl_argument $name $place $before"
	print "end"
}

END {
	if (failed)
		exit 1
	head_lines()
	if (program == "dsrctl") {
		write_words()
		write_names()
		write_filter()
		write_arguments()
		write_command()
		print "\nfunction __dsrctl_before_command"
		print "\tset -l words (__dsrctl_words)"
		print "\tnot set -q words[1]"
		print "end"
		write_flags("__dsrctl_before_command")
		print "complete -c dsrctl -f -k -a '(__dsrctl_command)'"
	} else {
		write_flags("")
		print "complete -c dsrd -f"
	}
}
