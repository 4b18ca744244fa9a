#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What somebody put where a directory of ours should be, of the very owner that ours would have: it is found out by what
# it is, not by whose it is. It is not followed, entered or changed.
. "${0%/*}/../lib.sh"

service nsctest
readonly STATE=/var/lib/nsclone

seen_from_outside() {
	find /srv "$STATE" /home/alice -printf '%p %y %m %U:%G %l\n' | sort
}

is_refused() { # is_refused NAME
	local before

	before=$(seen_from_outside)
	refused "$1" alice
	is "$1: all is left as it was" "$(seen_from_outside)" "$before"
}

arrange() {
	rm -rf "${STATE:?}" /srv/target /home/alice/inst
	install -d -m 700 "$STATE"
	install -d -m 700 -o 20001 -g 20001 "$STATE/20001"
	install -d -m 755 /srv/target
	: >/srv/target/file
}

rule User=alice PrivateTmp=persistent | policy
arrange
ln -s /srv/target "$STATE/20001/tmp"
is_refused "a link to a directory of root's, in the place of one of root's"

arrange
chown 20001:20001 /srv/target
chmod 700 /srv/target
rmdir "$STATE/20001"
ln -s /srv/target "$STATE/20001"
is_refused "a link to a directory of hers, in the place of one of hers"

rule User=alice PrivateDirectory=/srv | policy
arrange
chown 20001:20001 /srv/target
ln -s /srv/target "$STATE/20001/srv"
is_refused "a link to a directory of hers, in the place of a PrivateDirectory="

# Below the home she may mount things (FUSE): never ours.
rule User=alice PrivateTmp=persistent InstanceRoot=%h/inst | policy
arrange
install -d -m 700 -o 20001 -g 20001 /home/alice/inst /home/alice/inst/20001
mount -t tmpfs -o mode=700,uid=20001,gid=20001 hers /home/alice/inst/20001
is_refused "a mount in the place of a directory below the home"
umount /home/alice/inst/20001
gets "without it" own alice

# What she could not make herself is not made for her: it is done with her rights, not with root's.
rule User=alice PrivateTmp=persistent InstanceRoot=%h/inst/roots/below | policy
arrange
install -d -m 755 /home/alice/inst
install -d -m 755 /home/alice/inst/roots
is_refused "a directory below the home that she may not write to"

# InstanceRoot= is root's alone, and so is the way to it.
rule User=alice PrivateTmp=persistent | policy
arrange
chmod 755 "$STATE"
is_refused "InstanceRoot= that others may enter"
arrange
install -d -m 777 /srv/open
install -d -m 700 /srv/open/inst
rule User=alice PrivateTmp=persistent InstanceRoot=/srv/open/inst | policy
is_refused "InstanceRoot= below a directory in which others may rename it"
rm -rf /srv/open

# Somebody is at work there: what a login makes or uses it has locked, and others wait.
waits_for() { # waits_for NAME DIRECTORY INODE
	local waiting status

	flock "$2" sleep 1 &
	sleep 0.2
	timeout 10 "$LOGIN" --quiet alice -- true >"$WORK/waiting" 2>&1 &
	waiting=$!
	sleep 0.4
	holds "$1: another login waits" test -d "$2" -a -e "/proc/$waiting"
	wait "$waiting"
	status=$?
	is "$1: and goes on when it is released" "$status" 0
	is "$1: in the very directory" "$(stat -c %i "$STATE/20001")" "$3"
}

rule User=alice PrivateTmp=persistent | policy
arrange
waits_for "a directory that is in use" "$STATE/20001" "$(stat -c %i "$STATE/20001")"
arrange
mv "$STATE/20001" "$STATE/.new-20001"
waits_for "a directory that is being made" "$STATE/.new-20001" "$(stat -c %i "$STATE/.new-20001")"
arrange
finish
