#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With a keeper: the process is killed at every system call by which it joins a world, leaves it, or has one built.
# Afterwards the next login works at once, and what the keeper holds and the host are as before.
# weight: 8
. "${0%/*}/../lib.sh"
. "${0%/*}/../sweep.sh"

readonly NO_MATTER='exit_group|syscall_0x.*|brk|getpid|geteuid|close|munmap|mmap|lseek|futex|access|fcntl|read|recvfrom|sendto|newfstatat'

service nsctest
full_policy
install_keeper
keeper='' held='' # sweep.sh fills them in
start_keeper # not by a login: strace would see it as the login's own
login alice -- true >/dev/null
wait_until 5 nobody_is_in

kill_at() { # kill_at SYSCALL NUMBER STATE: prints what is wrong
	local out

	hit "$1" "$2" signal=KILL alice -- true >/dev/null 2>&1
	out=$(timeout 10 "$LOGIN" alice -- sh -c 'uname -n; readlink /proc/self/ns/mnt' 2>&1)
	[[ $out = *"open 0 Success"*"box-alice"*"close 0 Success"* ]] || echo "the next login: $out"
	[[ -z $3 || $out = *"$world"* ]] || echo "the next login is elsewhere: $out"
	keeper_returns_to "$3"
}

sweep_kills() { # sweep_kills TITLE FROM TO STATE
	local name first last number trouble runs=0

	while read -r name; do
		read -r first last < <(range_of "$name" "$2" "$3")
		for ((number = first; number <= last; number++)); do
			trouble=$(kill_at "$name" "$number" "$4")
			[[ -z $trouble ]] || not_ok "killed in $name ($((number - first + 1))th), $1" "$trouble"
			runs=$((runs + 1))
		done
	done < <(calls_between "$2" "$3" | grep -Evx "$NO_MATTER")
	ok "killed at $runs calls, $1"
	holds "$1: the keeper or the next login has seen to it" test "$(n_litter)" -le 3
	holds "$1: these were some" test "$runs" -gt "$5"
}

hold_world alice
world=$(readlink "/proc/$held/ns/mnt")
host_before
record_calls alice -- true
sweep_kills joining open opened "alice held" 30
sweep_kills leaving close closed "alice held" 8
host_unchanged "killed in joining and leaving"
release_world
wait_until 5 nobody_is_in

host_before
record_calls alice -- true
sweep_kills building open opened "" 100
sweep_kills "leaving as the last" close closed "" 8
host_unchanged "killed in building"
is "the same keeper" "$(keeper_pid)" "$keeper"
finish
