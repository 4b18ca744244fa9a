#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The administrator's command: what it says, what it exits with, and that it leaves the host as it was. In a scratch
# world (lib.sh), where /etc is a copy and alice, bob, carol and dave are users.
. "${0%/*}/lib.sh"

N=${NSCLONE:-/opt/nsclone/nsclone}
out='' rc=0

run() { # run ARGUMENT...: $out and $rc
	out=$("$N" "$@" 2>&1 </dev/null)
	rc=$?
}

as_user() { # as_user NAME COMMAND...
	local name=$1

	shift
	setpriv --reuid "$name" --regid "$name" --init-groups "$@"
}

exits() { # exits NAME STATUS ARGUMENT...
	local name=$1 status=$2

	shift 2
	run "$@"
	if [[ $rc = "$status" ]]; then ok "$name: exit $status"; else not_ok "$name: exit $status" "came: $rc" "$out"; fi
}

says() { # says NAME REGEX: of the last run
	if [[ $out =~ $2 ]]; then ok "$1"; else not_ok "$1" "wanted: /$2/" "came:" "$out"; fi
}

says_not() { # says_not NAME REGEX
	if [[ $out =~ $2 ]]; then not_ok "$1" "not wanted: /$2/" "came:" "$out"; else ok "$1"; fi
}

pam() { # pam SERVICE LINE...
	local service=$1

	shift
	printf '%s\n' "$@" >"/etc/pam.d/$service"
}

restore_pam() {
	rm -rf /etc/pam.d
	cp -a /etc/pam.dist /etc/pam.d
}

good_policy() {
	policy <<-'END'
		[Match]
		User=alice bob
		[Session]
		PrivateTmp=yes
		PrivateDevShm=yes
		PrivateIPC=yes
	END
}

json() { # json: is stdin JSON?
	jq -e . >/dev/null
}

#
# Words
#
test_words() {
	local command

	exits "no command" 2
	exits "an unknown command" 2 chekc
	exits "--help" 0 --help
	exits "--version" 0 --version
	says "the version is said" '^nsclone [0-9]+\.[0-9]+\.[0-9]+$'
	for command in check explain plan run list enter end compare features clean; do
		exits "$command --help" 0 "$command" --help
		says "$command --help is about $command" "usage: nsclone $command "
	done
	for command in check explain plan list end compare features clean; do
		exits "$command with an unknown option" 2 "$command" --nonsense
	done
	exits "run with an unknown option is run's own failure" 125 run --nonsense
	exits "explain without USER" 2 explain
	exits "plan with two users" 2 plan alice bob
	exits "run without USER" 125 run
	exits "enter without USER" 125 enter
	exits "end without USER" 2 end
	exits "compare of one" 2 compare 1
	exits "compare of what is no process id" 2 compare 1 -- -1
	exits "compare of nobody" 3 compare 1 4194304
	exits "clean by age and by name" 2 clean --older-than 1d --record 1-x
	exits "an option without its argument" 2 plan alice --service
	says "it is named" -- '--service wants an argument'
	exits "an unknown column" 2 features -o NONSENSE
}

#
# check: the text
#
test_check_text() {
	policy <<-'END'
		[Match]
		User=alice
		[Session]
		PrivateTemp=yes
		PrivateIPC=maybe

		[Mtach]
		User=bob
	END
	exits "check of a broken policy" 1 check --no-host
	says "file, line and column" '50-test.conf:4:1: error: '
	says "what would be right" 'PrivateTmp'
	says "all errors in one go" '50-test.conf:5:.*50-test.conf:7:'
	run check --no-host --json
	holds "check --json is JSON" json <<<"$out"
	run check --no-host -nr -o LINE,SEVERITY
	says "-n -r -o LIST" $'^4 error\n5 error\n'

	good_policy
	exits "check of a good policy" 0 check --no-host
	says "it is counted" '^1 rule, 0 errors, 0 warnings$'
	exits "check --strict of it" 0 check --no-host --strict
	run check --no-host --json
	says "no findings are an empty list" '"findings": \[\]'

	printf '[Match]\nUser=alice\n[Session]\nNonsense=1\n' >"$WORK/50-test.conf"
	exits "a FILE in place of its namesake" 1 check --no-host "$WORK/50-test.conf"
	says "the FILE is named" "$WORK/50-test.conf:4:"
	says "its namesake is not read" '^1? ?.*1 rule'
	exits "a FILE that is not there" 3 check --no-host "$WORK/nothing.conf"
	exits "--policy that is not there" 1 check --no-host --policy "$WORK/nothing"

	rm /etc/security/nsclone.d/*
	exits "no rules at all" 1 check --no-host
	says "no rules are said" 'no rules at all'

	good_policy
	touch /etc/security/nsclone.d/README /etc/security/nsclone.d/.hidden
	exits "a name that does not end in .conf" 0 check --no-host
	says "it is a warning" 'README: warning: '
	says_not "a name with a dot is none" 'hidden'
	exits "with --strict it fails" 1 check --no-host --strict
	rm /etc/security/nsclone.d/README /etc/security/nsclone.d/.hidden
}

test_check_warnings() {
	policy <<-'END'
		[Match]
		User=alice nosuchuser !othernouser 20000-
		Group=nosuchgroup nscstaff
		Service=sshd gdm-password
		RemoteHost=10.0.0.0/8
		[Session]
		PrivateIPC=yes
		Trial=yes
	END
	cp /etc/ssh/sshd_config "$WORK/sshd_config" 2>/dev/null
	mkdir -p /etc/ssh
	printf 'UsePAM yes\n' >/etc/ssh/sshd_config
	run check
	says "an unknown user" ':2:.*warning: User=nosuchuser'
	says "also after a bang" 'warning: User=othernouser'
	says "an unknown group" ':3:.*warning: Group=nosuchgroup'
	says_not "known ones are none" 'User=alice|Group=nscstaff|User=20000'
	says "a service without a file" ':4:.*warning: Service=gdm-password'
	says_not "a service with one" 'Service=sshd'
	says "PrivateIPC= alone" 'PrivateIPC= without PrivateDevShm='
	says "a rule on trial" 'on trial'
	says_not "a prefix, with UseDNS no" 'RemoteHost='
	printf 'UsePAM yes\nUseDNS yes\n' >/etc/ssh/sshd_config
	run check
	says "a prefix, with UseDNS yes" ':5:.*warning: RemoteHost=10.0.0.0/8'

	policy <<-'END'
		[Match]
		User=alice
		[Session]
		PrivateTmp=persistent
		InstanceRoot=%h/.private
		PrivateDirectory=/nowhere
		TemporaryFileSystem=/etc/passwd
	END
	exits "mount points that are missing" 1 check
	says "a directory that is missing" ':6:.*error: /nowhere is missing'
	says "a file" ':7:.*error: /etc/passwd is not a directory'
	says "InstanceRoot= below a home" ':5:.*warning: InstanceRoot=%h/.private is below a home'
	says_not "OnFailure= is deny" 'OnFailure=warn'
	printf '[Match]\nUser=alice\n[Session]\nProtectProc=invisible\n' | policy
	run check
	says_not "nothing on /proc" 'what it hides'
	mount --bind /dev/null /proc/kallsyms
	run check
	says "a mask on /proc" ':4:.*warning: /proc/kallsyms is mounted on /proc'
	umount /proc/kallsyms
	printf '[Match]\nUser=alice\n[Session]\nPrivateTmp=persistent\nInstanceRoot=%%h/.private\nOnFailure=warn\n' | policy
	run check
	says "a way out" ':6:.*warning: OnFailure=warn, and a path in a home'

	mkdir -p /srv/bad
	chown alice /srv/bad
	printf '[Match]\nUser=alice\n[Session]\nPrivateTmp=persistent\nInstanceRoot=/srv/bad\n' | policy
	exits "InstanceRoot= of a user's" 1 check
	says "it is said" ':5:.*error: InstanceRoot=/srv/bad is not root'
	chown root /srv/bad
	chmod 777 /srv/bad
	exits "InstanceRoot= that others can write to" 1 check
	chmod 700 /srv/bad
	mount -t tmpfs -o noexec none /srv/bad
	chmod 700 /srv/bad
	run check
	says "InstanceRoot= on a noexec mount" 'warning: .*noexec'
	says "persistent on a tmpfs" 'warning: .*gone after a boot'
	mount -o remount,ro /srv/bad
	exits "InstanceRoot= on a read-only mount" 1 check
	says "it is named" 'read-only'
	umount /srv/bad
	rmdir /srv/bad
}

#
# check: pam.d
#
pam_says() { # pam_says NAME SEVERITY REGEX LINE...: of sshd's session lines
	local name=$1 severity=$2 regex=$3

	shift 3
	pam sshd 'auth required pam_permit.so' 'account required pam_permit.so' "$@"
	run check
	says "pam.d: $name" "(^|"$'\n'")[^"$'\n'"]*$severity: [^"$'\n'"]*$regex"
}

test_check_pamd() {
	local line="session required $MODULE"

	good_policy
	printf 'UsePAM yes\n' >/etc/ssh/sshd_config
	rm -f /etc/pam.d/cron /etc/pam.d/crond /etc/pam.d/atd /etc/pam.d/systemd-user
	pam common-ours "$line"
	run check
	says "pam.d: nobody has the module" 'warning: no service in pam.d has'
	pam sshd 'auth required pam_permit.so' 'account required pam_permit.so' "$line"
	exits "pam.d: a good line" 0 check
	says "pam.d: forgotten doors" 'warning: services without the module.*login.*su'
	says_not "pam.d: nothing wrong is said of a good line" 'pam.d/sshd'

	pam_says "optional" error 'optional.*un-isolated' "session optional $MODULE"
	pam_says "sufficient" error 'sufficient.*un-isolated' "session sufficient $MODULE"
	pam_says "[default=ignore]" error 'un-isolated' "session [success=ok default=ignore] $MODULE"
	pam_says "a module that may be missing" warning 'cannot be loaded' \
		"session [success=ok module_unknown=ignore default=bad] $MODULE"
	pam_says "-session" warning 'nobody is told' "-$line"
	pam_says "-session and no file" error 'without a word' '-session required /nowhere/pam_nsclone.so'
	pam_says "no file" error 'there is no module' 'session required /nowhere/pam_nsclone.so'
	pam_says "a misspelt name" error 'pam_nsclone.s0 is no module' 'session required pam_nsclone.s0'
	pam_says "a name without .so" error 'pam_nsclone is no module' 'session required pam_nsclone'
	pam_says "the wrong type" error 'not for auth' "auth required $MODULE" "$line"
	pam_says "an earlier sufficient" warning 'passed over in some logins' 'session sufficient pam_unix.so' "$line"
	pam_says "always passed over" error 'always passed over' 'session [default=1] pam_permit.so' "$line" \
		'session required pam_permit.so'
	pam_says "by a jump" warning 'passed over in some.*success=1' \
		'session [success=1 default=ignore] pam_succeed_if.so uid > 0' "$line" 'session required pam_permit.so'
	pam_says "a later reset" error 'forget' "$line" 'session [success=reset default=ignore] pam_permit.so'
	pam_says "an unknown argument" error 'unknown argument trail' "$line trail"
	pam_says "a relative policy=" error 'policy=etc' "$line policy=etc"
	pam_says "policy= elsewhere" warning 'another policy' "$line policy=/etc"
	pam_says "rescue= given twice" error 'given twice' "$line rescue=carol rescue=dave"
	pam_says "rescue= of nobody" warning 'rescue=nosuch' "$line rescue=nosuch"
	pam_says "trial" warning 'trial: nobody' "$line trial"
	pam_says "before pam_selinux open" warning 'pam_selinux.so .* comes after' "$line" \
		'session required pam_selinux.so open'
	pam_says "pam_namespace, too" warning 'pam_namespace.so' 'session required pam_namespace.so' "$line"
	pam_says "twice" warning 'has been there before' "$line" "$line"
	pam_says "a file that libpam cannot read" error 'cannot read it to its end' "$line \\"

	# How libpam comes to a line
	pam sshd '@include common-ours'
	run check
	says_not "pam.d: by @include" 'no service in pam.d'
	pam sshd 'session substack common-ours'
	run check
	says_not "pam.d: by substack" 'no service in pam.d'
	pam sshd 'session include common-ours' 'session required pam_nowhere.so'
	run check
	says_not "pam.d: by include" 'no service in pam.d'
	pam sshd "# $line"
	run check
	says "pam.d: a comment is none" 'no service in pam.d'

	# Ways out
	pam sshd "$line"
	pam systemd-user 'session required pam_permit.so'
	exits "systemd-user where there is no systemd" 0 check
	mkdir -p /run/systemd/system
	exits "systemd-user without the module" 1 check
	says "it is a way out" 'error: .*systemd-run --user'
	pam systemd-user "$line"
	exits "systemd-user with it" 0 check
	rm -r /etc/pam.d/systemd-user /run/systemd/system

	printf '#UsePAM yes\nMatch User bob\n X11Forwarding no\n' >/etc/ssh/sshd_config
	exits "no UsePAM" 1 check
	mkdir -p /etc/ssh/sshd_config.d
	printf 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n' >/etc/ssh/sshd_config
	exits "UsePAM yes" 0 check
	echo 'usepam=no' >/etc/ssh/sshd_config.d/a.conf
	exits "UsePAM no in an included file" 1 check
	says "the file is named" 'sshd_config.d/a.conf:1: error: .*UsePAM no'
	rm /etc/ssh/sshd_config.d/a.conf
}

test_check_rescue() {
	good_policy
	printf 'UsePAM yes\nPermitRootLogin no\n' >/etc/ssh/sshd_config
	usermod -p '*' root
	pam sshd "session required $MODULE"
	run check
	says "no rescue=, and root is locked" 'warning: root cannot log in directly'
	pam sshd "session required $MODULE rescue=carol"
	run check
	says_not "with rescue=" 'root cannot log in'
	pam sshd "session required $MODULE"
	# shellcheck disable=SC2016 # a hash
	usermod -p '$6$x$y' root
	run check
	says_not "root has a password" 'root cannot log in'
}

test_check_as_user() {
	good_policy
	rm -f /etc/pam.d/cron # a way out
	pam sshd "session required $MODULE"
	out=$(as_user dave "$N" check 2>&1)
	rc=$?
	is "check as an ordinary user: exit" "$rc" 0
	says "check as an ordinary user: the kernel is unseen" 'host: unseen: whether this kernel'
	says "check as an ordinary user: it is counted" 'unseen$'
	chmod 600 /etc/pam.d/sshd
	out=$(as_user dave "$N" check 2>&1)
	says "a file in pam.d that one may not read" 'pam.d/sshd: unseen: '
	chmod 644 /etc/pam.d/sshd
	mkdir -m 755 "$WORK/own"
	chmod 711 /root "$WORK"
	printf '[Match]\nUser=alice\n[Session]\nPrivateTmp=yes\n' >"$WORK/own/10-a.conf"
	chown -R dave "$WORK/own"
	out=$(as_user dave "$N" check --no-host --policy "$WORK/own" 2>&1)
	is "a policy of one's own" "$?" 0
	out=$("$N" check --no-host --policy "$WORK/own" 2>&1)
	is "... is not root's" "$?" 1
	chmod 700 /root
}

#
# explain, plan
#
test_explain() {
	restore_pam
	policy <<-'END'
		[Match]
		User=alice
		[Session]
		Description=everywhere
		PrivateTmp=yes

		[Match]
		User=alice
		Service=sshd
		[Session]
		PrivateTmp=persistent
		ProtectHostname=yes:box-%u

		[Match]
		User=bob
		[Session]
		Isolate=no

		[Match]
		User=carol
		[Session]
		Nonsense=1
	END
	exits "explain" 0 explain alice --service sshd
	says "the value and its line" 'PrivateTmp +persistent +[^ ]*50-test.conf:11'
	says "what it overrode" 'yes \([^ ]*50-test.conf:5\)'
	says "specifiers are expanded" 'ProtectHostname +yes:box-alice '
	says "a description" '\(everywhere\): applies'
	says "a rule that does not apply, and why" ':14: does not apply: User= .*:15\): no pattern fits'
	says "whose the world is" 'world: shared by all logins of alice .* \(Scope=user\)'
	says "that the service has no module" 'note: sshd has no pam_nsclone.so'
	exits "explain by another service" 0 explain alice --service login
	says "its first key that failed" ':7: does not apply: Service= '
	exits "explain without rules for one" 0 explain dave
	says "no rule fits" 'no rule fits'
	exits "explain of one who is left alone" 0 explain bob
	says "Isolate=no, and where" 'Isolate=no \([^ ]*:17\)'
	exits "explain of one who is refused" 1 explain carol
	says "it is said why" 'refused: .*Nonsense.*:22\)'
	exits "explain of nobody" 3 explain nosuchuser
	pam sshd "session required $MODULE rescue=alice"
	pam login "session required $MODULE trial"
	exits "explain for each service with the module" 0 explain alice
	says "one" 'alice by login'
	says "the other" 'alice by sshd'
	says "trial is told" 'pam.d/login:1 says trial'
	says "rescue= is told" 'pam.d/sshd:1 says rescue='
	run explain alice -nr -o SERVICE,SETTING,VALUE
	says "as a table" 'login PrivateTmp yes.*sshd PrivateTmp persistent'
	out=$("$N" explain alice --json 2>/dev/null)
	holds "explain --json is JSON" json <<<"$out"
	restore_pam
}

test_plan() {
	policy <<-'END'
		[Match]
		User=alice
		[Session]
		ProtectHostname=yes:box-%u

		[Match]
		User=bob
		[Session]
		Isolate=no

		[Match]
		User=carol
		[Session]
		Nonsense=1
	END
	out=$("$N" plan alice 2>/dev/null)
	is "plan: exit" "$?" 0
	is "plan prints the steps" "$(grep -c '^hostname *box-alice' <<<"$out")" 1
	is "plan as an ordinary user" "$(as_user dave "$N" plan alice 2>/dev/null)" "$out"
	exits "plan of one without rules" 0 plan dave
	says "no rule fits" 'no rule fits'
	exits "plan of one who is left alone" 0 plan bob
	says "Isolate=no" 'left alone by Isolate=no'
	exits "plan of one who is refused" 1 plan carol
	says "refused" 'refused: '
	exits "plan of nobody" 3 plan nosuchuser
	printf '[Match]\nUser=alice\n[Session]\nTemporaryFileSystem=/nowhere\n' | policy
	exits "plan that cannot be made" 1 plan alice
	says "it would be refused" 'refused: .*/nowhere'
	printf '[Match]\nUser=alice\n[Session]\nTemporaryFileSystem=/nowhere\nOnFailure=warn\n' | policy
	exits "plan that cannot be made, with OnFailure=warn" 1 plan alice
	says "it would go on" 'not isolated, by OnFailure=warn'

	# policy= of the service's line, and --policy before it
	mkdir -p /etc/other-policy
	printf '[Match]\nUser=dave\n[Session]\nProtectHostname=yes:other\n' >/etc/other-policy/10-a.conf
	pam login "session required $MODULE policy=/etc/other-policy"
	run plan dave
	says "policy= in pam.d is obeyed" 'hostname +other'
	run plan dave --policy /etc/security/nsclone.d
	says "--policy is stronger" 'no rule fits'
	restore_pam
}

#
# run
#
test_run() {
	full_policy Scope=session # there is no keeper here
	host_before
	exits "run" 0 run alice -- id -un
	is "run: as the user" "$out" alice
	run run alice -- sh -c 'echo $(id -G)'
	is "run: with her groups" "$out" "$(id -G alice)"
	run run alice -- pwd
	is "run: at home" "$out" /home/alice
	out=$(SECRET=x "$N" run alice -- env)
	says_not "run: nothing of the caller's environment" 'SECRET'
	says "run: HOME" 'HOME=/home/alice'
	says "run: SHELL" 'SHELL=/bin/bash'
	says "run: USER" 'USER=alice'
	says "run: LOGNAME" 'LOGNAME=alice'
	says "run: PATH" 'PATH=/'
	# shellcheck disable=SC2012,SC2016 # for the command
	out=$("$N" run alice -- sh -c 'for fd in /proc/self/fd/*; do readlink "$fd"; done' 5</etc/passwd 6</ | grep -v ^pipe)
	says_not "run: no descriptor goes along" '/etc/passwd|^/$|\[mnt|mnt:'
	out=$("$N" run alice -- sh -c 'echo still there' <&- )
	is "run: with descriptor 0 closed" "$out" 'still there'
	run run alice -- uname -n
	is "run: isolated" "$out" box-alice
	# shellcheck disable=SC2016
	out=$(echo 'echo "$0 $PWD"' | "$N" run alice)
	is "run: the login shell" "$out" '-bash /home/alice'
	exits "run: the command's status" 7 run alice -- sh -c 'exit 7'
	exits "run: a signal" 137 run alice -- sh -c 'kill -9 $$'
	exits "run: nothing to execute" 127 run alice -- nosuchcommand
	exits "run: not executable" 126 run alice -- /etc/passwd
	exits "run: nobody" 125 run nosuchuser -- true
	exits "run: no rule" 0 run dave -- true
	says "run: it is said" 'no rule fits'
	out=$(as_user dave "$N" run dave -- true 2>&1)
	is "run as an ordinary user: exit" "$?" 125
	says "run as an ordinary user: says so" 'only root'
	host_unchanged "run"
}

test_run_failing() {
	printf '[Match]\nUser=alice\n[Session]\nNonsense=1\n' | policy
	exits "run: refused" 125 run alice -- echo ran
	says_not "run: refused is not run" '(^|'$'\n'')ran'
	printf '[Match]\nUser=alice\n[Session]\nTemporaryFileSystem=/nowhere\n' | policy
	exits "run: isolation fails" 125 run alice -- echo ran
	says_not "run: not run then" '(^|'$'\n'')ran'
	printf '[Match]\nUser=alice\n[Session]\nTemporaryFileSystem=/nowhere\nOnFailure=warn\n' | policy
	exits "run: OnFailure=warn" 0 run alice -- echo ran
	says "run: with a warning" 'warning: NOT ISOLATED'
	says "run: it is run" '(^|'$'\n'')ran'
	printf '[Match]\nUser=alice\n[Session]\nPrivateIPC=yes\n' | policy
	exits "run: Scope=user without a keeper" 0 run alice -- echo ran
	says "run: it is said" 'note: nsclone-keeper cannot be reached'
	printf '[Match]\nUser=alice\n[Session]\nPrivatePIDs=yes\n' | policy
	exits "run: PrivatePIDs= without a keeper" 125 run alice -- echo ran
}

state_of() { # state_of PID
	sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

is_state() { # is_state PID STATE
	[[ $(state_of "$1") = "$2" ]]
}

test_run_waits() {
	local pid child

	full_policy Scope=session # there is no keeper here
	host_before
	"$N" run alice -- sleep 1000 &
	pid=$!
	wait_until 5 pgrep -P "$pid" sleep
	holds "run: a session that leaves traces is waited for" pgrep -P "$pid" sleep
	kill -TERM "$pid"
	wait "$pid"
	is "run: TERM is passed on" "$?" 143
	# shellcheck disable=SC2016
	"$N" run alice -- sh -c 'kill -STOP $$; exit 5' &
	pid=$!
	holds "run: stops when the command stops" wait_until 5 is_state "$pid" T
	kill -CONT "$pid"
	wait "$pid"
	is "run: and goes on" "$?" 5
	host_unchanged "run, waited for"

	"$N" run bob -- sleep 1000 &
	pid=$!
	wait_until 5 pgrep -P "$pid" sleep
	child=$(pgrep -P "$pid" sleep)
	exits "clean with a live session" 0 clean
	is "clean: nothing is said" "$out" ''
	holds "clean: it lives on" kill -0 "$child"
	kill -9 "$pid" "$child"
	wait "$pid" 2>/dev/null
	wait_until 5 test ! -e "/proc/$child"
	run clean --dry-run
	says "clean --dry-run names the litter" "/var/lib/nsclone/20002/\.session-.* 20002 would be removed"
	holds "clean --dry-run removes nothing" test -n "$(find /var/lib/nsclone/20002 -name '.session-*')"
	run clean --json
	says "clean says what it removed" '"state": "removed"'
	is "clean: it is gone" "$(find /var/lib/nsclone -name '.session-*')" ''
	is "clean: and its record" "$(find /run/nsclone/sessions -mindepth 1)" ''
	out=$(as_user dave "$N" clean 2>&1)
	is "clean as an ordinary user" "$?" 3
}

#
# compare
#
row() { # row WHAT: of the last run with -nr
	sed -n "s/^$1 //p" <<<"$out"
}

test_compare() {
	local pid number

	sleep 1000 &
	pid=$!
	number=$(readlink /proc/self/ns/mnt | tr -dc 0-9)
	exits "compare with oneself: all is shared" 0 compare $$ $$
	run compare -nr -o WHAT,SHARED,FIRST,SECOND $$ "$pid"
	is "compare with a child: exit" "$rc" 1
	is "compare: the mount namespace" "$(row mnt)" "yes $number $number"
	is "compare: fifteen rows" "$(grep -c . <<<"$out")" 15
	is "compare: its memory is not" "$(row memory | cut -d' ' -f1)" no
	is "compare: its descriptors are not" "$(row files | cut -d' ' -f1)" no
	unshare --net sleep 1000 &
	wait_until 5 pgrep -P $! -x sleep || wait_until 5 is_comm $! sleep
	run compare -nr -o WHAT,SHARED $$ $!
	is "compare: another network" "$(row net) $(row ipc)" 'no yes'
	run compare --json $$ $!
	holds "compare --json is JSON" jq -e '.compared | map(select(.what == "net"))[0] | .shared == "no" and .first != .second' <<<"$out"
	out=$(as_user dave "$N" compare -nr -o WHAT,SHARED,WHY $$ "$pid" 2>&1)
	is "compare as an ordinary user: exit" "$?" 3
	says "compare as an ordinary user: it is unknown" 'mnt unknown only.*memory unknown only'
	kill "$pid" $!
	wait "$pid" $! 2>/dev/null
	exits "compare with one who has ended" 3 compare $$ "$pid"
}

is_comm() { # is_comm PID NAME
	[[ $(cat "/proc/$1/comm") = "$2" ]]
}

#
# features
#
test_features() {
	host_before
	run features -nr -o FEATURE,STATE
	says "features: what worlds need" 'PID\\x20namespace yes'
	says "features: no keeper is started for it" 'keeper no'
	says "features: the mount namespace" 'mount\\x20namespace yes'
	out=$(as_user dave "$N" features)
	is "features as an ordinary user: exit" "$?" 3
	says "features as an ordinary user: what is root's" 'mount namespace +unseen .*only root'
	says "features as an ordinary user: what is not" 'openat2 +(yes|no)'
	host_unchanged "features"
}

test_words
test_check_text
test_check_warnings
test_check_pamd
restore_pam
test_check_rescue
restore_pam
test_check_as_user
test_explain
test_plan
test_run
test_run_failing
test_run_waits
test_compare
test_features
finish
