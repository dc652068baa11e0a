#!/bin/sh
# What udhcpc calls with each event (busybox, networking/udhcp/dhcpc.c). Both stages use it; the lease is kept for stage 2 and the worker.

case $1 in
  bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
      ip route replace default via "$gateway" dev "$interface"
      break
    done
    for address in $dns; do echo "nameserver $address"; done >/run/ingot/resolv.conf
    read -r mac <"/sys/class/net/$interface/address"
    for name in interface mac ip mask router dns lease serverid; do
      eval "echo \"$name='\$$name'\""
    done >/run/ingot/lease.new
    mv /run/ingot/lease.new /run/ingot/lease
    ;;
esac
