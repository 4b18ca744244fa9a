#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The keeper by itself, asked by a client that shares no code with it: real namespaces, real processes; then everything
# that a bad client can send, while a good one is served.
# weight: 3
. "${0%/*}/../lib.sh"

readonly CLIENT=/opt/nsclone/keeper-client SOCKET=/run/nsclone/keeper.sock
own=$(host_ns mnt)

start_keeper() {
	"$B/nsclone-keeper" --foreground --debug 2>>"$WORK/keeper" &
	keeper=$!
	wait_until 5 test -S "$SOCKET"
}

client() { # not in the background: there it would be a shell's child
	"$CLIENT" "$@" 2>&1
}

n_fds() {
	find "/proc/$keeper/fd" -type l | wc -l
}

listed() { # what `list` would show, in one line
	client LIST | awk '/^WORLD/ { printf "%s%s", sep, $3; sep = " " } /^SESSION/ { printf "+%s", $2 }'
}

shows() { # shows LINE
	[[ $(listed) = "$1" ]]
}

becomes() { # becomes NAME LINE: what is listed, some time
	if wait_until 5 shows "$2"; then ok "$1"; else not_ok "$1" "wanted: $2" "came:   $(listed)" "$(grep -v "request 7" "$WORK/keeper" | tail -n 8)"; fi
}

# builder USER-ID SESSION-ID WORD...: a process that has built a world and lives in it
builder() {
	local uid=$1 id=$2

	shift 2
	"$CLIENT" uid="$uid" key=a id="$id" service=sshd pidfd=0 GET "$@" unshare=mnt,ipc user="u$uid" rules=a:1 PUT hold >"$WORK/$id" &
	pid=$!
	wait_until 5 grep -q -e STORED -e FAILED "$WORK/$id"
}

quoted() { # for a regular expression
	local text=${1//[/\\[}

	echo "${text//]/\\]}"
}

ns_of() {
	readlink "/proc/$1/ns/$2"
}

start_keeper

#
# Its ways
#
is "its capabilities are PTRACE, ADMIN and KILL" "$(sed -n 's/^CapPrm:\t0*//p' "/proc/$keeper/status")" 280020
like "the host's set" "$(client HOST)" "^HOST mnt=$(quoted "$own") ipc=.* uts=.* net=.* pid=.* cgroup=[^ ]*$"
is "a second one is refused" "$(timeout 5 "$B/nsclone-keeper" --foreground 2>&1 | grep -c -e "in use" -e "another keeper")" 1

builder 1000 1
first=$pid
like "the first builds" "$(cat "$WORK/1")" "^BUILD .*STORED$"
like "the second joins" "$(client uid=1000 key=a id=2 pidfd=0 GET)" "^HELD .* mnt=$(quoted "$(ns_of "$first" mnt)") "
becomes "it ends with its process" "uid=1000+id=1"
like "who connects need not show a pidfd" "$(client uid=1000 key=a id=3 GET)" "^HELD "
becomes "and ends with its process, too" "uid=1000+id=1"
strace -q -o "$WORK/trace" -p "$keeper" -e trace=getsockopt -e inject=getsockopt:error=ENOPROTOOPT:when=2+2 2>/dev/null &
tracer=$!
wait_until 5 grep -q "TracerPid:.[1-9]" "/proc/$keeper/status"
like "but before kernel 6.5" "$(client uid=1000 key=a id=3 GET)" "^FAILED EINVAL"
like "and with it joins" "$(client uid=1000 key=a id=3 pidfd=0 GET)" "^HELD "
kill "$tracer"
wait "$tracer"
becomes "and ends" "uid=1000+id=1"
like "another key" "$(client uid=1000 key=b id=2 pidfd=0 GET)" "^BUILD"

# the first one's shell stays behind, as tmux does
nsenter -t "$first" -m -i sleep 1000 &
tmux=$!
wait_until 5 test "$(ns_of "$tmux" mnt)" = "$(ns_of "$first" mnt)"
world=$(ns_of "$first" mnt)
kill "$first"
becomes "a process keeps its world" "uid=1000"
like "a later session joins it" "$(client uid=1000 key=a id=3 pidfd=0 GET)" " mnt=$(quoted "$world") "
becomes "and leaves it" "uid=1000"
kill "$tmux"
becomes "the last process takes it along" ""
is "no namespace is left" "$(host_namespaces | grep -cF "$world")" 0

#
# Thirty at a time
#
for i in {1..30}; do
	"$CLIENT" uid=1001 key=a id="10$i" pidfd=0 GET >"$WORK/many$i" &
	many[i]=$!
done
wait "${many[@]}"
is "of thirty that give up one after the other has the lease" "$(cat "$WORK"/many* | grep -c BUILD)" 30
for i in {1..30}; do
	"$CLIENT" uid=1002 key=a id="20$i" pidfd=0 GET sleep=300 unshare=mnt,ipc PUT hold >"$WORK/wait$i" &
	many[i]=$!
done
wait_until 5 grep -q STORED "$WORK"/wait*
is "of thirty one builds" "$(cat "$WORK"/wait* | grep -c STORED)" 1
kill "${many[@]}"
becomes "and nothing stays" ""

#
# PID namespaces
#
"$CLIENT" uid=1003 key=a id=31 pidfd=0 GET flags=invisible PIDS flags= unshare=mnt,ipc PUT hold >"$WORK/pids" &
pids=$!
wait_until 5 grep -q -e STORED -e FAILED "$WORK/pids"
like "a PID namespace with its /proc" "$(cat "$WORK/pids")" "PIDS pid=pid:.* proc=/.*STORED"
like "it is told" "$(client LIST)" "WORLD .*uid=1003 .* pids"
init=$(pgrep -x nsclone-init)
kill -9 "$init"
wait_until 5 eval '! kill -0 "$init"'
like "without its init it is retired" "$(client LIST)" "WORLD .*uid=1003 .* ending"
like "and joined no more" "$(client uid=1003 key=a id=32 pidfd=0 GET)" "^BUILD"
kill "$pids"
becomes "and goes" ""

#
# END, KillOnLogout=
#
builder 1004 41
setsid nsenter -t "$pid" -m -i sh -c 'trap "" HUP TERM; sleep 1000 & sleep 1000' &
wait_until 5 pgrep -f 'sleep 1000'
is "END" "$(client uid=1004 END)" DONE
becomes "everything in it ends" ""
fails "every process, too" pgrep -f 'sleep 1000'
is "END of nobody" "$(client uid=1004 END)" "FAILED ESRCH: there is no such world"
"$CLIENT" uid=1005 key=a id=51 flags=kill pidfd=0 GET flags= unshare=mnt PUT spawn="sleep 1001" hold >"$WORK/kill" &
pid=$!
wait_until 5 grep -q STORED "$WORK/kill" && wait_until 5 pgrep -f 'sleep 1001'
kill -9 "$pid"
becomes "the last session's end ends the world" ""
fails "with its processes" pgrep -f 'sleep 1001'

#
# Directories: told to nsclone(8) when the last mount is gone, not before
#
cleaned() {
	grep -q "process [0-9]* has ended" <(log_of_keeper)
}

log_of_keeper() {
	tail -n "+$mark" "$WORK/keeper"
}

mark=$(($(wc -l <"$WORK/keeper") + 1))
"$CLIENT" uid=1007 key=a id=71 pidfd=0 GET unshare=mnt run="mount -t tmpfs none /mnt" file=marker:/mnt record=1-2-3 PUT hold >"$WORK/71" &
pid=$!
wait_until 5 grep -q -e STORED -e FAILED "$WORK/71"
like "a marker" "$(cat "$WORK/71")" STORED
nsenter -t "$pid" -m unshare --user --map-root-user --mount sleep 1002 & # hidden: no namespace of it is the world's own
wait_until 5 pgrep -f 'sleep 1002'
kill "$pid"
is_ending() {
	client LIST | grep -q "^WORLD .*uid=1007 .* ending"
}

holds "searched in vain, it is ending" wait_until 5 is_ending
is "it can be ended, once more" "$(client uid=1007 END)" DONE
is "it is there still" "$(listed)" "uid=1007"
fails "somebody who is hidden keeps the directories" cleaned
pkill -f 'sleep 1002'
holds "cleaned when the last mount is gone" wait_until 5 cleaned
becomes "and listed no more" ""

#
# A host shell
#
like "a shell on the host" "$(client uid=0 text=xterm SHELL close sleep=10)" "^SHELL terminal=/dev/.*ptmx$"
like "and how it ended" "$(client uid=0 text=xterm arguments="sh -c 'exit_3'" SHELL recv)" "EXITED [1-9]"
is "it hears of the end of its terminal" "$(wait_until 5 eval '! pgrep -P "$keeper"' && echo gone)" gone

#
# Bad clients
#
before=$(n_fds)
builder 1006 61
good=$pid

served() { # served NAME: the good client's world is still there, and joined
	local out

	out=$(client uid=1006 key=a id=67 pidfd=0 GET)
	if [[ $out = HELD* ]] && kill -0 "$good" && kill -0 "$keeper"; then ok "$1: others are served"; else not_ok "$1: others are served" "$out"; fi
}

closes() { # closes NAME WORD...: the keeper ends the connection
	local name=$1

	shift
	is "$name: closed" "$(client "$@" | tail -n 1)" closed
}

refuses() { # refuses NAME ERRNO WORD...
	local name=$1 error=$2

	shift 2
	like "$name: refused" "$(client "$@" | tail -n 1)" "^FAILED $error: [a-z]"
}

closes "an empty packet" size=0 HOST
closes "a short packet" size=100 HOST
closes "a packet that is one byte short" size=1215 HOST
closes "a long packet" size=4000 HOST
closes "another version" version=2 HOST
closes "no magic" magic=0 HOST
closes "a descriptor less than described" n_fds=1 HOST
closes "a descriptor more" file=mnt:/etc/passwd n_fds=0 HOST
closes "an unheard-of number of descriptors" n_fds=1000000 HOST
many=()
for i in {1..13}; do many+=(file=mnt:/etc/passwd); done
closes "thirteen descriptors" "${many[@]}" HOST
closes "twenty-six descriptors" "${many[@]}" "${many[@]}" n_fds=12 HOST
closes "a descriptor that only the keeper sends" file=terminal:/etc/passwd HOST
refuses "no request at all" EOPNOTSUPP type=0 HOST
refuses "an answer as request" EOPNOTSUPP type=64 HOST
refuses "a file as namespace" EINVAL file=mnt:/etc/passwd HOST
refuses "a namespace of another type" EINVAL file=ipc:/proc/self/ns/mnt HOST
refuses "the host's own" EINVAL file=mnt:/proc/self/ns/mnt HOST
refuses "a directory as pidfd" EINVAL file=pidfd:/ id=9 GET
refuses "a file as arguments" EINVAL file=arguments:/etc/passwd SHELL
refuses "a marker that is no tmpfs" EINVAL file=marker:/proc HOST
refuses "a marker twice" EINVAL file=marker:/tmp file=marker:/run HOST
refuses "two of a kind" EINVAL file=mnt:/proc/"$good"/ns/mnt file=mnt:/proc/"$good"/ns/mnt HOST
refuses "no pidfd" EINVAL uid=1 id=9 flags=alone file=mnt:/proc/"$good"/ns/mnt PUT
refuses "PUT without a lease" ESTALE uid=1006 file=mnt:/proc/"$good"/ns/mnt PUT
refuses "PIDS without a lease" ESTALE PIDS
refuses "an id that is taken" EEXIST uid=1 id=61 pidfd=0 GET
refuses "no world" ESRCH world=1234 id=9 pidfd=0 TAKE
mkfifo "$WORK/fifo"
sleep 1000 <>"$WORK/fifo" &
refuses "a FIFO as namespace" EINVAL file=mnt:"$WORK/fifo" HOST
kill $!
served "after all that"

unshare --user --map-root-user --mount sleep 1000 &
stranger=$!
wait_until 5 eval '[[ $(ns_of "$stranger" mnt) != "$own" && $(ns_of "$stranger" user) != $(host_ns user) ]]'
refuses "a namespace of a user namespace" EPERM file=mnt:/proc/$stranger/ns/mnt HOST
kill $stranger
is "root of a user namespace is not heard" "$(unshare --user --map-root-user "$CLIENT" HOST 2>&1 | tail -n 1)" closed
like "a user does not get there" "$(setpriv --reuid 20001 --regid 20001 --clear-groups "$CLIENT" HOST 2>&1)" "Permission denied"

closes "more than may be said at once" repeat:1000:LEAVE recv
client repeat:60:HOST sleep=700 repeat:60:HOST sleep=200 >/dev/null
holds "who takes no answers is dropped" grep -q "it cannot be answered" "$WORK/keeper"
served "after that"
silent=()
for i in {1..200}; do silent+=(connect); done
(ulimit -n 1000; exec "$CLIENT" "${silent[@]}" hold >/dev/null) &
silent_pid=$!
sleep 0.3
served "200 connections that say nothing"
kill "$silent_pid"
crowd=()
for i in {1..300}; do crowd+=(connect); done
(ulimit -n 1000; exec "$CLIENT" "${crowd[@]}" hold >/dev/null) &
crowd_pid=$!
sleep 0.3
holds "more connections than there is room for: others are served" wait_until 2 eval '[[ $(client HOST) = HOST* ]]'
kill "$crowd_pid"
wait_until 5 eval '(($(n_fds) < before + 20))'

# A user's own su may be stopped while it waits: as many as there are take no place from others, and no lease after lease.
line=()
for i in {1..300}; do line+=(connect id="90$i" pidfd=0 send:GET); done
(ulimit -n 2000; exec "$CLIENT" uid=1008 key=a "${line[@]}" say=asked hold >"$WORK/line") &
line_pid=$!
wait_until 5 grep -q asked "$WORK/line"
holds "300 that wait: others are served" wait_until 2 eval '[[ $(client HOST) = HOST* ]]'
like "300 that wait: another user has a world built" "$(client uid=1009 key=a id=9001 pidfd=0 GET)" "^BUILD"
like "300 that wait: there are no more of this user" "$(client uid=1008 key=a id=9002 pidfd=0 GET)" \
	"^FAILED EAGAIN: too many logins of this user"
kill "$line_pid"
kill "$good" 2>/dev/null
becomes "all of them are gone" ""
wait_until 10 eval '(($(n_fds) == before))'
is "no descriptor is left" "$(n_fds)" "$before"
holds "and it is still the same keeper" kill -0 "$keeper"

#
# A log that nobody reads
#
kill "$keeper"
wait_until 5 eval '! kill -0 "$keeper" 2>/dev/null'
mark=$(($(wc -l <"$LOG") + 1))
log_daemon=$(pgrep -x devlog)
"$B/nsclone-keeper" --debug &
keeper=$!
wait_until 5 eval '[[ $(client HOST) = HOST* ]]'
sync_log
like "what it says is in the log, with its name" "$(tail -n "+$mark" "$LOG")" "<87>nsclone-keeper\\[$keeper\\]: .*request"
kill -STOP "$log_daemon"
more=$(($(cat /proc/sys/net/unix/max_dgram_qlen) + 10))
for ((i = 0; i < more; i++)); do
	[[ $(client HOST) = HOST* ]] || break
done
is "a log that is full: it answers" "$i" "$more"
kill -CONT "$log_daemon"
wait_until 5 eval 'client HOST >/dev/null; tail -n "+$mark" "$LOG" | grep -q "were lost"'
like "and tells of what was lost" "$(tail -n "+$mark" "$LOG")" "nsclone-keeper\\[$keeper\\]: [0-9]+ lines before this were lost"
kill "$keeper"
finish
