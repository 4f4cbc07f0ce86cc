# SPDX-License-Identifier: ISC
# Completion of dsrd for fish. Made by contrib/completion/generate.sh from the tables that dsrd
# parses by: `make completions` makes it again.

complete -c dsrd -s f -l config -x -a '(__fish_complete_path (commandline -ct))' -d 'configuration'
complete -c dsrd -s n -l check -d 'check the configuration: all errors at once, then exit (-t is accepted too)'
complete -c dsrd -l strict -d 'with -n: warnings about this host are errors, too'
complete -c dsrd -s T -l dump -d 'print the effective configuration, defaults filled in, and exit'
complete -c dsrd -s d -l debug -d 'do not detach; log to standard error'
complete -c dsrd -s F -l foreground -d 'do not detach; log as set by `log`'
complete -c dsrd -l observe -d 'see, decide and count, but send nothing'
complete -c dsrd -s i -l interface -x -a '(__fish_print_interfaces)' -d 'overrides `interface` of the configuration'
complete -c dsrd -s p -l pidfile -x -a '(__fish_complete_path (commandline -ct))' -d 'write the process number here, and refuse to run twice'
complete -c dsrd -s r -l read -x -a '(__fish_complete_path (commandline -ct))' -d 'offline: take frames from a savefile (\'-\': standard input)'
complete -c dsrd -s w -l write -x -a '(__fish_complete_path (commandline -ct))' -d 'with -r: write the frames that would have been sent'
complete -c dsrd -l report -d 'with -r: print the share of each server, and what would move without it'
complete -c dsrd -s u -l user -x -a '(__fish_complete_users)' -d 'overrides `user` of the configuration'
complete -c dsrd -s v -l verbose -d 'log more; twice: log everything'
complete -c dsrd -s V -l version -d 'print the version and how it was built, and exit'
complete -c dsrd -s h -l help -d 'print this, and exit'
complete -c dsrd -f
