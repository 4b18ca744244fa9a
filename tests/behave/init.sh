#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# nsclone-init among people who mean it harm, and under more orphans than anybody should have.
# weight: 2
. "${0%/*}/../lib.sh"

readonly PIDNS=/opt/nsclone/pidns
INIT=$B/nsclone-init
# The sanitizer's handlers are what process 1 must not have: a user could send it their signals.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0
host_before

inside() { # inside [OPTION...] [init WORD...] -- COMMAND...: in a PID namespace of its own, beside an init
	local -a options=()

	while [[ $1 = --noise || $1 = --hangup ]]; do
		options+=("$1")
		[[ $1 = --noise ]] || { options+=("$2"); shift; }
		shift
	done
	"$PIDNS" "${options[@]}" "$INIT" "$@" 2>&1
}

as_alice() {
	setpriv --reuid 20001 --regid 20001 --clear-groups "$@"
}

as_bare_root() { # uid 0 without capabilities
	setpriv --bounding-set=-all --inh-caps=-all "$@"
}

as_mapped_root() { # alice, root in a user namespace of her own
	as_alice unshare --user --map-root-user "$@"
}
export -f as_alice as_bare_root as_mapped_root

# What each of these does is done to 1.
readonly ATTACKS='
	for signal in $(seq 1 64); do kill -$signal 1; done
	renice 19 1
	taskset -p 1 1
	/opt/nsclone/pidns --poke 1
	for what in root cwd exe fd/3 fd/0 map_files; do ls -L /proc/1/$what/ && echo "SEEN $what"; done
	for what in environ maps mem auxv io stack syscall; do head -c 1 /proc/1/$what | grep -q . && echo "READ $what"; done
	for what in oom_score_adj comm timerslack_ns coredump_filter clear_refs; do echo 0 >/proc/1/$what && echo "WROTE $what"; done
	for what in mnt net uts ipc pid cgroup user; do readlink /proc/1/ns/$what && echo "NS $what"; done
	nsenter --target 1 --mount true && echo "ENTERED"
	cd /proc/1/cwd && echo "ENTERED cwd"
	true'

attack() { # attack NAME WHO
	local out state

	out=$(inside -- bash -c "ulimit -c 0; $2 bash -c '$ATTACKS'; grep -E '^(State|Sig|Shd)' /proc/1/status; sleep 0.2")
	is "$1: init is alive" "$(tail -n 1 <<<"$out")" "init alive"
	is "$1: all that takes ptrace is refused" "$(grep -E '^(ptrace|attach|readv|writev|getfd|prlimit|kcmp) ' <<<"$out" | grep -Ev 'EPERM|EACCES')" ""
	is "$1: all of it was tried" "$(grep -cE '^(ptrace|attach|readv|writev|getfd|prlimit|kcmp) ' <<<"$out")" 7
	is "$1: nothing of it is read or entered" "$(grep -E '^(SEEN|READ|NS|ENTERED)' <<<"$out")" ""
	state=$(sed -n 's/^State:[[:space:]]*//p' <<<"$out")
	is "$1: init is not stopped" "$state" "S (sleeping)"
	is "$1: kills all but init" "$(inside -- bash -c "$2 bash -c 'kill -9 -1; kill -STOP -1; sleep 0.2'" | grep -c '^init alive$')" 1
	is "$1: no signal waits for it" "$(grep -cE '^(SigPnd|ShdPnd|SigBlk):[[:space:]]0{16}$' <<<"$out")" 3
	is "$1: it has no handler" "$(sed -n 's/^SigCgt:[[:space:]]*//p' <<<"$out")" 0000000000000000
}

of_the_outside() { # by the user, from outside of the PID namespace
	local fifo=$WORK/fifo pid out

	rm -f "$fifo"
	mkfifo "$fifo"
	inside -- cat "$fifo" >"$WORK/outside" &
	until pid=$(sed -n 's/^init //p' "$WORK/outside" 2>/dev/null) && [[ $pid ]]; do sleep 0.05; done
	out=$(as_alice bash -c "kill -9 $pid; kill -STOP $pid; ls /proc/$pid/root/ /proc/$pid/fd/; $PIDNS --poke $pid" 2>&1)
	unlike "from outside: refused" "$out" 'DONE|No such process'
	is "init has one descriptor, and that is a socket" "$(readlink "/proc/$pid"/fd/* | sed 's/:.*//')" socket
	is "init has no capability" "$(grep -cE '^Cap(Inh|Prm|Eff|Bnd|Amb):[[:space:]]0{16}$' "/proc/$pid/status")" 5
	is "init gets none" "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "/proc/$pid/status")" 1
	is "init is called so" "$(cat "/proc/$pid/comm")" nsclone-init
	: >"$fifo"
	wait
	is "from outside: init is alive" "$(tail -n 1 "$WORK/outside")" "init alive"
}

zombies() { # what is in the PID namespace but for 1 and who asks
	cat <<-'END'
		for status in /proc/[0-9]*/status; do
			[[ $status = /proc/1/status || $status = /proc/$$/status ]] || grep -h '^State' "$status"
		done
	END
}

reaping() {
	local out

	out=$(inside -- bash -c "$PIDNS --orphans 1000; $(zombies)")
	is "1000 orphans leave nothing behind" "$out" "${out%%$'\n'*}"$'\n'"init alive"
	out=$(inside -- bash -c "as_alice bash -c 'for i in {1..50}; do (for j in {1..20}; do sleep 0.2 & done) & done; wait'; sleep 1; $(zombies)")
	is "a tree of 1000 orphans of a user leaves nothing behind" "$out" "${out%%$'\n'*}"$'\n'"init alive"
	out=$(inside -- bash -c "(as_alice bash -c 'ulimit -u 300; f() { f & f & }; f' >/dev/null 2>&1 & sleep 2; as_alice bash -c 'kill -9 -1'); sleep 1; as_alice bash -c 'kill -9 -1'; sleep 1; $(zombies)" 2>/dev/null)
	is "a fork bomb leaves nothing behind" "$out" "${out%%$'\n'*}"$'\n'"init alive"
}

keeper_gone() {
	is "what the keeper would never send changes nothing" \
		"$(inside --noise -- bash -c 'sleep 0.5; ls /proc/1/fd' | tail -n 2 | tr '\n' ' ')" "3 init alive "
	is "init ends when the keeper is gone and it was found alone twice" \
		"$(inside --hangup 5 patience=1 -- sleep 0.1 | tail -n 1)" "init ended 0"
	is "not before that" "$(inside --hangup 1 patience=1 -- true | tail -n 1)" "init alive"
	is "not while somebody is in there" \
		"$(inside --hangup 1 patience=2 -- sleep 5 | tail -n 1)" "init alive"
	is "not for what has no keeper for a moment" "$(inside --hangup 1 -- sleep 1 | tail -n 1)" "init alive"
	inside -- bash -c 'setsid sleep 1234 & sleep 0.1' >/dev/null # in the end pidns kills it
	holds "its death from outside is everybody's" wait_until 5 none_left
}

none_left() {
	! pgrep -f '^sleep 1234$' >/dev/null
}

arguments() {
	local out

	out=$("$INIT" 2>&1)
	is "not as process 1: refused" "$? $out" "2 nsclone-init is process 1 of a user's PID namespace; nsclone-keeper starts it"
	for word in hidepid hidepid= hidepid=1 hidepid=invisible,gid=0 subset=all patience=0 patience=x patience=600 --help; do
		is "the word $word is refused" "$(inside "$word" -- true | tail -n 1)" "init sent nothing"
	done
	is "hidepid=invisible: a user does not see init" \
		"$(inside hidepid=invisible -- bash -c 'as_alice test -e /proc/1 || echo hidden' | grep -v '^init ')" hidden
	is "subset=pid: processes and nothing else" "$(inside subset=pid -- ls /proc | grep -Ev '^(init |[0-9]+$)' | tr '\n' ' ')" \
		"self thread-self "
}

attack "a user" as_alice
attack "root without capabilities" as_bare_root
if as_mapped_root true 2>/dev/null; then
	attack "root of a user namespace" as_mapped_root
else
	impossible "root of a user namespace" "users may not have one" as_alice bash -c '! unshare --user true'
fi
of_the_outside
reaping
keeper_gone
arguments
host_unchanged "init"
finish
