#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# look: what a user sees of the machine, one fact a line. Run as that user inside a session; `view` in tests/lib.sh reads
# it. It also leaves a file in /tmp and in /dev/shm, for others not to find.
me=$(id -un)

line() { # words, one a line, to one line
	tr '\n' ' ' | sed 's/ *$//'
}

# shellcheck disable=SC2012 # the names are the tests' own
names() { # names DIRECTORY
	ls -A "$1" 2>/dev/null | line
}

echo "user $me"
echo "ids $(id -u) $(id -g) $(id -G)"
echo "cwd $(pwd -P)"
echo "umask $(umask)"
echo "home $HOME"
for kind in mnt ipc uts net pid user cgroup; do
	echo "ns_$kind $(readlink /proc/self/ns/$kind)"
done
: >"/tmp/inside-$me" && : >"/dev/shm/inside-$me" || echo "trouble cannot write"
echo "tmp $(names /tmp)"
echo "vartmp $(names /var/tmp)"
echo "shm $(names /dev/shm)"
echo "tmpmode $(stat -c '%a %u %g' /tmp)"
echo "vartmpmode $(stat -c '%a %u %g' /var/tmp)"
echo "host $(uname -n)"
echo "interfaces $(sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/self/net/dev | line)"
echo "lo $(cat /sys/class/net/lo/flags 2>&1)"
echo "sysnet $(names /sys/class/net)"
echo "cgroups $(names /sys/fs/cgroup)"
echo "segments $(awk 'NR > 1 { print $1 }' /proc/sysvipc/shm | line)"
echo "queues $(names /dev/mqueue)"
foreign=
for dir in /proc/[0-9]*; do
	owner=$(stat -c %u "$dir" 2>/dev/null) && [ "$owner" != "$(id -u)" ] && foreign="$foreign ${dir#/proc/}"
done
echo "foreign$foreign"
# The shell's own descriptors: a program of the user's is started with what the daemon gives it, and nothing of ours.
# (No pipe and no glob here, which would be descriptors themselves.)
find "/proc/$$/fd" -type l -printf 'fd %f %l\n'
env | sed 's/=.*//' | grep -i nsclone | sed 's/^/leaked /'
sed 's/^/mount /' /proc/self/mountinfo
