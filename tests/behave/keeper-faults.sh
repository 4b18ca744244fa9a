#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each system call that the keeper makes while it serves fails, the first time, the second, ... and always for a while
# (strace injects the errors). What was asked for may be refused then; but it is the same keeper afterwards, everybody is
# served again, and when all have gone nothing is left: no world, no descriptor, no process, no namespace.
# weight: 6
. "${0%/*}/../lib.sh"

readonly CLIENT=/opt/nsclone/keeper-client SOCKET=/run/nsclone/keeper.sock

"$B/nsclone-keeper" --foreground --debug 2>"$WORK/keeper" &
keeper=$!
wait_until 5 test -S "$SOCKET"

n_fds() {
	find "/proc/$keeper/fd" -type l | wc -l
}

# Two sessions, a PID namespace, a marker, a process that stays, END. Whatever becomes of it.
scene() {
	timeout 20 "$CLIENT" uid=1000 key=a id=1 pidfd=0 GET PIDS unshare=mnt,ipc run="mount -t tmpfs none /mnt" \
		file=marker:/mnt record=1-2-3 user=alice rules=a:1 PUT HOST LIST spawn="sleep 1000" \
		run="$CLIENT uid=1000 key=a id=2 pidfd=0 GET LIST" id=1 LEAVE
	timeout 20 "$CLIENT" arguments=true SHELL recv END uid=1000 END
}

nobody_left() {
	[[ $("$CLIENT" LIST) = DONE ]]
}

all_gone() {
	nobody_left && [[ -z $(pgrep -f 'sleep 1000') && -z $(pgrep -P "$keeper") && -z $(ls /run/nsclone/worlds) ]] &&
		(($(n_fds) == before))
}

# fault SYSCALL WHEN ERRNO: prints what is wrong afterwards
fault() {
	strace -q -o "$WORK/trace" -p "$keeper" -e trace="$1" -e inject="$1:error=$3:when=$2" 2>"$WORK/strace" &
	local tracer=$!

	wait_until 5 grep -q "TracerPid:.[1-9]" "/proc/$keeper/status"
	scene >"$WORK/scene" 2>&1
	wait_until 1 nobody_left
	kill "$tracer"
	wait "$tracer" 2>/dev/null
	[[ $2 != 1 ]] || grep -q INJECTED "$WORK/trace" || echo "it was not reached"
	kill -0 "$keeper" || { echo "it is dead"; return; }
	[[ $(timeout 10 "$CLIENT" HOST) = HOST* ]] || echo "nobody is served"
	"$CLIENT" uid=1000 END >/dev/null
	pkill -f 'sleep 1000'
	[[ $1 != unlinkat ]] || rm -f /run/nsclone/worlds/* # the next keeper would do that
	wait_until 8 all_gone || echo "left: $("$CLIENT" LIST | tr '\n' ' ') $(n_fds) descriptors for $before, $(pgrep -laP "$keeper")" \
		"$(ls /run/nsclone/worlds)"
}

scene >"$WORK/scene" 2>&1
wait_until 5 nobody_left
sleep 0.2
before=$(n_fds)
like "the scene, undisturbed" "$(tr '\n' ' ' <"$WORK/scene")" "BUILD .*PIDS .*STORED .*HELD .*SHELL .*EXITED"

strace -q -o "$WORK/all" -p "$keeper" 2>/dev/null &
tracer=$!
wait_until 5 grep -q "TracerPid:.[1-9]" "/proc/$keeper/status"
scene >/dev/null 2>&1
sleep 0.5
kill "$tracer"
wait "$tracer" 2>/dev/null
calls=$(sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$WORK/all" | grep -Ev '^(exit|epoll_wait|brk|mmap|munmap|close|write|getpid|restart_syscall)' | sort | uniq -c |
	awk '{ print $2 }')
like "what it calls is known" "$calls" "recvmsg"

for call in $calls; do
	for when in 1 2 1..6; do
		wrong=$(fault "$call" "$when" ENOMEM)
		is "$call fails ($when)" "$wrong" ""
		[[ -z $wrong ]] || break 2
	done
done
for error in EMFILE EINTR; do
	wrong=$(fault openat,accept4,pidfd_open 1..10 $error)
	is "$error" "$wrong" ""
done
holds "it is the same keeper" kill -0 "$keeper"
finish
