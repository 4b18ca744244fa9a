#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A session of uid 0 under a rule that names it: needs no second user, so that it runs in a plain user namespace, too.
# shellcheck disable=SC2034 # lib.sh asks
needs_one_uid_only=yes
. "${0%/*}/../lib.sh"

[[ $NSC_WORLD != one ]] || export PAM_LOGIN_ONE_UID=1
service nsctest
rule User=root PrivateTmp=disconnected PrivateDevShm=yes:size=1M PrivateIPC=yes ProtectHostname=yes:box PrivateNetwork=yes | policy
echo host >/tmp/host-file
login root -- true >/dev/null
host_before
login root -- "$LOOK" >"$WORK/root"
is "root, by a rule: /tmp" "$(seen "$WORK/root" tmp)" inside-root
is "root, by a rule: /dev/shm" "$(seen "$WORK/root" shm)" inside-root
is "root, by a rule: host name" "$(seen "$WORK/root" host)" box
is "root, by a rule: interfaces" "$(seen "$WORK/root" interfaces) $(seen "$WORK/root" lo)" "lo 0x9"
for kind in mnt ipc uts net; do
	fails "root, by a rule: $kind namespace of its own" test "$(seen "$WORK/root" ns_$kind)" = "$(host_ns $kind)"
done
host_unchanged "root, by a rule"
rule User=root PrivateTmp=yes InstanceRoot=/etc/passwd | policy
refused "root, a rule that fails" root
rule 'User=*' PrivateTmp=yes | policy
gets "root, no rule by name" host root
finish
