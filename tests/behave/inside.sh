#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Logins inside logins, as policy.md has them, each row with su and with sudo: the target's policy decides where it leads.
# weight: 4
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"

readonly PROGRAMS="su su-l sudo sudo-i"

no_setuid "logins inside logins" && finish

#
# Arranging
#
for name in su su-l sudo sudo-i nsctest; do
	service "$name"
	sed -i '1i auth sufficient pam_permit.so' "/etc/pam.d/$name" # nobody is asked for a password
done
echo 'ALL ALL=(ALL:ALL) NOPASSWD: ALL' >>/etc/sudoers
install_keeper

cat >/opt/nsclone/become <<'END'
#!/bin/sh
# become PROGRAM USER COMMAND
case $1 in
su) exec su "$2" -c "$3" ;;
su-l) exec su - "$2" -c "$3" ;;
sudo) exec sudo -n -u "$2" sh -c "$3" ;;
sudo-i) exec sudo -n -i -u "$2" sh -c "$3" ;;
esac
END

# Where is this process? Its user, what of its namespaces is like those that /home/places knows, and its /tmp.
cat >/opt/nsclone/where <<'END'
#!/bin/sh
set=$(for n in mnt ipc uts net pid cgroup; do readlink /proc/self/ns/$n; done | tr '\n' ' ')
name=$(grep -s -F " $set" /home/places | cut -d' ' -f1 | head -n 1)
mine=$(grep -c '[/]20001/' /proc/self/mountinfo)
echo "$(id -un) in ${name:-another}: $(uname -n | cut -d. -f1) /tmp: $(ls -A /tmp | tr '\n' ' ')alice's mounts: $mine"
END
chmod 755 /opt/nsclone/{become,where}
PATH=/opt/nsclone:$PATH
sed -i 's|secure_path="|&/opt/nsclone:|' /etc/sudoers
printf 'PATH=/opt/nsclone:$PATH\n' | tee -a /home/{alice,bob,carol,dave}/.bash_profile >/root/.bash_profile
hostname host

world() { # world USER [LINE...]: a rule
	local user=$1

	shift
	rule "User=$user" PrivateTmp=yes PrivateIPC=yes "ProtectHostname=yes:box-$user" PrivateNetwork=yes "$@"
}

worlds() { # alice's and bob's, and more
	{
		world alice
		[[ $* = *User=bob* ]] || world bob
		[[ $# = 0 ]] || printf '%s\n' "$@"
	} | policy
}

known() { # known NAME: where this is run is called NAME from now on
	echo "$1 $(for n in mnt ipc uts net pid cgroup; do readlink "/proc/${2-self}/ns/$n"; done | tr '\n' ' ')" >>/home/places
}

hold() { # hold USER: a process that keeps the user's world, and its name
	local pid

	su "$1" -c "touch /tmp/of-$1; sleep 1000 >/dev/null 2>&1 & echo \$! >/home/$1/holder"
	pid=$(cat "/home/$1/holder")
	known "$1" "$pid"
}

let_go() { # let_go USER
	kill "$(cat "/home/$1/holder")"
	wait_until 5 eval "! /opt/nsclone/nsclone list | grep -q '^$1 '"
	sed -i "/^$1 /d" /home/places
}

readonly HOST="in host: host /tmp: of-host alice's mounts: 0" ALICE="in alice: box-alice /tmp: of-alice alice's mounts: 3" \
	BOB="in bob: box-bob /tmp: of-bob alice's mounts: 0"

#
# The rows
#
from_alice() { # from_alice PROGRAM USER COMMAND: she, in her world, becomes USER by PROGRAM
	su alice -c "cd /tmp; become $1 $2 '$3'" 2>&1
}

leads() { # leads NAME USER WANTED: with each program; and alice is where she was, at the end
	local name=$1 user=$2 program

	for program in $PROGRAMS; do
		is "$name, $program" "$(from_alice "$program" "$user" where)" "$user $3"
	done
	is "$name: alice is where she was" "$(su alice -c "cd /tmp; become sudo $user true; where; ls")" \
		"alice $ALICE"$'\n'"of-alice"
}

targets_world() {
	hold bob
	leads "bob's world is held: he joins it" bob "$BOB"
	let_go bob
	leads "bob's world is not held: made on the host's tree" bob "in another: box-bob /tmp: alice's mounts: 0"
	is "bob's world, made from alice's, is his everywhere" \
		"$(from_alice sudo bob 'touch /tmp/from-inside; su bob -c "ls /tmp"; cat /proc/net/dev | grep -c :')" \
		"from-inside"$'\n'1
	worlds "$(world bob Scope=session)"
	leads "bob's isolation of his own" bob "in another: box-bob /tmp: alice's mounts: 0"
	worlds
	hold bob
	worlds "$(world bob Scope=session)"
	leads "bob's isolation of his own, though there is a world" bob "in another: box-bob /tmp: alice's mounts: 0"
	let_go bob
	worlds "$(world bob ReturnToHost=yes)"
	leads "bob has both isolation and ReturnToHost=yes" bob "in another: box-bob /tmp: alice's mounts: 0"
	worlds
}

to_the_host() {
	leads "root, of whom no rule speaks" root "$HOST"
	is "root's working directory is the host's" "$(from_alice su root 'pwd; ls -A; ls -A ../tmp' | tr '\n' ' ')" \
		"/tmp of-host of-host "
	mkdir -m 777 /home/alice/there
	is "root's working directory is entered by its path" \
		"$(su alice -c 'cd ~/there; mkdir /tmp/only-here; become sudo root pwd; cd /tmp/only-here; become sudo root pwd; rmdir /tmp/only-here')" \
		/home/alice/there$'\n'/
	rmdir /home/alice/there
	worlds "$(rule User=root Isolate=no)"
	leads "root, of whom a rule says Isolate=no" root "$HOST"
	worlds "$(rule User=root Description=nothing)"
	leads "root, of whom a rule says nothing" root "$HOST"
	worlds "$(rule User=dave ReturnToHost=yes)"
	leads "dave, who has ReturnToHost=yes and no isolation" dave "$HOST"
	worlds "$(rule User=dave Isolate=no ReturnToHost=yes)"
	leads "dave, who has ReturnToHost=yes and Isolate=no" dave "$HOST"
	worlds
}

# Leaving isolation is never a side effect.
where_the_caller_is() {
	leads "dave, of whom no rule speaks, stays" dave "$ALICE"
	worlds "$(rule User=dave Isolate=no)"
	leads "dave, of whom a rule says Isolate=no, stays" dave "$ALICE"
	worlds "$(rule User=dave Description=nothing)"
	leads "dave, of whom a rule says nothing, stays" dave "$ALICE"
	worlds "$(rule User=root ReturnToHost=no)"
	leads "root with ReturnToHost=no stays" root "$ALICE"
	worlds "$(rule User=root Isolate=no ReturnToHost=no)"
	leads "root with ReturnToHost=no and Isolate=no stays" root "$ALICE"
	worlds
	leads "alice in her own world" alice "$ALICE"
}

deep() {
	local deepest="where; become sudo root \"where; become su alice where; where\"; where" program

	hold bob
	for program in su sudo; do
		is "alice, bob, root, alice, and back, $program" "$(from_alice "$program" bob "$deepest"; su alice -c where)" \
			"$(printf '%s\n' "bob $BOB" "root $HOST" "alice $ALICE" "root $HOST" "bob $BOB" "alice $ALICE")"
	done
	let_go bob
	rm /home/bob/holder
}

# The process that opened it: where is it after close? (su and sudo end then.)
closing() {
	local line

	line=$(nsenter -t "$(cat /home/alice/holder)" -m -i -u -n -- "$LOGIN" --directory /tmp --ruser alice --before 'where; pwd' \
		--inside 'where; pwd' --after 'where; pwd; ls' root -- true | grep -v '^\(open\|exit\|close\) 0')
	is "to the host and back, in one process" "$line" \
		"root $ALICE"$'\n'/tmp$'\n'"root $HOST"$'\n'/tmp$'\n'"root $ALICE"$'\n'/tmp$'\n'of-alice
	line=$(nsenter -t "$(cat /home/alice/holder)" -m -i -u -n -- "$LOGIN" --directory /tmp --ruser alice --before 'where; pwd' \
		--inside 'where; pwd' --after 'where; pwd; ls' bob -- true | grep -v '^\(open\|exit\|close\) 0')
	is "to bob's and back, in one process" "$line" \
		"root $ALICE"$'\n'/tmp$'\n'"root in another: box-bob /tmp: alice's mounts: 0"$'\n'/tmp$'\n'"root $ALICE"$'\n'/tmp$'\n'of-alice
	line=$("$LOGIN" --directory /tmp --second root --last-first --ruser alice --after 'where; pwd' alice -- where |
		grep -v '^\(open\|exit\|close\) 0')
	is "two handles in one process, the last is closed first" "$line" "root $HOST"$'\n'"root $HOST"$'\n'/tmp
	line=$("$LOGIN" --directory /tmp --second root --ruser alice --after 'where; pwd' alice -- where |
		grep -v '^\(open\|exit\|close\) 0')
	is "two handles in one process, the first is closed first" "$line" "root $HOST"$'\n'"root $HOST"$'\n'/tmp
}

two_handles() { # two_handles OPTION... USER: what is said between the two closes and after them
	"$LOGIN" --directory /tmp --between where --after 'where; pwd' --ruser alice "$@" -- true | grep -v '^\(open\|exit\|close\) 0'
}

# The second session of a world enters nothing, and rests on what the first has entered.
many_in_one_process() {
	local fds wanted="root $ALICE"$'\n'"root $HOST"$'\n'/tmp

	is "two handles of one user, the first is closed first" "$(two_handles --second alice alice)" "$wanted"
	is "two handles of one user, the last is closed first" "$(two_handles --second alice --last-first alice)" "$wanted"
	is "alice and bob, the first is closed first" "$(two_handles --second bob alice)" \
		"root in another: box-bob /tmp: alice's mounts: 0"$'\n'"root $HOST"$'\n'/tmp
	fds=$("$LOGIN" --second alice --guest alice | grep -c '^guest close fd')
	is "two handles of one user: no descriptor is left" "$fds" "$("$LOGIN" --second alice --guest alice | grep -c '^guest start fd')"
	worlds "$(world bob PrivatePIDs=yes)"
	is "on top is a PID namespace, the first is closed first" "$(two_handles --second bob alice | tail -n 2)" "root $HOST"$'\n'/tmp
	is "on top is a PID namespace, the last is closed first" "$(two_handles --second bob --last-first alice)" "$wanted"
	worlds
}

#
# Without the keeper
#
stop_keeper() { # and no other can be started
	mv /usr/lib/nsclone/nsclone-keeper "$WORK/nsclone-keeper"
	kill "$(keeper_pid)"
	wait_until 5 eval '! keeper_pid'
}

of_a_login() { # of_a_login COMMAND: as alice in her world, as pam_loginuid has it
	nsenter -t "$(cat /home/alice/holder)" -m -i -u -n -- sh -c \
		'[ ! -e /proc/self/loginuid ] || echo 20001 >/proc/self/loginuid; exec setpriv --reuid 20001 --regid 20001 --init-groups sh -c "cd /tmp; $1"' sh "$1"
}

services() { # services MARK PATTERN: those whose lines in the log fit
	log_since "$1" | sed -n "s/.*pam_nsclone(\(.*\):session): $2.*/\1/p" | uniq | tr '\n' ' ' | sed 's/ $//'
}

unreachable() {
	local mark program

	stop_keeper
	mark=$(log_mark)
	for program in $PROGRAMS; do
		is "no keeper: root stays, $program" "$(of_a_login "become $program root where" 2>&1)" "root $ALICE"
		unlike "no keeper: bob is refused, $program" "$(of_a_login "become $program bob where" 2>&1)" 'bob in'
		is "no keeper: dave, of whom no rule speaks, stays, $program" \
			"$(of_a_login "become $program dave where" 2>&1)" "dave $ALICE"
	done
	sync_log
	is "no keeper: a warning says so" "$(services "$mark" 'not returned to the host user=root: it stays where it is')" "$PROGRAMS"
	is "no keeper: what is refused is in the log" \
		"$(services "$mark" 'refused .*user=bob .*comes from an isolated session, and nsclone-keeper')" "$PROGRAMS"
	like "no keeper: bob gets in from the host" "$(su bob -c where)" "^bob in another: box-bob /tmp: alice's mounts: 0"
	hardened_with_loginuid "no keeper"
	mv "$WORK/nsclone-keeper" /usr/lib/nsclone
	is "a keeper again: root returns" "$(of_a_login "become sudo root where" 2>&1)" "root $HOST"
	is "a keeper again: bob gets in" "$(of_a_login "become su bob where" 2>&1)" "bob in another: box-bob /tmp: alice's mounts: 0"
}

#
# A daemon that its unit has hardened is no login
#
readonly HARDEN='mount -t tmpfs hardened /tmp; touch /tmp/of-unit; mount --bind /srv /srv; mount -o remount,bind,ro /srv'

in_unit() { # in_unit COMMAND...: in a mount namespace as PrivateTmp= and ReadOnlyPaths= make it
	unshare --mount --propagation slave sh -c "$HARDEN; exec \"\$@\"" sh "$@" 2>&1
}

hardened() {
	local out hard='grep -c " /srv \|hardened" /proc/self/mountinfo'

	is "a hardened unit is one" "$(in_unit sh -c "$hard")" 2
	is "from a hardened unit: alice joins her world" "$(in_unit "$LOGIN" -q alice -- where)" "alice $ALICE"
	is "from a hardened unit: bob's world is of the host's tree" "$(in_unit "$LOGIN" -q bob -- sh -c "where; $hard; true")" \
		"bob in another: box-bob /tmp: alice's mounts: 0"$'\n'0
	is "a hardened unit: close brings its daemon back" \
		"$(in_unit "$LOGIN" -q --directory /tmp --before 'pwd; ls -A' --after 'pwd; ls -A; touch /srv/x' bob -- true)" \
		/tmp$'\n'of-unit$'\n'/tmp$'\n'of-unit$'\n'"touch: cannot touch '/srv/x': Read-only file system"
	is "a hardened unit: root, of whom no rule speaks, stays in it" "$(in_unit "$LOGIN" -q root -- ls -A /tmp)" of-unit
	is "a hardened unit: dave, of whom no rule speaks, stays in it" "$(in_unit "$LOGIN" -q dave -- ls -A /tmp)" of-unit
	worlds "$(world bob Scope=session)"
	is "a hardened unit: what is not shared has its hardening" "$(in_unit "$LOGIN" -q bob -- sh -c "ls -A /tmp; $hard")" 2
	worlds
	out=$(in_unit "$LOGIN" --times 3 -q bob -- sh -c "$hard; true")
	is "a hardened unit: many sessions in one process" "$out" 0$'\n'0$'\n'0
}

# pam_loginuid, before us in the stacks of most daemons, has just said who this login is: that makes it no login from inside.
hardened_with_loginuid() {
	sed -i '1i session required pam_loginuid.so' /etc/pam.d/nsctest
	is "a hardened unit, $1: root stays in it" "$(in_unit "$LOGIN" -q root -- ls -A /tmp)" of-unit
	is "a hardened unit, $1: bob gets in" "$(in_unit "$LOGIN" -q bob -- id -un)" bob
	sed -i 1d /etc/pam.d/nsctest
}

hardened_sshd() {
	local hard='grep -c " /srv \|hardened" /proc/self/mountinfo; /opt/nsclone/where'

	mkdir "$WORK/bin"
	printf '#!/bin/sh\nexec unshare --mount --propagation slave sh -c "%s; exec %s \\$*" sh "$@"\n' \
		"$HARDEN" "$(command -v sshd)" >"$WORK/bin/sshd"
	chmod 755 "$WORK/bin/sshd"
	service sshd
	PATH=$WORK/bin:$PATH start_sshd
	is "a hardened sshd: alice joins her world" "$(ssh_as alice "$hard" | tr '\n' ' ')" "0 alice $ALICE "
	is "a hardened sshd: bob's world is of the host's tree" "$(ssh_as bob "$hard" | tr '\n' ' ')" \
		"0 bob in another: box-bob /tmp: alice's mounts: 0 "
	is "a hardened sshd: dave, of whom no rule speaks, stays in it" "$(ssh_as dave 'ls -A /tmp')" of-unit
	wait_until 5 ssh_is_over
	stop_sshd
}

touch /tmp/of-host
known host 1
worlds
hold alice # keeps her world: what is counted is below it
host_before
is "alice is in her world" "$(su alice -c where)" "alice $ALICE"
targets_world
to_the_host
where_the_caller_is
deep
closing
many_in_one_process
host_unchanged "logins inside logins"
hardened
hardened_with_loginuid "pam_loginuid"
hardened_sshd
unreachable
let_go alice
finish
