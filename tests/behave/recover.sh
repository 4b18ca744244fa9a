#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A keeper that is killed, and the next: with somebody who has kept its descriptors, as systemd does, and without.
# weight: 3
. "${0%/*}/../lib.sh"

readonly CLIENT=/opt/nsclone/keeper-client SOCKET=/run/nsclone/keeper.sock WORLDS=/run/nsclone/worlds
mkdir -m 700 /run/nsclone
host_before

client() {
	"$CLIENT" "$@" 2>&1
}

listed() { # what `list` would show, in one line
	client LIST | awk '/^WORLD/ { printf "%s%s", sep, $3; sep = " " } /^SESSION/ { printf "+%s", $2 }'
}

shows() { # shows LINE
	[[ $(listed) = "$1" ]]
}

becomes() { # becomes NAME LINE: what is listed, some time
	if wait_until 8 shows "$2"; then ok "$1"; else not_ok "$1" "wanted: $2" "came:   $(listed)" "$(tail -n 12 "$WORK/keeper")"; fi
}

builder() { # builder USER-ID SESSION-ID WORD...: a process that has built a world and lives in it: $pid
	local uid=$1 id=$2

	shift 2
	rm -f "$WORK/$id"
	"$CLIENT" uid="$uid" key=a id="$id" service=sshd pidfd=0 GET "$@" unshare=mnt,ipc,uts,net user="u$uid" rules=a:1 PUT hold >"$WORK/$id" 2>&1 &
	pid=$!
	wait_until 5 grep -q -e STORED -e FAILED "$WORK/$id"
}

mnt_of() {
	readlink "/proc/$1/ns/mnt"
}

join() { # join UID: the mount namespace that a login would get, and nobody stays in it
	client uid="$1" key=a id=999 pidfd=0 GET | sed -n 's/^HELD .*mnt=\(mnt:[^ ]*\).*/\1/p'
}

tenant() { # tenant PID: a process in its namespaces, which is no session's: $left
	nsenter -t "$1" -m -i -u -n sleep 1000 &
	left=$!
	wait_until 5 test "$(mnt_of "$left")" = "$(mnt_of "$1")"
}

keeper() { # the one that runs
	sed -n 's/^start //p' "$WORK/keeper" | tail -n 1
}

starts() {
	grep -c '^ready$' "$WORK/keeper"
}

kill_keeper() { # kill_keeper [COMMAND...]: and do that before there is another
	local before pid

	before=$(starts)
	pid=$(keeper)
	kill -STOP "$pid"
	[[ $# = 0 ]] || "$@"
	kill -9 "$pid"
	again
	wait_until 8 eval "[[ \$(starts) -gt $before ]]"
}

kill_hard() { # kill_hard PID: and it is reaped
	kill -9 "$1"
	wait_until 5 eval "! kill -0 $1"
}

stored() { # how many descriptors are in store, but for that of the markers
	awk '$1 == "store" { n[$2]++ } $1 == "remove" { delete n[$2] } END { for (i in n) if (i != "markers") s += n[i]; print s + 0 }' "$WORK/keeper"
}

life() { # life NAME: what is the same with systemd and without
	local name=$1 first

	builder 1000 1
	first=$pid
	tenant "$first"
	kill_keeper
	is "$name: a world and its session are found" "$(listed)" "uid=1000+id=1"
	is "$name: it is the same world" "$(join 1000)" "$(mnt_of "$first")"
	becomes "$name: who joined leaves" "uid=1000+id=1"
	kill_keeper kill "$first"
	becomes "$name: a session that ended in between has ended" "uid=1000"
	is "$name: who is left keeps the world" "$(join 1000)" "$(mnt_of "$left")"
	kill_keeper
	is "$name: found by who is left" "$(join 1000)" "$(mnt_of "$left")"
	kill "$left"
	becomes "$name: the last process takes it along" ""
	is "$name: no record stays" "$(ls "$WORLDS")" ""
}

pids() { # pids NAME
	local name=$1 init

	builder 1003 31 flags=invisible PIDS flags=
	like "$name: a PID namespace" "$(cat "$WORK/31")" STORED
	init=$(pgrep -x nsclone-init)
	kill_keeper
	like "$name: it is found with it" "$(client LIST)" "WORLD .*uid=1003 .* pids"
	is "$name: its init lives" "$(cat "/proc/$init/comm")" nsclone-init
	kill_hard "$init"
	like "$name: its end is seen by the next keeper" "$(client LIST)" "WORLD .*uid=1003 .* ending"
	kill "$pid"
	becomes "$name: and it goes" ""
	builder 1003 32 PIDS flags=
	init=$(pgrep -x nsclone-init)
	kill_keeper kill_hard "$init"
	is "$name: an init that died in between: nothing is found" "$(listed)" ""
	kill "$pid"
	builder 1003 33 PIDS flags=
	init=$(pgrep -x nsclone-init)
	kill_keeper
	kill "$pid"
	becomes "$name: the end of a world that was found" ""
	holds "$name: is its init's" wait_until 5 eval "! kill -0 $init"
}

many() { # many NAME
	local name=$1 i before
	local -a builders=()

	for i in {1..15}; do
		builder "20$i" "40$i"
		builders+=("$pid")
	done
	before=$(listed)
	for i in {1..5}; do
		kill_keeper
	done
	is "$name: fifteen worlds, five ends" "$(listed | tr ' ' '\n' | sort)" "$(tr ' ' '\n' <<<"$before" | sort)"
	kill "${builders[@]}"
	becomes "$name: and nothing stays of them" ""
	is "$name: no record of them" "$(ls "$WORLDS")" ""
	is "$name: the keeper has no descriptor of any" "$(readlink "/proc/$(keeper)"/fd/* | grep -c '^mnt:')" 1
}

# Who has joined and gone in a moment ago is known to the next keeper, where another's logout would kill him else.
just_joined() { # just_joined WHICH
	local first second before

	builder 1050 501 flags=kill
	first=$pid
	before=$(starts)
	"$CLIENT" uid=1050 key=a id=502 flags=kill GET join run="kill -9 $(keeper)" hold >"$WORK/502" 2>&1 &
	second=$!
	wait_until 8 eval "! kill -0 $(keeper) 2>/dev/null"
	again
	wait_until 8 eval "[[ \$(starts) -gt $before ]]"
	becomes "$1: who has just joined is known" "uid=1050+id=501+id=502"
	kill_hard "$first"
	becomes "$1: another's logout is not his" "uid=1050+id=502"
	holds "$1: he lives" kill -0 "$second"
	kill_hard "$second"
	becomes "$1: his own ends the world" ""
}

odd_records() { # odd_records NAME
	local name=$1

	builder 1000 1
	head -c 100 /dev/urandom >"$WORLDS/00000000000000ff"
	: >"$WORLDS/.new"
	ln -s /etc/passwd "$WORLDS/0000000000000001"
	kill_keeper
	is "$name: garbage beside it is no matter" "$(listed)" "uid=1000+id=1"
	is "$name: and removed" "$(find "$WORLDS" -type f -size +0 | wc -l) $(find "$WORLDS" | wc -l)" "1 2"
	kill_keeper rm "$WORLDS"/*
	is "$name: without its record it is nobody's" "$(listed)" ""
	kill "$pid"
}

again() { # by itself
	:
}

/opt/nsclone/activate "$SOCKET" "$B/nsclone-keeper" --foreground --debug >"$WORK/keeper" 2>&1 &
activate=$!
wait_until 5 grep -q ^ready "$WORK/keeper"
is "in store: the markers" "$(grep -c '^store markers$' "$WORK/keeper")" 1
life "store"
is "store: nothing stays in it" "$(stored)" 0
pids "store"
is "store: of no init either" "$(stored)" 0
builder 1000 1
is "store: four namespaces" "$(stored)" 4
kill_keeper kill "$pid"
becomes "store: a world that all have left in between" ""
is "store: is in it no more" "$(stored)" 0
many "store"
odd_records "store"
is "store: what has no record is taken out" "$(stored)" 0
kill "$activate" "$(keeper)"
wait_until 5 eval "! kill -0 $activate"
rm -f "$SOCKET"

start_keeper() {
	"$B/nsclone-keeper" --foreground --debug >>"$WORK/keeper" 2>&1 &
	echo "start $!" >>"$WORK/keeper"
	wait_until 5 client HOST >/dev/null && echo ready >>"$WORK/keeper"
}

again() {
	wait "$(keeper)" 2>/dev/null # or the next finds one who listens
	start_keeper
}

: >"$WORK/keeper"
start_keeper
if [[ $(uname -r) =~ ^([7-9]|6\.(1[1-9]|[2-9][0-9])) ]]; then
	life "proc"
	pids "proc"
	many "proc"
	odd_records "proc"
	just_joined "proc"
else
	skip "finding worlds by their processes" "this kernel has no ids of mount namespaces"
fi
kill "$(keeper)"
rm -rf "$SOCKET" "$WORLDS" /run/nsclone/keeper.lock
host_unchanged "recovery"
finish
