#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# weight: 2
# nsclone enter, and run on a terminal, with the real keeper: whose it is, where it is, what it can reach of root's.
. "${0%/*}/../lib.sh"

N=${NSCLONE:-/opt/nsclone/nsclone}
PTY="/opt/nsclone/pty -t 20"
out='' rc=0

run() { # run ARGUMENT...: $out and $rc
	out=$("$N" "$@" 2>&1 </dev/null)
	rc=$?
}

typed() { # typed PTY-ARGUMENT... -- COMMAND...: on a terminal; $out and $rc
	out=$($PTY "$@" 2>&1)
	rc=$?
	out=${out//$'\r'/}
}

says() { # says NAME REGEX: of the last run
	if [[ $out =~ $2 ]]; then ok "$1"; else not_ok "$1" "wanted: /$2/" "came:" "$out"; fi
}

says_not() { # says_not NAME REGEX
	if [[ $out =~ $2 ]]; then not_ok "$1" "not wanted: /$2/" "came:" "$out"; else ok "$1"; fi
}

sessions() { # sessions SERVICE
	"$N" list -nr -o SERVICE | grep -cx "$1"
}

is_sessions() { # is_sessions SERVICE N
	[[ $(sessions "$1") = "$2" ]]
}

nobody() {
	[[ -z $("$N" list) ]]
}

install_keeper
cp "$N" /usr/lib/nsclone # what the keeper runs when a world is gone
/usr/lib/nsclone/nsclone-keeper --foreground >"$WORK/keeper.log" 2>&1 &
wait_until 5 test -S /run/nsclone/keeper.sock
policy <<-'END'
	[Match]
	User=alice
	[Session]
	PrivateTmp=yes
	PrivateIPC=yes
	PrivateNetwork=yes
	ProtectHostname=yes:box-%u

	[Match]
	User=carol
	[Session]
	PrivatePIDs=yes
	ProtectHostname=yes:box-%u

	[Match]
	User=bob
	[Session]
	PrivateUsers=full
	PrivateIPC=yes
END
host_before

#
# enter USER
#
run enter alice -- true
is "enter without a world" "$rc" 125
says "it is said" 'alice has no such world'
for user in alice bob carol; do
	"$N" run "$user" -- sleep 1000 </dev/null >/dev/null 2>&1 &
	disown
done
wait_until 5 is_sessions login 3
namespaces='for n in mnt ipc uts net pid cgroup user; do readlink /proc/self/ns/$n; done'
for user in alice bob carol; do
	pid=$(pgrep -u "$user" sleep)
	run enter "$user" -- sh -c "$namespaces"
	is "$user: in all her namespaces" "$out" "$(for n in mnt ipc uts net pid cgroup user; do readlink "/proc/$pid/ns/$n"; done)"
	run enter "$user" -- sh -c 'id -u; id -G; pwd; umask'
	is "$user: is $user" "$out" "$(id -u "$user")"$'\n'"$(id -G "$user")"$'\n'"/home/$user"$'\n'"$(umask)"
	# shellcheck disable=SC2016
	run enter "$user" -- sh -c 'grep -E "^(Uid|Gid|CapPrm|CapEff):" /proc/self/status'
	id=$(id -u "$user")
	is "$user: nothing else" "$out" "$(printf 'Uid:\t%s\t%s\t%s\t%s\nGid:\t%s\t%s\t%s\t%s\nCapPrm:\t%016x\nCapEff:\t%016x' "$id" "$id" "$id" "$id" "$id" "$id" "$id" "$id" 0 0)"
done
"$N" enter alice -- sh -c 'echo hers >/tmp/one' </dev/null
run enter alice -- cat /tmp/one
is "one /tmp" "$out" hers
fails "which is not the host's" test -e /tmp/one
out=$(SECRET=x "$N" enter alice -- env)
says_not "nothing of the caller's environment" SECRET
# shellcheck disable=SC2016
out=$("$N" enter alice -- sh -c 'for fd in /proc/self/fd/*; do readlink "$fd"; done' 5</etc/passwd 6</ 2>/dev/null | grep -Ev '^(pipe:|/proc/|/dev/null$)')
is "no descriptor goes along" "$out" ''
# shellcheck disable=SC2016
out=$(echo 'echo "$0 $PWD"' | "$N" enter alice)
is "the login shell" "$out" '-bash /home/alice'
run enter alice -- sh -c 'exit 7'
is "the command's status" "$rc" 7
run enter alice -- sh -c 'kill -9 $$'
is "a signal's" "$rc" 137
run enter alice -- nosuchcommand
is "nothing to execute" "$rc" 127
run enter alice -- /etc/passwd
is "not executable" "$rc" 126
run enter dave -- true
is "one without a world" "$rc" 125
run enter nosuchuser -- true
is "nobody" "$rc" 125
run enter --nonsense
is "an unknown option" "$rc" 125
run enter alice --world 123 -- true
is "no such world" "$rc" 125
run enter alice --world "$("$N" list -nr -o USER,WORLD | sed -n 's/^carol //p')" -- true
is "another's world" "$rc" 125
run enter alice --world "$("$N" list -nr -o USER,WORLD | sed -n 's/^alice //p')" -- cat /tmp/one
is "--world" "$out" hers
out=$(setpriv --reuid dave --regid dave --init-groups "$N" enter dave -- true 2>&1)
is "as an ordinary user" "$?" 125
says "it is said" 'only root'

#
# As a session: the world lives as long as somebody has entered it
#
"$N" enter alice -- sleep 1001 </dev/null &
disown
wait_until 5 is_sessions nsclone-enter 1
is "it is listed" "$("$N" list -nr -o USER,SERVICE,FROM,STALE | grep enter)" 'alice nsclone-enter root '
pkill -u alice -f '^sleep 1000'
wait_until 5 is_sessions login 2
is "it keeps the world" "$("$N" list -nr -o USER,STATE | sort -u | grep alice)" 'alice held'
inner=$(pgrep -f '^sleep 1001')
outer=$(sed -n 's/^PPid:\t//p' "/proc/$inner/status")
is "root's process is not in it" "$(readlink "/proc/$outer/ns/mnt")" "$(host_ns mnt)"
is "the user's is" "$(readlink "/proc/$inner/ns/mnt")" "mnt:[$("$N" list -nr -o USER,MNT | sed -n 's/^alice //p')]"
kill "$outer"
wait_until 5 is_sessions nsclone-enter 0
holds "TERM is passed on" wait_until 5 test ! -e "/proc/$inner"
"$N" run alice -- sleep 1000 </dev/null >/dev/null 2>&1 &
disown
wait_until 5 is_sessions login 3

#
# Terminals of their own
#
for command in "run alice" "enter alice" "enter carol" "enter bob"; do
	user=${command#* }
	read -ra words <<<"$command"
	typed -- sh -c "tty; stty rows 31 cols 97; $N $command -- sh -c 'tty; stty size; tty </dev/tty; echo user=\$(id -un)'; stty -a"
	mapfile -t lines <<<"$out"
	is "$command: on another terminal" "${lines[0]} ${lines[1]}" '/dev/pts/0 /dev/pts/1'
	is "$command: of the same size" "${lines[2]}" '31 97'
	is "$command: /dev/tty is it" "${lines[3]}" /dev/tty
	is "$command: as the user" "${lines[4]}" "user=$user"
	says "$command: root's terminal is as before" ' icanon .* echo '
	typed -e '> ' -s 'echo "[$(ls -l $(tty))]"; exit 9' -- "$N" "${words[@]}"
	is "$command: a login shell's status" "$rc" 9
	says "$command: its terminal is its own" "crw--w---- [0-9]+ $user "
	typed -e '> ' -s 'sh -c "echo rea""dy; exec sleep 100"' -e ready -s $'\032' -e Stopped -s 'echo st=$?; kill -KILL %1; wait %1; exit 3' -- "$N" "${words[@]}"
	says "$command: job control" 'st=148'
	typed -- sh -c "$N $command -- sh -c 'seq 20000'"
	is "$command: nothing is lost" "$(md5sum <<<"$out")" "$(seq 20000 | md5sum)"
	typed -- sh -c "echo piped | $N $command -- cat; $N $command -- tty </dev/null; $N $command -- sh -c 'tty </dev/tty' </dev/null 2>&1 | cat"
	says "$command: input from elsewhere" '^piped.*not a tty.*'
done
typed -- sh -c "$N run alice -- sh -c 'sleep 0.1; tty </dev/tty' </dev/null 2>&1 >$WORK/out | cat"
says "no terminal at all: /dev/tty leads nowhere" 'cannot open /dev/tty'
is "root runs on root's terminal" "$($PTY -- "$N" run root -- tty 2>/dev/null | tr -d '\r' | tail -n 1)" /dev/pts/0
typed -e '# ' -s "PS1='root''# '; $N run alice -- sh -c 'kill -TSTP 0; echo going''-on; exit 5'" -e Stopped -s 'stty -a; fg' -e going-on \
	-e 'root# ' -s 'echo st=$?; exit' -- bash --norc --noprofile +o history -i
says "stopped from within: root's shell has its terminal" 'Stopped.* icanon .*going-on'
says "and it goes on" 'st=5'
typed -- sh -c "$N run alice -- sleep 1002 & sleep 0.5; kill -TERM \$!; wait \$!; echo st=\$?"
says "TERM from outside" 'st=143'
typed -e '> ' -s 'sh -c "echo rea""dy; exec sleep 100"' -e ready -s $'\003' -e '> ' -s 'echo st=$?; exit' -- "$N" enter alice
says "INT from the keyboard" 'st=130'
$PTY -- "$N" enter alice -- sh -c 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done' >"$WORK/winch" 2>&1 &
wait_until 5 grep -q ready "$WORK/winch"
stty -F /dev/pts/0 rows 23 cols 57
wait $!
like "the window's size follows" "$(tr -d '\r' <"$WORK/winch")" $'\n23 [0-9]+'
holds "nobody is left in it" wait_until 5 is_sessions nsclone-enter 0

#
# enter --host
#
run enter --host --root -- sh -c "$namespaces; id -u; pwd"
is "enter --host --root" "$out" "$(for n in mnt ipc uts net pid cgroup user; do host_ns "$n"; done)"$'\n0\n/root'
run enter --host dave -- sh -c 'id -u; id -G; pwd; env | sort | cut -d= -f1 | tr "\n" " "'
is "enter --host USER" "$out" $'20004\n20004\n/home/dave\nHOME LOGNAME PATH PWD SHELL TERM USER '
run enter --host 20004 -- id -un
is "by uid" "$out" dave
run enter --host -- id -un
is "as whoever has logged in" "$out" root
out=$(SUDO_UID=20004 "$N" enter --host -- id -un </dev/null)
is "or called sudo" "$out" dave
for status in 7 126 127 137; do
	case $status in
	7) words=(sh -c 'exit 7') ;;
	126) words=(/etc/passwd) ;;
	127) words=(nosuchcommand) ;;
	137) words=(sh -c 'kill -9 $$') ;;
	esac
	run enter --host --root -- "${words[@]}"
	is "enter --host: status $status" "$rc" "$status"
done
run enter --host --root dave
is "--root and USER" "$rc" 125
run enter --host --world 1
is "--host and --world" "$rc" 125
run enter --root
is "--root without --host" "$rc" 125
run enter --host nosuchuser -- true
is "--host nobody" "$rc" 125
is "words with blanks and empty ones" "$("$N" enter --host --root -- printf '<%s>' 'a b' '' $'c\td' </dev/null)" $'<a b><><c\td>'
is "input from a pipe" "$(printf 'one\ntwo' | "$N" enter --host dave -- cat)" $'one\ntwo'
is "much of it" "$(seq 20000 | "$N" enter --host dave -- md5sum)" "$(seq 20000 | md5sum)"
typed -- sh -c "stty rows 31 cols 97; $N enter --host dave -- sh -c 'tty; stty size; id -un; exit 6'; echo st=\$?; stty -a"
says "on a terminal" $'^/dev/pts/1\n31 97\ndave\nst=6\n.* icanon .* echo '
typed -e '> ' -s 'sh -c "echo rea""dy; exec sleep 100"' -e ready -s $'\003' -e '> ' -s 'echo st=$?; exit 4' -- "$N" enter --host dave
says "INT from the keyboard" 'st=130'
is "the shell's status" "$rc" 4
is "as the user that she is" "$("$N" run alice -- sudo "$N" enter --host -- sh -c 'id -un; uname -n' </dev/null 2>&1)" $'alice\nhost.example.org'
echo 'carol ALL=(ALL:ALL) NOPASSWD: ALL' >>/etc/sudoers
is "out of a PID namespace" "$("$N" run carol -- sudo "$N" enter --host --root -- sh -c 'id -un; uname -n; readlink /proc/self/ns/pid' </dev/null 2>&1)" \
	$'root\nhost.example.org\n'"$(host_ns pid)"
out=$("$N" run carol -- sudo "$N" enter alice -- true </dev/null 2>&1)
is "no other world can be entered from there" "$?" 125
says "it is said, and the way out" "enter --host"
"$N" enter --host dave -- sleep 1005 </dev/null &
pid=$!
wait_until 5 pgrep -f '^sleep 1005'
kill "$pid"
wait "$pid"
is "enter --host, TERM" "$?" 143
holds "what it started goes with it" wait_until 5 bash -c '! pgrep -f "^sleep 1005"'

for user in alice bob carol; do
	"$N" end "$user"
done
holds "nobody is left" wait_until 5 nobody
host_unchanged "enter and run"
finish
