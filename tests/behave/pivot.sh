#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# PrivateTmpMethod=pivot: the host's /tmp is nowhere in the session's mount table.
. "${0%/*}/../lib.sh"

for name in nsctest su; do
	service "$name"
done
host_treasure

inside() {
	login --quiet alice -- sh -c "$1"
}

# view_of_tmp NAME: /tmp is her own, and what the host has there can be reached by no mount.
view_of_tmp() {
	local table

	host_before
	is "$1: /tmp is her own" "$(inside 'ls -A /tmp /var/tmp | grep -v :; echo mine >/tmp/mine')" ""
	is "$1: a file of the host's is found nowhere" \
		"$(inside 'find / -xdev -name host-file 2>/dev/null; for m in $(awk "{ print \$5 }" /proc/self/mountinfo); do ls "$m" 2>/dev/null; done | grep host-file; true')" ""
	table=$(inside 'cat /proc/self/mountinfo')
	is "$1: /tmp is one mount" "$(awk '$5 == "/tmp"' <<<"$table" | wc -l)" 1
	is "$1: nothing of the host's /tmp is left below it" "$(awk '$5 ~ "^/(var/)?tmp/"' <<<"$table")" ""
	is "$1: the root is one mount" "$(awk '$5 == "/"' <<<"$table" | wc -l)" 1
	is "$1: every other mount is there" \
		"$(awk '$5 !~ "^(/var)?/tmp(/|$)" && $5 !~ "^/var/lib/nsclone/" { print $5 }' <<<"$table" | sort)" \
		"$(awk '$5 !~ "^(/var)?/tmp(/|$)" { print $5 }' /proc/1/mountinfo | sort)"
	unlike "$1: nothing is shared with the host" "$table" 'shared:'
	is "$1: the working directory" "$(cd /usr/share && inside 'pwd -P')" /usr/share
	rm -rf /var/lib/nsclone/20001 # kept on purpose, if at all
	host_unchanged "$1"
}

rule User=alice PrivateTmp=yes PrivateTmpMethod=pivot | policy
inside true
view_of_tmp "pivot, /tmp in the root file system"

rule User=alice PrivateTmp=disconnected PrivateTmpMethod=pivot PrivateDevShm=yes | policy
view_of_tmp "pivot, fresh /tmp"

rule User=alice PrivateTmp=persistent PrivateTmpMethod=pivot | policy
view_of_tmp "pivot, kept /tmp"

rule User=alice PrivateTmp=yes PrivateTmpMethod=pivot | policy
mount -t tmpfs -o mode=1777 host /tmp
echo host >/tmp/host-file
view_of_tmp "pivot, /tmp a mount of its own"

mkdir -p /tmp/below/deeper /var/tmp/below
mount -t tmpfs below /tmp/below
echo host >/tmp/below/host-file
mkdir /tmp/below/deeper
mount -t tmpfs deeper /tmp/below/deeper
mount -t tmpfs below /var/tmp/below
echo host >/var/tmp/below/host-file
view_of_tmp "pivot, mounts below /tmp"

mount --make-rshared /
host_before
view_of_tmp "pivot, everything shared"
is "pivot, everything shared: a mount made inside is not seen outside" \
	"$(login --quiet --inside 'mount -t tmpfs inside /srv' alice -- true; grep -c ' /srv ' /proc/1/mountinfo)" 0
mount --make-rprivate /

full_policy PrivateTmpMethod=pivot
umount /tmp/below/deeper /tmp/below /tmp /var/tmp/below
rmdir /var/tmp/below
su alice -c true
host_before
cd /home/alice || exit
su alice -c "$LOOK" >"$WORK/su" 2>&1
view "su with pivot" "$WORK/su" alice
host_unchanged "su with pivot"
finish
