#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# root.sh: print the directory of a Debian tree that boots, for tests/system/run.sh; build it where there is none yet.
#
# The tree is made by debootstrap from the mirror that this machine's own apt uses, with its proxy and certificates, and
# kept in NSC_SYSTEM_CACHE (default: ${XDG_CACHE_HOME:-/var/cache}/nsclone) under a name made of suite, architecture and
# package list. It is built under another name and renamed when it is complete: an interrupted build leaves nothing that
# looks like a tree, and the next one removes what it left. NSC_SYSTEM_MIRROR overrides the mirror.
#
# Exit status: 0; 1 where it went wrong (the log is shown); 77 where this machine cannot, with the reason on stdout.
set -u

readonly LIMIT=${NSC_SYSTEM_BUILD_LIMIT:-600} # seconds
readonly PACKAGES=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,openssh-server,openssh-client,sudo,cron,at,tmux,login,util-linux,procps,strace,jq,libsmartcols1,libmount1
CACHE=${NSC_SYSTEM_CACHE:-${XDG_CACHE_HOME:-/var/cache}/nsclone}

impossible() {
	echo "$*"
	exit 77
}

suite() {
	(
		. /etc/os-release
		echo "${VERSION_CODENAME-}"
	)
}

apt_sources() { # "URI SUITE" a line, of both formats of apt
	local file

	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[[ -f $file ]] && sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) +([^ ]+) .*/\2 \3/p' "$file"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[[ -f $file ]] && awk -v RS= -F'\n' '{
			uris = suites = ""
			for (i = 1; i <= NF; i++) {
				if (sub(/^URIs:[ \t]*/, "", $i)) uris = $i
				if (sub(/^Suites:[ \t]*/, "", $i)) suites = $i
			}
			split(uris, uri, " ")
			n = split(suites, suite, " ")
			for (i = 1; i <= n; i++) print uri[1], suite[i]
		}' "$file"
	done
}

mirror() { # mirror SUITE
	if [[ ${NSC_SYSTEM_MIRROR-} ]]; then
		echo "$NSC_SYSTEM_MIRROR"
	else
		apt_sources | awk -v suite="$1" '$2 == suite { print $1; exit }'
	fi
}

apt_setting() { # apt_setting NAME
	local value=

	eval "$(apt-config shell value "$1" 2>/dev/null)"
	echo "$value"
}

# What apt knows of the way to the mirror, in the words of wget, which debootstrap calls.
proxies() {
	local scheme value

	for scheme in http https; do
		value=$(apt_setting "Acquire::$scheme::Proxy")
		[[ -z $value || $value = DIRECT ]] || export "${scheme}_proxy=$value"
	done
}

reachable() { # reachable URL
	local -a options=(-q -O /dev/null --tries=2 --timeout=20)

	[[ -z $ca ]] || options+=("--ca-certificate=$ca")
	timeout 60 wget "${options[@]}" "$1"
}

# In namespaces of its own: what debootstrap mounts and starts ends with it, whatever ends it.
bootstrap() { # bootstrap DIRECTORY
	local -a options=(--variant=minbase "--include=$PACKAGES")

	[[ -z $ca ]] || options+=("--ca-certificate=$ca")
	DEBIAN_FRONTEND=noninteractive setpriv --pdeathsig KILL timeout -k 5 "$LIMIT" setpriv --pdeathsig KILL \
		unshare --mount --pid --fork --kill-child --mount-proc --propagation private -- \
		debootstrap "${options[@]}" "$suite" "$1" "$mirror" >"$1.log" 2>&1 </dev/null
}

trim() { # trim DIRECTORY: what no test needs, and what must not be the same in every copy
	rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/* "$1"/usr/share/{doc,man,locale}/* "$1"/var/log/*.log
	rm -f "$1"/etc/ssh/ssh_host_*
	: >"$1/etc/machine-id"
}

build() {
	local new=$tree.$$.new

	rm -rf "$CACHE"/*.new "$CACHE"/*.new.log # we have the lock: nobody is at work on them
	[[ $mirror = http* ]] || impossible "apt's sources name no mirror with $suite (NSC_SYSTEM_MIRROR=URL does)"
	reachable "$mirror/dists/$suite/Release" || impossible "no way to the packages of $suite at the mirror"
	if ! bootstrap "$new"; then
		tail -n 30 "$new.log" >&2
		rm -rf "$new" "$new.log"
		return 1
	fi
	rm -f "$new.log"
	trim "$new"
	mv "$new" "$tree"
}

[[ $(id -u) = 0 ]] || impossible "only root can build a tree of other users' files"
for name in debootstrap wget; do
	command -v "$name" >/dev/null || impossible "there is no $name"
done
suite=$(suite)
[[ $suite ]] || impossible "no name of a suite in /etc/os-release"
mirror=$(mirror "$suite")
ca=$(apt_setting Acquire::https::CaInfo)
proxies
mkdir -p "$CACHE" || exit 1
tree=$CACHE/$suite-$(dpkg --print-architecture)-$(cksum <<<"$PACKAGES" | cut -d' ' -f1)
exec {lock}>"$CACHE/lock"
flock -w $((LIMIT + 60)) "$lock" || { echo "root.sh: somebody else has been building for too long" >&2; exit 1; }
[[ -d $tree ]] || build || exit 1
echo "$tree"
