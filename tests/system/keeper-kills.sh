#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# kill -9 of who would have closed the session, or of the world's init: the next login works and nothing stays behind.
# weight: 3
. "${0%/*}/lib.sh"

usual_policy
first_login
host_before

gets_in() { # gets_in NAME
	is "$1: the next login gets in" "$(ssh_as alice 'uname -n' 2>&1)" box-alice
}

all_killed() { # whatever is left of her
	pkill -KILL -u alice
	wait "${holder:?}" 2>/dev/null
	rm -f /home/alice/{go,pid,out}
}

monitor() {
	hold alice 'echo one >/tmp/file'
	kill -KILL "$(loginctl show-session "$(session_of "$(held alice)")" -P Leader)"
	is "kill -9 of sshd's monitor: who comes joins what is left" "$(ssh_as alice 'cat /tmp/file' 2>&1)" one
	all_killed
	gets_in "kill -9 of sshd's monitor"
	host_after "kill -9 of sshd's monitor"
	no_failed_units "kill -9 of sshd's monitor"
}

sd_pam() {
	hold alice
	kill -KILL "$(pgrep -u alice -f '^\(sd-pam\)')"
	gets_in "kill -9 of (sd-pam)"
	release alice
	gets_in "kill -9 of (sd-pam), after logout"
	host_after "kill -9 of (sd-pam)"
	systemctl reset-failed
}

everything() {
	hold alice
	all_killed
	gets_in "kill -9 of all of hers"
	everybody_out "kill -9 of all of hers"
	systemctl reset-failed
	host_after "kill -9 of all of hers"
}

# With a PID namespace: its init is the keeper's, and takes all with it.
init() {
	local init pid

	printf '%s\n' '[Match]' 'User=alice' 'Service=!systemd-user' '[Session]' PrivateTmp=yes PrivatePIDs=yes \
		'ProtectHostname=yes:box-%u' | policy
	ssh_as alice true
	everybody_out "PrivatePIDs"
	host_before
	hold alice
	pid=$(pgrep -u alice -x sleep | head -n 1)
	[[ $pid ]] || { not_ok "kill -9 of the init: she gets in"; return; }
	init=$(init_of "$pid")
	like "kill -9 of the init: there is one, of the keeper's" "$(readlink "/proc/$init/exe")" /nsclone-init
	kill -KILL "$init"
	wait_until 15 test ! -e "/proc/$pid" || not_ok "kill -9 of the init: all in there die"
	gets_in "kill -9 of the init"
	all_killed # her manager, too
	everybody_out "kill -9 of the init"
	systemctl reset-failed
	host_after "kill -9 of the init"
}

monitor
sd_pam
everything
init
finish
