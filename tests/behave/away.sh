#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A keeper that is started by a login: whoever starts it leaves nothing of itself in it, exactly one comes of twenty
# logins at once, and where it must not be started it is not. (outage.sh has what happens when it goes away.)
# weight: 3
. "${0%/*}/../lib.sh"
. "${0%/*}/../worlds.sh"

install_keeper
service nsctest
full_policy

end_keeper() {
	local pid

	pid=$(keeper_pid) || return
	kill -9 "$pid"
	wait_until 5 test ! -e "/proc/$pid/exe"
}

status() { # status KEEPER WORD
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

#
# What it has of the daemon
#
# A daemon with all that it could pass on: a unit's namespaces, a terminal, open files, variables, a directory, a mask,
# ignored and blocked signals. It is in no login (--ruser), so its hardening is left behind as the keeper's is.
cat >"$WORK/daemon" <<END
#!/bin/bash
umask 077
cd /tmp
trap '' HUP INT TERM USR1
export DAEMON=yes LD_LIBRARY_PATH=/nowhere
exec 7</etc/passwd 8>/root/log 9<>/root/log
exec $LOGIN alice -- true >$WORK/out 2>&1
END
chmod +x "$WORK/daemon"
host_before
timeout 30 /opt/nsclone/pty -- unshare --mount --uts --ipc --net "$WORK/daemon" >"$WORK/pty" 2>&1
like "a hardened daemon's login" "$(cat "$WORK/out")" "^open 0 Success"
wait_until 5 eval '[[ $(n_keepers) = 1 ]]'
keeper=$(keeper_pid)
is "there is a keeper" "$(n_keepers)" 1
wait_until 5 eval '[[ $(status "$keeper" CapPrm) != 000001ffffffffff ]]'
for kind in mnt ipc uts net pid cgroup user; do
	is "the keeper's $kind namespace is the host's" "$(readlink "/proc/$keeper/ns/$kind")" "$(host_ns "$kind")"
done
is "its directories" "$(readlink "/proc/$keeper/cwd" "/proc/$keeper/root" | tr '\n' ' ')" "/ / "
is "its variables" "$(tr '\0' '\n' <"/proc/$keeper/environ" | sed 's/=.*//' | sort | tr '\n' ' ')" "LISTEN_FDS LISTEN_PID PATH "
is "its blocked and ignored signals, but SIGPIPE" "$(status "$keeper" SigBlk) $(status "$keeper" SigIgn)" "0000000000000000 0000000000001000"
is "its umask" "$(status "$keeper" Umask)" 0022
is "its session, without a terminal" "$(awk '{ sub(/.*\) /, ""); print $4 == pid, $5 }' pid="$keeper" "/proc/$keeper/stat")" "1 0"
is "its standard descriptors" "$(readlink "/proc/$keeper"/fd/[012] | sort -u)" /dev/null
is "no file of the daemon's" "$(find "/proc/$keeper/fd" -type l -printf '%l\n' | grep -Ev '^(/dev/null|socket:|anon_inode:|/run/nsclone|(mnt|ipc|uts|net|pid|cgroup|user):\[)')" ""
is "its parent is process 1" "$(status "$keeper" PPid)" 1
end_keeper

#
# Exactly one
#
rm -f /run/nsclone/keeper.*
: >"$WORK/gate"
timeout 60 "$LOGIN" --parallel 20 --wait-for "$WORK/gate" --quiet alice -- readlink /proc/self/ns/mnt >"$WORK/out" 2>&1 &
logins=$!
sleep 0.3
rm "$WORK/gate"
wait "$logins"
is "twenty first logins at once: all get in" "$? $(grep -c '^mnt:' "$WORK/out")" "0 20"
is "twenty first logins at once: one keeper" "$(n_keepers)" 1
end_keeper
is "its socket is left" "$(find /run/nsclone -name keeper.sock)" /run/nsclone/keeper.sock
: >/run/nsclone/keeper.new
gets "after one that was killed" own alice
is "another has taken its place" "$(n_keepers) $(find /run/nsclone -name keeper.new)" "1 "
end_keeper

#
# None
#
refuses_to_start() { # refuses_to_start NAME: isolated all the same
	gets "$1" own alice
	is "$1: no keeper" "$(n_keepers)" 0
}

chown alice /usr/lib/nsclone/nsclone-keeper
refuses_to_start "the program is alice's"
chown root /usr/lib/nsclone/nsclone-keeper
chmod g+w /usr/lib/nsclone/nsclone-keeper
refuses_to_start "the program can be written to"
chmod g-w /usr/lib/nsclone/nsclone-keeper
mkdir -p /run/systemd/system
refuses_to_start "systemd would have started it"
rmdir /run/systemd/system /run/systemd

# Somebody who was stopped with the lock in his hand.
rm -f /run/nsclone/keeper.sock
flock /run/nsclone/keeper.lock sh -c 'kill -STOP $$' &
stopped=$!
wait_until 5 eval '! flock -n /run/nsclone/keeper.lock true'
out=$(timeout 30 "$LOGIN" alice -- uname -n 2>&1)
like "the lock is held for ever: she gets in" "$out" 'open 0 Success.*box-alice'
is "the lock is held for ever: no keeper" "$(n_keepers)" 0
for dir in /proc/[0-9]*; do
	[[ $(status "${dir#/proc/}" PPid) != "$stopped" ]] || kill -9 "${dir#/proc/}"
done
wait "$stopped" 2>/dev/null
gets "the lock is free again" own alice
is "the lock is free again: one keeper" "$(n_keepers)" 1
sync_log
is "why is in the log" "$(grep -c 'nsclone-keeper cannot be reached: Operation not permitted' "$LOG" | sed 's/[1-9].*/some/')" some
end_keeper
/opt/nsclone/nsclone clean >/dev/null 2>&1
rm -rf /run/nsclone/worlds /run/nsclone/keeper.* /root/log
host_unchanged "keepers"
finish
