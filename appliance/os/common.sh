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

# Fetches a file of the boot server: `download NAME FILE`. Says what is wrong, and fails then.
# `wget -S` leaves the answer's headers, with the time of the boot server among them.
download() {
  from=$(argument ingot.server)
  timeout 900 wget -S -O "$2" "$from/boot/$1" 2>/run/ingot/headers && return
  say "$1 from $from: $(tail -n 1 /run/ingot/headers)"
  return 1
}

# Whether what was fetched is what is meant: `verify NAME FILE sha512:HEX`. Says what is wrong, and fails then.
# Of the file, not while it comes: in a pipe the programs of busybox pass on so few bytes at a time that it takes five times longer.
verify() {
  got=$(sha512sum "$2")
  got=sha512:${got%% *}
  [ "$got" = "$3" ] && return
  say "$1 from $(argument ingot.server): expected $3, got $got ($(stat -c %s "$2") bytes)"
  return 1
}

# Loads the drivers of all devices present, again and again while drivers make new devices appear (a bus controller, then its disks).
# Reads sysfs by builtins alone: starting a program is what takes time.
load_drivers() {
  asked=' '
  while :; do
    wanted=
    for file in /sys/bus/pci/devices/*/modalias /sys/bus/[msuvx]*/devices/*/modalias; do
      read -r alias <"$file" || continue
      case $asked in *" $alias "*) ;; *) wanted="$wanted $alias" asked="$asked$alias " ;; esac
    done 2>/dev/null
    [ -n "$wanted" ] || break
    set -f # a device may describe itself with `*` and `?`
    modprobe -abq $wanted
    set +f
  done
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
