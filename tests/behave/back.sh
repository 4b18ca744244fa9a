#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The way back, from a plan that failed and at close, when something is in the way.
. "${0%/*}/../lib.sh"
. "${0%/*}/../sweep.sh"

service nsctest
readonly STATE=/var/lib/nsclone
echo blocked >/var/lib/blocker

# setns fails from its 1st, 2nd or 3rd call on. Whoever gets in is on the host, as OnFailure=warn has it.
nobody_half_inside() {
	local out code number refused=0

	for number in 1 2 3; do
		out=$(hit setns "$number+" error=EPERM alice -- readlink /proc/self/ns/mnt)
		code=$(sed -n 's/^open \([0-9]*\) .*/\1/p' <<<"$out")
		if [[ $code = [46] ]]; then
			refused=$((refused + 1))
		elif [[ $out != *"open 0 "*"$(host_ns mnt)"* ]]; then
			not_ok "OnFailure=warn: nobody is let in half inside (setns fails from its ${number}th call on)" "$out"
		fi
	done
	holds "undoing that failed is a refusal, OnFailure=warn or not" test "$refused" -gt 0
}

rule User=alice PrivateTmp=yes PrivateIPC=yes InstanceRoot=/var/lib/blocker OnFailure=warn | policy
gets "OnFailure=warn, undoing works" host alice
nobody_half_inside

# What was found and put right is as it was found, should the plan fail.
rule User=alice PrivateTmp=persistent ProtectHostname=yes:box | policy
login alice -- true >/dev/null
chmod 755 "$STATE/20001"
host_before
is "a later step fails" "$(hit sethostname 1 error=EPERM alice | sed -n 's/^open \([0-9]*\) .*/\1/p')" 4
is "the mode of what was found is the one from before" "$(stat -c %a "$STATE/20001")" 755
host_unchanged "a later step fails"
rm -rf "${STATE:?}"/*

# The process goes back to its working directory, unless that is another by then.
mkdir -p /home/alice/d
chown alice /home/alice/d
went_back() { # went_back NAME WANTED [COMMAND]: COMMAND is run while the session lasts
	is "$1" "$(login --quiet --directory /home/alice/d --inside "${3-:}" --after 'pwd -P' alice -- true | tail -n 1)" "$2"
}
went_back "at close the working directory is entered again" /home/alice/d
went_back "a working directory that became a link is not followed" / \
	'cd /home/alice && rmdir d && ln -s /etc d'
rm /home/alice/d
mkdir /home/alice/d
went_back "a working directory that is gone" / 'cd / && rmdir /home/alice/d'
finish
