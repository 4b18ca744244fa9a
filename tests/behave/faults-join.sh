#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With a keeper: every system call by which the module joins a world, or has one built, fails once (strace injects the
# error). Each time the login is refused, or isolated as fully as without the fault; the host and what the keeper holds
# are as before, and the next login does not wait for a lease that nobody has any more.
# weight: 8
. "${0%/*}/../lib.sh"
. "${0%/*}/../sweep.sh"

readonly QUICK='
	for kind in mnt ipc uts net; do readlink /proc/self/ns/$kind; done
	ls -A /tmp /var/tmp /dev/shm; uname -n; pwd; echo /sys/class/net/*; ls -d /proc/1 2>&1'

service nsctest
full_policy
host_treasure
install_keeper
held='' # sweep.sh fills it in
start_keeper # not by a login: strace would see it as the login's own
login alice -- true >/dev/null
wait_until 5 nobody_is_in

# Sessions have their numbers, which are not the host's
shape() {
	grep -Ev '^(open|exit|close|message) ' | sed -E "$(for kind in mnt ipc uts net; do
		echo "s/^$(host_ns $kind | sed 's/[][]/\\&/g')\$/the host's/; "
	done) s/^((mnt|ipc|uts|net):)\\[.*/\\1/"
}

fault() { # fault SYSCALL NUMBER ERRNO: prints what is wrong
	local out code

	out=$(cd /usr/share && hit "$1" "$2" "error=$3" alice -- sh -c "$QUICK")
	code=$(sed -n 's/^open \([0-9]*\) .*/\1/p' <<<"$out")
	case $code in
	0)
		echo well >>"$WORK/outcomes"
		# "else /" is what design.md has of a working directory that cannot be entered
		out=$(shape <<<"$out" | sed 's|^/$|/usr/share|')
		[[ $out = "$whole" ]] || echo "got in, but not as isolated as it should be: $(diff <(echo "$out") <(echo "$whole"))"
		;;
	4 | 6) echo refused >>"$WORK/outcomes" ;;
	*) echo "PAM's answer is '$code': $out" ;;
	esac
	[[ $(<"$WORK/before/mounts") = "$(</proc/1/mountinfo)" ]] || echo "the host's mounts have changed"
}

sweep() { # sweep TITLE ERRNO STATE SYSCALL...: STATE: after each the keeper has this
	local title=$1 errno=$2 state=$3 name number first last trouble

	shift 3
	: >"$WORK/outcomes"
	for name; do
		read -r first last < <(range_of "$name" open opened)
		for ((number = first; number <= last; number++)); do
			trouble=$(fault "$name" "$number" "$errno"; keeper_returns_to "$state")
			[[ -z $trouble ]] || not_ok "$title: $errno in $name (its $((number - first + 1))th)" "$trouble"
		done
	done
	ok "$title: $errno: $(grep -c refused "$WORK/outcomes") refused, $(grep -c well "$WORK/outcomes") went well"
	holds "$title: $errno: litter is rare" test "$(n_litter)" -le 3
}

next_login() { # next_login NAME: at once, whatever lease the faults have left
	local out

	out=$(cd /usr/share && timeout 10 "$LOGIN" alice -- sh -c "$QUICK" | shape)
	is "$1: the next login" "$out" "$whole"
}

whole=$(cd /usr/share && login alice -- sh -c "$QUICK" | shape)
like "without a fault: isolated" "$whole" 'box-alice'
wait_until 5 nobody_is_in

#
# Joining
#
hold_world alice
host_before
record_calls alice -- true
mapfile -t all < <(calls_between open opened | grep -Evx "$HARMLESS")
echo "# joining: $(calls_between open opened | wc -l) different calls: $(calls_between open opened | tr '\n' ' ')"
for name in connect sendmsg recvmsg poll setns ioctl; do
	holds "joining calls $name" grep -qx "$name" <(printf '%s\n' "${all[@]}")
done
sweep joining EPERM "alice held" "${all[@]}"
sweep joining EINTR "alice held" connect sendmsg recvmsg poll setns ioctl readlinkat openat
next_login joining
is "it is in the world that is held" "$(login alice -- readlink /proc/self/ns/mnt | grep '^mnt:')" "$(readlink "/proc/$held/ns/mnt")"
for name in connect sendmsg recvmsg; do # as a seccomp filter would: all of them
	out=$(cd /usr/share && denied ENOSYS "$name" alice -- sh -c "$QUICK")
	is "joining: $name answers ENOSYS: isolated all the same" "$(shape <<<"$out")" "$whole"
	trouble=$(keeper_returns_to "alice held")
	is "joining: $name answers ENOSYS: the keeper's state" "$trouble" ""
done
sync_log
like "without the keeper: a warning" "$(grep pam_nsclone "$LOG")" 'nsclone-keeper cannot be reached: Function not implemented'
host_unchanged "joining"
release_world

#
# Building: what faults.sh does not see
#
wait_until 5 nobody_is_in
host_before
record_calls alice -- true
mapfile -t all < <(calls_between open opened | grep -Ex 'socket|connect|sendmsg|recvmsg|poll|setns|ioctl|pidfd_open|unshare|statx|readlinkat|inotify.*')
sweep building EPERM "" "${all[@]}"
next_login building
wait_until 5 nobody_is_in
host_unchanged "building"
finish
