#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The README's commands, as they stand there: every ```sh block after a line <!-- run: NAME -->, in order, in a scratch world
# with a real sshd. After each block after_NAME, where there is one, holds what the text around the block promises.
# The samples of conf/ are read here, too.
# weight: 3
. "${0%/*}/lib.sh"
. "${0%/*}/doors.sh"

blocks() { # prints the names, in order
	sed -n 's/^<!-- run: \([a-z-]*\) -->$/\1/p' "$SRC/README.md"
}

block() { # block NAME [KIND]
	awk -v start="<!-- ${2-run}: $1 -->" '
		$0 == start { wanted = 1; next }
		wanted && /^```(sh)?$/ { if (inside++) exit; next }
		inside { print }' "$SRC/README.md"
}

shown() { # shown NAME: every line of the block after <!-- shows: NAME --> is what the block of that name printed
	local line printed

	printed=$(tr -s ' ' <"$WORK/$1.out")
	while read -r line; do
		[[ $printed = *"$(tr -s ' ' <<<"$line")"* ]] || echo "not printed: $line"
	done < <(block "$1" shows)
}

# One shell for each block; the reader is in the checkout. sudo(8) drops the build directory from the environment.
run_block() { # run_block NAME
	local status

	bash -euc 'sudo() { command sudo B="$B" "$@"; }
		cd "$SRC"
		eval "$1"' bash "$(block "$1")" >"$WORK/$1.out" 2>&1 </dev/null
	status=$?
	if [[ $status = 0 ]]; then ok "README: $1"; else
		not_ok "README: $1" "exit $status of:" "$(block "$1")" "with:" "$(cat "$WORK/$1.out")"
	fi
}

#
# What a reader has and a scratch world has not
#
writable_usr() { # for make install
	mkdir -p "$WORK"/usr/{new,work}
	mount -t overlay -o "lowerdir=/usr,upperdir=$WORK/usr/new,workdir=$WORK/usr/work" overlay /usr
}

people() { # alice on the shell server, carol its administrator
	echo 'exam:x:20060:bob' >>/etc/group
	grep -q '^sudo:' /etc/group || echo 'sudo:x:20061:' >>/etc/group
	sed -i 's/^\(sudo:[^:]*:[^:]*:\).*/\1carol/' /etc/group
}

client() { # `ssh USER@localhost` reaches the sshd of the test
	mkdir -p /root/.ssh
	cat >/root/.ssh/config <<-END
		Host localhost
		Port $SSHD_PORT
		IdentityFile $WORK/user_key
		StrictHostKeyChecking no
		UserKnownHostsFile /dev/null
		LogLevel ERROR
	END
}

#
# What the text promises
#
out() {
	cat "$WORK/$1.out"
}

alices_mnt() {
	ssh_as alice readlink /proc/self/ns/mnt
}

after_install() {
	like "make install installs the module" "$(find /usr/lib* -path '*/security/pam_nsclone.so')" pam_nsclone.so
	is "nothing is in force after make install" "$(grep -l pam_nsclone /etc/pam.d/* 2>&1)" ''
	is "the shipped policy has no rule" "$(grep -Ev '^(#.*|)$' /etc/security/nsclone.conf)" ''
}

after_policy() {
	is "a policy alone does nothing" "$(alices_mnt)" "$(host_ns mnt)"
}

after_explain() {
	is "what the README shows is what explain prints" "$(shown explain)" ''
	like "plan shows the private /tmp" "$(out explain)" '\.session-[0-9a-f-]+/tmp on /tmp'
}

after_run() {
	unlike "run shows a private /tmp" "$(out run)" host-file
}

after_trial() {
	like "a trial applies nothing" "$(out trial)" host-file
	sync_log
	like "a trial is logged" "$(grep nsclone "$LOG")" 'trial user=alice service=sshd: ok'
}

after_enable() {
	is "an enabled module gives alice an empty /tmp" "$(head -n 1 "$WORK/enable.out")" mine
	like "the host has its /tmp" "$(out enable)" host-file
	fails "alice's file is not in the host's /tmp" test -e /tmp/mine
	like "bob, of the group exam, has no network" "$(ssh_as bob "awk -F: 'NR > 2 { print \$1 }' /proc/net/dev")" '^ *lo$'
	is "an administrator is left alone" "$(ssh_as carol readlink /proc/self/ns/mnt)" "$(host_ns mnt)"
}

after_doors() {
	like "cron has the module" "$(cat "/etc/pam.d/$(cron_service)")" pam_nsclone.so
}

after_leave-alone() {
	like "Isolate=no: alice is on the host again" "$(out leave-alone)" host-file
}

after_disable() {
	like "without the module alice is on the host again" "$(out disable)" host-file
	is "nothing of a session is left" "$(find /run/nsclone/sessions /var/lib/nsclone -name '*-*' 2>&1)" ''
}

# A rescue user of a broken policy, between two steps of the README: "they get in".
broken_policy() {
	echo 'PrivateTemp=yes' >/etc/security/nsclone.d/99-broken.conf
	fails "a broken policy refuses alice" ssh_as alice true
	holds "and rescue=carol gets in" ssh_as carol true
	rm /etc/security/nsclone.d/99-broken.conf
}

samples() {
	local sample

	for sample in "$SRC"/conf/samples/*.conf; do
		rm -rf "$WORK/policy" && mkdir "$WORK/policy" && install -m 644 "$sample" "$WORK/policy"
		holds "no error in ${sample##*/}" nsclone check --no-host --policy "$WORK/policy"
	done
}

if ! writable_usr 2>"$WORK/overlay"; then
	impossible README "no overlay file system: $(cat "$WORK/overlay")" writable_usr
	finish
fi
people
start_sshd
client
host_treasure
while read -r name; do
	run_block "$name"
	! declare -F "after_$name" >/dev/null || "after_$name"
	[[ $name != enable ]] || broken_policy
done < <(blocks)
samples
finish
