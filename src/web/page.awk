# SPDX-License-Identifier: ISC
# Writes the page as C, a number a byte: strings as long as that are more than C11 promises to take. The page is ASCII.
BEGIN {
	for (byte = 1; byte < 128; byte++)
		code[sprintf("%c", byte)] = byte
	print "/* SPDX-License-Identifier: ISC */"
	print "/* Generated from page.html by page.awk: do not edit. */"
	print "#include \"config.h\"\n"
	print "#include \"web/web.h\"\n"
	print "const char web_page[] = {"
}
{
	line = ""
	for (at = 1; at <= length($0); at++) {
		byte = substr($0, at, 1)
		if (!(byte in code)) {
			print FILENAME ":" FNR ": not ASCII" >"/dev/stderr"
			failed = 1
			exit 1
		}
		line = line code[byte] ","
		if (length(line) > 110) {
			print "\t" line
			line = ""
		}
	}
	print "\t" line "10,"
}
END {
	if (failed)
		exit 1
	print "\t0"
	print "};"
	print "const size_t web_page_length = sizeof(web_page) - 1;"
}
