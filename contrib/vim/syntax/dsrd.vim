" SPDX-License-Identifier: ISC
" Vim syntax of dsrd.conf(5). Generated from contrib/vim/syntax.in and the table of keys of dsrd: `make completions`
" generates it again.
if exists("b:current_syntax")
	finish
endif

syn case match
syn iskeyword @,48-57,_,-
syn sync fromstart

" The last one of several matches counts: what is not known below is an error.
syn match dsrdBad "^\s*[^;#[:blank:]].*"
syn match dsrdBad contained "[^;#[:blank:]]\+"
syn match dsrdBadKey contained "^\s*\zs[^;#[:blank:]].*"
syn match dsrdBadKey contained "^\s*\zs[^;#=[:blank:]][^=]*\ze="

" Values.
syn match dsrdIs contained "="
syn match dsrdNumber contained "\%([[:blank:]=/,-]\)\@1<=\d\+[km]\=\>"
syn match dsrdDuration contained "\<\d\+\%(ms\|[smhd]\)\>"
syn match dsrdAddress contained "\<\d\{1,3}\%(\.\d\{1,3}\)\{3}\>"
syn match dsrdAddress contained "\<\x\{1,4}:[[:xdigit:]:]*:[[:xdigit:]:.]*"
syn match dsrdAddress contained "::[[:xdigit:]:.]*"
syn match dsrdMac contained "\<\x\x\%(:\x\x\)\{5}\>"
syn match dsrdProtocol contained "\<\%(tcp\|udp\|sctp\)\ze/"
syn match dsrdOption contained "\s\@1<=[a-z][a-z-]*\ze="
syn match dsrdOption contained "\s\@1<=\%(backup\|local\)\>"
syn region dsrdString contained oneline start=+"+ skip=+\\.+ end=+"+ contains=dsrdEscape
syn match dsrdEscape contained +\\\%(x\x\x\|[rnt\\"]\)+
syn match dsrdComment "^\s*[;#].*" contains=dsrdTodo
syn match dsrdComment contained "\%(^\|\s\@1<=\)[;#].*" contains=dsrdTodo
syn keyword dsrdTodo contained TODO FIXME EDIT CHECK
syn cluster dsrdLine contains=dsrdBadKey,dsrdIs,dsrdNumber,dsrdDuration,dsrdAddress,dsrdMac,dsrdProtocol,dsrdOption
syn cluster dsrdLine add=dsrdString,dsrdComment

" Keys that take a fixed set of words.
syn match dsrdSandboxIs contained "=" nextgroup=dsrdSandboxWord,dsrdBad skipwhite
syn keyword dsrdSandboxWord contained on log off
hi def link dsrdSandboxIs dsrdIs
hi def link dsrdSandboxWord dsrdWord
syn match dsrdLogIs contained "=" nextgroup=dsrdLogWord,dsrdBad skipwhite
syn keyword dsrdLogWord contained syslog stderr
hi def link dsrdLogIs dsrdIs
hi def link dsrdLogWord dsrdWord
syn match dsrdControlIs contained "=" nextgroup=dsrdControlWord skipwhite
syn keyword dsrdControlWord contained off
hi def link dsrdControlIs dsrdIs
hi def link dsrdControlWord dsrdWord
syn match dsrdControlGroupMayIs contained "=" nextgroup=dsrdControlGroupMayWord,dsrdBad skipwhite
syn keyword dsrdControlGroupMayWord contained look change
hi def link dsrdControlGroupMayIs dsrdIs
hi def link dsrdControlGroupMayWord dsrdWord
syn match dsrdStateIs contained "=" nextgroup=dsrdStateWord skipwhite
syn keyword dsrdStateWord contained off
hi def link dsrdStateIs dsrdIs
hi def link dsrdStateWord dsrdWord
syn match dsrdHttpIs contained "=" nextgroup=dsrdHttpWord skipwhite
syn keyword dsrdHttpWord contained off
hi def link dsrdHttpIs dsrdIs
hi def link dsrdHttpWord dsrdWord
syn match dsrdOffloadIs contained "=" nextgroup=dsrdOffloadWord,dsrdBad skipwhite
syn keyword dsrdOffloadWord contained auto tc xdp off
hi def link dsrdOffloadIs dsrdIs
hi def link dsrdOffloadWord dsrdWord
syn match dsrdQueueDisciplineIs contained "=" nextgroup=dsrdQueueDisciplineWord,dsrdBad skipwhite
syn keyword dsrdQueueDisciplineWord contained use bypass
hi def link dsrdQueueDisciplineIs dsrdIs
hi def link dsrdQueueDisciplineWord dsrdWord
syn match dsrdWithholdIs contained "=" nextgroup=dsrdWithholdWord,dsrdBad skipwhite
syn keyword dsrdWithholdWord contained yes no
hi def link dsrdWithholdIs dsrdIs
hi def link dsrdWithholdWord dsrdWord
syn match dsrdArpIs contained "=" nextgroup=dsrdArpWord,dsrdBad skipwhite
syn keyword dsrdArpWord contained on off
hi def link dsrdArpIs dsrdIs
hi def link dsrdArpWord dsrdWord
syn match dsrdSchedulerIs contained "=" nextgroup=dsrdSchedulerWord,dsrdBad skipwhite
syn keyword dsrdSchedulerWord contained rr wrr lc wlc sed nq sh maglev twos fo ovf lblc dh random least-latency
hi def link dsrdSchedulerIs dsrdIs
hi def link dsrdSchedulerWord dsrdWord
syn match dsrdPersistIs contained "=" nextgroup=dsrdPersistWord skipwhite
syn keyword dsrdPersistWord contained off
hi def link dsrdPersistIs dsrdIs
hi def link dsrdPersistWord dsrdWord
syn match dsrdOnDownIs contained "=" nextgroup=dsrdOnDownWord,dsrdBad skipwhite
syn keyword dsrdOnDownWord contained keep move
hi def link dsrdOnDownIs dsrdIs
hi def link dsrdOnDownWord dsrdWord
syn match dsrdOnePacketIs contained "=" nextgroup=dsrdOnePacketWord,dsrdBad skipwhite
syn keyword dsrdOnePacketWord contained yes no
hi def link dsrdOnePacketIs dsrdIs
hi def link dsrdOnePacketWord dsrdWord
syn match dsrdQuicLbIs contained "=" nextgroup=dsrdQuicLbWord skipwhite
syn keyword dsrdQuicLbWord contained off
hi def link dsrdQuicLbIs dsrdIs
hi def link dsrdQuicLbWord dsrdWord
syn match dsrdLimitNewIs contained "=" nextgroup=dsrdLimitNewWord skipwhite
syn keyword dsrdLimitNewWord contained off
hi def link dsrdLimitNewIs dsrdIs
hi def link dsrdLimitNewWord dsrdWord
syn match dsrdSyncIs contained "=" nextgroup=dsrdSyncWord,dsrdBad skipwhite
syn keyword dsrdSyncWord contained auto all off
hi def link dsrdSyncIs dsrdIs
hi def link dsrdSyncWord dsrdWord
syn match dsrdCheckIs contained "=" nextgroup=dsrdCheckWord,dsrdBad skipwhite
syn keyword dsrdCheckWord contained tcp http https icmp dns udp script none
hi def link dsrdCheckIs dsrdIs
hi def link dsrdCheckWord dsrdWord
syn match dsrdVipCheckIs contained "=" nextgroup=dsrdVipCheckWord,dsrdBad skipwhite
syn keyword dsrdVipCheckWord contained require warn off
hi def link dsrdVipCheckIs dsrdIs
hi def link dsrdVipCheckWord dsrdWord
syn match dsrdVipConflictIs contained "=" nextgroup=dsrdVipConflictWord,dsrdBad skipwhite
syn keyword dsrdVipConflictWord contained log announce remove
hi def link dsrdVipConflictIs dsrdIs
hi def link dsrdVipConflictWord dsrdWord
syn match dsrdNeighborIs contained "=" nextgroup=dsrdNeighborWord,dsrdBad skipwhite
syn keyword dsrdNeighborWord contained prove pin follow
hi def link dsrdNeighborIs dsrdIs
hi def link dsrdNeighborWord dsrdWord

" The keys of each section.
syn match dsrdDsrdKey contained "^\s*\zssandbox\ze\s*=" nextgroup=dsrdSandboxIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zslog\ze\s*=" nextgroup=dsrdLogIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zscontrol\ze\s*=" nextgroup=dsrdControlIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zscontrol-group-may\ze\s*=" nextgroup=dsrdControlGroupMayIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zsstate\ze\s*=" nextgroup=dsrdStateIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zshttp\ze\s*=" nextgroup=dsrdHttpIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zsoffload\ze\s*=" nextgroup=dsrdOffloadIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zsqueue-discipline\ze\s*=" nextgroup=dsrdQueueDisciplineIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zswithhold\ze\s*=" nextgroup=dsrdWithholdIs skipwhite
syn match dsrdDsrdKey contained "^\s*\zs\%(interface\|user\|control-group\|http-host\|connections\|hash-key\|probe-address\|role\|linger\|announce\|peer-mac\|ready-file\|peer\|peer-name\|peer-listen\|sync-key-file\|include\|notify\|mac\|mtu\|address\)\ze\s*="
hi def link dsrdDsrdKey dsrdKey
syn match dsrdDefaultsKey contained "^\s*\zsarp\ze\s*=" nextgroup=dsrdArpIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zsscheduler\ze\s*=" nextgroup=dsrdSchedulerIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zspersist\ze\s*=" nextgroup=dsrdPersistIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zson-down\ze\s*=" nextgroup=dsrdOnDownIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zsone-packet\ze\s*=" nextgroup=dsrdOnePacketIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zsquic-lb\ze\s*=" nextgroup=dsrdQuicLbIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zslimit-new\ze\s*=" nextgroup=dsrdLimitNewIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zssync\ze\s*=" nextgroup=dsrdSyncIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zscheck\ze\s*=" nextgroup=dsrdCheckIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zsvip-check\ze\s*=" nextgroup=dsrdVipCheckIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zsvip-conflict\ze\s*=" nextgroup=dsrdVipConflictIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zsneighbor\ze\s*=" nextgroup=dsrdNeighborIs skipwhite
syn match dsrdDefaultsKey contained "^\s*\zs\%(interface\|notify\|group\|warmup\|timeout-established\|timeout-syn\|timeout-fin\|timeout-closed\|timeout-udp\|interval\|retry\|timeout\|rise\|fall\|quorum\|vip-payload\|outlier\|method\|gateway\)\ze\s*="
hi def link dsrdDefaultsKey dsrdKey
syn match dsrdServiceKey contained "^\s*\zsarp\ze\s*=" nextgroup=dsrdArpIs skipwhite
syn match dsrdServiceKey contained "^\s*\zsscheduler\ze\s*=" nextgroup=dsrdSchedulerIs skipwhite
syn match dsrdServiceKey contained "^\s*\zspersist\ze\s*=" nextgroup=dsrdPersistIs skipwhite
syn match dsrdServiceKey contained "^\s*\zson-down\ze\s*=" nextgroup=dsrdOnDownIs skipwhite
syn match dsrdServiceKey contained "^\s*\zsone-packet\ze\s*=" nextgroup=dsrdOnePacketIs skipwhite
syn match dsrdServiceKey contained "^\s*\zsquic-lb\ze\s*=" nextgroup=dsrdQuicLbIs skipwhite
syn match dsrdServiceKey contained "^\s*\zslimit-new\ze\s*=" nextgroup=dsrdLimitNewIs skipwhite
syn match dsrdServiceKey contained "^\s*\zssync\ze\s*=" nextgroup=dsrdSyncIs skipwhite
syn match dsrdServiceKey contained "^\s*\zscheck\ze\s*=" nextgroup=dsrdCheckIs skipwhite
syn match dsrdServiceKey contained "^\s*\zsvip-check\ze\s*=" nextgroup=dsrdVipCheckIs skipwhite
syn match dsrdServiceKey contained "^\s*\zsvip-conflict\ze\s*=" nextgroup=dsrdVipConflictIs skipwhite
syn match dsrdServiceKey contained "^\s*\zsneighbor\ze\s*=" nextgroup=dsrdNeighborIs skipwhite
syn match dsrdServiceKey contained "^\s*\zs\%(interface\|notify\|listen\|group\|warmup\|timeout-established\|timeout-syn\|timeout-fin\|timeout-closed\|timeout-udp\|interval\|retry\|timeout\|rise\|fall\|quorum\|vip-payload\|outlier\|method\|gateway\|server\)\ze\s*="
hi def link dsrdServiceKey dsrdKey

syn region dsrdDsrdSection matchgroup=dsrdSection start="^\s*\[dsrd\]" end="^\ze\s*\[" contains=@dsrdLine,dsrdDsrdKey
syn region dsrdDefaultsSection matchgroup=dsrdSection start="^\s*\[defaults\]" end="^\ze\s*\[" contains=@dsrdLine,dsrdDefaultsKey
syn region dsrdServiceSection matchgroup=dsrdSection start="^\s*\[service\s\+[A-Za-z0-9_.-]\{1,32}\]" end="^\ze\s*\[" contains=@dsrdLine,dsrdServiceKey

hi def link dsrdSection Structure
hi def link dsrdKey Identifier
hi def link dsrdIs Operator
hi def link dsrdWord Constant
hi def link dsrdNumber Number
hi def link dsrdDuration Number
hi def link dsrdAddress Constant
hi def link dsrdMac Constant
hi def link dsrdProtocol Type
hi def link dsrdOption Type
hi def link dsrdString String
hi def link dsrdEscape SpecialChar
hi def link dsrdComment Comment
hi def link dsrdTodo Todo
hi def link dsrdBad Error
hi def link dsrdBadKey Error

let b:current_syntax = "dsrd"
