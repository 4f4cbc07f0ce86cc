# SPDX-License-Identifier: ISC
# Completion of dsrctl for fish. Made by contrib/completion/generate.sh from the tables that dsrctl
# parses by: `make completions` makes it again.

# The words of the command before the cursor, without flags and what they take.
function __dsrctl_words
	set -l words (commandline -opc)
	set -e words[1]
	while set -q words[1]; and string match -q -- '-*' $words[1]
		contains -- $words[1] -s --socket; and set -e words[1]
		set -e words[1]
	end
	string join \n -- $words
end

# The names that the director itself knows; nothing when it does not answer.
function __dsrctl_names
	set -l words (commandline -opc)
	set -l socket
	set -l before
	for word in $words
		if contains -- "$before" -s --socket
			set socket -s $word
		else if string match -q -- '--socket=*' $word
			set socket $word
		end
		set before $word
	end
	command $words[1] $socket show names 2>/dev/null | while read -l line
		set -l parts (string split -n ' ' -- $line)
		contains -- "$parts[2]" $argv; and printf '%s\t%s\n' $parts
	end
end

# "state=established"
function __dsrctl_filter -a name
	switch "$name,"(commandline -ct)
		case 'show connections,service=*'
			__dsrctl_names service | string replace -r '^' 'service='
		case 'show connections,server=*'
			__dsrctl_names server | string replace -r '^' 'server='
		case 'show connections,vip=*'
			__dsrctl_names vip | string replace -r '^' 'vip='
		case 'show connections,protocol=*'
			printf 'protocol=%s\n' tcp udp sctp
		case 'show connections,state=*'
			printf 'state=%s\n' syn established fin-wait time-wait closed udp
		case 'trace,service=*'
			__dsrctl_names service | string replace -r '^' 'service='
		case 'trace,server=*'
			__dsrctl_names server | string replace -r '^' 'server='
		case 'trace,vip=*'
			__dsrctl_names vip | string replace -r '^' 'vip='
		case 'trace,protocol=*'
			printf 'protocol=%s\n' tcp udp sctp
		case 'trace,verdict=*'
			printf 'verdict=%s\n' forward drop hold consumed pass
		case 'events,event=*'
			printf 'event=%s\n' server-state admin reload
		case 'events,level=*'
			printf 'level=%s\n' error warning notice
		case 'events,since=*'
			printf 'since=%s\n' 10m 1h 1d
		case '*=*'
		case 'show,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show health,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show drops,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show neighbors,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show connections,*'
			printf '%s\n' service= server= client= vip= port= protocol= state= limit=
			__dsrctl_names service server
		case 'show drain,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show config,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show peers,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show names,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show rates,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show process,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show roles,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'show announce,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'drain,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'drain director,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'enable,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'enable director,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'disable,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'weight,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'neighbor,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'role,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'ready,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'announce,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'reload,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'reload --plan,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'top,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'why,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'trace,*'
			printf '%s\n' service= server= client= vip= port= protocol= verdict= reason=
			__dsrctl_names service server
		case 'doctor,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'doctor --all,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'events,*'
			printf '%s\n' event= level= since= after= limit=
			__dsrctl_names service server
		case 'stop,*'
			printf '%s\n' =
			__dsrctl_names service server
		case 'version,*'
			printf '%s\n' =
			__dsrctl_names service server
	end
end

# The flags that a command takes behind its name; with a second argument those that take a value.
function __dsrctl_options -a name which
	switch "$name,$which"
		case 'show,'
			printf '%s\n' --problems -a --all
		case 'show drain,'
			printf '%s\n' --empty
		case 'drain,'
			printf '%s\n' --wait --empty --timeout
		case 'drain,takers'
			printf '%s\n' --wait --timeout
		case 'drain director,'
			printf '%s\n' --wait
		case 'drain director,takers'
			printf '%s\n' --wait
		case 'announce,'
			printf '%s\n' --exabgp
		case 'top,'
			printf '%s\n' -c --count
		case 'top,takers'
			printf '%s\n' -c --count
		case 'trace,'
			printf '%s\n' -c --count --pcapng
		case 'trace,takers'
			printf '%s\n' -c --count --pcapng
		case 'events,'
			printf '%s\n' -f --follow
	end
end

# What a command takes at a place, counted from 0.
function __dsrctl_argument -a name place before
	switch "$name,$before"
		case 'drain,--wait'
			printf '%s\n' 30s 5m 1h
			return
		case 'drain,--timeout'
			printf '%s\n' 30s 5m 1h
			return
		case 'drain director,--wait'
			printf '%s\n' 30s 5m 1h
			return
		case 'top,-c'
			
			return
		case 'top,--count'
			
			return
		case 'trace,-c'
			
			return
		case 'trace,--count'
			
			return
		case 'trace,--pcapng'
			__fish_complete_path (commandline -ct)
			return
	end
	if string match -q -- '-*' (commandline -ct)
		__dsrctl_options $name
		return
	end
	switch "$name,$place"
		case 'drain,0'
		case 'enable,0'
		case 'disable,0'
		case 'weight,0'
		case 'weight,1'
		case 'neighbor,0'
		case 'neighbor,1'
		case 'role,0'
		case 'why,0'
		case 'why,1'
		case 'why,2'
		case '*'
			__dsrctl_options $name
	end
	switch "$name,$place"
		case 'show,*'
			__dsrctl_names service server
		case 'show health,*'
			__dsrctl_names service server
		case 'show neighbors,*'
			__dsrctl_names service server
		case 'show connections,*'
			__dsrctl_filter $name
		case 'show drain,*'
			__dsrctl_names service server
		case 'drain,*'
			__dsrctl_names server
		case 'enable,*'
			__dsrctl_names server
		case 'disable,*'
			__dsrctl_names server
		case 'weight,0'
			__dsrctl_names server
		case 'neighbor,0'
			__dsrctl_names server
		case 'role,0'
			printf '%s\n' active standby observe
		case 'top,*'
			__dsrctl_names service server
		case 'why,0'
			printf '%s\n' tcp udp sctp
		case 'why,2'
			__dsrctl_names vip | string replace -r '\t.*' '' | string replace -r '^(.*:.*)$' '[$1]' | string replace -r '$' ':'
		case 'trace,*'
			__dsrctl_filter $name
		case 'doctor,*'
			__dsrctl_names service server
		case 'doctor --all,*'
			__dsrctl_names service server
		case 'events,*'
			__dsrctl_filter $name
	end
end

# The second words of a command's name.
function __dsrctl_seconds -a first
	switch "$first"
		case show
			printf '%s\t%s\n' \
				health 'every check of every server, and every path to a VIP, with its last result' \
				drops 'frames that did not reach a server, by reason, and the other counters' \
				neighbors 'the servers\' MAC addresses and the director\'s interfaces' \
				connections 'tracked flows that match every filter' \
				drain 'what is left on servers that are drained; status 1 while a connection is active' \
				config 'the configuration that is in force, and what operators changed since' \
				peers 'other directors: what they share with this one, and what differs' \
				names 'the names of services and servers, as commands take them; shells complete by it' \
				rates 'traffic, drops and servers that are up, in the last hour' \
				process 'the director\'s processes, and what each of them may do' \
				roles 'this director\'s role for each group of VIPs, why, and whether it is ready' \
				announce 'which VIPs are announced to routers, how, and why not'
		case drain
			printf '%s\t%s\n' \
				director 'withdraws all VIPs from routers; frames that still arrive are forwarded'
		case enable
			printf '%s\t%s\n' \
				director 'ends the drain of the director'
		case reload
			printf '%s\t%s\n' \
				--plan 'what a reload would change, and how many connections that touches'
		case doctor
			printf '%s\t%s\n' \
				--all 'the same, with notes, all evidence, and the servers that are well'
	end
end

# What may stand at the cursor.
function __dsrctl_command
	set -l words (__dsrctl_words)
	if not set -q words[1]
		printf '%s\t%s\n' \
			show 'what is wrong, services and servers, their state and why, connections' \
			drain 'no new connections for these servers; those they have go on' \
			enable 'ends drain or disable' \
			disable 'as if the servers were down' \
			weight 'overrides the configured weight until the file changes it' \
			neighbor 'sets the server\'s MAC address, such as that of a machine in a neighbor-conflict' \
			role 'active, standby or observe: what this director is for a group of VIPs' \
			ready 'can this director serve its VIPs now? status 1: it cannot' \
			announce 'feeds a routing daemon with the VIPs of this director, until it ends' \
			reload 'reads the configuration file again; a bad one changes nothing' \
			top 'show, live: a screen that updates, sorts, filters and scrolls' \
			why 'the decision for this flow, step by step; changes nothing' \
			trace 'decisions as they are made' \
			doctor 'examines director and real servers: what is wrong, and the commands that fix it' \
			events 'the last events: changes of state, reloads, operators\' commands, conflicts, and their causes' \
			stop 'ends the director, and returns when it is gone' \
			version 'the version of the director that runs'
		return
	end
	set -l name $words[1]
	set -l before $words[-1]
	set -l place 0
	set -l skip
	if not set -q words[2]
		__dsrctl_seconds $name
	else if contains -- $words[2] (__dsrctl_seconds $name | string replace -r '\t.*' '')
		set name "$name $words[2]"
		set -e words[1]
	end
	set -e words[1]
	for word in $words
		if set -q skip[1]
			set -e skip[1]
		else if contains -- $word (__dsrctl_options $name takers)
			set skip yes
		else if not string match -q -- '-*' $word
			set place (math $place + 1)
		end
	end
	__dsrctl_argument $name $place $before
end

function __dsrctl_before_command
	set -l words (__dsrctl_words)
	not set -q words[1]
end

complete -c dsrctl -n __dsrctl_before_command -s j -l json -d 'JSON, for programs'
complete -c dsrctl -n __dsrctl_before_command -s s -l socket -x -a '(__fish_complete_path (commandline -ct))' -d 'the director\'s `control` socket'
complete -c dsrctl -n __dsrctl_before_command -s h -l help -d 'print this, and exit'
complete -c dsrctl -n __dsrctl_before_command -s V -l version -d 'print dsrctl\'s own version, and exit'
complete -c dsrctl -f -k -a '(__dsrctl_command)'
