# SPDX-License-Identifier: ISC
# Reads the tables for bash.awk, zsh.awk and fish.awk. The arguments of a command are parsed from its
# help, such as "SERVICE/SERVER ...":
#     argument[name, position]   what its arguments are, from 0; position "*" for all that follow
#     required[name]             the minimum number
#     options[name]              its flags, "-c --count"; option_takes[name, flag] and option_help[name, flag]
#     terms[name]                what precedes the "=" of its filters; choices[name, term]

BEGIN {
	FS = "\t"
	# A word of a help that is not here stops everything: say what completes it.
	split("SERVICE/SERVER SERVICE[/SERVER] FILTER PROTOCOL CLIENT:PORT VIP:PORT N MAC DURATION FILE COUNT SOCKET IF " \
	    "USER[:GROUP] ROLE GROUP", list, " ")
	for (i in list)
		known[list[i]] = 1
	apostrophe = sprintf("%c", 39)
}

function fail(text) {
	print "tables.awk: " text >"/dev/stderr"
	failed = 1
	exit 1
}

function check_kind(kind) {
	if (!(kind in known))
		fail("nothing here says how to complete " kind ": teach tables.awk, bash.awk, zsh.awk and fish.awk")
	return kind
}

# A word without the brackets of an optional one.
function bare(word,    opened, closed) {
	opened = gsub(/\[/, "[", word)
	closed = gsub(/\]/, "]", word)
	if (opened > closed || (opened > 0 && word ~ /^\[.*\]$/))
		word = substr(word, 2)
	if (closed > opened || (closed > 0 && opened > 0 && gsub(/\[/, "[", word) < closed))
		word = substr(word, 1, length(word) - 1)
	return word
}

function read_arguments(name, text,    words, count, i, word, position) {
	count = split(text, words, " ")
	position = 0
	for (i = 1; i <= count; i++) {
		word = bare(words[i])
		if (word == "...") {
			argument[name, "*"] = argument[name, --position]
			delete argument[name, position]
			positions[name] = position
		} else {
			argument[name, position++] = check_kind(word)
			positions[name] = position
			required[name] += words[i] !~ /^\[/
		}
	}
}

$1 == "flag" && $2 == program {
	letters[++flag_count] = $3
	names[flag_count] = $4
	takes[flag_count] = $5 == "" ? "" : check_kind($5)
	sub(/, default .*/, "", $6) # a path of the build that made this
	flag_help[flag_count] = $6
	next
}

$1 == "command" && program == "dsrctl" {
	command[++command_count] = $2
	help[$2] = $4
	read_arguments($2, $3)
	blank = index($2, " ")
	if (blank > 0) {
		first = substr($2, 1, blank - 1)
		seconds[first] = seconds[first] (seconds[first] == "" ? "" : " ") substr($2, blank + 1)
	} else
		first = $2
	if (!(first in is_first)) {
		is_first[first] = 1
		firsts[++first_count] = first
	}
	next
}

function add_option(name, flag, takes, text) {
	options[name] = options[name] (options[name] == "" ? "" : " ") flag
	option_takes[name, flag] = takes == "" ? "" : check_kind(takes)
	option_help[name, flag] = text
}

$1 == "option" && program == "dsrctl" {
	if ($3 != "")
		add_option($2, "-" $3, $5, $6)
	add_option($2, "--" $4, $5, $6)
	next
}

$1 == "term" && program == "dsrctl" {
	terms[$2] = terms[$2] (terms[$2] == "" ? "" : " ") $3
	choices[$2, $3] = $4
}

# Its flags with values.
function takers_of(name,    i, count, list, found) {
	count = split(options[name], list, " ")
	for (i = 1; i <= count; i++)
		if (option_takes[name, list[i]] != "")
			found = found (found == "" ? "" : " ") list[i]
	return found
}

# "-s --socket": all spellings of a flag.
function spellings(i, between) {
	return letters[i] == "" ? "--" names[i] : "-" letters[i] between "--" names[i]
}

# In single quotes of a shell.
function quoted(text) {
	gsub(apostrophe, apostrophe "\\" apostrophe apostrophe, text)
	return apostrophe text apostrophe
}

function head_lines(comment) {
	print "# SPDX-License-Identifier: ISC"
	print "# Completion of " program " for " shell ". Made by contrib/completion/generate.sh from the tables that " program
	print "# parses by: `make completions` makes it again."
}
