#!/bin/sh
# SPDX-License-Identifier: ISC
# The layers: which one may include which, and where system headers are allowed. CONTRIBUTING.md has the map.
#     layers.sh [DIRECTORY]     lints DIRECTORY/src (default: $SOURCE_DIR, else .)
#     layers.sh --selftest      proves that each rule can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# One line for each thing that is wrong below $1; status 1 when there is any.
lint() {
	# shellcheck disable=SC2016 # the $ are awk's
	c_sources "$1/src" | xargs awk -v root="$1/" '
	function wrong(text) {
		printf "%s:%d: %s\n", file, FNR, text
		found = 1
	}
	function in_words(word, words) {
		return index(" " words " ", " " word " ") > 0
	}
	# The first include is of the build itself, or system headers would not know what we ask of them.
	function finish() {
		if (file ~ /\.c$/ && !configured)
			printf "%s: includes no \"config.h\"\n", file
		if (file ~ /\.c$/ && !configured)
			found = 1
	}
	function layer_include(name,    target) {
		if (name == "config.h")
			return
		if (name !~ /^[a-z]+\/[a-z0-9_]+\.h$/)
			return wrong("\"" name "\" is included without its layer: write \"layer/file.h\"")
		target = name
		sub(/\/.*/, "", target)
		if (name == "base/clock.h" && in_words(layer, "role announce proto encap flow model sched sync vipcheck forward doctor conf"))
			wrong("layer " layer " is pure and may not include \"base/clock.h\": it gets the time as an argument")
		# The table of commands, and what a trace is made of: they hold nothing of a director.
		if (layer == "cli" && (name == "ctl/command.h" || name == "ctl/trace_record.h"))
			return
		if (!in_words(target, may[layer]))
			wrong("layer " layer " may not include \"" name "\": only " may[layer])
	}
	function system_include(name) {
		if (name ~ /^event2?[\/.]/ && layer != "daemon" && layer != "check" && layer != "ctl" && layer != "web" && layer != "http" && layer != "peer")
			wrong("<" name "> belongs into daemon/, check/, ctl/, http/, peer/ and web/")
		if (name ~ /^pcap[\/.]/ && file !~ /^src\/io\/io_(pcap|file)\.c$/)
			wrong("<" name "> belongs into io/io_pcap.c and io/io_file.c")
		if (name ~ /^libnet[\/.]/ && layer != "os" &&
		    file !~ /^src\/(io\/io_(libnet(_linux)?|link)|proto\/craft)\.c$/)
			wrong("<" name "> belongs into io/io_libnet.c, io/io_link.c, proto/craft.c and os/")
		if (name ~ /^bpf\// && layer != "offload")
			wrong("<" name "> belongs into offload/")
		if (name ~ /^openssl\// && file !~ /^src\/(sync\/seal|check\/tls)_openssl\.c$/)
			wrong("<" name "> belongs into sync/seal_openssl.c and check/tls_openssl.c")
		if (name == "ini.h" && layer != "conf")
			wrong("<ini.h> belongs into conf/")
		if (in_words(layer, "role announce proto encap flow model sched sync vipcheck forward doctor conf") && name ~ impure)
			wrong("layer " layer " is pure and may not include <" name ">: no sockets, clock, threads")
	}
	# foo.c, foo.h, foo_int.h and, unless `small` says that they are parts of their own, foo_more.[ch] are one part.
	function part_of(path,    short) {
		sub(/^src\//, "", path)
		sub(/\.[ch]$/, "", path)
		sub(/_int$/, "", path)
		if (path in unit)
			return unit[path]
		short = path
		while (!in_words(layer, small) && sub(/_[a-z0-9]+$/, "", short))
			if ((short ".h") in headers)
				return short in unit ? unit[short] : short
		return path
	}
	function part_include(from, to) {
		if (from == to || edge[from, to])
			return
		edge[from, to] = 1
		parts[from] = parts[to] = 1
	}
	# What includes nothing that is left, or is included by nothing that is left, is in no cycle.
	function cycles(    part, other, uses, used, changed, list) {
		do {
			changed = 0
			for (part in parts) {
				uses = used = 0
				for (other in parts) {
					uses += ((part, other) in edge)
					used += ((other, part) in edge)
				}
				if (uses == 0 || used == 0) {
					delete parts[part]
					changed = 1
				}
			}
		} while (changed)
		for (part in parts)
			list = list " " part
		if (list == "")
			return
		printf "src: these include each other in a circle:%s\n", list
		found = 1
	}
	BEGIN {
		owners_most = 3
		# Modules in which every file is a part.
		small = "sched forward doctor io os cli daemon"
		# What is one part by its nature, in files with names of their own: the state of a server, of which struct
		# server consists; the headers of a packet; and the reading of a file, whose keys may include another.
		unit["model/admin"] = unit["model/listen_state"] = "model/model"
		unit["proto/ipv6"] = "proto/packet"
		unit["conf/source"] = unit["conf/keys"] = "conf/conf"
		may["base"] = "base compat"
		may["http"] = "base http compat"
		may["proto"] = "base proto"
		may["encap"] = "base proto encap"
		may["flow"] = "base proto flow"
		may["role"] = "base role"
		may["announce"] = "base announce"
		may["model"] = "base role announce proto encap flow model"
		may["sched"] = "base role announce proto encap flow model sched"
		may["sync"] = "base role announce proto encap flow model sched sync"
		may["peer"] = "base compat role announce proto encap flow model sched sync peer"
		may["vipcheck"] = "base role announce proto encap flow model vipcheck"
		may["offload"] = "base role announce proto encap flow model sched vipcheck offload compat"
		may["forward"] = "base role announce proto encap flow model sched vipcheck offload forward"
		may["doctor"] = "base role announce proto encap flow model vipcheck doctor"
		may["conf"] = "base role announce proto encap flow model sched conf"
		may["io"] = "base proto io compat"
		may["os"] = "base os compat"
		may["check"] = "base role announce http proto encap flow model check compat"
		may["ctl"] = "base role announce http proto encap flow model sched sync vipcheck offload forward doctor conf ctl compat"
		may["web"] = "base role announce http proto encap flow model sched sync vipcheck offload forward doctor conf ctl web compat"
		may["cli"] = "base http cli compat"
		may["daemon"] = "base role announce http proto encap flow model sched sync peer vipcheck offload forward doctor conf io os check ctl web daemon compat"
		may["compat"] = "base compat"
		impure = "^(time|sys/time|sys/socket|sys/un|sys/ioctl|sys/select|poll|sys/epoll|sys/event|pthread|" \
		    "signal|threads|netdb|ifaddrs|netinet/.*|net/.*|arpa/.*|linux/.*)"
	}
	FNR == 1 {
		if (file != "")
			finish()
		headers[substr(FILENAME, length(root) + 5)]
		file = substr(FILENAME, length(root) + 1)
		layer = file
		sub(/^src\//, "", layer)
		sub(/\/.*/, "", layer)
		configured = 0
		if (!(layer in may))
			wrong("no such layer: " layer)
		if ($0 != "/* SPDX-License-Identifier: ISC */")
			wrong("the first line is not /* SPDX-License-Identifier: ISC */")
	}
	/^[ \t]*#[ \t]*include/ {
		name = $0
		sub(/^[^<"]*[<"]/, "", name)
		sub(/[>"].*/, "", name)
		if (file ~ /\.c$/ && !configured && name != "config.h")
			wrong("the first include must be \"config.h\"")
		configured = 1
		if ($0 ~ /</)
			system_include(name)
		else
			layer_include(name)
		if (index(name, layer "/") == 1)
			includes[file] = includes[file] " " name
		if (file ~ /\.h$/ && $0 !~ /</)
			part_include(substr(file, 5), name)
	}
	/struct dsrd[ *]/ && file != owner {
		owner = file
		owners++
		owner_list = owner_list " " file
	}
	layer != "os" && layer != "compat" {
		lines++
	}
	layer != "os" && layer != "compat" && /^[ \t]*#[ \t]*(if|elif)/ && !/^#ifndef [A-Z0-9_]+_H$/ {
		conditions++
		places = places " " file ":" FNR
	}
	END {
		if (file != "")
			finish()
		# Headers that include each other, then parts.
		cycles()
		split("", edge)
		for (file in includes) {
			layer = file
			sub(/^src\//, "", layer)
			sub(/\/.*/, "", layer)
			count = split(includes[file], names, " ")
			for (i = 1; i <= count; i++)
				part_include(part_of(file), part_of("src/" names[i]))
		}
		cycles()
		if (owners > owners_most) {
			printf "src: struct dsrd is known to %d files, %d may know it:%s: hand parts what they need\n", owners,
			    owners_most, owner_list
			found = 1
		}
		# One condition is no disease, however little code there is yet.
		if (conditions > 1 && conditions * 1000 >= lines * 2) {
			printf "src: %d lines have %d #if outside os/ and compat/, 2 in 1000 are the limit:%s\n",
			    lines, conditions, places
			found = 1
		}
		exit found
	}'
}

selftest() {
	spdx='/* SPDX-License-Identifier: ISC */\n'
	top="$spdx#include \"config.h\"\n"
	put src/flow/good.c "$top\n#include \"flow/good.h\"\n\n#include <stdint.h>\n\n#include \"base/addr.h\"\n"
	must_pass
	must_fail src/base/a.c "$top#include \"flow/conn.h\"\n" 'layer base may not include "flow/conn.h"'
	must_fail src/role/a.c "$top#include \"model/model.h\"\n" 'layer role may not include'
	must_fail src/role/a.c "$top#include \"base/clock.h\"\n" 'is pure'
	must_fail src/flow/b.c "$top#include \"model/model.h\"\n" 'layer flow may not include'
	must_fail src/sched/a.c "$top#include \"forward/forward.h\"\n" 'layer sched may not include'
	must_fail src/forward/a.c "$top#include \"doctor/diagnosis.h\"\n" 'layer forward may not include'
	must_fail src/proto/a.h "$spdx#include \"flow/conn.h\"\n" 'layer proto may not include'
	must_fail src/flow/a.c "$top#include \"conf/conf.h\"\n" 'layer flow may not include'
	must_fail src/io/a.c "$top#include \"flow/conn.h\"\n" 'layer io may not include'
	must_fail src/os/a.c "$top#include \"proto/frame.h\"\n" 'layer os may not include'
	must_fail src/check/a.c "$top#include \"daemon/loop.h\"\n" 'layer check may not include'
	must_fail src/cli/a.c "$top#include \"ctl/report.h\"\n" 'layer cli may not include'
	must_fail src/ctl/a.c "$top#include \"daemon/dsrd.h\"\n" 'layer ctl may not include'
	must_fail src/flow/a.c "$top#include \"conn.h\"\n" 'without its layer'
	must_fail src/flow/a.c "$top#include <event2/event.h>\n" 'belongs into daemon/, check/, ctl/, http/, peer/ and web/'
	must_fail src/daemon/a.c "$top#include <pcap.h>\n" 'belongs into io/io_pcap.c'
	must_fail src/daemon/a.c "$top#include <pcap/pcap.h>\n" 'belongs into io/io_pcap.c'
	must_fail src/flow/a.c "$top#include <libnet.h>\n" 'belongs into io/io_libnet.c'
	must_fail src/daemon/a.c "$top#include <bpf/libbpf.h>\n" 'belongs into offload/'
	must_fail src/offload/a.c "$top#include \"daemon/dsrd.h\"\n" 'layer offload may not include'
	must_fail src/flow/a.c "$top#include <ini.h>\n" 'belongs into conf/'
	must_fail src/sync/a.c "$top#include <openssl/hmac.h>\n" 'belongs into sync/seal_openssl.c'
	must_fail src/flow/a.c "$top#include <time.h>\n" 'is pure'
	must_fail src/conf/a.c "$top#include <sys/socket.h>\n" 'is pure'
	must_fail src/flow/a.c "$spdx#include <stdint.h>\n#include \"config.h\"\n" 'first include must be'
	must_fail src/flow/a.c "${spdx}int a;\n" 'includes no "config.h"'
	must_fail src/forward/a.c "$top#include \"base/clock.h\"\n" 'is pure'
	put src/daemon/first.h "$spdx#include \"daemon/second.h\"\n"
	must_fail src/daemon/second.c "$top#include \"daemon/first.h\"\n" 'in a circle: '
	rm "$tree"/src/daemon/first.h
	for i in base http proto flow model vipcheck offload conf check ctl web; do
		put src/$i/first.h "$spdx#include \"$i/second.h\"\n"
		must_fail src/$i/second.c "$top#include \"$i/first.h\"\n" 'in a circle: '
		rm "$tree"/src/$i/first.h
	done
	put src/flow/table.h "$spdx#include \"flow/table_list.h\"\n"
	must_fail src/flow/table_list.h "$spdx#include \"flow/table.h\"\n" 'in a circle: '
	put src/flow/table_list.h "$spdx"
	put src/flow/table_list.c "$top#include \"flow/table.h\"\n"
	must_pass
	rm "$tree"/src/flow/table.h "$tree"/src/flow/table_list.[ch]
	for i in one two three; do
		put src/daemon/$i.c "${top}void $i(struct dsrd *dsrd);\n"
	done
	must_pass
	must_fail src/daemon/four.c "${top}void four(struct dsrd *dsrd);\n" 'struct dsrd is known to 4 files'
	must_fail src/flow/a.c '#include "config.h"\n' 'first line is not'
	must_fail src/more/a.c "$top" 'no such layer'
	put src/flow/made.c '/* Generated from a by b: do not edit. */\n#include "conn.h"\n'
	must_pass
	must_fail src/flow/a.c '/* The second. */\n\n/* Generated from a by b: do not edit. */\n' 'first line is not'
	must_fail src/flow/a.c "$top#ifdef A\n#endif\n#if B\n#endif\n" 'outside os/ and compat/'
}

lint_main "$@"
