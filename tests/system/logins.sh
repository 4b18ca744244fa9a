#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sshd, login, su and sudo on a booted machine: each session has its world, and logind, utmp and the journal know of it.
# weight: 3
. "${0%/*}/lib.sh"

usual_policy Scope=session
first_login
host_before

# kinds FILE: the namespaces in what `look` wrote, that are the host's
shared() {
	local kind

	for kind in mnt ipc uts; do
		[[ $(seen "$1" "ns_$kind") != "$(host_ns "$kind")" ]] || echo "$kind is the host's"
		[[ $(seen "$1" "ns_$kind") ]] || echo "no $kind"
	done
}

inside() { # inside NAME FILE USER: a world of her own
	is "$1: namespaces of her own" "$(shared "$2")" ''
	is "$1: her own /tmp, /var/tmp and /dev/shm" "$(seen "$2" tmp)|$(seen "$2" vartmp)|$(seen "$2" shm)" "inside-$3||inside-$3"
	is "$1: her host name" "$(seen "$2" host)" "box-$3"
	is "$1: nothing leaks in" "$(grep -E '^(leaked|trouble) ' "$2"; grep '^fd ' "$2" | grep -Ev '^fd ([0-2] |[0-9]+ /opt/nsclone/look$)')" ''
}

by_ssh() {
	local mark

	echo host >/tmp/host-file
	mark=$(log_mark)
	ssh_as alice "$LOOK" >"$WORK/exec" 2>&1
	inside "ssh exec" "$WORK/exec" alice
	ssh_as alice -tt "$LOOK" 2>&1 | tr -d '\r' >"$WORK/pty"
	inside "ssh on a terminal" "$WORK/pty" alice
	everybody_out "ssh"
	rm /tmp/host-file
	holds "the journal: sshd opened and closed alice's session" \
		log_has "$mark" 'sshd.*pam_unix\(sshd:session\): session closed for user alice'
	holds "the journal: the module's line of audit" log_has "$mark" 'sshd.*pam_nsclone.*alice'
	holds "the journal: logind's new session" log_has "$mark" 'systemd-logind.*New session .* of user alice'
	holds "the journal: logind's session is over" log_has "$mark" 'systemd-logind.*Removed session'
	host_after "ssh"
}

# logind is asked over the host's bus, by the module before ours: it must have the right process, user and scope.
registered() {
	local id pid uid

	hold alice
	pid=$(held alice)
	uid=$(id -u alice)
	id=$(session_of "$pid")
	like "logind: her shell is in the scope of a session" "$id" '^c?[0-9]+$'
	is "logind: of this user, by sshd, alive" \
		"$(loginctl show-session "$id" -P User -P Service -P State | tr '\n' ' ')" "$uid sshd active "
	is "logind: the scope is in her slice" "$(systemctl show -P Slice "session-$id.scope")" "user-$uid.slice"
	like "logind: its leader is sshd" "$(readlink "/proc/$(loginctl show-session "$id" -P Leader)/exe")" '/sshd'
	is "/run/user of hers is there inside" "$(nsenter -t "$pid" -m stat -c '%F %u %a' "/run/user/$uid")" "directory $uid 700"
	is "she sees her session from inside" "$(ssh_as alice "loginctl --no-legend list-sessions" | awk -v id="$id" '$1 == id { print $3 }')" alice
	release alice
	everybody_out "registered"
	is "logind: the scope ends at logout" "$(systemctl is-active "session-$id.scope")" inactive
	host_after "registered"
}

# With a terminal and a line in utmp, before and after.
in_utmp() {
	rm -f /home/alice/go
	ssh_as alice -tt 'until test -e go; do sleep 0.1; done' >/dev/null 2>&1 &
	wait_until 20 logged_in
	like "who: alice is there" "$(who)" '^alice +pts/'
	touch /home/alice/go
	wait "$!"
	everybody_out "utmp"
	rm -f /home/alice/go
	is "who: she is not there any more" "$(who | grep -c '^alice')" 0
	like "last: login and logout" "$(last -w alice)" 'alice +pts/[0-9]+ +127\.0\.0\.1 .* - [0-9]{2}:[0-9]{2}'
	host_after "utmp"
}

logged_in() {
	who | grep -q '^alice'
}

by_login() {
	/opt/nsclone/pty -e 'login: ' -s alice -e assword: -s secret -e 'alice> ' -s "$LOOK; exit" -- login 2>&1 |
		tr -d '\r' >"$WORK/login"
	inside "login" "$WORK/login" alice
	everybody_out "login"
	like "last: login(1), too" "$(last -w alice | head -n 1)" '^alice +pts/[0-9]+ '
	host_after "login"
}

by_su_and_sudo() {
	limited su - bob -c "$LOOK" >"$WORK/su" 2>&1
	inside "su -" "$WORK/su" bob
	limited su bob -c "$LOOK" >"$WORK/su" 2>&1
	inside "su" "$WORK/su" bob
	limited runuser -u bob -- "$LOOK" >"$WORK/su" 2>&1
	inside "runuser -u" "$WORK/su" bob
	limited runuser -l bob -c "$LOOK" >"$WORK/su" 2>&1
	inside "runuser -l" "$WORK/su" bob
	limited sudo -u bob "$LOOK" >"$WORK/sudo" 2>&1
	inside "sudo" "$WORK/sudo" bob
	limited sudo -i -u bob "$LOOK" >"$WORK/sudo" 2>&1
	inside "sudo -i" "$WORK/sudo" bob
	is "sudo to root: on the host" "$(sudo readlink /proc/self/ns/mnt)" "$(host_ns mnt)"
	host_after "su and sudo"
}

by_ssh
registered
in_utmp
by_login
by_su_and_sudo
no_failed_units "after all logins"
finish
