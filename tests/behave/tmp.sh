#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Private directories: what is kept, what goes, whose they are, and what is found in their place.
# weight: 2
. "${0%/*}/../lib.sh"

service nsctest
readonly STATE=/var/lib/nsclone

inside() { # inside USER COMMAND: its output alone
	login --quiet "$1" -- sh -c "$2"
}

below_state() {
	find "$STATE" -mindepth 1 -printf '%P %m %U:%G\n' 2>/dev/null | sort
}

mount_options() { # mount_options PATH: of the topmost mount there, as a session sees it
	inside alice "grep ' $1 ' /proc/self/mountinfo | tail -n 1" | awk '{ print $6 }'
}

taken_away() {
	rule User=alice PrivateTmp=yes | policy
	inside alice true
	is "InstanceRoot= is root's alone" "$(stat -c '%a %u %g' "$STATE")" "700 0 0"
	host_before
	is "yes: /tmp is empty at first" "$(inside alice 'ls -A /tmp; ls -A /var/tmp; echo mine >/tmp/file; echo mine >/var/tmp/file')" ""
	is "yes: and again the next time" "$(inside alice 'ls -A /tmp; ls -A /var/tmp')" ""
	is "yes: nothing is kept" "$(below_state)" ""
	is "yes: two sessions of one user have two" "$(login --quiet --second alice alice -- ls -A /tmp)" ""
	is "yes: what others may not do in /tmp they may not here" \
		"$(inside alice 'stat -c "%a %u %g" /tmp /var/tmp' | tr '\n' ' ')" "1777 0 0 1777 0 0 "
	is "yes: a tree of some depth goes, too" \
		"$(inside alice 'mkdir -p /tmp/$(seq -s / 1 200) && ln -s /etc /tmp/link && chmod 0 /tmp/1 && mkfifo /tmp/p; echo $?')" 0
	is "yes: nothing is kept of it" "$(below_state)" ""
	holds "yes: what its links point to stays" test -e /etc/passwd
	host_unchanged "PrivateTmp=yes"
}

kept() {
	rule User=alice PrivateTmp=persistent | policy
	inside alice 'echo one >/tmp/file; echo two >/var/tmp/file'
	is "persistent: it is there the next time" "$(inside alice 'cat /tmp/file /var/tmp/file' | tr '\n' ' ')" "one two "
	is "persistent: by uid, 0700 and the user's; 1777 only where it is mounted" \
		"$(below_state | grep -v file | cut -d' ' -f2-)" $'700 20001:20001\n1777 0:0\n1777 0:0'
	is "persistent: named by uid" "$(ls "$STATE")" 20001
	fails "persistent: not to be reached from the host by the user" setpriv --reuid 20001 --regid 20001 --clear-groups ls "$STATE/20001"
	usermod -l alicia alice 2>/dev/null || sed -i 's/^alice:/alicia:/' /etc/passwd /etc/shadow
	rule User=alicia PrivateTmp=persistent | policy
	is "persistent: of the uid, whatever its name is" "$(inside alicia 'cat /tmp/file')" one
	sed -i 's/^alicia:/alice:/' /etc/passwd /etc/shadow
	rm -rf "${STATE:?}"/*
}

fresh() {
	local size

	rule User=alice PrivateTmp=disconnected | policy
	host_before
	is "disconnected: empty, each time" "$(inside alice 'ls -A /tmp /var/tmp | grep -v :; echo x >/tmp/x; echo x >/var/tmp/x')
$(inside alice 'ls -A /tmp /var/tmp | grep -v :')" $'\n'
	is "disconnected: /tmp and /var/tmp are two" "$(inside alice 'echo x >/tmp/x; ls -A /var/tmp')" ""
	like "disconnected: a size limit by default" "$(inside alice 'grep " /tmp " /proc/self/mountinfo | tail -n 1')" 'size=[0-9]+k.*nr_inodes='
	size=$(inside alice 'stat -f -c "%b %S" /tmp' | awk '{ print $1 * $2 }')
	holds "disconnected: of a tenth of the memory at most" \
		test "$size" -le "$(awk '/MemTotal/ { printf "%d\n", $2 * 1024 / 10 }' /proc/meminfo)"
	rule User=alice PrivateTmp=disconnected:size=1M,nr_inodes=100,noexec | policy
	like "disconnected: with options" "$(inside alice 'grep " /tmp " /proc/self/mountinfo | tail -n 1')" 'noexec.*size=1024k,nr_inodes=100'
	fails "disconnected: the limit holds" inside alice 'dd if=/dev/zero of=/tmp/big bs=64k count=32 2>/dev/null'
	host_unchanged "PrivateTmp=disconnected"
}

# What is found where a directory of ours should be is an error. It is not followed, not changed, not removed.
found_in_place() { # found_in_place NAME COMMAND: makes it at $place
	local before

	# shellcheck disable=SC2034 # the COMMAND's
	place=$STATE/20001

	rm -rf "${STATE:?}"/*
	rule User=alice PrivateTmp=persistent | policy
	eval "$2"
	before=$(find "$STATE" /srv -printf '%p %y %m %U:%G %l\n')
	refused "$1" alice
	is "$1: left as it was" "$(find "$STATE" /srv -printf '%p %y %m %U:%G %l\n')" "$before"
	rm -rf "${STATE:?}"/*
}

in_the_way() {
	found_in_place "instance of another user" 'install -d -m 700 -o 20002 -g 20002 $place'
	found_in_place "instance of root" 'install -d -m 700 $place'
	found_in_place "instance that is a link" 'install -d -m 700 -o 20001 -g 20001 /srv/target; ln -s /srv/target $place'
	found_in_place "instance that is a file" ': >$place; chown 20001:20001 $place'
	found_in_place "instance that is a FIFO" 'mkfifo $place; chown 20001:20001 $place'
	found_in_place "link in an instance" \
		'install -d -m 700 -o 20001 -g 20001 $place; ln -s /srv/target $place/tmp'
	found_in_place "file in an instance" 'install -d -m 700 -o 20001 -g 20001 $place; : >$place/tmp'
	found_in_place "InstanceRoot= that others may write to" 'chmod 777 $STATE'
	chmod 700 "$STATE"
	found_in_place "InstanceRoot= of a user" 'chown alice $STATE'
	chown root "$STATE"
	rm -rf /srv/target
	install -d -m 755 -o 20001 -g 20001 "$STATE/20001"
	gets "an instance of hers that others may enter" own alice
	is "an instance of hers: its mode is as it should be" "$(stat -c %a "$STATE/20001")" 700
	rm -rf "${STATE:?}"/*
	mkdir /srv/real
	ln -s /srv/real /srv/link
	rule User=alice PrivateTmp=persistent InstanceRoot=/srv/link/instances | policy
	gets "InstanceRoot= below a link of root's" own alice
	rm -rf /srv/real /srv/link
}

own_directories() {
	mkdir -m 755 /srv/scratch
	mkdir -m 755 "/srv/with space"
	echo host >/srv/scratch/host
	rule User=alice "PrivateDirectory=/srv/scratch:0750 \"/srv/with space\"" | policy
	is "PrivateDirectory=: her own, of the mode that was asked for" \
		"$(inside alice 'ls -A /srv/scratch; stat -c "%a %u %g" /srv/scratch "/srv/with space" | tr "\n" " "; echo mine >/srv/scratch/file')" \
		"750 20001 20001 700 20001 20001 "
	is "PrivateDirectory=: kept" "$(inside alice 'cat /srv/scratch/file')" mine
	is "PrivateDirectory=: the host's is untouched" "$(ls /srv/scratch)" host
	rule User=alice PrivateDirectory=/srv/missing | policy
	refused "PrivateDirectory= that is not there" alice
	rmdir "/srv/with space"
	rm -rf "${STATE:?}"/* /srv/scratch
	rule User=alice TemporaryFileSystem=/srv:size=1M,mode=0755 | policy
	is "TemporaryFileSystem=" "$(inside alice 'ls -A /srv; stat -c "%a %u" /srv')" "755 0"
	like "TemporaryFileSystem=: always nosuid,nodev" "$(mount_options /srv)" 'nosuid,nodev'
}

# What covers a mount keeps at least its nosuid, nodev, noexec.
flags() {
	mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 host /tmp
	rule User=alice PrivateTmp=yes | policy
	like "a private /tmp keeps the host's noexec" "$(mount_options /tmp)" 'nosuid,nodev,noexec'
	rule User=alice PrivateTmp=disconnected | policy
	like "a fresh /tmp keeps the host's noexec" "$(mount_options /tmp)" 'nosuid,nodev,noexec'
	umount /tmp
	rule User=alice PrivateTmp=yes | policy
	like "a private /tmp is never suid, nor has it devices" "$(mount_options /tmp)" 'nosuid,nodev'
	unlike "a private /tmp is executable where the host's is" "$(mount_options /tmp)" noexec
	mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 host /dev/shm
	rule User=alice PrivateDevShm=yes | policy
	like "a private /dev/shm keeps the host's noexec" "$(mount_options /dev/shm)" 'nosuid,nodev,noexec'
	umount /dev/shm
}

one_tmp_by_two_names() {
	rmdir /var/tmp 2>/dev/null || rm -rf /var/tmp
	ln -s /tmp /var/tmp
	rule User=alice PrivateTmp=yes | policy
	is "/var/tmp that is a link to /tmp" "$(inside alice 'echo mine >/tmp/file; cat /var/tmp/file')" mine
	rule User=alice PrivateTmp=disconnected | policy
	is "/var/tmp that is a link to /tmp, disconnected" "$(inside alice 'echo mine >/tmp/file; cat /var/tmp/file')" mine
	rm /var/tmp
	mkdir -m 1777 /var/tmp
}

# Below the home: with the user's credentials, for root may have no rights there.
at_home() {
	rule User=alice PrivateTmp=persistent InstanceRoot=%h/.instances | policy
	is "InstanceRoot=%h/...: works" "$(inside alice 'echo mine >/tmp/file')$(inside alice 'cat /tmp/file')" mine
	is "InstanceRoot=%h/...: all of it is hers" "$(find /home/alice/.instances ! -user alice)" ""
	rm -rf /home/alice/.instances
	ln -s /etc /home/alice/.instances
	refused "InstanceRoot=%h/... that is a link" alice
	rm /home/alice/.instances
	mkfifo /home/alice/.instances
	refused "InstanceRoot=%h/... that is a FIFO" alice
	rm /home/alice/.instances
	rule User=alice PrivateTmp=yes InstanceRoot=%h/.instances | policy
	inside alice 'echo mine >/tmp/file'
	is "InstanceRoot=%h/...: PrivateTmp=yes goes" "$(find /home/alice/.instances -name '.session-*')" ""
	rm -rf /home/alice/.instances
}

taken_away
kept
fresh
in_the_way
own_directories
flags
one_tmp_by_two_names
at_home
finish
