#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Many logins leak nothing: no process, mount, namespace, directory, descriptor.
# weight: 4
. "${0%/*}/../lib.sh"

service nsctest
full_policy
login alice -- true >/dev/null
host_before

login --times 500 --quiet alice -- true >"$WORK/out"
is "500 logins in one process" "$?$(cat "$WORK/out")" 0
host_unchanged "500 logins"

: >"$WORK/gate"
"$LOGIN" --parallel 30 --times 5 --wait-for "$WORK/gate" --quiet alice -- true >"$WORK/out" 2>&1 &
logins=$!
sleep 0.3
rm "$WORK/gate"
wait "$logins"
is "30 users' processes at once, 5 times" "$?$(cat "$WORK/out")" 0
host_unchanged "30 at once"

rule User=alice PrivateTmp=persistent PrivateDirectory=/srv | policy
rm -rf /var/lib/nsclone/*
: >"$WORK/gate"
"$LOGIN" --parallel 30 --times 2 --wait-for "$WORK/gate" --quiet alice -- sh -c 'echo x >>/tmp/log' >"$WORK/out" 2>&1 &
logins=$!
sleep 0.3
rm "$WORK/gate"
wait "$logins"
is "30 first logins at once, one kept directory" "$?$(cat "$WORK/out")" 0
is "all of them had the same" "$(login --quiet alice -- wc -l /tmp/log | cut -d' ' -f1)" 60
is "no half-made directory is left" "$(find /var/lib/nsclone -name '.*' -mindepth 1)" ""
rm -rf /var/lib/nsclone/*
host_unchanged "30 first logins"

# The kernel counts namespaces by user namespace: in one of our own, with low limits, a leak runs out soon. (Network
# namespaces are freed later, by a worker; every detached mount counts as a mount namespace.) No ProtectProc=: the PID namespace is not that user namespace's.
rule User=alice PrivateTmp=yes PrivateDevShm=yes PrivateIPC=yes ProtectHostname=yes PrivateNetwork=yes | policy
cat >"$WORK/wait" <<-'END'
	until grep -q . /proc/self/uid_map; do sleep 0.01; done
	exec bash "$@" # who is root gets his capabilities by exec
END
cat >"$WORK/limited" <<-'END'
	for kind in mnt ipc uts; do echo 24 >/proc/sys/user/max_${kind}_namespaces; done
	echo 120 >/proc/sys/user/max_net_namespaces
	exec "$@"
END
unshare --user --mount --ipc --uts --net bash "$WORK/wait" "$WORK/limited" "$LOGIN" --times 200 --quiet alice -- true >"$WORK/out" 2>&1 &
limited=$!
until [[ $(readlink "/proc/$limited/ns/user") != "$(host_ns user)" ]]; do sleep 0.01; done
echo 0 0 4294967295 >"/proc/$limited/uid_map"
echo 0 0 4294967295 >"/proc/$limited/gid_map"
wait "$limited"

is "200 logins where there may be 24 namespaces of a kind" "$?$(head -n 5 "$WORK/out")" 0
finish
