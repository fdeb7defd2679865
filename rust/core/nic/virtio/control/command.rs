// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Commands of the control virtqueue: class, command, and what belongs to it.

use super::COMMAND;

/// `VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET`: uses so many queue pairs.
pub fn vq_pairs_set(pairs: u16) -> [u8; 4] {
    let [low, high] = pairs.to_le_bytes();
    [4, 0, low, high]
}

/// `VIRTIO_NET_CTRL_RX_PROMISC`: receives all frames, or not.
pub fn rx_promisc(on: bool) -> [u8; 3] {
    [0, 0, u8::from(on)]
}

/// `VIRTIO_NET_CTRL_RX_ALLMULTI`: receives frames for all groups, or not.
pub fn rx_allmulti(on: bool) -> [u8; 3] {
    [0, 1, u8::from(on)]
}

/// `VIRTIO_NET_CTRL_MQ_RSS_CONFIG`: uses so many queue pairs (a power of two up to 64 of them) and
/// spreads flows over them by a hash with the key, of the kinds in `hash_types`. Returns the command
/// in `room`.
pub fn rss_config<'a>(
    room: &'a mut [u8; COMMAND],
    hash_types: u32,
    pairs: u16,
    key: &[u8],
) -> Option<&'a [u8]> {
    if !pairs.is_power_of_two() || pairs > 64 {
        return None;
    }
    let key_len = u8::try_from(key.len()).ok()?;
    let mut octets = room.iter_mut();
    let mut len = 0usize;
    let mut put = |bytes: &[u8]| {
        for byte in bytes {
            *octets.next()? = *byte;
            len = len.wrapping_add(1);
        }
        Some(())
    };
    put(&[4, 1])?;
    put(&hash_types.to_le_bytes())?;
    // The mask of the indirection table, and the queue of what has no hash.
    put(&pairs.wrapping_sub(1).to_le_bytes())?;
    put(&[0, 0])?;
    for queue in 0..pairs {
        // Receive queues are numbered by their pairs.
        put(&queue.to_le_bytes())?;
    }
    put(&pairs.to_le_bytes())?;
    put(&[key_len])?;
    put(key)?;
    room.get(..len)
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_command))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn short_commands() {
        assert_eq!(vq_pairs_set(0x102), [4, 0, 2, 1]);
        assert_eq!(rx_promisc(true), [0, 0, 1]);
        assert_eq!(rx_promisc(false), [0, 0, 0]);
        assert_eq!(rx_allmulti(true), [0, 1, 1]);
    }

    #[test]
    fn a_command_for_rss() {
        let mut room = [0; COMMAND];
        let command = rss_config(&mut room, 0x7, 2, &[9; 40]);
        assert_eq!(
            command.map(|command| command.len()),
            Some(2 + 8 + 4 + 3 + 40)
        );
        let head = command.and_then(|command| command.first_chunk::<18>());
        let expected = [4, 1, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 40, 9];
        assert_eq!(head, Some(&expected));
        assert!(rss_config(&mut room, 0x7, 3, &[9; 40]).is_none());
        assert!(rss_config(&mut room, 0x7, 2, &[9; 256]).is_none());
        assert!(rss_config(&mut room, 0x7, 64, &[9; 40]).is_some());
    }
}
