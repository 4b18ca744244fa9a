#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Many at once: thirty first logins of one user, who build one world, also when the first to build is slow or is killed;
# five hundred logins, which leave nothing; five hundred worlds, which cost the keeper little.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"
. "${0%/*}/../worlds.sh"

readonly HERS=/home/alice SOME=10 MANY=500 RSS_KIB=2048
shopt -s nullglob

install_keeper
for name in sshd su nsctest; do
	service "$name"
done
confdir_service "$WORK/pam.d" sshd "session required $MODULE"
for name in cron login su sudo; do
	cp "$WORK/pam.d/sshd" "$WORK/pam.d/$name"
done
for ((i = 0; i < MANY; i++)); do
	echo "u$i:x:$((21000 + i)):$((21000 + i))::/:/bin/sh"
done >>/etc/passwd

#
# Thirty at once
#
# What each of them runs: it says where it is, and stays until all have.
readonly SAY_AND_STAY="echo \"in \$($NAMESPACES)\"; until test -e /home/alice/go; do sleep 0.1; done"

gather() { # gather N: log in alice N times at once: $crowd
	rm -f "$HERS/go" "$WORK/crowd"
	: >"$WORK/gate"
	"$LOGIN" --parallel "$1" --wait-for "$WORK/gate" alice -- sh -c "$SAY_AND_STAY" >>"$WORK/crowd" 2>&1 &
	crowd=$!
	wait_until 10 eval "((\$(pgrep -x -c pam-login) > $1))"
	rm "$WORK/gate"
}

n_in() {
	grep -c '^in ' "$WORK/crowd"
}

are_in() { # are_in N
	[[ $(n_in) = "$1" ]]
}

all_in_one() { # all_in_one NAME N
	wait_until 30 are_in "$2"
	is "$1: all get in" "$(n_in)" "$2"
	is "$1: to one world" "$(grep '^in ' "$WORK/crowd" | sort -u | wc -l)" 1
	is "$1: with one directory" "$(session_directories 20001)" 1
	is "$1: and one set of namespaces" "$(host_namespaces | comm -13 "$WORK/before/namespaces" - | sed 's/:.*//' | sort | tr '\n' ' ')" "${3-ipc mnt net uts }"
	is "$1: the keeper holds it" "$(n_worlds alice) $(n_sessions alice)" "1 $2"
	sync_log
	is "$1: the log says who built" "$(log_since "$mark" | grep -c 'isolated user=alice .*new$') $(log_since "$mark" | grep -c 'isolated user=alice .*joined$')" "1 $(($2 - 1))"
}

disperse() { # disperse NAME [PID...]: the crowd, and these
	: >"$HERS/go"
	wait "$crowd" "${@:2}"
	rm "$HERS/go"
	all_over "$1"
}

thirty() {
	local i
	local -a sus=()

	mark=$(log_mark)
	gather 20
	for i in {1..10}; do
		su alice -c "$SAY_AND_STAY" >>"$WORK/crowd" &
		sus+=("$!")
	done
	all_in_one "thirty" 30
	disperse "thirty" "${sus[@]}"
}

# The lock that a builder needs is taken before: so it is in the middle of its work for as long as it takes here.
hold_up() {
	flock "$HELD/20001" sleep 1000 &
	holder=$!
	wait_until 5 eval '! flock -n "$HELD/20001" true'
}

let_go() {
	pkill -P "$holder" # sleep, which has inherited the lock
	wait "$holder" 2>/dev/null
}

builder() { # the one that waits for the lock
	local dir

	for dir in /proc/[0-9]*; do
		[[ $(readlink "$dir/exe") = "$LOGIN" && -n $(find "$dir/fd" -lname "$HELD/20001" 2>/dev/null) ]] || continue
		echo "${dir#/proc/}"
		return
	done
	return 1
}

there_is_a_builder() { # there_is_a_builder [OTHER-THAN]
	local pid

	pid=$(builder) && [[ $pid != "${1-}" ]]
}

slow() {
	local pid

	mark=$(log_mark)
	hold_up
	gather 30
	wait_until 10 there_is_a_builder
	pid=$(builder)
	kill -STOP "$pid"
	let_go
	sleep 1 # for those who would go ahead
	is "a slow builder: all others wait" "$(n_in)" 0
	kill -CONT "$pid"
	all_in_one "a slow builder" 30
	disperse "a slow builder"
}

killed() { # killed NAME LINE-OF-POLICY NAMESPACES
	local first second

	full_policy PrivateDirectory=/srv "$2"
	mark=$(log_mark)
	hold_up
	gather 30
	wait_until 10 there_is_a_builder
	first=$(builder)
	kill -9 "$first"
	wait_until 10 there_is_a_builder "$first"
	second=$(builder)
	like "$1: the next in line builds" "$second" '^[0-9]+$'
	kill -9 "$second"
	wait_until 10 there_is_a_builder "$second"
	is "$1: the others wait" "$(n_in)" 0
	let_go
	all_in_one "$1" 28 "$3"
	disperse "$1"
}

#
# Five hundred
#
keeper_fds() {
	find "/proc/$(keeper_pid)/fd" -type l | wc -l
}

few_fds() { # few_fds N
	(($(keeper_fds) == $1))
}

five_hundred_logins() {
	local i fds doors=(sshd cron login su sudo)
	local -a jobs=()

	fds=$(keeper_fds)
	mark=$(log_mark)
	: >"$WORK/out"
	for ((i = 0; i < SOME - 2; i++)); do
		"$LOGIN" --confdir "$WORK/pam.d" --service "${doors[i % 5]}" --parallel 5 --times 10 --quiet "u$i" -- true >>"$WORK/out" 2>&1 &
		jobs+=("$!")
	done
	for i in {1..50}; do su alice -c true; done >>"$WORK/out" 2>&1 &
	jobs+=("$!")
	for i in {1..10}; do ssh_as bob 'echo x >/tmp/x' & su bob -c true; su bob -c true; su bob -c true; su bob -c true; wait "$!"; done >>"$WORK/out" 2>&1 &
	jobs+=("$!")
	wait "${jobs[@]}"
	is "500 logins: all get in" "$(cat "$WORK/out")" ''
	wait_until 10 ssh_is_over
	all_over "500 logins"
	wait_until 5 few_fds "$fds"
	is "500 logins: the keeper has as many descriptors as before" "$(keeper_fds)" "$fds"
	keeper_is_content "500 logins"
}

rss() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(keeper_pid)/status"
}

# What the keeper cannot do it says there.
keeper_is_content() { # keeper_is_content NAME: since $mark
	sync_log
	is "$1: the keeper complains of nothing" "$(log_since "$mark" | grep 'nsclone-keeper\[')" ''
}

five_hundred_worlds() {
	local i fds
	local -a jobs=()

	rule 'User=u*' PrivateTmp=yes PrivateIPC=yes ProtectHostname=yes | policy
	fds=$(keeper_fds)
	mark=$(log_mark)
	mkfifo -m 666 /home/door
	for ((i = 0; i < MANY; i++)); do
		"$LOGIN" --confdir "$WORK/pam.d" --service sshd --quiet "u$i" -- sh -c 'read -r go </home/door' &
		jobs+=("$!")
		((i % 20 != 19)) || wait_until 20 eval "((\$(pgrep -x -c sh) > $i))"
	done >"$WORK/out" 2>&1
	wait_until 20 eval "((\$(nsclone list -n | grep -c .) == MANY))"
	is "500 users: all get in" "$(cat "$WORK/out")" ''
	is "500 users: the keeper holds them" "$(nsclone list -n | grep -c .)" "$MANY"
	if [[ ${NSC_SANITIZE-} ]]; then
		impossible "500 users: the keeper's memory" "the sanitizer's is in it" test -n "$NSC_SANITIZE"
	else
		like "500 users: the keeper has less than $RSS_KIB KiB resident: $(rss) KiB" "$(($(rss) < RSS_KIB))" 1
	fi
	: >/home/door
	wait "${jobs[@]}"
	rm /home/door
	all_over "500 users"
	wait_until 5 few_fds "$fds"
	is "500 users: the keeper has as many descriptors as before" "$(keeper_fds)" "$fds"
	keeper_is_content "500 users"
}

full_policy PrivateDirectory=/srv
start_sshd
login --quiet alice -- true # what is made once and kept
ssh_as bob true
wait_until 10 nobody_is_in
wait_until 5 ssh_is_over
host_before
thirty
slow
killed "a killed builder" "" "ipc mnt net uts "
killed "a killed builder, PrivatePIDs" PrivatePIDs=yes "ipc mnt net pid uts "
rule 'User=u* alice bob' PrivateTmp=yes PrivateIPC=yes ProtectHostname=yes PrivateNetwork=yes PrivateDirectory=/srv | policy
for ((i = 0; i < SOME - 2; i++)); do login --confdir "$WORK/pam.d" --service sshd --quiet "u$i" -- true; done
login --quiet bob -- true
wait_until 10 nobody_is_in
host_before
five_hundred_logins
five_hundred_worlds
stop_sshd
finish
