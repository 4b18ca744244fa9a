#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sudo(8): another user's world, with and without a terminal; and isolation that fails, which sudo would be glad to
# ignore (it does for PAM_SESSION_ERR).
# weight: 2
. "${0%/*}/../lib.sh"

[[ $NSC_WORLD = root ]] || {
	impossible sudo "in a user namespace sudo finds that root does not own it" test "$(stat -c %u "$(command -v sudo)")" != 0
	finish
}
service sudo
service sudo-i
full_policy
host_treasure

as_alice() { # as_alice COMMAND...: she is on the host here, as if no module had been asked
	if [[ ${NSC_SANITIZE-} = asan ]]; then # a setuid program would not load the sanitizer
		"$@"
		return
	fi
	setpriv --reuid 20001 --regid 20001 --init-groups --reset-env -- "$@"
}

as_alice sudo -n -u bob true # what is made once and kept
host_before

plain() {
	cd /home/bob || exit
	as_alice sudo -n -u bob "$LOOK" >"$WORK/sudo" 2>&1
	view "sudo" "$WORK/sudo" bob
	cd / || exit
	as_alice sudo -n -i -u bob "$LOOK" >"$WORK/sudo-i" 2>&1
	view "sudo -i" "$WORK/sudo-i" bob
	as_alice /opt/nsclone/pty -- sudo -n -i -u bob "$LOOK" >"$WORK/sudo-pty" 2>&1
	view "sudo with use_pty" "$WORK/sudo-pty" bob
	as_alice sudo -n -u bob sh -c 'exit 7'
	is "sudo: the exit status comes through" "$?" 7
	is "sudo to root, of whom no rule speaks, stays on the host" "$(as_alice sudo -n ls /tmp/host-file)" /tmp/host-file
	host_unchanged "sudo"
}

refused_once() { # refused_once NAME COMMAND...
	local name=$1 mark

	shift
	mark=$(log_mark)
	as_alice "$@" -u bob sh -c 'echo ran >/home/bob/ran; echo RAN' >"$WORK/failing" 2>&1 &&
		not_ok "$name: is a failure" "$(cat "$WORK/failing")" || ok "$name: is a failure"
	if grep -q RAN "$WORK/failing" || [[ -e /home/bob/ran ]]; then
		not_ok "$name: the command does not run" "$(cat "$WORK/failing")"
		rm -f /home/bob/ran
	else
		ok "$name: the command does not run"
	fi
	if [[ $* = *-i* ]]; then
		same_id "$name" "$(cat "$WORK/failing")" "$mark"
	else # sudo says PAM_SILENT where no login shell was asked for
		sync_log
		like "$name: is in the log" "$(log_since "$mark" | grep -a pam_nsclone)" 'refused id=[0-9a-f]{8} user=bob'
	fi
}

session_is_refused() { # session_is_refused NAME
	refused_once "sudo, $1" sudo -n
	refused_once "sudo -i, $1" sudo -n -i
	refused_once "sudo with use_pty, $1" /opt/nsclone/pty -- sudo -n
	host_unchanged "sudo, $1"
}

failing() {
	echo blocked >/var/lib/blocker
	full_policy 'InstanceRoot=/var/lib/blocker'
	session_is_refused "failing isolation"
	is "sudo: dave, of whom no rule speaks, gets in" "$(as_alice sudo -n -u dave ls /tmp/host-file)" /tmp/host-file
	printf '[Match]\nUser=bob\n[Session]\nPrivateTemp=yes\n' | policy
	session_is_refused "broken rule"
	printf '[Mtach]\nUser=bob\n[Session]\nPrivateTmp=yes\n' | policy
	session_is_refused "broken policy"
	is "sudo to root with a broken policy" "$(as_alice sudo -n ls /tmp/host-file)" /tmp/host-file
}

plain
failing
finish
