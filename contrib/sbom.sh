#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A software bill of materials of programs as they were linked: CycloneDX 1.5, JSON. Each library that the dynamic linker
# loads for them is a component, with the version of its package where dpkg, rpm or apk knows the file, otherwise of its file
# name, and its SHA-256.
#
#     sbom.sh VERSION PROGRAM...        `make sbom` writes dsrd.cdx.json
#
# It runs on the system that the programs were linked for, and prints the same for the same files: no time, no serial number.
set -eu
LC_ALL=C
export LC_ALL
[ $# -ge 2 ] || { echo "usage: sbom.sh VERSION PROGRAM..." >&2; exit 64; } # EX_USAGE, sysexits(3)
version=$1
shift

quote() { # a JSON string
	printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

hash_of() { # FILE
	if command -v sha256sum >/dev/null; then
		sha256sum <"$1" | cut -d ' ' -f 1
	else
		openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
	fi
}

# The paths of the libraries that PROGRAM loads; ldd of glibc and musl, and of the BSDs.
libraries_of() { # PROGRAM
	ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3; next } $1 ~ /^\/.*ld-/ { print $1 } $NF ~ /^\/.*\.so/ && $2 != "=>" { print $NF }'
}

# Lines "FILE NAME VERSION PURL", one for each FILE that a package manager knows. Asked once for all: that takes a second.
packages_of() { # FILE...
	if command -v dpkg-query >/dev/null; then
		# A merged /usr: dpkg knows a file by one of its two names.
		# shellcheck disable=SC2046 # paths of libraries have no blanks
		dpkg-query -S "$@" $(for file; do echo "${file#/usr}"; done) 2>/dev/null | awk '{ sub(/:$/, "", $1); print $2, $1 }' |
			while read -r file package; do
				dpkg-query -W -f "$file "'${Package} ${Version} pkg:deb/debian/${Package}@${Version}?arch=${Architecture}\n' "$package"
			done
	elif command -v rpm >/dev/null; then
		for file; do
			rpm -qf --qf "$file "'%{NAME} %{VERSION}-%{RELEASE} pkg:rpm/%{NAME}@%{VERSION}-%{RELEASE}?arch=%{ARCH}\n' "$file" 2>/dev/null |
				sed -n '/pkg:/p'
		done
	elif command -v apk >/dev/null; then
		for file; do
			apk info --who-owns "$file" 2>/dev/null |
				sed -n "s|.* owned by \\(.*\\)-\\([0-9][^-]*-r[0-9]*\\)\$|$file \\1 \\2 pkg:apk/alpine/\\1@\\2|p"
		done
	fi
}

# "libpcap.so.1.10.3": 1.10.3. A name without numbers has no version.
version_of_file() { # FILE
	basename "$1" | sed -n 's/^.*\.so\.\([0-9][0-9.]*\)$/\1/p; s/^.*-\([0-9][0-9.]*\)\.so$/\1/p' | sed -n 1p
}

component() { # PATH
	file=$(readlink -f "$1")
	name=$(basename "$1")
	# shellcheck disable=SC2046 # three words, or none
	set -- $(echo "$packages" | awk -v one="$file" -v other="${file#/usr}" '$1 == one || $1 == other { print $2, $3, $4; exit }')
	component_version=${2:-$(version_of_file "$file")}
	printf '\t\t{\n\t\t\t"type": "library",\n\t\t\t"bom-ref": %s,\n\t\t\t"name": %s,\n' "$(quote "$name")" "$(quote "$name")"
	printf '\t\t\t"version": %s,\n' "$(quote "${component_version:-unknown}")"
	[ -z "${3:-}" ] || printf '\t\t\t"purl": %s,\n' "$(quote "$(printf '%s' "$3" | sed 's/+/%2B/g; s/\([0-9]\):/\1%3A/g')")"
	printf '\t\t\t"hashes": [ { "alg": "SHA-256", "content": %s } ],\n' "$(quote "$(hash_of "$file")")"
	printf '\t\t\t"properties": [ { "name": "path", "value": %s } ]\n\t\t}' "$(quote "$file")"
}

# Lines of a list, of which each but the last ends with a comma.
separated() {
	awk 'NR > 1 { print line "," } { line = $0 } END { if (NR > 0) print line }'
}

all=$(for program; do libraries_of "$program"; done | sort -u)
[ -n "$all" ] || { echo "sbom.sh: ldd names no library of $*" >&2; exit 1; }

# shellcheck disable=SC2046 # paths of libraries have no blanks
packages=$(packages_of $(for path in $all; do readlink -f "$path"; done | sort -u))

printf '{\n\t"bomFormat": "CycloneDX",\n\t"specVersion": "1.5",\n\t"version": 1,\n\t"metadata": {\n'
printf '\t\t"component": {\n\t\t\t"type": "application",\n\t\t\t"bom-ref": "dsrd",\n\t\t\t"name": "dsrd",\n\t\t\t"version": %s,\n' "$(quote "$version")"
printf '\t\t\t"licenses": [ { "license": { "id": "ISC" } } ],\n\t\t\t"components": [\n'
for program; do
	printf '{ "type": "application", "bom-ref": %s, "name": %s, "version": %s, "hashes": [ { "alg": "SHA-256", "content": %s } ] }\n' \
	    "$(quote "program/$(basename "$program")")" "$(quote "$(basename "$program")")" "$(quote "$version")" "$(quote "$(hash_of "$program")")"
done | separated | sed 's/^/\t\t\t\t/'
printf '\t\t\t]\n\t\t}\n\t},\n\t"components": [\n'
first=yes
for path in $all; do
	[ "$first" = yes ] || printf ',\n'
	first=no
	component "$path"
done
printf '\n\t],\n\t"dependencies": [\n'
for program; do
	printf '{ "ref": %s, "dependsOn": [ %s ] }\n' "$(quote "program/$(basename "$program")")" \
	    "$(for path in $(libraries_of "$program" | sort -u); do quote "$(basename "$path")"; echo; done | separated | tr '\n' ' ')"
done | separated | sed 's/^/\t\t/'
printf '\t]\n}\n'
