#!/bin/sh
set -eu
systemctl enable systemd-networkd.service
