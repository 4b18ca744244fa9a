#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# One user, many doors, one world: a file, a unix socket and a SysV segment made in one session are there in all others.
# weight: 9
. "${0%/*}/lib.sh"

# What alice runs behind each door. The agent's socket is a unix socket that somebody answers.
cat >/home/alice/probe <<'END'
#!/bin/sh
cat /tmp/file
SSH_AUTH_SOCK=/tmp/socket ssh-add -l
echo "segments: $(awk 'NR > 1' /proc/sysvipc/shm | wc -l)"
uname -n
readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts
END
chmod 755 /home/alice/probe

usual_policy
first_login
host_before

# The user's manager is started by logind, inside sshd's pam_systemd: it is the first door, and sshd, which waits for it
# there, joins what it made.
first_door() {
	local -i started=$SECONDS
	local mark world

	mark=$(log_mark)
	hold alice 'echo one >/tmp/file; ssh-agent -a /tmp/socket >/dev/null; ipcmk -M 4096 >/dev/null'
	((SECONDS - started < 10)) && ok "first login: nobody waits for anybody for ever" ||
		not_ok "first login: nobody waits for anybody for ever" "$((SECONDS - started)) s"
	like "first login: the manager built, sshd joined" \
		"$(log_since "$mark" | sed -nE 's/.*pam_nsclone\((.*):session\): isolated user=alice .* (new|joined)( .*)?$/\1 \2/p' | tr '\n' ' ')" \
		'^systemd-user new sshd joined'
	world=$(ns_of "$(held alice)")
	is "first login: one world" "$(ns_of "$(manager_of alice)")" "$world"
	unlike "first login: not the host's" "$world" "$(host_ns mnt | sed 's/[][]/\\&/g')"
	wanted="one The agent has no identities. segments: 1 box-alice $world"
}

door() { # door NAME COMMAND...
	local name=$1

	shift
	is "door: $name" "$(limited "$@" 2>&1 </dev/null | tr -d '\r' | tr '\n' ' ')" "$wanted"
}

ssh_doors() {
	local -a master=("${ssh_options[@]}" -o "ControlPath=$WORK/control")

	door "ssh" ssh "${ssh_options[@]}" alice@127.0.0.1 ./probe
	door "ssh on a terminal" ssh "${ssh_options[@]}" -tt alice@127.0.0.1 ./probe
	limited ssh "${master[@]}" -M -N -f alice@127.0.0.1 </dev/null >/dev/null 2>&1
	door "ssh over a ControlMaster, first" ssh "${master[@]}" alice@127.0.0.1 ./probe
	door "ssh over a ControlMaster, second" ssh "${master[@]}" alice@127.0.0.1 ./probe
	limited ssh "${master[@]}" -O exit alice@127.0.0.1 2>/dev/null
	door "systemd-run --user" ssh "${ssh_options[@]}" alice@127.0.0.1 \
		'systemd-run --user --wait --pipe --quiet /home/alice/probe'
}

root_doors() {
	door "su -" su - alice -c ./probe
	door "su" su alice -c /home/alice/probe
	door "runuser -l" runuser -l alice -c ./probe
	door "sudo -u" sudo -u alice /home/alice/probe
	door "sudo -i" sudo -i -u alice ./probe
}

arrived() { # arrived FILE
	grep -q '^uts:' "$1"
}

job_doors() {
	echo './probe >by-at 2>&1' | limited su - alice -c 'at now' >/dev/null 2>&1
	echo '* * * * * ./probe >by-cron 2>&1' | crontab -u alice -
	wait_until 30 arrived /home/alice/by-at
	is "door: at" "$(tr '\n' ' ' </home/alice/by-at)" "$wanted"
	wait_until 75 arrived /home/alice/by-cron
	crontab -u alice -r
	is "door: cron" "$(tr '\n' ' ' </home/alice/by-cron)" "$wanted"
	rm -f /home/alice/by-{at,cron}
}

others() {
	is "bob finds nothing of hers" "$(limited su - bob -c 'ls -A /tmp; ls -A /dev/shm; awk "NR > 1" /proc/sysvipc/shm')" ''
	is "bob is not in her world" \
		"$(limited su - bob -c 'readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts' | grep -cF "$(ns_of "$(held alice)" | tr ' ' '\n' | grep .)")" 0
}

# What was started in one login is there in the next, though the session that started it is over.
terminal_multiplexer() {
	local attached

	ssh_as alice 'tmux new-session -d -s work "echo here >/tmp/by-tmux; exec sleep 1000"'
	wait_until 15 sh_alice 'test -s /tmp/by-tmux'
	like "tmux: the next login finds its server" "$(ssh_as alice 'tmux list-sessions')" '^work: '
	ssh_as alice -tt 'TERM=xterm tmux attach -t work' >"$WORK/attached" 2>&1 &
	attached=$!
	wait_until 15 sh_alice 'test -n "$(tmux list-clients -t work)"'
	like "tmux: it is attached from the next login" "$(ssh_as alice 'tmux list-clients -t work')" 'pts/'
	ssh_as alice 'tmux detach-client -s work'
	wait "$attached"
	like "tmux: and detached" "$(tr -d '\r' <"$WORK/attached")" 'detached \(from session work\)'
	is "tmux: what it wrote is there" "$(ssh_as alice 'cat /tmp/by-tmux')" here
	ssh_as alice 'tmux kill-server'
}

sh_alice() {
	ssh_as alice "$1"
}

# tmux is all that is left of her; her world is there as long as it is.
outlives_logout() {
	ssh_as alice 'echo kept >/tmp/kept; tmux new-session -d -s work "exec sleep 1000"'
	wait_until 20 no_ssh || not_ok "outlives logout: sshd is gone"
	is "outlives logout: the next login is in the world of her tmux" \
		"$(ssh_as alice 'cat /tmp/kept; tmux list-sessions -F "#S"' | tr '\n' ' ')" 'kept work '
	ssh_as alice 'tmux kill-server'
}

no_ssh() {
	! pgrep -f '^sshd: alice' >/dev/null
}

first_door
ssh_doors
root_doors
job_doors
others
terminal_multiplexer
pkill -u alice -x ssh-agent
release alice
host_after "doors"
no_failed_units "doors"
outlives_logout
host_after "outlives logout"
is "the world is gone: nothing of it in the next" "$(ssh_as alice 'ls -A /tmp; ls -A /dev/shm')" ''
everybody_out "next"

readonly COMMAND='[ "$(readlink /proc/self/ns/mnt)" = "$(systemd-run --user --wait --pipe -q readlink /proc/self/ns/mnt)" ] && echo same'
ten_times "ten logins, one right after the other" "$COMMAND" 'same ' true
ten_times "ten logins, each when all is gone" "$COMMAND" 'same ' wait_until 20 nobody_in
finish
