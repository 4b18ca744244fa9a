# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The real daemons that behaviour tests log in through, on loopback and in the scratch world. Sourced after lib.sh.

readonly SSHD_PORT=2222
sshd_pid=

# start_sshd [LINE...]: keys for all users, more lines for sshd_config
start_sshd() {
	local name

	if [[ ! -e $WORK/host_key ]]; then
		ssh-keygen -q -t ed25519 -N '' -f "$WORK/host_key"
		ssh-keygen -q -t ed25519 -N '' -f "$WORK/user_key"
		for name in alice bob carol dave; do
			install -m 600 -o "$name" -g "$name" "$WORK/user_key.pub" "/home/$name/.ssh/authorized_keys"
		done
	fi
	cat >"$WORK/sshd_config" <<-END
		ListenAddress 127.0.0.1
		Port $SSHD_PORT
		HostKey $WORK/host_key
		PidFile none
		UsePAM yes
		PermitRootLogin no
		StrictModes yes
		PrintMotd no
		PrintLastLog no
		UseDNS no
		Subsystem sftp internal-sftp
		$(printf '%s\n' "$@")
	END
	printf '127.0.0.1 localhost\n' >/etc/hosts
	"$(command -v sshd)" -D -f "$WORK/sshd_config" >/dev/null 2>&1 </dev/null &
	sshd_pid=$!
	wait_until 10 test_port || not_ok "sshd starts" "$(grep sshd "$LOG")"
	wait_until 10 ssh_is_over # what answered to test_port
}

test_port() {
	: </dev/tcp/127.0.0.1/$SSHD_PORT
}

stop_sshd() {
	kill "$sshd_pid"
	wait "$sshd_pid"
} 2>/dev/null

ssh_options=(-F none -o "Port=$SSHD_PORT" -i "$WORK/user_key" -o BatchMode=yes -o StrictHostKeyChecking=no
	-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes)

sftp_as() { # sftp_as USER: commands from stdin
	timeout 30 sftp -q "${ssh_options[@]}" -b - "$1@127.0.0.1" 2>&1
}

ssh_as() { # ssh_as USER [OPTION...] [COMMAND...]
	local user=$1

	shift
	timeout 30 ssh "${ssh_options[@]}" "$user@127.0.0.1" "$@" </dev/null
}

# Sessions end when the server says so, not when the client has its answer.
ssh_is_over() {
	local dir

	for dir in /proc/[0-9]*; do
		[[ $(readlink "$dir/exe") != */sshd || ${dir#/proc/} = "$sshd_pid" ]] || return 1
	done
}

pgrep_exact() { # pgrep_exact PREFIX: pids of processes whose title begins so
	local dir title

	for dir in /proc/[0-9]*; do
		title=$(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null) || continue
		[[ $title = "$1"* && $title != *"[listener]"* ]] && echo "${dir#/proc/}"
	done | grep .
}

cron_daemon() { # its name here, where it knows PAM
	command -v cron || command -v crond
}

cron_service() {
	[[ $(cron_daemon) = */crond ]] && echo crond || echo cron
}

# Jobs are @reboot ones: they go the same way as others, and run when the daemon starts.
crontab_of() { # crontab_of USER COMMAND
	local file=/var/spool/cron/crontabs/$1

	[[ $(cron_service) = cron ]] || file=/var/spool/cron/$1
	printf 'MAILTO=""\n@reboot %s\n' "$2" >"$file"
	chown "$1" "$file"
	chmod 600 "$file"
}

run_cron() { # run_cron FILE...: until each is there, or for ten seconds
	local daemon file

	rm -f /run/crond.reboot /run/cron.reboot "$@"
	"$(cron_daemon)" -f >"$WORK/cron.log" 2>&1 </dev/null &
	daemon=$!
	for file; do
		wait_until 10 test -s "$file"
	done
	sleep 0.3
	kill "$daemon"
	wait "$daemon"
	rm -f /run/crond.pid
} 2>/dev/null
