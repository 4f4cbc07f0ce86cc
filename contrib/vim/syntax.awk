# SPDX-License-Identifier: ISC
# Writes contrib/vim/syntax/dsrd.vim from the lines `key` that tests/completion/tables prints. A key is valid in its sections
# only; if the table lists the words that a key takes, any other word is marked as an error.

BEGIN {
	FS = "\t"
	section_count = split("dsrd defaults service", sections, " ")
}

$1 == "key" {
	names[++key_count] = $2
	stands[$2] = " " $3 " "
	words[$2] = words_of($4)
	# Of "off, or a duration" the word is only one of many values.
	alone[$2] = $4 !~ /, or /
}

# The words of "a, b or c", "one of a b c", "off, or ..." and "..., or off", separated by blanks; otherwise nothing.
function words_of(takes) {
	sub(/, and options.*/, "", takes)
	if (sub(/^one of /, "", takes))
		return takes
	if (takes ~ /^[a-z-]+(, [a-z-]+)* or [a-z-]+$/) {
		gsub(/,? or |, /, " ", takes)
		return takes
	}
	return takes ~ /^off, or |, or off$/ ? "off" : ""
}

# The name of a group: ControlGroupMay.
function group_of(name,    parts, count, i, text) {
	count = split(name, parts, "-")
	for (i = 1; i <= count; i++)
		text = text toupper(substr(parts[i], 1, 1)) substr(parts[i], 2)
	return "dsrd" text
}

function write_values(name,    group) {
	group = group_of(name)
	print "syn match " group "Is contained \"=\" nextgroup=" group "Word" (alone[name] ? ",dsrdBad" : "") " skipwhite"
	print "syn keyword " group "Word contained " words[name]
	print "hi def link " group "Is dsrdIs"
	print "hi def link " group "Word dsrdWord"
}

# Keys without a list of words are an alternation in one match.
function write_keys(section,    i, group, plain) {
	group = group_of(section) "Key"
	for (i = 1; i <= key_count; i++) {
		if (index(stands[names[i]], " " section " ") == 0)
			continue
		if (words[names[i]] == "")
			plain = plain (plain == "" ? "" : "\\|") names[i]
		else
			print "syn match " group " contained \"^\\s*\\zs" names[i] "\\ze\\s*=\" nextgroup=" group_of(names[i]) "Is skipwhite"
	}
	print "syn match " group " contained \"^\\s*\\zs\\%(" plain "\\)\\ze\\s*=\""
	print "hi def link " group " dsrdKey"
}

function write_region(section) {
	print "syn region " group_of(section) "Section matchgroup=dsrdSection start=\"^\\s*\\[" \
	    (section == "service" ? "service\\s\\+[A-Za-z0-9_.-]\\{1,32}" : section) "\\]\" end=\"^\\ze\\s*\\[\"" \
	    " contains=@dsrdLine," group_of(section) "Key"
}

END {
	if (key_count == 0) {
		print "syntax.awk: the table has no keys" >"/dev/stderr"
		exit 1
	}
	while ((getline line <frame) > 0) {
		if (line == "@VALUES@") {
			for (i = 1; i <= key_count; i++)
				if (words[names[i]] != "")
					write_values(names[i])
		} else if (line == "@KEYS@") {
			for (i = 1; i <= section_count; i++)
				write_keys(sections[i])
		} else if (line == "@SECTIONS@") {
			for (i = 1; i <= section_count; i++)
				write_region(sections[i])
		} else
			print line
	}
}
