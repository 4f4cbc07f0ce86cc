" SPDX-License-Identifier: ISC
au BufNewFile,BufRead dsrd.conf,dsrd.conf.*,*/dsrd.d/*.conf set filetype=dsrd
