" SPDX-License-Identifier: ISC
" Comments, for joining, wrapping and toggling lines; `:make` lists the errors of the file with dsrd.
if exists("b:did_ftplugin")
	finish
endif
let b:did_ftplugin = 1

setlocal comments=:;,:# commentstring=;\ %s formatoptions-=t
setlocal makeprg=dsrd\ -n\ -f\ % errorformat=%f:%l:\ %m
let b:undo_ftplugin = "setlocal comments< commentstring< formatoptions< makeprg< errorformat<"
