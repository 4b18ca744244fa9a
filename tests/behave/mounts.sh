#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Mounts where / is shared, as systemd has it, and mounts that cover what others are made of.
. "${0%/*}/../lib.sh"

service nsctest
full_policy

# What the host has of interfaces a new network namespace has not, and neither has its /sys.
if ip link add nsctest0 type dummy 2>/dev/null || ip link add nsctest0 type veth peer name nsctest1 2>/dev/null; then
	is "the host's interfaces are not in /sys" "$(login --quiet alice -- ls /sys/class/net)" lo
	ip link del nsctest0
else
	impossible "the host's interfaces are not in /sys" "no interface can be made" ip link add nsctest0 type veth
fi

mount --make-rshared /
login alice -- true >/dev/null # what is made once and kept
host_before
login alice -- "$LOOK" >"$WORK/shared" 2>&1
view "/ is shared" "$WORK/shared" alice /
is "/ is shared: nothing of the session's is" "$(grep -c '^mount .* shared:' "$WORK/shared")" 0
is "/ is shared: what is mounted inside is not seen outside" \
	"$(login --quiet --inside 'mount -t tmpfs inside /srv' alice -- true; grep -c ' /srv ' /proc/1/mountinfo)" 0
is "/ is shared: what is unmounted inside stays outside" \
	"$(login --quiet --inside 'umount -l /dev/pts' alice -- true; grep -c ' /dev/pts ' /proc/1/mountinfo)" 1
is "/ is shared: what the host mounts is seen inside" \
	"$(login --quiet --inside 'nsenter -t 1 -m mount -t tmpfs late /srv' alice -- grep -c ' /srv ' /proc/self/mountinfo)" 1
umount /srv
host_unchanged "/ is shared"
mount --make-rprivate /

# Sources are opened before anything is covered.
host_before
rule User=alice PrivateTmp=persistent TemporaryFileSystem=/var/lib | policy
login alice -- sh -c 'echo mine >/tmp/file' >/dev/null
is "InstanceRoot= lies below what is covered" "$(login --quiet alice -- sh -c 'cat /tmp/file; ls /var/lib')" mine
rm -rf /var/lib/nsclone/20001
rule User=alice PrivateTmp=yes TemporaryFileSystem=/var/lib | policy
gets "InstanceRoot= and the session lie below what is covered" own alice
is "what is covered is left as it was" "$(find /var/lib/nsclone -mindepth 1)" ""
host_unchanged "sources below what is covered"
finish
