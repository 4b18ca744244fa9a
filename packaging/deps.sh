#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# deps.sh GROUP...: what the machine must have, installed by its own package manager where it is missing.
# Groups: build (compile and `make try`), check, sanitize, lint, bench, system.
#
# It asks for files, not for packages: that is fast, needs no root where nothing is missing, and accepts what somebody
# installed by hand. No service is started by it: on Debian a policy-rc.d stands in the way while packages are
# configured (a temporary one, unless the machine has its own).
set -u

# One line each: what is looked for | apt | dnf | zypper | pacman | apk
# command:a,b means a or b; header:x is looked for below /usr/include; "-" where the distribution has no package for it
table_build='
command:bash|bash|bash|bash|bash|bash
command:gcc,cc|gcc libc6-dev|gcc|gcc|gcc|build-base
header:stdio.h|libc6-dev|glibc-devel|glibc-devel|glibc|musl-dev
header:linux/mount.h|linux-libc-dev|kernel-headers|linux-glibc-devel|linux-api-headers|linux-headers
command:make|make|make|make|make|make
command:pkg-config,pkgconf|pkg-config|pkgconf-pkg-config|pkg-config|pkgconf|pkgconf
header:security/pam_modules.h|libpam0g-dev|pam-devel|pam-devel|pam|linux-pam-dev
header:libmount/libmount.h|libmount-dev|libmount-devel|libmount-devel|util-linux-libs|util-linux-dev
header:libsmartcols/libsmartcols.h|libsmartcols-dev|libsmartcols-devel|libsmartcols-devel|util-linux-libs|util-linux-dev
command:unshare|util-linux|util-linux|util-linux|util-linux|util-linux-misc
'
table_check='
header:cmocka.h|libcmocka-dev|libcmocka-devel|libcmocka-devel|cmocka|cmocka-dev
command:sshd|openssh-server|openssh-server|openssh-server|openssh|openssh-server-pam
command:ssh|openssh-client|openssh-clients|openssh-clients|openssh|openssh-client
command:sftp|openssh-client|openssh-clients|openssh-clients|openssh|openssh-client
command:sudo|sudo|sudo|sudo|sudo|sudo
command:cron,crond|cron|cronie|cron|cronie|cronie
command:su|util-linux|util-linux|util-linux|util-linux|util-linux-login
command:login|login|util-linux|shadow|util-linux|util-linux-login
command:runuser|util-linux|util-linux|util-linux|util-linux|runuser
command:strace|strace|strace|strace|strace|strace
command:ip|iproute2|iproute|iproute2|iproute2|iproute2
command:ping|iputils-ping|iputils|iputils|iputils|iputils
command:ipcs|util-linux|util-linux|util-linux|util-linux|util-linux-misc
command:readelf|binutils|binutils|binutils|binutils|binutils
command:jq|jq|jq|jq|jq|jq
command:patch|patch|patch|patch|patch|patch
command:pgrep|procps|procps-ng|procps|procps-ng|procps-ng
command:flock|util-linux|util-linux|util-linux|util-linux|util-linux-misc
command:tmux|tmux|tmux|tmux|tmux|tmux
'
table_sanitize='
command:valgrind|valgrind|valgrind|valgrind|valgrind|valgrind
'
table_lint='
command:clang|clang|clang|clang|clang|clang
command:clang-tidy|clang-tidy|clang-tools-extra|clang-tools|clang|clang-extra-tools
command:cppcheck|cppcheck|cppcheck|cppcheck|cppcheck|cppcheck
command:shellcheck|shellcheck|ShellCheck|ShellCheck|shellcheck|shellcheck
command:mandoc|mandoc|mandoc|mandoc|mandoc|mandoc
'
table_bench='
command:ip|iproute2|iproute|iproute2|iproute2|iproute2
'
table_system='
command:debootstrap|debootstrap|debootstrap|debootstrap|debootstrap|debootstrap
command:systemd-nspawn|systemd-container|systemd-container|systemd-container|systemd|-
command:wget|wget|wget|wget|wget|wget
command:gpgv|gpgv|gnupg2|gpg2|gnupg|gnupg
'

die() {
	echo "deps.sh: $*" >&2
	exit 1
}

rows() { # rows GROUP: its table and those that it rests on
	case $1 in
	build) echo "$table_build" ;;
	check) echo "$table_build$table_check" ;;
	sanitize) echo "$table_build$table_check$table_sanitize" ;;
	lint) echo "$table_build$table_check$table_lint" ;;
	bench) echo "$table_build$table_bench" ;;
	system) echo "$table_build$table_check$table_system" ;;
	*) die "unknown group $1 (build, check, sanitize, lint, bench, system)" ;;
	esac
}

have_command() { # a,b: one of them is enough; administrators' directories count though PATH may lack them
	for name in $(echo "$1" | tr , ' '); do
		PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$name" >/dev/null && return 0
	done
	return 1
}

have_header() {
	for file in "/usr/include/$1" /usr/include/*/"$1" "/usr/local/include/$1"; do
		[ -e "$file" ] && return 0
	done
	return 1
}

have() {
	case $1 in
	command:*) have_command "${1#command:}" ;;
	header:*) have_header "${1#header:}" ;;
	esac
}

manager() { # prints its name and the column of the table that is its
	for pair in apt-get:2 dnf:3 zypper:4 pacman:5 apk:6; do
		command -v "${pair%:*}" >/dev/null && echo "$pair" && return 0
	done
	return 1
}

missing() { # missing COLUMN ROWS: the packages, or with column 1 what is looked for
	echo "$2" | grep . | while IFS= read -r row; do
		have "${row%%|*}" || echo "$row" | cut -d'|' -f"$1"
	done | tr ' ' '\n' | sort -u | tr '\n' ' '
}

quiet() { # run a package manager: nobody is there to answer or read, unless it fails
	"$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; return 1; }
}

forbid_services() {
	[ -e /usr/sbin/policy-rc.d ] && return 0
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && ours=yes
}

tidy() {
	[ "$ours" = yes ] && rm -f /usr/sbin/policy-rc.d
	rm -f "$log"
}

apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	forbid_services
	ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || quiet apt-get -q update || return 1
	set -- apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install "$@"
	"$@" >"$log" 2>&1 </dev/null && return 0
	quiet apt-get -q update && quiet "$@" # the lists were too old
}

install_packages() {
	case $1 in
	apt-get) shift && apt_install "$@" ;;
	dnf) shift && quiet dnf -q -y --setopt=install_weak_deps=False install "$@" ;;
	zypper) shift && quiet zypper -q -n install --no-recommends "$@" ;;
	pacman) shift && quiet pacman -Sy --needed --noconfirm --noprogressbar "$@" ;;
	apk) shift && quiet apk add -q "$@" ;;
	esac
}

keep_sshd_off() { # a test dependency must not listen on port 22 after the next boot
	command -v systemctl >/dev/null || return 0
	systemctl disable ssh.service ssh.socket sshd.service >/dev/null 2>&1
	echo "deps.sh: openssh-server is installed but not enabled"
}

[ $# -gt 0 ] || set -- build
wanted=
for group; do
	wanted="$wanted$(rows "$group")
" || exit 1
done
what=$(missing 1 "$wanted")
[ -z "$what" ] && exit 0

found=$(manager) || die "missing: $what- and no package manager that it knows (apt, dnf, zypper, pacman, apk)"
packages=$(missing "${found#*:}" "$wanted" | sed 's/\(^\| \)- / /g')
[ "$(id -u)" = 0 ] || die "missing: $what- run as root, or: ${found%:*} install $packages"

had_sshd=$(have command:sshd && echo yes)
log=$(mktemp) || die "no temporary file"
ours=
trap tidy EXIT
trap 'exit 1' HUP INT TERM
echo "deps.sh: installing $packages"
# shellcheck disable=SC2086 # a list of words
install_packages "${found%:*}" $packages || die "${found%:*} could not install: $packages"
[ "$had_sshd" = yes ] || ! have command:sshd || keep_sshd_off
what=$(missing 1 "$wanted")
[ -z "$what" ] || die "still missing: $what"
