#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What pam_sm_open_session() answers, and what it says to the user and to the log.
# weight: 3
. "${0%/*}/../lib.sh"

service nsctest rescue=carol

# in_log NAME PRIORITY REGEX COMMAND...: COMMAND leaves a line of that priority (of syslog: 1 alert ... 6 info)
in_log() {
	local name=$1 priority=$2 regex=$3 mark

	shift 3
	mark=$(log_mark)
	"$@" >/dev/null 2>&1
	sync_log
	if log_since "$mark" | grep -aE "^<$((10 * 8 + priority))>.*pam_nsclone" | grep -aEq "$regex"; then
		ok "$name"
	else
		not_ok "$name" "no line of priority $priority like /$regex/ in:" "$(log_since "$mark")"
	fi
}

no_rule() {
	rule User=alice PrivateTmp=yes | policy
	gets "a rule fits" own alice
	gets "no rule fits" host dave
	gets "root, by nobody's rule" host root
	rm -f /etc/security/nsclone.d/*
	gets "no rules at all" host alice
	in_log "no rules at all: a warning at every login" 4 'rule' login alice
	rule 'User=*' PrivateTmp=yes | policy
	gets "User=* is not about root" host root
	gets "User=* is about everybody else" own dave
	rule 'User=root' PrivateTmp=yes | policy
	gets "User=root is" own root
	rule 'User=0' PrivateTmp=yes | policy
	gets "User=0 is, too" own root
}

broken() {
	{ rule User=alice PrivateTemp=yes && rule User=bob PrivateTmp=yes; } | policy
	refused "an error in her rule" alice
	gets "an error in another's rule" own bob
	gets "an error in nobody's rule" host dave
	in_log "the log names file and line" 3 'PrivateTemp.*50-test\.conf:4|50-test\.conf:4.*PrivateTemp' login alice
	printf '[Match]\nUsr=alice\n[Session]\nPrivateTmp=yes\n' | policy
	refused "an error in [Match]" alice
	refused "an error in [Match]: everybody" dave
	gets "an error in [Match]: but root" host root
	gets "an error in [Match]: and the rescue user" host carol
	in_log "the rescue is logged as an alert" 1 carol login carol
	rule User=carol PrivateTemp=yes | policy
	gets "rescue: an error in her own rule" host carol
	rule User=carol PrivateTmp=yes | policy
	gets "rescue: isolated where nothing fails" own carol
}

untrusted_files() {
	rule User=alice PrivateTmp=yes | policy
	chmod 664 /etc/security/nsclone.d/50-test.conf
	refused "a policy that a group can write" dave
	chmod 644 /etc/security/nsclone.d/50-test.conf
	chown alice /etc/security/nsclone.d/50-test.conf
	refused "a policy of somebody else's" dave
	chown root /etc/security/nsclone.d/50-test.conf
	chmod 777 /etc/security/nsclone.d
	refused "a policy directory that everybody can write" dave
	chmod 755 /etc/security/nsclone.d
	mv /etc/security/nsclone.d/50-test.conf /home/alice/policy
	ln -s /home/alice/policy /etc/security/nsclone.d/50-test.conf
	refused "a policy that is a link into a home" dave
	rm /etc/security/nsclone.d/50-test.conf
	mkfifo /etc/security/nsclone.d/50-test.conf
	refused "a policy that is a FIFO" dave
	rm -f /etc/security/nsclone.d/50-test.conf /home/alice/policy
	mkdir /etc/security/nsclone.d/50-test.conf
	refused "a policy that is a directory" dave
	rmdir /etc/security/nsclone.d/50-test.conf
	ln -s /dev/null /etc/security/nsclone.d/50-test.conf
	gets "a policy that is masked" host alice
	rm /etc/security/nsclone.d/50-test.conf
	rule User=alice PrivateTmp=yes | policy
	echo nonsense >/etc/security/nsclone.d/.50-test.conf.swp
	echo nonsense >/etc/security/nsclone.d/50-test.conf~
	gets "an editor's leavings do not count" own alice
	rm -f /etc/security/nsclone.d/.50-test.conf.swp /etc/security/nsclone.d/50-test.conf~
}

arguments() {
	rule User=alice PrivateTmp=yes | policy
	service nsctest rescue=carol unheard-of
	refused "an unknown argument" alice
	refused "an unknown argument: whoever it is" dave
	in_log "an unknown argument is in the log" 3 'unheard-of' login alice
	gets "an unknown argument, the rescue user" host carol
	service nsctest rescue=20003,dave policy=/etc/nowhere
	refused "policy= of a directory that is missing" alice
	gets "rescue= by uid" host carol
	gets "rescue=, the second of the list" host dave
	mkdir -p /etc/elsewhere
	rule User=dave PrivateTmp=yes >/etc/elsewhere/10-dave.conf
	service nsctest policy=/etc/elsewhere
	gets "policy= of another directory: its rule" own dave
	gets "policy= of another directory: and no other" host alice
	service nsctest debug
	in_log "debug: the plan is in the log" 7 '/tmp' login alice
	service nsctest rescue=carol
}

failing() {
	echo blocked >/var/lib/blocker
	rule User=alice PrivateTmp=yes InstanceRoot=/var/lib/blocker | policy
	refused "isolation fails" alice
	in_log "isolation fails: step, object, errno and rule are in the log" 3 \
		'/var/lib/blocker.*Not a directory.*50-test.conf:[45]' login alice
	rule User=alice PrivateTmp=yes InstanceRoot=/var/lib/blocker OnFailure=warn | policy
	gets "isolation fails, OnFailure=warn" host alice
	in_log "OnFailure=warn is a warning in the log" 4 '/var/lib/blocker.*Not a directory' login alice
	rule User=alice PrivateTmp=yes OnFailure=warn | policy
	gets "OnFailure=warn where nothing fails" own alice
	rule User=carol PrivateTmp=yes InstanceRoot=/var/lib/blocker | policy
	gets "isolation fails for the rescue user" host carol
	refused "no such user" ghost
}

full_disk() {
	local free

	mkdir -p /srv/tiny
	mount -t tmpfs -o size=4k,nr_inodes=2,mode=700 tiny /srv/tiny
	rule 'User=alice carol' PrivateTmp=yes InstanceRoot=/srv/tiny | policy
	: >/srv/tiny/fill
	free=$(mount_ns alice)
	is "InstanceRoot= is full" "$free" refused
	gets "InstanceRoot= is full, the rescue user" host carol
	umount /srv/tiny
	rmdir /srv/tiny
}

isolate_no() {
	{ rule User=alice Isolate=no && rule 'User=*' PrivateTmp=yes; } | policy
	gets "Isolate=no is final" host alice
	gets "Isolate=no is about her" own bob
	{ rule User=alice Isolate=no && rule User=alice PrivateTemp=yes; } | policy
	gets "Isolate=no, whatever comes later" host alice
}

trials() {
	service nsctest trial
	printf 'nonsense\n' | policy
	gets "trial: a broken policy" host dave
	rule User=alice PrivateTmp=yes | policy
	gets "trial: a sound policy is not applied" host alice
	in_log "trial: what would have been is in the log" 5 'trial.*: ok' login alice
	rule User=alice PrivateTmp=yes InstanceRoot=/var/lib/blocker | policy
	gets "trial: a failing policy" host alice
	in_log "trial: the step that failed is in the log" 5 'trial.*failed.*/var/lib/blocker.*Not a directory' login alice
	service nsctest trial policy=/etc/nowhere
	gets "trial: no policy" host alice
	service nsctest rescue=carol
	{ rule User=alice PrivateTmp=yes && rule User=alice Trial=yes PrivateIPC=yes; } | policy
	gets "Trial=yes: the other rules hold" own alice
	is "Trial=yes: the rule itself does not" "$(login alice -- readlink /proc/self/ns/ipc | grep ipc:)" "$(host_ns ipc)"
	in_log "Trial=yes: what would have been is in the log" 5 'trial.*: ok' login alice
	printf '[Match]\nGroup=%s\n[Session]\nTrial=yes\nPrivateIPC=yes\n' "$(id -gn alice)" | policy
	in_log "Trial=yes: a group decides" 5 'trial.*: ok' login alice
	{ rule User=alice PrivateTmp=yes && rule User=alice Trial=yes InstanceRoot=/var/lib/blocker; } | policy
	gets "Trial=yes that fails harms nobody" own alice
	in_log "Trial=yes: the step that failed is in the log" 5 'trial.*failed.*/var/lib/blocker.*Not a directory' login alice
}

messages() {
	local mark out ns

	rule User=alice PrivateTmp=yes InstanceRoot=/var/lib/blocker | policy
	mark=$(log_mark)
	out=$(login alice)
	is "a refused user is told so in one line" "$(grep -c '^message error ' <<<"$out")" 1
	same_id "a refusal" "$out" "$mark"
	unlike "the user is not told where" "$out" '/var/lib/blocker'
	is "PAM_SILENT mutes it" "$(login --silent alice | grep -c '^message')" 0
	in_log "PAM_SILENT does not mute the log" 3 blocker login --silent alice
	full_policy
	mark=$(log_mark)
	out=$(login alice -- sh -c 'readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/net')
	is "a login without trouble says nothing" "$(grep -c '^message' <<<"$out")" 0
	sync_log
	is "a session is one line in the log" "$(log_since "$mark" | grep -ac '^<86>.*pam_nsclone.*isolated user=alice')" 1
	like "with the rule's place" "$(log_since "$mark")" '50-test\.conf:1'
	like "with the service" "$(log_since "$mark" | grep -a pam_nsclone)" nsctest
	while read -r ns; do
		holds "with the inode of ${ns%%:*}" grep -qF "$ns" <(log_since "$mark")
	done < <(grep -E '^(mnt|ipc|uts|net):' <<<"$out")
}

no_rule
broken
untrusted_files
arguments
failing
full_disk
isolate_no
trials
messages
finish
