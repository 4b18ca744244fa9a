#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How worlds end: with their last session or their last process, however that comes about.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"
. "${0%/*}/../worlds.sh"

readonly HERS=/home/alice

install_keeper
for name in sshd su nsctest; do
	service "$name"
done

# Somebody who stays behind, and has left the session, as nohup and setsid do it. By name: its id may be of another PID namespace.
readonly STAY_BEHIND='echo mine >/tmp/mine; setsid nohup sleep 7777 </dev/null >/dev/null 2>&1 &'

is_behind() {
	pgrep -u alice -f 'sleep 7777'
}

end_behind() {
	pkill -u alice -f 'sleep 7777'
}

#
# The last one out
#
last_out() {
	full_policy
	login --quiet alice -- sh -c 'echo x >/tmp/x; mkdir /var/tmp/d; ls /tmp' >"$WORK/out"
	all_over "PrivateTmp=yes: the last one out"
	is "PrivateTmp=yes: its directories and records are gone" "$(litter)" ''
	full_policy PrivatePIDs=yes
	login --quiet alice -- sh -c 'echo x >/tmp/x; (trap "" HUP; exec sleep 0.3) &'
	all_over "PrivatePIDs=yes: the last one out"
	rule User=alice PrivateTmp=disconnected PrivateDevShm=yes PrivateIPC=yes | policy
	login --quiet alice -- sh -c 'echo x >/tmp/x; echo x >/dev/shm/x; ipcmk -M 4096 >/dev/null'
	all_over "disconnected: the last one out"
	is "disconnected: a new world has none of it" "$(login --quiet alice -- sh -c 'ls /tmp /dev/shm | grep x; awk "NR > 1" /proc/sysvipc/shm')" ''
	rule User=alice PrivateTmp=persistent PrivateIPC=yes | policy
	login --quiet alice -- sh -c 'echo kept >/tmp/kept'
	wait_until 10 nobody_is_in
	is "persistent: stays" "$(login --quiet alice -- cat /tmp/kept)" kept
	rm -rf "$HELD"/20001
	all_over "persistent: the last one out"
}

# While somebody else is there nothing ends, whatever the others do, and how often.
not_the_last() {
	local stays

	full_policy
	login alice -- sh -c "echo mine >/tmp/mine; $(stays first)" >"$WORK/first" &
	stays=$!
	is_in first
	one=$(nsenter -t "$(cat "$HERS/in-first")" -m -i -u -n sh -c "$NAMESPACES")
	is "the second joins" "$(namespaces alice)" "$one"
	login --quiet --close-twice alice -- true
	login --quiet --close-as-user alice -- true
	login --quiet --close-as-user --never-close alice -- true
	login --quiet --never-close alice -- true
	(login --quiet --kill alice -- true) 2>/dev/null # the shell would tell
	login --quiet --times 3 alice -- true
	login --quiet --second alice alice -- true
	login --quiet --second alice --last-first alice -- true
	is "other sessions' ends of all kinds: the world stays" "$(namespaces alice) $(login --quiet alice -- cat /tmp/mine)" "$one mine"
	holds "and has one session" wait_until 5 has_sessions alice 1
	is "in one world" "$(n_worlds alice)" 1
	go_on first "$stays"
	all_over "then the last one goes"
}

ends_anyhow() { # ends_anyhow OPTION...: the world's only session
	(login --quiet "$@" alice -- sh -c 'echo x >/tmp/x') >/dev/null 2>&1 # the shell would tell of the killed
	all_over "the only session, $*"
	is "the only session, $*: nothing is left" "$(litter)" ''
}

how_it_ends() {
	local option

	full_policy
	for option in --never-close --close-as-user --close-twice --kill "--close-as-user --never-close"; do
		# shellcheck disable=SC2086 # two words
		ends_anyhow $option
	done
}

#
# Who remains
#
remains() { # remains NAME
	local one

	login --quiet alice -- sh -c "$STAY_BEHIND $NAMESPACES" >"$WORK/one"
	one=$(cat "$WORK/one")
	holds "$1: a process stays behind" wait_until 5 is_behind
	holds "$1: no session does" wait_until 5 has_sessions alice 0
	sleep 0.5 # for whoever would end it
	is "$1: a new login joins it again" "$(login --quiet alice -- sh -c "cat /tmp/mine; $NAMESPACES" | tr '\n' ' ')" "mine $one"
	login --quiet --never-close alice -- true
	is "$1: and again" "$(namespaces alice)" "$one"
	end_behind
	all_over "$1: the last process goes"
	is "$1: nothing is left" "$(litter)" ''
}

kills() { # kills NAME
	local stays

	login alice -- sh -c "$STAY_BEHIND $(stays first)" >"$WORK/first" &
	stays=$!
	is_in first
	login --quiet alice -- true
	holds "$1: another's logout ends nothing" is_behind
	go_on first "$stays"
	holds "$1: the last logout ends what is left" wait_until 5 eval '! is_behind'
	all_over "$1: the last logout"
}

remaining() {
	full_policy
	remains "without PrivatePIDs"
	full_policy PrivatePIDs=yes
	remains "with PrivatePIDs"
	full_policy KillOnLogout=yes
	kills "KillOnLogout"
	full_policy PrivatePIDs=yes KillOnLogout=yes
	kills "KillOnLogout, PrivatePIDs"
}

# sshd's monitor is killed: close never comes, her process goes on, and is found in her world by whoever comes next.
monitor_killed() {
	local client one

	full_policy
	ssh_as alice "$NAMESPACES >~/one; echo mine >/tmp/mine; $(stays first)" >/dev/null 2>&1 &
	client=$!
	is_in first
	kill -9 "$(pgrep_exact 'sshd: alice [priv]')"
	one=$(cat "$HERS/one")
	holds "the monitor is killed: the session is over" wait_until 5 has_sessions alice 0
	is "the monitor is killed: her process is joined" "$(ssh_as alice "cat /tmp/mine; $NAMESPACES" | tr '\n' ' ')" "mine $one"
	go_on first "$client" 2>/dev/null
	rm "$HERS/one"
	wait_until 10 ssh_is_over
	all_over "the monitor is killed"
	is "the monitor is killed: nothing is left" "$(litter)" ''
}

full_policy
start_sshd
ssh_as alice true # what is made once and kept
wait_until 5 ssh_is_over
wait_until 10 nobody_is_in
host_before
last_out
not_the_last
how_it_ends
remaining
monitor_killed
stop_sshd
finish
