#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# pam_nsclone.so as the daemons' loader meets it: what it shows, what it needs, how it is hardened, what it never calls.
# shellcheck disable=SC2034 # lib.sh asks
needs_one_uid_only=yes
. "${0%/*}/../lib.sh"

[[ -z ${NSC_SANITIZE-} ]] || {
	impossible "binary" "built with a sanitizer" test -n "$NSC_SANITIZE"
	finish
}

is "it shows its two entries and nothing else" \
	"$(nm -D --defined-only "$MODULE" | awk '{ print $3 }' | sed 's/@.*//' | sort | tr '\n' ' ')" \
	"pam_sm_close_session pam_sm_open_session "
is "it needs libc and libpam and nothing else" \
	"$(readelf -dW "$MODULE" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sed 's/\.so.*//' | sort | tr '\n' ' ')" "libc libpam "
headers=$(readelf -lW "$MODULE")
dynamic=$(readelf -dW "$MODULE")
sections=$(readelf -SW "$MODULE")
like "read-only relocations" "$headers" GNU_RELRO
like "all symbols bound at once" "$dynamic" '(BIND_NOW|Flags:.* NOW)'
like "it is never unloaded" "$dynamic" NODELETE
unlike "no relocations in its text" "$dynamic" TEXTREL
unlike "no search path" "$dynamic" '(RPATH|RUNPATH)'
like "no executable stack" "$(grep GNU_STACK <<<"$headers")" ' RW +0x'
undefined=$(nm -D --undefined-only "$MODULE" | awk '{ print $2 }' | sed 's/@.*//')
like "stack canaries" "$undefined" __stack_chk_fail
like "fortified" "$undefined" _chk

# A guest in somebody's daemon: it may be in there many times, in threads, and its host has a log of its own.
section_size() {
	printf '%d\n' "0x$(sed -n "s/^ *\[ *[0-9]*\] *$1 *[A-Z]* *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p" <<<"$sections" | grep . || echo 0)"
}
holds "no variables of its own (.data)" test "$(section_size .data)" -le 8
is "no variables of its own (.bss), but the C library's" "$(nm "$MODULE" | sed -n 's/^[^ ]* [bB] //p' | grep -vx 'completed[.0-9]*')" ""
is "it never calls what a guest may not" "$(grep -xE \
	'(_?exit|abort|openlog|closelog|setlogmask|v?syslog|v?printf|__v?printf_chk|puts|putchar|perror|umask|setenv|putenv|unsetenv|(secure_)?getenv|signal|sigaction|alarm|system|popen|stdout|stderr)' \
	<<<"$undefined" | grep -v '^_exit$' | tr '\n' ' ')" ""
finish
