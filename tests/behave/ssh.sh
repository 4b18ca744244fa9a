#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The OpenSSH server: exec, terminal, sftp, several commands over one connection, the agent, and isolation that fails.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"

service sshd
full_policy
host_treasure
start_sshd "AllowAgentForwarding yes"
ssh_as alice true # what is made once and kept
wait_until 5 ssh_is_over
host_before

exec_and_terminal() {
	ssh_as alice "$LOOK" >"$WORK/exec" 2>&1
	view "ssh exec" "$WORK/exec" alice
	ssh_as alice -tt "$LOOK" >"$WORK/pty" 2>&1
	view "ssh on a terminal" "$WORK/pty" alice
	wait_until 5 ssh_is_over
	host_unchanged "ssh"
}

# A session's /tmp is its own: not that of another user who is there at the same time, nor of another session's.
at_the_same_time() {
	local alice bob

	ssh_as alice "sleep 2; $LOOK" >"$WORK/alice" 2>&1 &
	alice=$!
	ssh_as bob "sleep 2; $LOOK" >"$WORK/bob" 2>&1 &
	bob=$!
	wait "$alice" "$bob"
	view "two at the same time" "$WORK/alice" alice
	view "two at the same time" "$WORK/bob" bob
	if [[ $(seen "$WORK/alice" ns_mnt) = "$(seen "$WORK/bob" ns_mnt)" ]]; then
		not_ok "two users have two mount namespaces"
	else
		ok "two users have two mount namespaces"
	fi
	wait_until 5 ssh_is_over
	host_unchanged "two at the same time"
}

sftp_in() {
	echo payload >"$WORK/payload"
	printf 'put %s /tmp/by-sftp\nls /tmp\nget /tmp/by-sftp %s\nls /var/tmp\n' "$WORK/payload" "$WORK/back" |
		sftp_as alice >"$WORK/sftp"
	is "sftp writes to the session's /tmp" "$(cat "$WORK/back" 2>&1)" payload
	unlike "sftp does not see the host's /tmp" "$(cat "$WORK/sftp")" host-file
	fails "what sftp wrote is not in the host's /tmp" test -e /tmp/by-sftp
	wait_until 5 ssh_is_over
	host_unchanged "sftp"
}

control_master() {
	local -a master=(-o "ControlPath=$WORK/control")

	timeout 60 ssh "${ssh_options[@]:?}" "${master[@]}" -M -N -f alice@127.0.0.1 </dev/null >/dev/null 2>&1
	ssh_as alice "${master[@]}" "echo one >/tmp/shared; readlink /proc/self/ns/mnt" >"$WORK/first" 2>&1
	ssh_as alice "${master[@]}" "cat /tmp/shared; readlink /proc/self/ns/mnt" >"$WORK/second" 2>&1
	is "two commands of one connection share /tmp" "$(head -n 1 "$WORK/second")" one
	is "two commands of one connection share a mount namespace" "$(tail -n 1 "$WORK/second")" "$(cat "$WORK/first")"
	ssh "${ssh_options[@]:?}" "${master[@]}" -O exit alice@127.0.0.1 2>/dev/null
	wait_until 5 ssh_is_over
	host_unchanged "ControlMaster"
}

agent() {
	eval "$(ssh-agent -s)" >/dev/null
	ssh-add -q "$WORK/user_key"
	ssh_as alice -A 'echo "$SSH_AUTH_SOCK"; ssh-add -l' >"$WORK/agent" 2>&1
	like "a forwarded agent is reached from within" "$(cat "$WORK/agent")" 'ED25519'
	like "its socket is in the session's /tmp" "$(cat "$WORK/agent")" '^/(tmp|home/alice)/'
	ssh-agent -k >/dev/null
	unset SSH_AUTH_SOCK SSH_AGENT_PID
	rm -rf /root/.ssh
	wait_until 5 ssh_is_over
	host_unchanged "agent"
}

# sshd runs its child without exec: what the module keeps open between open and close is in that child, too. Only
# descriptors of namespaces may be; a directory of the host's tree would be a way out.
held_by_the_child() {
	local pid

	ssh_as alice 'until test -e go; do sleep 0.1; done' &
	wait_until 10 pgrep_exact 'sshd: alice@'
	for pid in $(pgrep_exact 'sshd: alice@'); do
		find "/proc/$pid/fd" -type l -printf '%l\n'
	done >"$WORK/held"
	like "sshd's child of the user is there to be looked at" "$(cat "$WORK/held")" 'socket:'
	unlike "sshd's child of the user holds no directory" "$(grep '^/' "$WORK/held" | grep -v '^/dev/')" .
	touch /home/alice/go
	wait "$!"
	rm /home/alice/go
	wait_until 10 ssh_is_over
}

# The monitor is killed: nobody closes, her process lives on in her world, and is collected when it is gone.
monitor_killed() {
	local pid monitor

	host_before
	ssh_as alice 'echo mine >/tmp/mine; echo $$ >pid; exec sleep 1000' >/dev/null 2>&1 &
	wait_until 10 test -s /home/alice/pid
	pid=$(cat /home/alice/pid)
	monitor=$(pgrep_exact 'sshd: alice [priv]')
	kill -9 "$monitor"
	is "a killed monitor: what her process uses stays" "$(nsenter -t "$pid" -m cat /tmp/mine 2>&1)" mine
	is "a killed monitor: she gets in again" "$(ssh_as alice 'ls -A /tmp; echo in' 2>&1)" in
	kill -9 "$pid"
	wait "$!" 2>/dev/null
	rm /home/alice/pid
	wait_until 10 ssh_is_over
	ssh_as alice true
	wait_until 10 ssh_is_over
	host_unchanged "a killed monitor"
}

# What is confined later, by sshd itself, is confined in the private world.
chrooted_sftp() {
	stop_sshd
	start_sshd "Match User alice" "ChrootDirectory /srv" "ForceCommand internal-sftp"
	mkdir -m 755 /srv/inside
	printf 'ls /\n' | sftp_as alice >"$WORK/chrooted"
	like "sftp in a ChrootDirectory" "$(cat "$WORK/chrooted")" /inside
	rmdir /srv/inside
	wait_until 10 ssh_is_over
	stop_sshd
	start_sshd
}

# An isolation that cannot be had. sshd goes on to tell the user, and starts nothing.
failing() {
	local mark

	echo blocked >/var/lib/blocker
	full_policy 'InstanceRoot=/var/lib/blocker'
	host_before
	mark=$(log_mark)
	ssh_as alice 'echo ran >/home/alice/ran; echo RAN' >"$WORK/failing" 2>&1
	unlike "ssh: failing isolation stops the command" "$(tr '\n' ' ' <"$WORK/failing")" ' RAN '
	fails "ssh: failing isolation: nothing ran" test -e /home/alice/ran
	same_id "ssh" "$(cat "$WORK/failing")" "$mark"
	printf 'put %s /home/alice/x\n' "$WORK/payload" | sftp_as alice >/dev/null
	fails "sftp: failing isolation stops it" test -e /home/alice/x
	wait_until 5 ssh_is_over
	host_unchanged "ssh: failing isolation"
	is "ssh: dave, of whom no rule speaks, gets in" "$(ssh_as dave 'ls /tmp/host-file' 2>&1)" /tmp/host-file
	full_policy
}

exec_and_terminal
at_the_same_time
sftp_in
control_master
agent
held_by_the_child
monitor_killed
chrooted_sftp
failing
stop_sshd
finish
