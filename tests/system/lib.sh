# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What tests on a booted machine share (run.sh boots one for each). A test begins with
#
#     . "${0%/*}/lib.sh"
#
# and ends with `finish`; in between it speaks the language of tests/lib.sh. It runs as root, as a system service.
#
# "host" is this machine. UserStopDelaySec= is 0: with her last session a user's manager ends, too.
# shellcheck disable=SC2034 # for tests/lib.sh
NSC_WORLD=booted
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"

readonly KEY=/root/work/user_key
ssh_options=(-F none -i "$KEY" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
	-o LogLevel=ERROR -o IdentitiesOnly=yes)

ssh_as() { # ssh_as USER [OPTION...] [COMMAND...]
	local user=$1

	shift
	timeout "${patience:-40}" ssh "${ssh_options[@]}" "$user@127.0.0.1" "$@" </dev/null
}

# Commands that wait for others. On a failure the journal is shown anyway.
limited() { # limited COMMAND...
	timeout -k 2 40 "$@"
}

#
# The journal
#
log_mark() { # a cursor
	journalctl --sync
	journalctl -n 0 --show-cursor -q | sed -n 's/^-- cursor: //p'
}

log_since() { # log_since MARK
	journalctl --sync
	journalctl -q --no-pager -o short --after-cursor "$1"
}

sync_log() {
	journalctl --sync
}

log_has() { # log_has MARK EXTENDED-REGEX
	log_since "$1" | grep -Eq "$2"
}

#
# The keeper
#
keeper() { # its pid; 0: it does not run
	systemctl show -P MainPID nsclone-keeper.service
}

kill_keeper() { # not the inits that it has started
	limited systemctl kill --kill-whom=main --signal=KILL nsclone-keeper.service
}

eval "$(declare -f host_processes | sed '1s/host_processes/all_processes/')"

host_processes() { # the keeper may be started over
	local all

	all=$(all_processes) # not through a pipe: it would see the other end
	sed -E 's|^[0-9]+ (.*/nsclone-keeper)( \(deleted\))?$|\1|' <<<"$all" | sort
}

init_of() { # init_of PID: process 1 of its PID namespace, by the pid it has here
	local dir ns

	ns=$(readlink "/proc/$1/ns/pid")
	for dir in /proc/[0-9]*; do
		[[ $(readlink "$dir/ns/pid") = "$ns" && $(sed -n 's/^NSpid:.*\t//p' "$dir/status") = 1 ]] && echo "${dir#/proc/}"
	done 2>/dev/null
}

#
# Sessions
#
sessions() { # logind's
	loginctl --no-legend list-sessions | awk '{ print $1 }'
}

sessions_of() { # sessions_of USER
	loginctl --no-legend list-sessions | awk -v user="$1" '$3 == user { print $1 }'
}

session_of() { # session_of PID: by its cgroup
	sed -nE 's|.*/session-(c?[0-9]+)\.scope.*|\1|p' "/proc/$1/cgroup" | head -n 1
}

processes_of() { # processes_of USER: pids
	pgrep -u "$(id -u "$1")"
}

nobody_in() { # no session, no manager, no process of a user's, no world that the keeper holds
	local name

	[[ -z $(sessions) && -z $(limited nsclone list --noheadings 2>/dev/null) ]] || return 1
	for name in alice bob carol dave; do
		! processes_of "$name" >/dev/null || return 1
		! systemctl is-active -q "user@$(id -u "$name").service" || return 1
		[[ ! -e /run/user/$(id -u "$name") ]] || return 1
	done
	! pgrep -f '^sshd: .*@|^sshd: .*\[priv\]' >/dev/null
}

everybody_out() { # everybody_out NAME: waits for it
	if wait_until 25 nobody_in; then
		return 0
	fi
	not_ok "$1: everybody is out" "sessions: $(sessions | tr '\n' ' ')" "$(ps axfo pid,user,args)"
	pkill -KILL -u alice,bob,carol,dave # what comes next shall not fail for it
	return 1
}

failed_units() { # the system's
	systemctl --no-legend --plain list-units --state=failed | awk '{ print $1 }'
}

one_each() { # at most one record of a session a user
	[[ -z $(find /run/nsclone/sessions -mindepth 1 -printf '%f\n' | cut -d- -f1 | sort | uniq -d) ]]
}

# (sd-pam) is alice when it closes, or killed before: what the manager's session leaves is collected by her next login
# or by `nsclone clean`. It may not pile up.
host_after() { # host_after NAME
	everybody_out "$1"
	wait_until 10 one_each || not_ok "$1: sessions do not pile up" "$(ls -l /run/nsclone/sessions)"
	limited nsclone clean >/dev/null 2>&1 || not_ok "$1: nsclone clean" "$(nsclone clean 2>&1)"
	host_unchanged "$1"
}

# What is taken for granted before host_before: the first login makes what is kept, and starts what stays.
first_login() {
	ssh_as alice true
	everybody_out "before"
	limited nsclone clean >/dev/null
}

no_failed_units() { # no_failed_units NAME
	is "$1: no failed units" "$(failed_units)" ''
}

manager_of() { # manager_of USER: pid of user@UID.service's systemd
	systemctl show -P MainPID "user@$(id -u "$1").service"
}

# A session by ssh that stays until `release`. COMMAND is run in it first; its output is in /home/USER/out.
hold() { # hold USER [COMMAND]
	rm -f "/home/$1"/{go,pid,out}
	patience=160 ssh_as "$1" "{ ${2-true}; } >out 2>&1; echo \$\$ >pid; until test -e go; do sleep 0.1; done" >/dev/null 2>&1 &
	holder=$!
	wait_until 30 test -s "/home/$1/pid"
}

held() { # held USER: the pid of the shell that waits
	cat "/home/$1/pid"
}

release() { # release USER
	touch "/home/$1/go"
	wait "$holder" || not_ok "the session of $1 that was held ends well" "$?"
	rm -f "/home/$1"/{go,pid,out}
}

ns_of() { # ns_of PID: the three that every world has
	local kind

	for kind in mnt ipc uts; do
		readlink "/proc/$1/ns/$kind"
	done | tr '\n' ' '
}

# UserStopDelaySec=0: the manager goes with each logout, and the next login comes while it is going or when it is gone.
ten_times() { # ten_times NAME COMMAND WANTED BETWEEN...: what alice's COMMAND says each time, and what is done between
	local name=$1 command=$2 wanted=$3 came i trouble=

	shift 3
	for i in {1..10}; do
		came=$(ssh_as alice "$command" 2>&1 | tr '\n' ' ')
		[[ $came = "$wanted" ]] || trouble+="$i: $came; "
		"$@"
	done
	is "$name: all ten got what they came for" "$trouble" ''
	host_after "$name"
	no_failed_units "$name"
}

settle() {
	wait_until 60 running || not_ok "the machine has booted" "$(systemctl is-system-running)" "$(systemctl list-jobs --no-pager)"
}

running() {
	[[ $(systemctl is-system-running) != @(initializing|starting) ]]
}

# The policy of most tests.
# shellcheck disable=SC2120 # each test passes what it needs
usual_policy() { # usual_policy [LINE...]: more lines for the [Session]
	{
		cat <<-'END'
			[Match]
			User=alice bob

			[Session]
			PrivateTmp=yes
			PrivateDevShm=yes:size=16M
			PrivateIPC=yes
			ProtectHostname=yes:box-%u
		END
		[[ $# = 0 ]] || printf '%s\n' "$@"
	} | policy
}

settle
