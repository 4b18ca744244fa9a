#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The module is a guest in somebody's daemon, and daemons open and close sessions in all sorts of ways.
# weight: 2
. "${0%/*}/../lib.sh"

service nsctest
full_policy
login alice -- true >/dev/null # what is made once and kept
host_before

changes() { # changes FILE FROM TO: lines of guest_look() that came and went
	diff <(sed -n "s/^guest $2 //p" "$1" | sort) <(sed -n "s/^guest $3 //p" "$1" | sort) | grep '^[<>]'
}

process_state() {
	(umask 027 && cd /usr/share && exec "$LOGIN" --guest alice -- sh -c 'umask; env | sort >/tmp/env; cat /tmp/env') \
		>"$WORK/guest" 2>&1
	is "between open and close: nothing but namespaces' descriptors, cwd and host name" \
		"$(changes "$WORK/guest" start open | grep -Ev '^> fd [0-9]+ (mnt|ipc|uts|net):\[[0-9]+\]$|^[<>] host (host\.|box-)')" ""
	is "after close: all as it was" "$(changes "$WORK/guest" start close)" ""
	is "umask comes through" "$(grep -c '^0027$' "$WORK/guest")" 1
	is "the environment comes through, and nothing besides" \
		"$(grep -E '^[A-Za-z_]+=' "$WORK/guest" | grep -v '^_=' | grep -v '^\(PWD\|OLDPWD\|SHLVL\)=')" \
		"$(env | sort | grep -E '^[A-Za-z_]+=' | grep -v '^_=' | grep -v '^\(PWD\|OLDPWD\|SHLVL\)=')"
	like "the guest is really isolated while it looks" "$(grep '^guest open host' "$WORK/guest")" box-alice
	(umask 0777 && login alice -- sh -c 'umask 022; echo x >/tmp/x && cat /tmp/x') >"$WORK/umask" 2>&1
	is "directories do not depend on the caller's umask" "$(grep -c '^x$' "$WORK/umask")" 1
	host_unchanged "guest"
}

# after NAME WANTED-LINES OPTION... USER: a session with order games; afterwards the process is where it was.
games() {
	local name=$1 wanted=$2

	shift 2
	login --after 'readlink /proc/self/ns/mnt /proc/self/ns/net; uname -n; pwd' "$@" >"$WORK/game"
	is "$name" "$(grep -Ev '^(mnt|net):|^host\.|^/' "$WORK/game" | tr '\n' ';')" "$wanted"
	is "$name: the process is where it was" "$(grep -E '^(mnt|net):|^host\.|^/' "$WORK/game" | tail -n 4 | tr '\n' ' ')" \
		"$(host_ns mnt) $(host_ns net) host.example.org / "
	# what the first left could not go while the second, which stood on it, was there
	[[ $name != *"first closed first" ]] || /opt/nsclone/nsclone clean >/dev/null
	host_unchanged "$name"
}

order() {
	games "open, close" "open 0 Success;exit 0 ;close 0 Success;" alice -- true
	games "close twice" "open 0 Success;exit 0 ;close 0 Success;close 0 Success;" --close-twice alice -- true
	games "pam_end without close" "open 0 Success;exit 0 ;" --never-close alice -- true
	games "close without open" "exit 0 ;close 0 Success;" --no-open alice -- true
	games "close as the user in a child, and in the parent" \
		"open 0 Success;exit 0 ;close-as-user 0 ;close 0 Success;" --close-as-user alice -- true
	games "close as the user in a child, never in the parent" \
		"open 0 Success;exit 0 ;close-as-user 0 ;" --close-as-user --never-close alice -- true
	games "two at a time, the last closed first" \
		"open 0 Success;open 0 Success;exit 0 ;close 0 Success;close 0 Success;" --second bob --last-first alice -- true
	games "two at a time, the first closed first" \
		"open 0 Success;open 0 Success;exit 0 ;close 0 Success;close 0 Success;" --second bob alice -- true
	is "three in a row in one process" "$(login --times 3 alice -- uname -n | grep -c '^box-alice$')" 3
	host_unchanged "three in a row"
}

# The child's close must not take away what the parent's session still uses.
close_in_a_child() {
	login --close-as-user --never-close --guest alice -- true >"$WORK/child"
	is "a close in a child leaves the parent's session alone" \
		"$(changes "$WORK/child" start close | grep -c host)" 0
	host_unchanged "close in a child"
}

callers() {
	refused "a caller with threads" --threaded alice
	host_unchanged "a caller with threads"
	mkdir /srv/root
	mount --rbind / /srv/root
	host_before
	refused "a caller in a chroot" --chroot /srv/root alice
	is "a caller in a chroot stays in it" \
		"$(login --chroot /srv/root --after 'test -e /srv/root/usr && echo out || echo in' alice | tail -n 1)" in
	host_unchanged "a caller in a chroot"
	umount -l /srv/root
	rmdir /srv/root
	host_before
}

neighbours() {
	{
		cat /etc/pam.d/nsctest
		echo "session required /opt/nsclone/pam_after.so open=14"
	} >/etc/pam.d/nsctest-fail
	games "a later module fails" "open 14 Cannot make/remove an entry for the specified session;" \
		--service nsctest-fail alice -- true
	{
		echo "session required /opt/nsclone/pam_after.so fork"
		cat /etc/pam.d/nsctest
		echo "session required /opt/nsclone/pam_after.so fork"
	} >/etc/pam.d/nsctest-fork
	games "modules before and after that have children" "open 0 Success;exit 0 ;close 0 Success;" \
		--service nsctest-fork alice -- true
}

process_state
order
close_in_a_child
callers
neighbours
finish
