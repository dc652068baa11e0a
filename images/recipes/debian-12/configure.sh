#!/bin/sh
set -eu
systemctl enable systemd-networkd.service
# A machine may have several cards, or none that is plugged in: nothing here waits for a network.
systemctl disable systemd-networkd-wait-online.service
