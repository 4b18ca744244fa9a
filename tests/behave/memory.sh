#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The module under valgrind (`make valgrind`): no error, nothing lost. Valgrind answers ENOSYS to the new mount calls, so
# these are the ways that end before or without a mount: refusals, rescues, trials, IPC and UTS namespaces.
# only: valgrind
. "${0%/*}/../lib.sh"

# shellcheck disable=SC2034 # for login()
LOGIN_UNDER="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
	--child-silent-after-fork=yes --suppressions=$SRC/tests/valgrind.supp --log-file=$WORK/valgrind.%p"

clean() { # clean NAME WANTED OPTION... USER: what open answers, and valgrind's word
	local name=$1 wanted=$2 out

	shift 2
	rm -f "$WORK"/valgrind.*
	out=$(login "$@")
	is "$name" "$(sed -n 's/^open \([0-9]*\) .*/\1/p' <<<"$out" | tr '\n' ' ') $(grep -h '^==' "$WORK"/valgrind.*)" "$wanted  "
}

service nsctest rescue=carol
rule User=alice PrivateIPC=yes ProtectHostname=yes:box-%u | policy
# Without a mount namespace, so that it goes all the way.
umount /dev/mqueue 2>/dev/null && rmdir /dev/mqueue
clean "isolated" 0 alice
clean "isolated, closed twice" 0 --close-twice alice
clean "isolated, never closed" 0 --never-close alice
clean "three sessions in one process" "0 0 0" --times 3 alice
clean "no rule" 0 dave
rule User=alice PrivateTmp=disconnected | policy
clean "a step fails" 4 alice
rule User=alice PrivateTmp=disconnected OnFailure=warn | policy
clean "a step fails, OnFailure=warn" 0 alice
rule User=alice PrivateTmp=yes InstanceRoot=/etc/passwd | policy
clean "a directory fails" 4 alice
rule User=carol PrivateTmp=yes InstanceRoot=/etc/passwd | policy
clean "a rescue" 0 carol
rule User=alice PrivateTemp=yes | policy
clean "a broken rule" 6 alice
printf 'nonsense\n[Mtach]\n' | policy
clean "a broken policy" 6 alice
rule Group=nscstaff PrivateIPC=yes | policy
clean "groups" 0 alice
{ rule User=alice PrivateIPC=yes && rule User=alice Trial=yes ProtectHostname=yes; } | policy
clean "a rule on trial" 0 alice
service nsctest trial
clean "all on trial" 0 alice
service nsctest nonsense
clean "an unknown argument" 4 alice
clean "no such user" 4 ghost
finish
