" SPDX-License-Identifier: ISC
" For test_vim.sh: the group of each place of the file, as LINE:COLUMN GROUP where a group begins, into $SEEN.
let s:all = []
for s:line in range(1, line('$'))
	let s:last = ''
	for s:column in range(1, strlen(getline(s:line)))
		let s:group = synIDattr(synID(s:line, s:column, 1), 'name')
		if s:group !=# s:last && s:group !=# ''
			call add(s:all, s:line . ':' . s:column . ' ' . s:group)
		endif
		let s:last = s:group
	endfor
endfor
call add(s:all, 'filetype ' . &filetype . ', comments ' . &commentstring)
call writefile(s:all, $SEEN)
qall!
