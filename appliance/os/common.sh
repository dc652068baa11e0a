# Shared by the init of both stages; read with `.` by busybox sh.

# One line on every console, with the seconds since the kernel started.
say() {
  read -r uptime _ </proc/uptime
  read -r consoles </sys/class/tty/console/active
  for tty in $consoles; do echo "ingot: ${uptime}s $*" >"/dev/$tty"; done
}

# The value of a word of the kernel command line: `argument ingot.server`.
argument() {
  read -r command_line </proc/cmdline
  for word in $command_line; do
    case $word in "$1"=*) echo "${word#*=}"; return ;; esac
  done
}

# Loads the drivers of all devices present, again and again while drivers make new devices appear (a bus controller, then its disks).
load_drivers() {
  set -f # a device may describe itself with `*` and `?`
  known=
  for _ in 1 2 3 4 5; do
    wanted=$(find /sys/devices -name modalias -exec cat {} + | sort -u)
    [ "$wanted" = "$known" ] && break
    modprobe -abq $wanted
    known=$wanted
  done
  set +f
}

# Ends this boot: says why, waits, restarts the machine. Nothing outlives a restart that could count the attempts, so the wait does not grow;
# it is drawn between 30 and 120 seconds, so that a rack of machines that failed together does not come back together.
give_up() {
  wait_seconds=$((30 + RANDOM % 91))
  say "$*; restarting in $wait_seconds s"
  sleep $wait_seconds
  restart
}

restart() {
  sync
  reboot -f
  echo b >/proc/sysrq-trigger
}
