#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# One user, one world: all doors lead to the same place, without systemd, with the keeper that the first login starts. Then
# what the world is told apart by: another rule, or another policy, is another world.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"
. "${0%/*}/../worlds.sh"

readonly WORDS=/home/alice

install_keeper
sed -i '/pam_faildelay/d' /etc/pam.dist/login # waiting proves nothing
for name in sshd su sudo login "$(cron_service)" nsctest; do
	service "$name"
done
grep -q 'include.*\<su\>' /etc/pam.dist/su-l 2>/dev/null || service su-l
printf 'MAIL_DIR /var/mail\nLOGIN_RETRIES 1\nENV_SUPATH PATH=%s\nENV_PATH PATH=%s\n' "$PATH" "$PATH" >/etc/login.defs
rm -f /etc/motd /etc/issue

#
# What alice leaves in her world, and what she finds there by the next door
#
cat >"$WORDS/furnish" <<-'END'
	PATH=$PATH:/opt/nsclone
	echo hers >/tmp/file
	echo hers >/var/tmp/file
	echo hers >/dev/shm/file
	ipcmk -M 4096 >/dev/null
	test ! -d /dev/mqueue || : >/dev/mqueue/hers
	setsid talk listen /tmp/socket unix </dev/null >/dev/null 2>&1 &
	setsid talk listen 4000 net </dev/null >/dev/null 2>&1 &
	until talk ask /tmp/socket && talk ask 4000; do sleep 0.1; done >/dev/null
END
cat >"$WORDS/visit" <<-'END'
	PATH=$PATH:/opt/nsclone
	cd /proc
	{
		for n in mnt ipc uts net pid; do readlink self/ns/$n; done
		cat /tmp/file /var/tmp/file /dev/shm/file
		talk ask /tmp/socket
		talk ask 4000
		awk 'NR > 1 { print "segment", $2 }' sysvipc/shm
		ls /dev/mqueue
		grep -lx talk [0-9]*/comm
		uname -n
	} 2>&1 | tr '\n' ' ' >/home/alice/seen.new
	mv /home/alice/seen.new "/home/alice/seen-$1"
END

seen_by() { # seen_by DOOR
	cat "$WORDS/seen-$1" 2>&1
	rm -f "$WORDS/seen-$1"
}

visits() { # visits DOOR COMMAND...: that COMMAND leads to the same world
	local door=$1

	shift
	"$@" >"$WORK/door" 2>&1
	[[ -e $WORDS/seen-$door ]] || echo "$door said: $(cat "$WORK/door")"
	is "$kind: $door: one world" "$(seen_by "$door")" "$first"
}

visit() { # visit DOOR: for a shell
	echo "sh $WORDS/visit $1"
}

by_control_master() {
	local -a master=(-o "ControlPath=$WORK/control")
	local channel

	timeout 60 ssh "${ssh_options[@]:?}" "${master[@]}" -M -N -f alice@127.0.0.1 </dev/null >/dev/null 2>&1
	for channel in first second; do
		visits "$channel-channel" ssh_as alice "${master[@]}" "$(visit $channel-channel)"
	done
	ssh "${ssh_options[@]:?}" "${master[@]}" -O exit alice@127.0.0.1 2>/dev/null
}

by_sudo() {
	if [[ $NSC_WORLD = root ]]; then
		visits sudo sudo -u alice sh "$WORDS/visit" sudo
		echo "Defaults log_output, iolog_dir=$WORK/iolog" >>/etc/sudoers # it writes while alice's command runs
		visits sudo-with-a-log sudo -u alice sh "$WORDS/visit" sudo-with-a-log
		sed -i '/log_output/d' /etc/sudoers
		holds "$kind: sudo's log is on the host" find "$WORK/iolog" -name timing
	else
		impossible "$kind: sudo" "in a user namespace sudo finds that root does not own it" test "$(stat -c %u "$(command -v sudo)")" != 0
	fi
}

by_sftp() { # it runs no command: what it finds there
	is "$kind: sftp: one /tmp" "$(sftp_as alice <<<"get /tmp/file $WORK/by-sftp" >/dev/null; cat "$WORK/by-sftp"; rm -f "$WORK/by-sftp")" hers
}

by_cron() {
	crontab_of alice "$(visit cron)"
	visits cron run_cron "$WORDS/seen-cron"
	rm -f /var/spool/cron/{alice,crontabs/alice}
}

all_doors() { # all_doors KIND
	local name
	kind=$1

	ssh_as alice "sh $WORDS/furnish"
	ssh_as alice "$(visit ssh)"
	first=$(seen_by ssh)
	like "$kind: the first has a world" "$first" "^mnt:.* hers hers hers unix net segment .*/comm .*/comm box-alice $"
	unlike "$kind: its own" "$first" "^${host_mnt//[\[\]]/.}"
	visits ssh-on-a-terminal ssh_as alice -tt "$(visit ssh-on-a-terminal)"
	by_control_master
	visits su su - alice -c "$(visit su)"
	by_sudo
	by_sftp
	visits login /opt/nsclone/pty -e 'login: ' -s alice -e assword: -s secret -e 'alice> ' -s "$(visit login); exit" -- login
	by_cron
	visits pam-login login alice -- sh "$WORDS/visit" pam-login
	for name in file socket; do
		fails "$kind: the host does not have her $name" test -e "/tmp/$name"
	done
	is "$kind: bob has none of it" "$(su - bob -c 'cat /tmp/file; /opt/nsclone/talk ask 4000; awk "NR > 1" /proc/sysvipc/shm; ls /dev/mqueue; uname -n' 2>/dev/null | tr '\n' ' ')" "nobody box-bob "
	sync_log
	is "$kind: one was made" "$(log_since "$mark" | grep -c 'pam_nsclone.*isolated user=alice.* new$')" 1
	is "$kind: the keeper holds one" "$(n_worlds alice)" 1
	pkill -u alice -x talk
	wait_until 10 ssh_is_over
	all_over "$kind: all doors"
}

host_mnt=$(host_ns mnt)
full_policy
start_sshd
ssh_as alice true # what is made once and kept
ssh_as bob true
wait_until 10 nobody_is_in
wait_until 5 ssh_is_over
host_before
mark=$(log_mark)
all_doors "one world"
mark=$(log_mark)
full_policy PrivatePIDs=yes
all_doors "one process list"

#
# tmux: started in one login, attached from the next
#
attach() {
	/opt/nsclone/pty -t 30 -e "$1" -s "$2" -e "${3-detached}" -s '' -- \
		ssh "${ssh_options[@]:?}" -tt alice@127.0.0.1 'TERM=xterm exec tmux attach -t work' >"$WORK/tmux" 2>&1
}

tmux_goes_on() { # tmux_goes_on NAME
	ssh_as alice 'TERM=xterm tmux new-session -d -s work "PS1=in-tmux: HISTFILE= bash --norc"'
	wait_until 10 ssh_is_over
	attach 'in-tmux:' 'echo $TMUX $PPID >~/in-tmux; tmux detach'
	like "$1: tmux is attached from the next login" "$(cat "$WORDS/in-tmux" 2>&1) $(cat "$WORK/tmux")" '^/tmp/tmux-20001/default,'
	is "$1: su sees it, too" "$(su - alice -c "tmux list-sessions -F '#{session_name}'" 2>&1)" work
	su - alice -c 'tmux kill-server'
	rm -f "$WORDS/in-tmux"
	wait_until 10 ssh_is_over
	all_over "$1: tmux"
}

if command -v tmux >/dev/null; then
	tmux_goes_on "with PrivatePIDs"
	full_policy
	tmux_goes_on "without PrivatePIDs"
else
	skip tmux "it is not installed"
fi
stop_sshd

#
# The key: what shapes the world
#
keyed_policy() { # keyed_policy LINE...: of hers; under su there is no network
	{
		rule User=alice PrivateTmp=persistent PrivateIPC=yes ProtectHostname=yes:one "$@"
		printf '[Match]\nUser=alice\nService=su*\n[Session]\nPrivateNetwork=yes\n'
	} | policy
}

lives_on() { # a login that stays
	login alice -- sh -c "$(stays old)" >"$WORK/old" &
	old=$!
	is_in old
	inside=$(cat "$WORDS/in-old")
}

stale() { # of the logins with that service
	nsclone list -J -o USER,SERVICE,PID,STALE | jq -r ".[][] | select(.pid != null and .service == \"$1\") | .stale"
}

keyed_policy
login --quiet alice -- sh -c 'echo kept >/tmp/kept' # what is made once and kept
su alice -c true
wait_until 10 nobody_is_in
host_before
lives_on
one=$(namespaces alice)
su alice -c "$(stays other)" &
other=$!
is_in other
two=$(su alice -c "$NAMESPACES")
is "the same rule, another program: the same world" "$(namespaces --service su alice)" "$two"
is "another rule: another world" "$(n_worlds alice) $([[ ${one%% *} = "${two%% *}" ]] && echo same || echo other)" "2 other"
is "another rule: the kept directory is the same" "$(su alice -c 'cat /tmp/kept')" kept
is "the first is joined by its own" "$(namespaces alice)" "$one"
is "neither is stale" "$(stale nsctest) $(stale su)" "no no"

# What does not shape
keyed_policy Description=another KillOnLogout=no OnFailure=warn ReturnToHost=yes
is "Description=, OnFailure= and others: the same world" "$(namespaces alice)" "$one"
rule User=bob PrivateTmp=yes >/etc/security/nsclone.d/10-first.conf
mv /etc/security/nsclone.d/50-test.conf /etc/security/nsclone.d/90-renamed.conf
is "another file, another line: the same world" "$(namespaces alice)" "$one"
rule User=alice ProtectHostname=yes:one >/etc/security/nsclone.d/20-parts.conf
rule User=alice PrivateIPC=yes >>/etc/security/nsclone.d/20-parts.conf
rule User=alice PrivateTmp=persistent >>/etc/security/nsclone.d/30-parts.conf
rm /etc/security/nsclone.d/90-renamed.conf
is "the rules in another order and number: the same world" "$(namespaces alice)" "$one"
is "it is not stale" "$(stale nsctest)" no

# What does
rm /etc/security/nsclone.d/*
rule User=alice PrivateTmp=persistent PrivateIPC=yes ProtectHostname=yes:two | policy
is "another policy: another world" "$(login --quiet alice -- uname -n) $(nsenter -t "$inside" -u uname -n)" "two one"
is "the old one is stale" "$(stale nsctest)" yes
is "the kept directory is the same" "$(login --quiet alice -- sh -c 'cat /tmp/kept; echo new >/tmp/new')" kept
is "in the old one, too" "$(nsenter -t "$inside" -m cat /tmp/new)" new
go_on other "$other"
go_on old "$old"
rm /var/lib/nsclone/20001/tmp/new
all_over "old worlds end with their sessions"
finish
