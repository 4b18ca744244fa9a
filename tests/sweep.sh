# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Faults at every system call, one at a time. Sourced after lib.sh by the tests that sweep.
#
# pam-login marks where the module's work begins and ends (access("/mark/open") and so on). One run is recorded, each
# call of it is then hit in a run of its own: strace counts calls by name, so a call is a name and a number.

# Calls whose failure means nothing (or that cannot fail): what closes, waits, logs or asks for oneself. brk and the
# like are malloc's business; it has other ways.
# shellcheck disable=SC2034
readonly HARMLESS='access|close|munmap|brk|futex|getpid|gettid|getuid|geteuid|getgid|getegid|rt_sig.*|clock_gettime|sendto|exit_group|restart_syscall'"${NSC_SANITIZE:+|mmap}" # a sanitizer dies where memory ends

# hit SYSCALL WHICH WHAT USER...: pam-login, in which the WHICHth call of SYSCALL meets WHAT: error=EPERM, signal=KILL
hit() {
	local name=$1 which=$2 what=$3

	shift 3
	strace -qq -o "$WORK/strace" -e trace="$name" -e "inject=$name:$what:when=$which" "$LOGIN" "$@" 2>&1
}

# denied ERRNO SYSCALL USER...: pam-login, in which every call of SYSCALL (a name that strace knows, or its number) fails
denied() {
	local errno=$1 call=$2

	shift 2
	if [[ $call = [0-9]* ]]; then
		errno=$(awk -v name="$errno" '$1 == "#define" && $2 == name { print $3 }' /usr/include/asm-generic/errno*.h)
		/opt/nsclone/deny "$errno" "$call" -- "$LOGIN" "$@" 2>&1
	else
		strace -qq -f -o "$WORK/strace" -e trace="$call" -e "inject=$call:error=$errno" "$LOGIN" "$@" 2>&1
	fi
}

record_calls() { # record_calls USER...
	strace -qq -o "$WORK/calls" "$LOGIN" "$@" >/dev/null 2>&1
}

# calls_between MARK MARK: the names of the calls made there, each once
calls_between() {
	sed -n "/\"\/mark\/$1\"/,/\"\/mark\/$2\"/p" "$WORK/calls" | sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' | sort -u
}

range_of() { # range_of NAME MARK MARK: "FIRST LAST", by strace's count
	awk -v name="$1" -v from="\"/mark/$2\"" -v to="\"/mark/$3\"" '
		index($0, to) { last = n; exit }
		{ if ($0 ~ "^" name "\\(") n++ }
		index($0, from) { first = n + 1 }
		END { print first + 0, last + 0 }' "$WORK/calls"
}

#
# With a keeper
#
start_keeper() { # by itself: what runs under strace must not have it for a child
	: >"$WORK/litter"
	setsid /usr/lib/nsclone/nsclone-keeper --foreground --debug </dev/null >/dev/null 2>"$WORK/keeper.log" &
	keeper=$!
	disown "$keeper"
	wait_until 5 test -S /run/nsclone/keeper.sock || not_ok "the keeper starts"
}

# hold_world USER: a session that lasts; held is the process in it
hold_world() {
	rm -f "/home/$1/pid"
	"$LOGIN" "$1" -- sh -c "echo \$\$ >/home/$1/pid; exec sleep 10000" >/dev/null 2>&1 &
	holder=$!
	wait_until 5 test -s "/home/$1/pid" || not_ok "$1 has a session"
	held=$(<"/home/$1/pid")
	rm -f "/home/$1/pid"
}

release_world() {
	kill "$held"
	wait "$holder"
} 2>/dev/null

keeper_holds() { # one line for each session
	/opt/nsclone/nsclone list -n -r -o user,state 2>&1 | tr -s ' ' | sed 's/ $//' | grep -v '^$'
}

# Nobody is in a world, none is held, and nothing is left of one
nobody_is_in() {
	[[ -z $(keeper_holds) && -z $(keeper_litter) ]]
}

keeper_litter() {
	find /var/lib/nsclone /run/nsclone/sessions /run/nsclone/worlds -mindepth 1 2>/dev/null
}

has_returned() { # has_returned STATE: and there is litter only if somebody is in
	[[ $(keeper_holds) = "$1" ]] && { [[ $1 ]] || [[ -z $(keeper_litter) ]]; }
}

# Prints what is wrong. Where a fault has left litter that the keeper does not know of, the next login collects it.
keeper_returns_to() { # keeper_returns_to STATE
	wait_until 2 has_returned "$1" && return
	login alice -- true >/dev/null
	if wait_until 5 has_returned "$1"; then
		echo litter >>"$WORK/litter"
	else
		echo "the keeper holds '$(keeper_holds)', there is: $(keeper_litter)" "$(grep -v 'request 7' "$WORK/keeper.log" | tail -n 12)"
	fi
}

n_litter() { # since the last time
	wc -l <"$WORK/litter"
	: >"$WORK/litter"
}
