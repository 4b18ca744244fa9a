#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the module owes to the process whose handle it is called with: PAM_DATA_SILENT, and children nobody hears of.
. "${0%/*}/../lib.sh"

service nsctest
service nsctrial trial
full_policy

handle() { # handle WORD: what the last run said of it
	sed -n "s/^$1 //p" "$WORK/handle"
}

/opt/nsclone/handle nsctest alice >"$WORK/handle"
is "open and close" "$(handle open) $(handle close) $(handle after)" "0 0 $(host_ns mnt)"
is "open has no child" "$(handle heard) $(handle child)" "0 none"

# The very first login makes InstanceRoot= and the registry, and holds none of what it went through for that either.
rm -rf /var/lib/nsclone /run/nsclone
login --guest alice -- true >"$WORK/guest"
is "the first login of all holds nothing but namespaces" \
	"$(diff <(sed -n 's/^guest start fd //p' "$WORK/guest") <(sed -n 's/^guest open fd //p' "$WORK/guest") |
		grep '^>' | grep -Ev '^> [0-9]+ (mnt|ipc|uts|net):\[[0-9]+\]$')" ""

# A copy of the handle is thrown away: the session is another's who goes on using it.
mark=$(log_mark)
/opt/nsclone/handle silent nsctest alice >"$WORK/handle"
unlike "PAM_DATA_SILENT: it was isolated" "$(handle inside)" "^($(host_ns mnt | tr -d '[]' | sed 's/:/:./').)?\$"
is "PAM_DATA_SILENT: the session is left alone" "$(handle after)" "$(handle inside)"
is "PAM_DATA_SILENT: its directory, too" "$(find /run/nsclone/sessions -name '20001-*' | wc -l)" 1
sync_log
is "PAM_DATA_SILENT: nothing is logged" "$(log_since "$mark" | grep -a pam_nsclone | grep -avcE 'isolated|not shared')" 0
login alice -- true >/dev/null
is "PAM_DATA_SILENT: the next login collects it" "$(find /run/nsclone/sessions /var/lib/nsclone -mindepth 1)" ""

# A trial runs the plan in a child, of which the daemon never hears.
mark=$(log_mark)
/opt/nsclone/handle nsctrial alice >"$WORK/handle"
sync_log
like "a trial has been run" "$(log_since "$mark")" 'trial user=alice[^:]*: ok'
is "a trial: no signal reaches the daemon" "$(handle heard)" 0
is "a trial: no child is left to wait for" "$(handle child)" none
is "a trial: the process stays on the host" "$(handle inside)" "$(host_ns mnt)"

# Where no mount namespace is wanted the kernel itself would not mind isolating one thread of several.
rule User=alice ProtectHostname=yes:box | policy
refused "a caller with threads, the host name only" --threaded alice
full_policy

mark=$(log_mark)
login --service nsctrial --threaded alice >/dev/null
sync_log
like "a trial in a caller with threads says so and makes no child" "$(log_since "$mark")" \
	'trial user=alice[^:]*: failed.*threads'
finish
