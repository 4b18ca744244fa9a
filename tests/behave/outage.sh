#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The keeper is killed, stopped, or not there at all: sessions go on, users get in, isolated, and never wait for ever.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"
. "${0%/*}/../worlds.sh"

readonly HERS=/home/alice

install_keeper
service nsctest

kernel_is() { # kernel_is MAJOR.MINOR: at least
	[[ $(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1) = "$1" ]]
}

kill_keeper() {
	local pid

	pid=$(keeper_pid)
	kill -9 "$pid"
	wait_until 5 eval "! kill -0 $pid"
}

# As host_same, whichever keeper runs.
same_but_keeper() {
	host_state "$WORK/now"
	sed -i '/nsclone-keeper$/s/^[0-9]* /keeper /' "$WORK"/{before,now}/processes
	diff -r "$WORK/before" "$WORK/now" >"$WORK/difference"
}

same_host() { # same_host NAME
	wait_until 10 nobody_is_in || not_ok "$1: nobody is left" "$(nsclone list)"
	if wait_until 10 same_but_keeper; then ok "$1: the host is as before"; else
		not_ok "$1: the host is as before" "$(cat "$WORK/difference")"
	fi
}

killed() { # killed LINE...: of the policy
	local name="killed${1+, $1}" stays one

	full_policy "$@"
	login alice -- sh -c "echo mine >/tmp/mine; $NAMESPACES >/home/alice/one; $(stays first); echo went on >/home/alice/went-on" >"$WORK/first" &
	stays=$!
	is_in first
	one=$(cat "$HERS/one")
	kill_keeper
	: >"$WORK/gate"
	"$LOGIN" --parallel 20 --wait-for "$WORK/gate" alice -- sh -c "echo \"\$($NAMESPACES)\"" >"$WORK/out" 2>&1 &
	sleep 0.3
	rm "$WORK/gate"
	wait "$!"
	is "$name: twenty at once get in" "$(grep -c '^exit 0' "$WORK/out")" 20
	is "$name: there is one keeper again" "$(n_keepers)" 1
	if kernel_is 6.11; then
		is "$name: it has found the world, and all have joined" "$(grep '^mnt' "$WORK/out" | sort | uniq -c | sed 's/^ *//')" "20 $one"
		is "$name: with its session" "$(n_sessions alice) $(n_worlds alice)" "1 1"
	else
		impossible "$name: it has found the world" "this kernel does not tell one namespace from the next" kernel_is 6.11
	fi
	go_on first "$stays"
	is "$name: the session has gone on" "$(cat "$HERS/went-on")" "went on"
	rm "$HERS"/{one,went-on}
	same_host "$name"
	is "$name: nothing is left" "$(litter)" ''
}

# A keeper that answers nobody costs sharing, not logins; and when it goes on it knows nobody who has gone.
stopped() {
	local keeper stays one

	full_policy
	keeper=$(keeper_pid)
	login alice -- sh -c "$(stays first)" >"$WORK/first" &
	stays=$!
	is_in first
	one=$(namespaces alice)
	kill -STOP "$keeper"
	mark=$(log_mark)
	timeout 60 "$LOGIN" --parallel 3 alice -- sh -c "echo \"\$($NAMESPACES)\"; uname -n" >"$WORK/out" 2>&1
	is "stopped: three get in" "$? $(grep -c '^exit 0' "$WORK/out")" "0 3"
	is "stopped: each to a world of its own" "$(grep -c 'box-alice' "$WORK/out") $(grep '^mnt' "$WORK/out" | sort -u | wc -l)" "3 3"
	unlike "stopped: none to the one that is held" "$(cat "$WORK/out")" "${one%% *}"
	sync_log
	is "stopped: the log warns" "$(log_since "$mark" | grep -c 'pam_nsclone.*not shared user=alice.*cannot be reached')" 3
	full_policy PrivatePIDs=yes
	is "stopped: PrivatePIDs is refused" "$(timeout 60 "$LOGIN" alice | sed -n 's/^open //p')" "4 System error"
	kill -CONT "$keeper"
	full_policy
	is "and goes on: the world is joined" "$(namespaces alice)" "$one"
	is "and goes on: it has its one session" "$(wait_until 5 has_sessions alice 1; n_sessions alice)" 1
	is "and goes on: it is the same keeper" "$(n_keepers) $(keeper_pid)" "1 $keeper"
	go_on first "$stays"
	same_host "stopped"
	is "stopped: nothing is left" "$(litter)" ''
}

missing() {
	local program=/usr/lib/nsclone/nsclone-keeper

	full_policy
	kill_keeper
	mv "$program" "$program.away"
	host_before
	mark=$(log_mark)
	is "missing: she gets in, isolated" "$(login --quiet alice -- sh -c 'echo x >/tmp/x; uname -n; ls /tmp' | tr '\n' ' ')" "box-alice x "
	is "missing: for herself" "$(login --quiet alice -- sh -c 'ls /tmp; uname -n')" "box-alice"
	sync_log
	is "missing: the log warns" "$(log_since "$mark" | grep -c 'pam_nsclone.*not shared user=alice.*cannot be reached')" 2
	full_policy PrivatePIDs=yes
	refused "missing: PrivatePIDs, OnFailure=deny" alice
	full_policy PrivatePIDs=yes OnFailure=warn
	mark=$(log_mark)
	gets "missing: PrivatePIDs, OnFailure=warn" host alice
	sync_log
	like "missing: and the log says so" "$(log_since "$mark")" 'NOT ISOLATED user=alice .*nsclone-keeper'
	full_policy Scope=session
	mark=$(log_mark)
	is "missing: Scope=session does without" "$(login --quiet alice -- uname -n)" box-alice
	sync_log
	unlike "missing: Scope=session: no warning" "$(log_since "$mark")" 'not shared'
	host_unchanged "missing"
	mv "$program.away" "$program"
	full_policy
	login --quiet alice -- true
	is "there again: the next login starts it" "$(n_keepers)" 1
}

full_policy
login --quiet alice -- true # what is made once and kept
wait_until 10 nobody_is_in
host_before
killed
killed PrivatePIDs=yes
stopped
missing
finish
