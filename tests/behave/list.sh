#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# weight: 2
# nsclone list and end, plan and clean with the real keeper: what is held, by whom, whether it is stale; how it ends.
. "${0%/*}/../lib.sh"

N=${NSCLONE:-/opt/nsclone/nsclone}
out='' rc=0

run() { # run ARGUMENT...: $out and $rc
	out=$("$N" "$@" 2>&1 </dev/null)
	rc=$?
}

says() { # says NAME REGEX: of the last run
	if [[ $out =~ $2 ]]; then ok "$1"; else not_ok "$1" "wanted: /$2/" "came:" "$out"; fi
}

field() { # field COLUMN [USER]: of USER's first row
	"$N" list -nr -o "USER,$1" | awk -v user="${2-alice}" '$1 == user { print $2; exit }'
}

lives() { # lives USER...: a session of each, that stays; their pids in $pids
	local user

	pids=()
	for user; do
		"$N" run "$user" --service login --rhost 192.0.2.7 --tty pts/99 -- sleep 1000 </dev/null >/dev/null 2>&1 &
		pids+=($!)
		disown $! # the shell has nothing to say of its end
		wait_until 5 session_of "${pids[-1]}" || not_ok "a session of $user is listed" "$("$N" list)"
	done
}

session_of() { # session_of PID
	"$N" list -nr -o PID | grep -qx "$1"
}

rows() {
	"$N" list -nr | grep -c .
}

is_field() { # is_field COLUMN WANTED [USER]
	[[ $(field "$1" "${3-alice}") = "$2" ]]
}

has_rows() { # has_rows N
	[[ $(rows) = "$1" ]]
}

no_records() {
	[[ -z $(find /run/nsclone/sessions -mindepth 1) ]]
}

nothing_listed() {
	[[ -z $("$N" list) ]]
}

install_keeper
cp "$N" /usr/lib/nsclone # what the keeper runs when a world is gone

#
# Without a keeper
#
run list
is "list without a keeper" "$rc" 3
says "it is said" 'nsclone-keeper does not run'
fails "and none is started for it" keeper_pid
run end alice
is "end without a keeper" "$rc" 3
run enter alice -- true
is "enter without a keeper" "$rc" 125

/usr/lib/nsclone/nsclone-keeper --foreground >"$WORK/keeper.log" 2>&1 &
wait_until 5 test -S /run/nsclone/keeper.sock
host_before

#
# list
#
policy <<-'END'
	[Match]
	User=alice bob
	[Session]
	PrivateTmp=yes
	PrivateIPC=yes
	ProtectHostname=yes:box-%u

	[Match]
	User=carol
	[Session]
	PrivatePIDs=yes
END
run list
is "list of nothing: exit" "$rc" 0
is "list of nothing: no rows" "$out" ''
run list --json
holds "list of nothing as JSON" jq -e '.worlds == []' <<<"$out"
lives alice bob
run list
says "the head" '^USER +WORLD +SERVICE +TTY +RHOST +SINCE +PID +PROCESSES +STALE +STATE'
says "a row" "alice +[0-9a-f]{16} +login +pts/99 +192\.0\.2\.7 +[0-9]{4}-[0-9-]+ [0-9:]{8} +${pids[0]} +1 +no +held"
is "a row for each" "$(rows)" 2
is "the mount namespace" "mnt:[$(field MNT)]" "$(readlink "/proc/${pids[0]}/ns/mnt")"
is "the IPC namespace" "ipc:[$(field IPC)]" "$(readlink "/proc/${pids[0]}/ns/ipc")"
is "what is the host's is not shown" "$(field NET)" ''
is "the rule" "$(field RULE)" '/etc/security/nsclone.d/50-test.conf:1'
is "the uid" "$(field UID)" 20001
run list --json -o +MNT,NET
holds "as JSON" jq -e '.worlds[0] | .user == "alice" and .processes == 1 and (.mnt | type) == "number" and .net == null' <<<"$out"
"$N" run alice -- sh -c 'sleep 1000 & sleep 1000' </dev/null >/dev/null 2>&1 &
disown
wait_until 5 has_rows 3
is "two sessions, two rows" "$(rows)" 3
is "of one world" "$("$N" list -nr -o USER,WORLD | grep -c "^alice $(field WORLD)\$")" 2
wait_until 5 is_field PROCESSES 4
is "whose processes are counted" "$(field PROCESSES)" 4
out=$(setpriv --reuid dave --regid dave --init-groups "$N" list 2>&1)
is "list as an ordinary user" "$?" 3
says "it is said why" 'only root'

#
# plan
#
run plan alice
says "plan of a world that is held" "held by nsclone-keeper: the login joins"
says "it is named" "world $(field WORLD) \(mnt ipc uts\)"
run plan alice --service sshd
says "by another service, the same settings" 'the login joins'
run plan carol
says "plan of one that is not" '^[^'$'\n'']*'$'\n''?# shared by all sessions of carol .*else built'

#
# stale
#
is "not stale" "$(field STALE)" no
sed -i 's/^PrivateIPC=yes/PrivateIPC=no/' /etc/security/nsclone.d/50-test.conf
is "stale: other settings" "$(field STALE)" yes
run plan alice
says "then plan builds" 'else built'
sed -i 's/^PrivateIPC=no/PrivateIPC=yes/' /etc/security/nsclone.d/50-test.conf
is "not stale any more" "$(field STALE)" no
sed -i 's/^User=alice bob/User=bob/' /etc/security/nsclone.d/50-test.conf
is "stale: not isolated any more" "$(field STALE)" yes
is "the others are not" "$(field STALE bob)" no
sed -i 's/^User=bob/User=alice bob\nRemoteHost=!192.0.2.7/' /etc/security/nsclone.d/50-test.conf
is "stale: not from there" "$(field STALE)" yes
sed -i '/^RemoteHost=/d' /etc/security/nsclone.d/50-test.conf

#
# lingering, end
#
is "held" "$(field STATE bob)" held
"$N" run bob -- sh -c 'setsid sleep 1001 </dev/null >/dev/null 2>&1 & ' </dev/null
kill "${pids[1]}"
wait_until 5 is_field STATE lingering bob
is "lingering: a process is left" "$(field STATE bob)" lingering
is "it has a row without a session" "$("$N" list --json | jq -c '.worlds[] | select(.user == "bob") | [.service, .pid, .processes]')" '[null,null,1]'
run end carol
is "end of one who has none" "$rc" 1
run end nosuchuser
is "end of nobody" "$rc" 3
run end alice --world xyz
is "end: no id" "$rc" 2
run end alice --world "$(field WORLD bob)"
is "end of another's world" "$rc" 1
is "it lives on" "$(field STATE bob)" lingering
run end bob
is "end" "$rc $out" '0 '
fails "its process is gone" pgrep -f 'sleep 1001'
is "alice's lives on" "$(field PROCESSES)" 4
run end alice --world "$(field WORLD)"
is "end --world" "$rc $out" '0 '
is "nothing is left" "$("$N" list)" ''
lives carol
is "a PID namespace: the init is not counted" "$(field PROCESSES carol)" 2
run end carol --no-wait
is "end --no-wait" "$rc" 0
holds "it ends nevertheless" wait_until 5 nothing_listed

# Somebody has hidden in a mount namespace of his own, made below the world's: what is mounted there is in use.
lives bob
nsenter -t "${pids[-1]}" -m unshare --user --map-root-user --mount sleep 1003 &
wait_until 5 pgrep -f 'sleep 1003'
run end bob
is "end where somebody is hidden: not done" "$rc" 1
says "it says why" 'ending.*its directories are in use'
is "it is listed as ending" "$(field STATE bob)" ending
pkill -f 'sleep 1003'
holds "it ends when he does" wait_until 5 nothing_listed
host_unchanged "list and end"

#
# What the keeper's world takes with it: clean --record, by the keeper and by hand
#
lives alice
record=$(ls /run/nsclone/sessions)
run clean --record "$record"
is "clean --record of a world that is there" "$rc" 1
says "it says so" 'in use'
run clean
is "clean takes nothing of it either" "$rc $out" '0 '
run clean --record ../sessions
is "clean --record of no name" "$rc" 2
kill "${pids[0]}"
holds "the keeper has it cleaned" wait_until 10 no_records
is "nothing is left" "$(find /var/lib/nsclone -name '.session-*')" ''

#
# clean --older-than
#
printf '[Match]\nUser=alice bob\n[Session]\nPrivateTmp=persistent\n' | policy
"$N" run alice -- touch /tmp/kept </dev/null
"$N" run bob -- touch /tmp/kept </dev/null
wait_until 5 nothing_listed
run clean --older-than 1d
is "clean --older-than: too young" "$rc $out" '0 '
sleep 2.1
lives alice
run clean --older-than 0s --dry-run
says "--dry-run says what would go" '/var/lib/nsclone/20002/tmp +20002 +would be removed'
run clean --older-than "0 d 1s"
is "clean --older-than" "$rc" 0
says "of one who is not here" '/var/lib/nsclone/20002/tmp +20002 +removed'
holds "not of one who is" test -e /var/lib/nsclone/20001/tmp/kept
fails "it is gone" test -e /var/lib/nsclone/20002
for age in '' 12 m 3m 1x d5 '1d-' 99999999999999999999y; do
	run clean --older-than "$age"
	is "clean --older-than '$age' is none" "$rc" 2
done
run end alice
finish
