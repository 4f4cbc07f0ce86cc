# SPDX-License-Identifier: ISC
# What zsh offers for the line $1, a word a line: a shell in a terminal of its own presses the tabulator key.
#     zsh -f complete.zsh LINE DIRECTORY-OF-COMPLETIONS OUTPUT
zmodload zsh/zpty
line=$1 directory=$2 output=$3
: >$output
cat >$output.rc <<END
PROMPT=
fpath=(${(q)directory} \$fpath)
autoload -Uz compinit
compinit -u -d ${(q)output}.dump
bindkey '^I' complete-word
# All matches pass here; those that are only asked for are not shown.
compadd() {
	if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)' '* ]]; then
		builtin compadd "\$@"
		return
	fi
	typeset -a offered
	builtin compadd -O offered "\$@"
	(( \$#offered )) && print -rl -- \$IPREFIX\${^offered} >>${(q)output}
	builtin compadd "\$@"
}
finished() { : >${(q)output}.finished }
comppostfuncs=(finished)
: >${(q)output}.ready
END
rm -f $output.ready $output.finished
zpty -b shell "HOME=${(q)output:h} TERM=vt100 zsh -f -i"
zpty -w shell "source ${(q)output}.rc"
wait_for() { # FILE
	local i
	for i in {1..1500}; do
		[[ -e $1 ]] && return 0
		# What the shell writes must go somewhere.
		zpty -r shell rest 2>/dev/null
		sleep 0.02
	done
	print -u2 "complete.zsh: $1 does not come"
	exit 1
}
wait_for $output.ready
zpty -w -n shell "$line"$'\t'
wait_for $output.finished
zpty -d shell
