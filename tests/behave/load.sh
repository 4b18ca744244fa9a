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
# namespaces are freed later, by a worker; every detached mount counts as a mount namespace.) No ProtectProc=: the PID
# namespace is not that user namespace's.
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

map_all() { # map_all PID: all ids that there are, to themselves; the kernel wants it in one write
	local kind text

	for kind in uid gid; do
		text=$(awk '{ print $1, $1, $3 }' "/proc/self/${kind}_map")
		printf '%s\n' "$text" >"/proc/$1/${kind}_map"
	done
}

limited() { # the one process of that user namespace that waits for its map; of one that has ended it is empty, too
	local dir

	for dir in /proc/[0-9]*; do
		[[ $(readlink "$dir/exe" 2>/dev/null) = */bash && -z $(cat "$dir/uid_map" 2>/dev/null) ]] && basename "$dir" && return
	done
	return 1
}

in_a_user_namespace() { # COMMAND...
	timeout 60 unshare --user --mount --ipc --uts --net bash "$WORK/wait" "$@" &
	wait_until 5 limited
	map_all "$(limited)"
	wait "$!"
}

logins=("$WORK/limited" "$LOGIN" --times 200 --quiet alice -- true)
if [[ $NSC_WORLD = root ]]; then
	in_a_user_namespace "${logins[@]}" >"$WORK/out" 2>&1
else # the world is in one
	bash "${logins[@]}" >"$WORK/out" 2>&1
fi
is "200 logins where there may be 24 namespaces of a kind" "$?$(head -n 5 "$WORK/out")" 0
finish
