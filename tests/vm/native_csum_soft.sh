#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --tap 1 --nic virtio --nic virtio --nic virtio,csum=off,packed=on,event_idx=off --nic virtio
# As native_csum.sh, with a NIC that finishes no checksums, and tells by flags alone
# whether it wants doorbells.
OFFLOAD=0
. "$(dirname "$0")/native_csum.sh"
