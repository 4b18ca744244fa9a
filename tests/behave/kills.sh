#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The process is killed at every system call of open and close in turn. Whatever that leaves, the next login works, and
# after it (or after `nsclone clean`) nothing is left.
# weight: 8
. "${0%/*}/../lib.sh"
. "${0%/*}/../sweep.sh"

service nsctest
full_policy
login alice -- true >/dev/null
host_before

litter() {
	find /var/lib/nsclone /run/nsclone -mindepth 1 ! -path /run/nsclone/sessions 2>/dev/null
}

kill_at() { # kill_at SYSCALL NUMBER: prints what is wrong
	local out

	hit "$1" "$2" signal=KILL alice -- true >/dev/null 2>&1
	left=$(litter | wc -l)
	out=$(login alice -- uname -n)
	[[ $out = *"open 0 Success"*"box-alice"*"close 0 Success"* ]] || echo "the next login: $out"
	# collecting is bounded in time: on a busy machine it may take more than one login
	[[ -z $(litter) ]] || { login --times 3 alice -- true >/dev/null; }
	[[ -z $(litter) ]] || collected_by_the_next=no
	[[ -z $(litter) ]] || /opt/nsclone/nsclone clean >"$WORK/clean" 2>&1
	[[ -z $(litter) ]] || echo "stays behind: $(litter) after clean: $(cat "$WORK/clean")"
	find /var/lib/nsclone /run/nsclone/sessions -mindepth 1 -delete
}

sweep_kills() { # sweep_kills FROM TO
	local name first last number trouble with_litter=0 runs=0

	while read -r name; do
		read -r first last < <(range_of "$name" "$1" "$2")
		for ((number = first; number <= last; number++)); do
			left=0 collected_by_the_next=yes
			kill_at "$name" "$number" >"$WORK/trouble"
			trouble=$(cat "$WORK/trouble")
			[[ -z $trouble ]] || not_ok "killed in $name ($((number - first + 1))th), $1" "$trouble"
			[[ $collected_by_the_next = yes ]] || not_ok "killed in $name ($((number - first + 1))th), $1: collected by the next login"
			[[ $left = 0 ]] || with_litter=$((with_litter + 1))
			runs=$((runs + 1))
		done
	done < <(calls_between "$1" "$2" | grep -Evx 'exit_group|syscall_0x.*|brk|getpid|geteuid|close|munmap|mmap|lseek|futex|access|fcntl')
	ok "killed at $runs calls between $1 and $2, $with_litter times with litter"
	holds "between $1 and $2: some left litter" test "$with_litter" -gt 3
}

record_calls alice -- true
sweep_kills open opened
sweep_kills close closed
host_unchanged "kills"

# In mid-session, while the user's own process lives on: what it uses stays, until it is gone, too.
"$LOGIN" alice -- sh -c 'echo mine >/tmp/mine; sleep 1000 & echo $! >/home/alice/pid; exec sleep 1000' >/dev/null 2>&1 &
daemon=$!
wait_until 5 test -s /home/alice/pid
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
orphan=$(cat /home/alice/pid)
is "killed in mid-session: the directory is there" "$(find /var/lib/nsclone -name mine | wc -l)" 1
login alice -- true >/dev/null
is "the next login leaves alone what is in use" "$(nsenter -t "$orphan" -m cat /tmp/mine 2>&1)" mine
/opt/nsclone/nsclone clean >/dev/null 2>&1
is "clean leaves alone what is in use" "$(nsenter -t "$orphan" -m cat /tmp/mine 2>&1)" mine
for dir in /proc/[0-9]*; do
	[[ $(readlink "$dir/exe") = */sleep ]] && kill "${dir#/proc/}"
done
wait_until 5 test ! -e "/proc/$orphan"
login alice -- true >/dev/null
is "when nobody is in it any more the next login collects it" "$(litter)" ""
rm -f /home/alice/pid
host_unchanged "killed in mid-session"

# A user's process that outlives the session: close does not wait for it for ever, nor take its files away.
started=$SECONDS
login alice -- sh -c 'echo mine >/tmp/mine; sleep 1000 >/dev/null 2>&1 & echo $! >/home/alice/pid' >/dev/null
holds "close does not wait for processes that stay" test $((SECONDS - started)) -le 5
orphan=$(cat /home/alice/pid)
is "a process that outlives the session keeps its /tmp" "$(nsenter -t "$orphan" -m cat /tmp/mine 2>&1)" mine
is "clean --dry-run removes nothing" "$(/opt/nsclone/nsclone clean --dry-run >/dev/null 2>&1; litter | wc -l)" "$(litter | wc -l)"
kill "$orphan"
wait_until 5 test ! -e "/proc/$orphan"
/opt/nsclone/nsclone clean >/dev/null 2>&1
is "then clean collects it" "$(litter)" ""
rm -f /home/alice/pid
host_unchanged "outlived"
finish
