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
# What it has of su(1), which is its caller's by the real uid
#
limits() { # limits PID: but that of open files, which the keeper raises
	grep -v '^Max open files' "/proc/$1/limits"
}

of_su() {
	local shell init

	service su
	service su-l
	full_policy PrivatePIDs=yes
	cat >/home/alice/become-bob <<-END
		ulimit -S -f 1000; ulimit -S -t 100; ulimit -S -q 1000; ulimit -S -l 64
		echo 500 >/proc/self/oom_score_adj
		exec nice -n 5 /opt/nsclone/pty -e assword: -s secret -- su - bob -c 'touch in; sleep 1000'
	END
	setpriv --reuid alice --regid alice --init-groups sh /home/alice/become-bob >"$WORK/out" 2>&1 &
	shell=$!
	holds "alice becomes bob" wait_until 20 test -e /home/bob/in
	keeper=$(keeper_pid)
	init=$(pgrep -x nsclone-init)
	is "of su: the keeper's ids and groups" "$(status "$keeper" Uid) $(status "$keeper" Gid) $(status "$keeper" Groups)" $'0\t0\t0\t0 0\t0\t0\t0 '
	is "of su: bob's init's user ids" "$(status "$init" Uid)" $'0\t0\t0\t0'
	is "of su: its limits" "$(limits "$keeper")" "$(limits 1)"
	is "of su: bob's init's limits" "$(limits "$init")" "$(limits 1)"
	is "of su: nobody kills it first, and it is as fast as others" \
		"$(cat /proc/{"$keeper","$init"}/oom_score_adj | tr '\n' ' ')$(ps -o ni= -p "$keeper,$init" | tr -d ' ' | tr '\n' ' ')" "0 0 0 0 "
	fails "of su: alice kills bob's init" setpriv --reuid alice --regid alice --init-groups kill -9 "$init"
	fails "of su: alice stops the keeper" setpriv --reuid alice --regid alice --init-groups kill -STOP "$keeper"
	like "of su: both go on" "$(status "$keeper" State) $(status "$init" State)" '^S .* S '
	kill -9 "$init"
	wait "$shell"
	rm -f /home/alice/become-bob /home/bob/in
	full_policy
	end_keeper
}

no_setuid "of su" || of_su

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
mv /run/nsclone/keeper.sock /run/nsclone/keeper.hidden
like "a second one that does not see the first: it ends, as it may not have the worlds" \
	"$(timeout 20 /usr/lib/nsclone/nsclone-keeper --foreground 2>&1; echo "$?")" 'another keeper has /run/nsclone/worlds.1$'
is "and has made no socket" "$(find /run/nsclone -name 'keeper.[sn]*' | sort | tr '\n' ' ')" ""
mv /run/nsclone/keeper.hidden /run/nsclone/keeper.sock
is "the first goes on" "$(n_keepers) $(mount_ns alice)" "1 own"
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
all_clean() { # the mounts of a keeper that was killed go in the kernel's own time
	/opt/nsclone/nsclone clean && [[ -z $(find /run/nsclone/sessions -mindepth 1) ]]
}
wait_until 10 all_clean
rm -rf /run/nsclone/worlds /run/nsclone/keeper.* /root/log
host_unchanged "keepers"
finish
