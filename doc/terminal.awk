# SPDX-License-Identifier: ISC
# What a terminal showed, with its colours, as a picture (SVG):
#     script -qc 'dsrctl doctor web/web2' /dev/null | awk -f doc/terminal.awk -v title='dsrctl doctor web/web2' >doc/doctor.svg
BEGIN {
	colour["1"] = "font-weight=\"bold\" fill=\"#ffffff\""
	colour["31"] = "font-weight=\"bold\" fill=\"#ff7b72\""
	colour["32"] = "fill=\"#7ee787\""
	colour["33"] = "fill=\"#e3b341\""
	lines = 0
	text[lines++] = span("1", "director# " title)
}

function escaped(part) {
	gsub(/&/, "\\&amp;", part)
	gsub(/</, "\\&lt;", part)
	gsub(/>/, "\\&gt;", part)
	gsub(/ /, "\\&#160;", part) # viewers fold blanks
	return part
}

function span(code, part) {
	return "<tspan " (code in colour ? colour[code] : "") ">" escaped(part) "</tspan>"
}

{
	sub(/\r$/, "")
	plain = $0
	gsub(/\033\[[0-9;]*m/, "", plain)
	if (length(plain) > widest)
		widest = length(plain)
	out = ""
	code = "0"
	rest = $0
	while (match(rest, /\033\[[0-9;]*m/)) {
		out = out (RSTART > 1 ? span(code, substr(rest, 1, RSTART - 1)) : "")
		code = substr(rest, RSTART + 2, RLENGTH - 3)
		rest = substr(rest, RSTART + RLENGTH)
	}
	text[lines++] = out (rest == "" ? "" : span(code, rest))
}

END {
	width = widest * 8 + 32
	height = lines * 18 + 28
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", width, height, width, height
	printf "<title>%s</title>\n", escaped(title)
	print "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#161b22\"/>"
	print "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\"" \
	    " fill=\"#c9d1d9\">"
	for (i = 0; i < lines; i++)
		if (text[i] != "")
			printf "<text x=\"16\" y=\"%d\">%s</text>\n", i * 18 + 28, text[i]
	print "</g>\n</svg>"
}
