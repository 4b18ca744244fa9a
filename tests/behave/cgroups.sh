#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ProtectControlGroups=: the session's cgroup is the root of what it sees; refused where there is no unified hierarchy.
# weight: 2
. "${0%/*}/../lib.sh"

service nsctest
install_keeper
readonly CGROUP=/sys/fs/cgroup
own= # a cgroup of ours, on the machine: removed in the end

cgroups() { # cgroups VALUE [LINE...]: alice's rule, and root's
	local value=$1

	shift
	rule 'User=alice root' "ProtectControlGroups=$value" "$@" | policy
}

#
# Without
#
hybrid() {
	local mark

	if [[ $(stat -f -c %T $CGROUP) = cgroup2fs ]]; then # the layout of old: a tmpfs with a hierarchy below it
		mount -t tmpfs old $CGROUP && mkdir $CGROUP/unified
	fi
	host_before
	for value in private strict; do
		cgroups $value
		mark=$(log_mark)
		refused "$value without the unified hierarchy" alice
		sync_log
		like "$value without the unified hierarchy: the log says why" "$(log_since "$mark")" \
			'refused .*ProtectControlGroups= needs the unified hierarchy \(cgroup2\) at /sys/fs/cgroup, asked for by .*50-test.conf'
	done
	cgroups private OnFailure=warn
	gets "OnFailure=warn without the unified hierarchy" host alice
	cgroups no PrivateTmp=yes
	gets "no, without the unified hierarchy" own alice
	host_unchanged "no unified hierarchy"
}

#
# With
#
unified() { # what a machine of today has, here
	[[ $(stat -f -c %T $CGROUP) != cgroup2fs ]] || return 0
	mount -t cgroup2 cgroup2 $CGROUP 2>/dev/null || mount --bind $CGROUP/unified $CGROUP 2>/dev/null
	[[ $(stat -f -c %T $CGROUP) = cgroup2fs ]]
}

in_own() { # in_own COMMAND...: as a daemon that has a cgroup of its own
	if [[ $own ]]; then
		sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$own" "$@" 2>&1
	else
		"$@" 2>&1
	fi
}

remove_own() {
	[[ ! $own ]] || { rmdir "$own/inside" 2>/dev/null; wait_until 5 rmdir "$own"; }
}

own_cgroup() {
	own=$CGROUP/nsctest-$$-$RANDOM
	trap remove_own EXIT
	if mkdir "$own" 2>/dev/null && mkdir "$own/inside" && in_own true; then
		return
	fi
	own=
	impossible "a cgroup of the session's own" "here none can be made" eval '! mkdir "$CGROUP/nsctest-$$"'
}

readonly ABOUT='readlink /proc/self/ns/cgroup; sed -n s/^0:://p /proc/self/cgroup; ls -d /sys/fs/cgroup/inside; stat -f -c %T /sys/fs/cgroup;
	mkdir /sys/fs/cgroup/made && rmdir /sys/fs/cgroup/made && echo made; grep -c " /sys/fs/cgroup " /proc/self/mountinfo;
	sed -n "s/.* \/sys\/fs\/cgroup \([^ ]*\) .*/\1/p" /proc/self/mountinfo | tail -n 1; ls /sys/class/net | xargs; true'

inside() { # inside USER: as lines
	in_own "$LOGIN" -q "$1" -- sh -c "$ABOUT"
}

about() { # about NAME VALUE WANTED-NETWORKS: as root, who may write
	local out

	out=$(inside root)
	fails "$1: a cgroup namespace" grep -qF "$(host_ns cgroup)" <<<"$out"
	is "$1: its own cgroup is the root" "$(sed -n 2p <<<"$out")" /
	[[ ! $own ]] || is "$1: what is in that is seen, and cgroup2" "$(sed -n 3,4p <<<"$out")" $CGROUP/inside$'\n'cgroup2fs
	if [[ $2 = strict ]]; then
		like "$1: root cannot write there" "$out" "Read-only file system"
		like "$1: it is mounted so" "$(tail -n 2 <<<"$out")" '^ro,nosuid,nodev,noexec'
	else
		[[ ! $own ]] || is "$1: root can write there" "$(grep -cx made <<<"$out")" 1
		like "$1: it is mounted so" "$(tail -n 2 <<<"$out")" '^rw,nosuid,nodev,noexec'
	fi
	is "$1: network devices" "$(tail -n 1 <<<"$out")" "$3"
	unlike "$1: nothing outside is reached" "$(in_own "$LOGIN" -q root -- sh -c 'ls /sys/fs/cgroup/nsctest* /sys/fs/cgroup/../cgroup/nsctest*' 2>&1)" '^inside'
}

values() {
	local devices value

	devices=$(find /sys/class/net -mindepth 1 -printf '%f\n' | LC_ALL=C sort | xargs)
	for value in private strict; do
		cgroups $value
		about "$value" $value "$devices"
		cgroups $value PrivateNetwork=yes
		about "$value with PrivateNetwork=yes" $value lo
		cgroups $value PrivateTmp=yes PrivateTmpMethod=pivot PrivateNetwork=yes
		about "$value with a new root and PrivateNetwork=yes" $value lo
		cgroups $value PrivatePIDs=yes PrivateTmp=yes
		about "$value with PrivatePIDs=yes" $value "$devices"
		host_unchanged "ProtectControlGroups=$value"
	done
}

# Sessions are in different cgroups, so they cannot have one such namespace.
never_shared() {
	local first second holder

	cgroups private PrivateTmp=yes Scope=user
	login -q alice -- sh -c 'touch /tmp/first; sleep 1000 >/dev/null 2>&1 & echo $! >/home/alice/pid; readlink /proc/self/ns/cgroup' >"$WORK/first"
	first=$(cat "$WORK/first") holder=$(cat /home/alice/pid)
	second=$(login -q alice -- sh -c 'readlink /proc/self/ns/cgroup; ls -A /tmp')
	like "a session has a cgroup namespace" "$first" '^cgroup:\[[0-9]+\]$'
	like "and another session another one, Scope=user or not" "$second" '^cgroup:\[[0-9]+\]$'
	fails "which is not the first's" test "$first" = "$second"
	is "explain says so" "$(/opt/nsclone/nsclone explain alice --service nsctest | grep -c 'Scope=session')" 1
	kill "$holder"
	rm /home/alice/pid
	host_unchanged "ProtectControlGroups= is not shared"
}

daemon() {
	local look='readlink /proc/self/ns/cgroup /proc/self/ns/mnt; cat /proc/self/cgroup'

	cgroups strict
	is "close brings the daemon back" "$(in_own "$LOGIN" -q --times 2 --after "$look" root -- true)" \
		"$(for _ in 1 2; do in_own sh -c "$look"; done)"
	host_unchanged "the daemon of ProtectControlGroups="
}

cgroups no PrivateTmp=yes
login -q alice -- true # what is made once and kept
login -q root -- true
wait_until 5 eval '! /opt/nsclone/nsclone list | grep -q .'
hybrid
if ! nsenter --cgroup=/proc/self/ns/cgroup true 2>/dev/null; then
	impossible "ProtectControlGroups=" "who has left this cgroup namespace may not come back, in this user namespace" \
		test "$NSC_WORLD" = userns
elif unified; then
	own_cgroup
	host_before
	values
	never_shared
	daemon
	remove_own
	own=
else
	impossible "the unified hierarchy" "it cannot be mounted here" eval '! mount -t cgroup2 cgroup2 $CGROUP'
fi
finish
