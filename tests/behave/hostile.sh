#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What users who mean ill, or hosts that are set up differently, do to the deleter, to roots in users' hands, and to a
# session that is under way.
# weight: 3
. "${0%/*}/../lib.sh"

service nsctest
readonly PROJ=/srv/proj

as() { # as UID COMMAND...: with the group that alice and bob have in common
	local uid=$1

	shift
	setpriv --reuid "$uid" --regid "$uid" --groups "$uid,30000" "$@"
}

# A directory of bob's that alice may move about, with one in it that she may not touch.
bobs_results() {
	rm -rf "$PROJ" /scratch /home/alice/inst
	mkdir -m 2770 "$PROJ" && chgrp proj "$PROJ"
	as 20002 sh -c "umask 007; mkdir $PROJ/results && mkdir -m 700 $PROJ/results/private && echo thesis >$PROJ/results/private/thesis"
}

live_session() { # of alice, with a file in /tmp; sets $inside and $daemon
	rm -f /home/alice/pid
	"$LOGIN" alice -- sh -c 'echo mine >/tmp/mine; echo $$ >/home/alice/pid; exec sleep 1000' >/dev/null 2>&1 &
	daemon=$!
	wait_until 5 test -s /home/alice/pid
	inside=$(cat /home/alice/pid)
}

end_session() {
	kill "$inside"
	wait "$daemon"
	rm -f /home/alice/pid
}

still_has_tmp() { # still_has_tmp NAME
	is "$1: a living session keeps its /tmp" "$(nsenter -t "$inside" -m cat /tmp/mine 2>&1)" mine
	end_session
}

echo 'proj:x:30000:alice,bob' >>/etc/group

#
# The deleter
#
kept_directory_called_session() {
	mkdir -p /session/data
	rule User=alice PrivateTmp=yes PrivateDirectory=/session/data | policy
	login --quiet alice -- sh -c 'echo mine >/session/data/mine'
	is "PrivateDirectory=/session/data is kept" "$(login --quiet alice -- cat /session/data/mine 2>&1)" mine
	/opt/nsclone/nsclone clean >/dev/null 2>&1
	is "PrivateDirectory=/session/data: clean leaves it alone" "$(login --quiet alice -- cat /session/data/mine 2>&1)" mine
}

other_process_trees() {
	rule User=alice PrivateTmp=yes | policy
	live_session
	unshare --pid --fork --mount-proc "$LOGIN" alice -- true >/dev/null 2>&1
	still_has_tmp "a login in another PID namespace"
	live_session
	unshare --pid --fork --mount-proc /opt/nsclone/nsclone clean >/dev/null 2>&1
	still_has_tmp "clean in another PID namespace"
	rule User=alice PrivateTmp=yes InstanceRoot=%h/inst | policy
	live_session
	unshare --pid --mount --fork --mount-proc sh -c "mount -t tmpfs run /run; exec $LOGIN alice -- true" >/dev/null 2>&1
	still_has_tmp "a login on another host that has the same /home"
}

roots_in_users_hands() {
	bobs_results
	mkdir -p /scratch/alice && chown 20001:20001 /scratch/alice
	rule User=alice PrivateTmp=yes InstanceRoot=/scratch/%u/inst | policy
	as 20001 sh -c "mv $PROJ/results /scratch/alice/.new-inst && mv /scratch/alice/.new-inst/private /scratch/alice/.new-inst/.new-20001"
	login alice -- true >/dev/null
	is "root gives nobody's directory away" "$(find /scratch -name thesis -printf '%h\n' | xargs stat -c %U 2>&1)" bob

	bobs_results
	rule User=alice PrivateTmp=yes InstanceRoot=/home/alice/inst | policy
	as 20001 sh -c "mkdir -p /home/alice/inst/20001 && mv $PROJ/results /home/alice/inst/20001/.session-x"
	/opt/nsclone/nsclone clean >/dev/null 2>&1
	is "clean removes nothing that the owner of the place could not" "$(find /home/alice/inst "$PROJ" -name thesis | wc -l)" 1

	bobs_results
	sed -i 's|:/home/alice:|:/home/alice/:|' /etc/passwd
	rule User=alice PrivateTmp=yes InstanceRoot=%h/inst | policy
	like "a home with a slash at its end is a home" "$(/opt/nsclone/nsclone plan alice)" '/home/alice/inst 0700 20001:20001 as-user'
	sed -i 's|:/home/alice/:|:/home/alice:|' /etc/passwd
	rm -rf "$PROJ" /scratch /home/alice/inst
}

read_only_directories() {
	rule User=alice PrivateTmp=yes InstanceRoot=%h/inst | policy
	is "below the home: a directory without write permission goes, too" \
		"$(login --quiet alice -- sh -c 'mkdir -p /tmp/a/b && chmod -R 555 /tmp/a'; find /home/alice/inst -mindepth 1 | wc -l)" 0
	chmod -R 777 /home/alice/inst && rm -rf /home/alice/inst && find /run/nsclone/sessions -mindepth 1 -delete
}

squatted_token() {
	local token

	rule User=alice PrivateTmp=yes | policy
	live_session
	token=$(grep -o '\.session-[0-9a-f-]*' "/proc/$inside/mountinfo" | head -n 1)
	as 20002 unshare -Urm sh -c "mkdir -p /tmp/$token && mount -t tmpfs x /tmp/$token && exec sleep 1000" &
	wait_until 5 grep -q "/tmp/$token" "/proc/$!/mountinfo"
	kill -9 "$daemon"
	kill "$inside"
	wait "$daemon" 2>/dev/null
	wait_until 5 test ! -e "/proc/$inside"
	/opt/nsclone/nsclone clean >/dev/null 2>&1
	is "nobody else's mount keeps a session's litter" "$(find /var/lib/nsclone -name '.session-*' | wc -l)" 0
	kill "$!"
	rm -f /home/alice/pid
}

#
# The session
#
view_of_proc() {
	sleep 1000 &
	mount -o remount,hidepid=2 /proc
	rule User=alice ProcSubset=pid | policy
	like "ProcSubset=pid shows no more processes than the host does" "$(login --quiet alice -- ls -d "/proc/$!" 2>&1)" "cannot access"
	mount -o remount,hidepid=0 /proc
	kill "$!"
}

host_unmounts() {
	local method

	mount --make-rshared /
	for method in bind pivot; do
		mount -t tmpfs -o mode=1777 own /tmp
		rule User=alice PrivateTmp=yes "PrivateTmpMethod=$method" | policy
		live_session
		umount -l /tmp
		still_has_tmp "$method, the host unmounts /tmp"
	done
	mount --make-rprivate /
}

# What root_squash is to root: no rights in a user's 0700 directory.
cwd_without_rights() {
	rule User=alice PrivateDevShm=yes | policy
	is "a working directory in which root has no rights" \
		"$(cd /home/alice && setpriv --bounding-set -dac_override,-dac_read_search "$LOGIN" alice 2>&1 | head -n 1)" "open 0 Success"
}

kept_directory_called_session
other_process_trees
roots_in_users_hands
read_only_directories
squatted_token
view_of_proc
host_unmounts
cwd_without_rights
finish
