#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 3 --tap 2 --nic virtio,mq=on,vectors=6,rss=on --nic virtio --nic virtio,mq=on,vectors=6,packed=on --nic virtio
# As native_queues.sh, with RSS over split rings, and packed ones without it.
. "$(dirname "$0")/native_queues.sh"
