" SPDX-License-Identifier: ISC
" Comments, for those who join, wrap or toggle lines; and `:make` asks dsrd what is wrong with the file.
if exists("b:did_ftplugin")
	finish
endif
let b:did_ftplugin = 1

setlocal comments=:;,:# commentstring=;\ %s formatoptions-=t
setlocal makeprg=dsrd\ -n\ -f\ % errorformat=%f:%l:\ %m
let b:undo_ftplugin = "setlocal comments< commentstring< formatoptions< makeprg< errorformat<"
