#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# PrivatePIDs=: its init, its /proc, every door, what it forbids, and what is left of it.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"

for name in sshd su su-l sudo login "$(cron_service)" nsctest systemd-user; do
	service "$name"
done
sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/{su,su-l,sudo}
echo 'ALL ALL=(ALL:ALL) NOPASSWD: ALL' >>/etc/sudoers
install_keeper
cp "$(command -v sleep)" /opt/nsclone/keepsake
cp "$(command -v sleep)" /opt/nsclone/hosts

# Who is there? The user, the PID namespace, and the names of all processes but this one.
cat >/opt/nsclone/see <<'END'
#!/bin/bash
user=$(id -un) ns=$(readlink /proc/self/ns/pid) list=
for dir in /proc/[0-9]*; do
	read -r name 2>/dev/null <"$dir/comm" && [[ ${dir#/proc/} != "$$" ]] && list+="$name "
done
echo "$user $ns" $(printf '%s\n' $list | LC_ALL=C sort)
END
chmod 755 /opt/nsclone/*
readonly SEE=/opt/nsclone/see

pids() { # pids [LINE...]: alice's rule
	rule User=alice PrivateTmp=yes PrivatePIDs=yes "$@" | policy
}

inits() { # how many there are
	cat /proc/[0-9]*/comm 2>/dev/null | grep -cx nsclone-init
}

no_inits() {
	[[ $(inits) = 0 ]]
}

init_pid() { # of the one that there is, as the host has it
	grep -lx nsclone-init /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3
}

hold() { # a process that keeps alice's world: "sees" is what is seen there
	login -q alice -- sh -c '/opt/nsclone/keepsake 1000 >/dev/null 2>&1 & echo' >/dev/null
	ns=$(login -q alice -- readlink /proc/self/ns/pid)
	sees="alice $ns keepsake nsclone-init"
}

let_go() {
	kill "$(pgrep -x keepsake)"
	wait_until 5 no_inits || not_ok "the world ends with its last process" "$(/opt/nsclone/nsclone list)"
}

#
# From inside
#
the_inside() {
	pids
	like "its process 1 is our init, and there is nobody else" "$(login -q alice -- "$SEE")" '^alice pid:\[[0-9]+\] nsclone-init$'
	unlike "it is not the host's" "$(login -q alice -- readlink /proc/self/ns/pid)" "$(host_ns pid | tr -dc 0-9)"
	is "processes that one has left are reaped" \
		"$(login -q alice -- bash -c 'for i in {1..20}; do (sleep 0.1 &) ; done; sleep 0.4; cat /proc/[0-9]*/stat | grep -c ") Z"')" \
		0$'\n'"exit 1 "
	is "orphans are the init's" "$(login -q alice -- sh -c '(sleep 0.2 & echo $!) >/tmp/pid; sed -n "s/^PPid:.//p" /proc/$(cat /tmp/pid)/status')" 1
	wait_until 5 no_inits
	pids ProtectProc=invisible
	like "ProtectProc=invisible: not even init is seen" "$(login -q alice -- "$SEE")" '^alice pid:\[[0-9]+\]$'
	pids ProtectProc=ptraceable
	like "ProtectProc=ptraceable: not even init is seen" "$(login -q alice -- "$SEE")" '^alice pid:\[[0-9]+\]$'
	pids ProtectProc=noaccess
	is "ProtectProc=noaccess: init is listed, and no more" "$(login -q alice -- sh -c 'ls -d /proc/1; cat /proc/1/comm' 2>&1)" \
		/proc/1$'\n'"cat: /proc/1/comm: Operation not permitted"$'\n'"exit 1 "
	pids ProcSubset=pid
	is "ProcSubset=pid: processes and nothing else" "$(login -q alice -- sh -c 'ls /proc | grep -Ev "^[0-9]+$"' | tr '\n' ' ')" \
		"self thread-self "
	pids ProtectProc=invisible ProcSubset=pid
	is "both" "$(login -q alice -- sh -c 'ls /proc | grep -Ev "^[0-9]+$"; ls -d /proc/1' 2>&1 | tr '\n' ' ')" \
		"self thread-self ls: cannot access '/proc/1': No such file or directory exit 2  "
	wait_until 5 no_inits
	host_unchanged "PrivatePIDs"
}

#
# The doors
#
door() { # door NAME GOT: her world, with the daemon's processes that are in it, or without
	like "$1 leads into it" "$2" "^alice ${ns//[^a-z0-9:]/.} (bash |cron |crond )*keepsake (login )?nsclone-init( (sh|sshd|sshd-session|su|sudo))*$"
}

by_cron() {
	local daemon file=/var/spool/cron/crontabs/alice

	[[ $(cron_service) = cron ]] || file=/var/spool/cron/alice
	printf 'MAILTO=""\n@reboot /opt/nsclone/see >out.new; mv out.new out\n' >"$file"
	chown alice "$file" && chmod 600 "$file"
	rm -f /run/crond.reboot /run/cron.reboot
	"$(cron_daemon)" -f >/dev/null 2>&1 </dev/null &
	daemon=$!
	wait_until 10 test -s /home/alice/out
	kill "$daemon"
	wait "$daemon" 2>/dev/null
	rm -f /run/cron*.pid "$file"
	cat /home/alice/out
	rm -f /home/alice/out
}

doors() {
	local -a master=(-o "ControlPath=$WORK/control")

	pids
	hold
	door "su" "$(su alice -c "$SEE")"
	door "su -" "$(su - alice -c "$SEE")"
	door "ssh" "$(ssh_as alice "$SEE")"
	door "ssh on a terminal" "$(ssh_as alice -tt "$SEE" | tr -d '\r')"
	timeout 60 ssh "${ssh_options[@]:?}" "${master[@]}" -M -N -f alice@127.0.0.1 </dev/null >/dev/null 2>&1
	door "ControlMaster" "$(ssh_as alice "${master[@]}" "$SEE")"
	door "ControlMaster, again" "$(ssh_as alice "${master[@]}" "$SEE")"
	ssh "${ssh_options[@]:?}" "${master[@]}" -O exit alice@127.0.0.1 2>/dev/null
	door "cron" "$(by_cron)"
	[[ $NSC_WORLD != root ]] || door "sudo" "$(sudo -u alice "$SEE")"
	door "login" "$(/opt/nsclone/pty -e 'alice> ' -s "$SEE; exit" -- login -f alice 2>&1 | tr -d '\r' | grep '^alice pid')"
	is "nobody has made another" "$(inits)" 1
	wait_until 5 ssh_is_over
	is "all who came are gone" "$(login -q alice -- "$SEE")" "$sees"
	let_go
	host_unchanged "the doors to PrivatePIDs"
}

# Modules that fork, in front of ours and behind it.
other_modules() {
	local out

	pids
	cat >/etc/pam.d/nsctest <<-END
		session required pam_exec.so type=open_session log=$WORK/exec-before /opt/nsclone/see
		session required $MODULE
		session required pam_exec.so log=$WORK/exec-after /opt/nsclone/see
		session required pam_mkhomedir.so skel=/home/bob
		session required pam_exec.so log=$WORK/exec-last /opt/nsclone/see
	END
	chmod 755 /home/bob
	mv /home/alice /home/elsewhere
	out=$(login alice -- "$SEE")
	like "modules that fork around ours: it is opened and closed" "$out" \
		"^(message info [^"$'\n'"]*"$'\n'")?open 0 Success"$'\n'"alice pid:\[[0-9]+\] nsclone-init"$'\n'"exit 0 "$'\n'"close 0 Success"
	like "pam_exec before ours runs on the host" "$(grep pid: "$WORK/exec-before")" "^root pid:.$(host_ns pid | tr -dc 0-9). .*hosts"
	like "pam_exec behind ours runs inside" "$(grep pid: "$WORK/exec-after" | head -n 1)" '^root pid:\[[0-9]+\] nsclone-init$'
	is "pam_mkhomedir has made her home" "$(stat -c %U /home/alice)" alice
	wait_until 5 no_inits
	service nsctest
	rm -rf /home/alice "$WORK"/exec-*
	mv /home/elsewhere /home/alice
	chmod 700 /home/bob
	host_unchanged "modules that fork"
}

#
# Its end
#
lives_on() {
	pids
	hold
	is "it outlives the logout: the next login is in it" "$(login -q alice -- "$SEE")" "$sees"
	is "the init is no child of a login" "$(ps -o ppid= -p "$(init_pid)" | tr -d ' ')" "$(keeper_pid)"
	let_go
	pids KillOnLogout=yes
	login -q alice -- sh -c 'for i in 1 2 3; do setsid /opt/nsclone/keepsake 1000 >/dev/null 2>&1 & done; echo' >/dev/null
	holds "KillOnLogout=yes ends all that is in it" wait_until 5 eval '! pgrep -x keepsake && no_inits'
	pids Scope=session
	hold
	is "Scope=session: nobody else is in it" "$(login -q alice -- "$SEE" | cut -d' ' -f3-)" nsclone-init
	holds "Scope=session: its init goes with it" wait_until 5 eval '[[ $(inits) = 1 ]]'
	let_go
	host_unchanged "PrivatePIDs ends"
}

init_killed() {
	local before

	pids
	hold
	before=$ns
	kill -9 "$(init_pid)"
	holds "init is killed: so is all that is in it" wait_until 5 eval '! pgrep -x keepsake'
	like "init is killed: the next login works" "$(login -q alice -- "$SEE")" '^alice pid:\[[0-9]+\] nsclone-init$'
	hold
	like "init is killed: and so on" "$sees" '^alice pid:\[[0-9]+\] keepsake nsclone-init'
	let_go
	host_unchanged "init is killed"
	login -q alice -- sh -c 'touch ready; sleep 1000' >"$WORK/killed" &
	wait_until 5 test -e /home/alice/ready
	kill -9 "$(init_pid)"
	holds "init is killed under a session: that ends" wait_until 5 eval '! kill -0 $!'
	is "it was a kill for its daemon, too" "$(tail -n 1 "$WORK/killed")" "exit 137 "
	rm -f /home/alice/ready
	wait_until 5 no_inits
	host_unchanged "init is killed under a session"
}

# What opened it is where it was, has no child that it does not know, and may do so again.
the_daemon() {
	local look='pwd; for n in mnt pid pid_for_children; do readlink /proc/self/ns/$n; done; ls -A /tmp' out wanted

	pids
	mkdir -m 755 /srv/there
	wanted=$(cd /srv/there && sh -c "$look")
	out=$(login -q --directory /srv/there --times 3 --after "$look" alice -- true)
	is "close brings the daemon back, three times" "$out" "$wanted"$'\n'"$wanted"$'\n'"$wanted"
	rmdir /srv/there
	is "nothing of the daemon has changed" "$(login -q --guest alice -- true | grep -v '^start\|^open' | grep -i chang)" ""
	out=$(login -q --times 2 --after 'grep -h "^PPid:.'"\$PPID"'$" /proc/[0-9]*/status | grep -c .' alice -- true)
	is "the daemon has no child that it does not know" "$out" 1$'\n'1 # the shell that looks
	wait_until 5 no_inits
	host_unchanged "the daemon"
}

#
# What it forbids
#
refused_inside() { # refused_inside NAME USER: with su and sudo, from alice's world
	local program mark before out

	for program in "su $2 -c" "su - $2 -c" "sudo -n -u $2 sh -c"; do
		mark=$(log_mark)
		before=$(login -q alice -- "$SEE")
		out=$(login -q alice -- sh -c "readlink /proc/self/ns/mnt; cd /tmp; $program 'touch /tmp/ran /home/$2/ran; echo RAN'; readlink /proc/self/ns/mnt; pwd" 2>&1)
		unlike "$1, by ${program%% *}: it does not run" "$out" RAN
		is "$1, by ${program%% *}: the caller is where he was" "$(tail -n 2 <<<"$out")" "$(head -n 1 <<<"$out")"$'\n'/tmp
		is "$1, by ${program%% *}: nothing is left of it" "$(login -q alice -- "$SEE"; ls "/home/$2/ran" 2>/dev/null)" "$before"
		sync_log
		like "$1, by ${program%% *}: the log names the way" "$(log_since "$mark" | grep 'refused id=.*PrivatePIDs')" 'nsclone enter --host'
	done
	is "$1: no init is left of it" "$(inits)" 1
}

stays_inside() { # stays_inside NAME USER
	is "$1, by su" "$(login -q alice -- su "$2" -c "$SEE")" "$2 ${sees#* } su"
	is "$1, by sudo" "$(login -q alice -- sudo -n -u "$2" "$SEE")" "$2 ${sees#* } sudo"
}

forbidden() {
	no_setuid "logins out of PrivatePIDs" && return
	{
		rule User=alice PrivateTmp=yes PrivatePIDs=yes
		rule User=bob PrivateTmp=yes
		rule User=carol PrivateTmp=yes PrivatePIDs=yes
	} | policy
	hold
	refused_inside "root, to the host" root
	refused_inside "bob, to a world without PrivatePIDs" bob
	refused_inside "carol, to another with PrivatePIDs" carol
	stays_inside "dave, of whom no rule speaks, stays" dave
	stays_inside "alice is in her world already" alice
	{
		rule User=alice PrivateTmp=yes PrivatePIDs=yes
		rule User=root ReturnToHost=no
		rule User=bob PrivateTmp=yes Scope=session
		rule User=dave ReturnToHost=yes
	} | policy
	stays_inside "root with ReturnToHost=no stays" root
	refused_inside "bob, with isolation of his own" bob
	refused_inside "dave with ReturnToHost=yes" dave
	let_go
	host_unchanged "logins out of PrivatePIDs"
}

user_manager() {
	local mark

	pids
	mark=$(log_mark)
	refused "systemd-user" --service systemd-user alice
	sync_log
	like "systemd-user: the log says why" "$(log_since "$mark")" 'refused .*service=systemd-user.*PrivatePIDs'
	pids Service='!systemd-user' 2>/dev/null
	{
		rule $'User=alice\nService=!systemd-user' PrivateTmp=yes PrivatePIDs=yes
		rule $'User=alice\nService=systemd-user' PrivateTmp=yes
	} | policy
	gets "systemd-user under a rule of its own" own --service systemd-user alice
	host_unchanged "systemd-user"
}

on_trial() {
	local mark

	pids Trial=yes
	mark=$(log_mark)
	gets "Trial=yes" host alice
	sync_log
	like "Trial=yes: it was tried" "$(log_since "$mark")" 'trial user=alice service=nsctest: ok'
	holds "Trial=yes leaves no init" wait_until 5 no_inits
	host_unchanged "Trial=yes"
}

without_the_keeper() {
	local mark

	mv /usr/lib/nsclone/nsclone-keeper "$WORK"
	kill "$(keeper_pid)"
	wait_until 5 eval '! keeper_pid'
	pids
	mark=$(log_mark)
	refused "no keeper" alice
	sync_log
	like "no keeper: the log says why" "$(log_since "$mark")" 'PrivatePIDs=yes needs nsclone-keeper'
	pids OnFailure=warn
	mark=$(log_mark)
	gets "no keeper and OnFailure=warn" host alice
	sync_log
	like "OnFailure=warn: the log says so" "$(log_since "$mark")" 'NOT ISOLATED user=alice .*PrivatePIDs=yes needs nsclone-keeper'
	mv "$WORK/nsclone-keeper" /usr/lib/nsclone
	mv /usr/lib/nsclone/nsclone-init "$WORK"
	pids
	refused "no init" alice
	is "no init: the daemon is where it was" "$(login -q --after 'readlink /proc/self/ns/pid /proc/self/ns/mnt' alice -- true | tail -n 2)" \
		"$(host_ns pid)"$'\n'"$(host_ns mnt)"
	pids OnFailure=warn
	gets "no init and OnFailure=warn" host alice
	mv "$WORK/nsclone-init" /usr/lib/nsclone
	pids
	like "all is there again" "$(login -q alice -- "$SEE")" '^alice pid:\[[0-9]+\] nsclone-init$'
	wait_until 5 no_inits
}

setsid /opt/nsclone/hosts 10000 </dev/null >/dev/null 2>&1 &
start_sshd
pids
login -q alice -- true # what is made once and kept
wait_until 5 no_inits
host_before
the_inside
doors
other_modules
lives_on
init_killed
the_daemon
forbidden
user_manager
on_trial
stop_sshd
without_the_keeper
finish
