// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Tests of packed virtqueues.

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_packed))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod cases {
    use super::super::super::super::fake::Memory;
    use super::super::super::super::queue::{Received, RxQueue};
    use super::super::super::Rx;
    use super::super::*;

    /// The marks as flags.
    const AVAIL_FLAG: u16 = 1 << 7;
    const USED_FLAG: u16 = 1 << 15;

    type Ring4<'a> = Packed<&'a Memory<128>, &'a mut [Slot]>;

    /// 64 octets of descriptors, then 64 for each event suppression structure.
    const DRIVER: usize = 32;
    const DEVICE: usize = 64;

    /// The device: uses descriptor `position` for buffer `number`.
    fn finish(memory: &Memory<128>, position: usize, number: u16, written: u32, wrap: bool) {
        let at = position.wrapping_mul(8);
        memory.store32(at.wrapping_add(4) >> 1, written);
        memory.store16(at.wrapping_add(6), number);
        let marks = if wrap { AVAIL_FLAG | USED_FLAG } else { 0 };
        memory.store16(at.wrapping_add(7), marks | 2);
    }

    fn rx<'a>(
        memory: &'a Memory<128>,
        slots: &'a mut [Slot],
        event: bool,
    ) -> Option<Rx<Ring4<'a>, 2048>> {
        Packed::new(memory, slots, event).map(Rx::new)
    }

    fn fill(rx: &mut Rx<Ring4<'_>, 2048>, buffers: ::core::ops::Range<u32>) -> usize {
        let buffers = buffers.map(|i| (BufferId(i), u64::from(i) << 11));
        rx.refill(buffers)
    }

    #[test]
    fn as_the_specification_lays_it_out() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
        let mut rx = rx(&memory, &mut slots, false).ok_or(Fault::Stopped)?;
        assert_eq!(memory.load16(DRIVER + 1), DISABLE);
        assert_eq!(fill(&mut rx, 5..8), 3);
        assert_eq!(memory.load64(2), 6 << 11);
        assert_eq!(memory.load32(6), 2048);
        assert_eq!(memory.load16(14), 1);
        assert_eq!(memory.load16(15), AVAIL_FLAG | 2);
        assert_eq!(rx.kick(), Some(3 | EVENT_WRAP));
        assert_eq!(rx.kick(), None);
        // Buffers come back in another order; descriptors do not.
        finish(&memory, 0, 2, 12 + 60, true);
        finish(&memory, 1, 0, 12 + 1514, true);
        let mut out = [Received::default(); 4];
        assert_eq!(rx.receive(&mut out), Ok(2));
        assert_eq!((out[0].buffer, out[0].len), (BufferId(7), 60));
        assert_eq!((out[1].buffer, out[1].len), (BufferId(5), 1514));
        assert_eq!((rx.outstanding(), rx.room()), (1, 3));
        // The next round has the other marks, and the device wants no doorbell.
        memory.store16(DEVICE + 1, DISABLE);
        assert_eq!(fill(&mut rx, 8..20), 3);
        assert_eq!(memory.load16(31), AVAIL_FLAG | 2);
        assert_eq!(memory.load16(7), USED_FLAG | 2);
        assert_eq!(rx.kick(), None);
        finish(&memory, 2, 1, 12, true);
        finish(&memory, 3, 0, 12, true);
        finish(&memory, 0, 2, 12, false);
        assert_eq!(rx.receive(&mut out), Ok(3));
        assert_eq!((out[0].buffer, out[0].len), (BufferId(6), 0));
        Ok(())
    }

    #[test]
    fn lies_have_names() -> Result<(), Fault> {
        let lie = |number, written, fault| {
            let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
            let mut rx = rx(&memory, &mut slots, false).ok_or(Fault::Stopped)?;
            fill(&mut rx, 0..3);
            finish(&memory, 0, 1, 100, true);
            finish(&memory, 1, number, written, true);
            let mut out = [Received::default(); 4];
            assert_eq!(rx.receive(&mut out), Ok(1));
            assert_eq!(rx.receive(&mut out), Err(fault));
            assert_eq!((rx.room(), rx.kick(), rx.arm()), (0, None, false));
            assert_eq!(fill(&mut rx, 9..10), 0);
            let mut back = [false; 3];
            rx.stop(|buffer| {
                if let Some(back) = back.get_mut(buffer.0 as usize) {
                    *back = true;
                }
            });
            assert_eq!(back, [true, false, true]);
            Ok(())
        };
        lie(4, 100, Fault::NoSuchDescriptor)?;
        lie(u16::MAX, 100, Fault::NoSuchDescriptor)?;
        lie(1, 100, Fault::NotOutstanding)?;
        lie(0, 2049, Fault::TooLong)?;
        lie(0, 11, Fault::TooShort)
    }

    #[test]
    fn no_wake_up_is_lost() -> Result<(), Fault> {
        for event_idx in [false, true] {
            let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
            let mut rx = rx(&memory, &mut slots, event_idx).ok_or(Fault::Stopped)?;
            fill(&mut rx, 0..4);
            assert!(rx.arm());
            let expected = if event_idx {
                (DESC, EVENT_WRAP)
            } else {
                (ENABLE, 0)
            };
            let event = (memory.load16(DRIVER + 1), memory.load16(DRIVER));
            assert_eq!(event, expected);
            finish(&memory, 0, 0, 100, true);
            assert!(!rx.arm());
            assert_eq!(memory.load16(DRIVER + 1), DISABLE);
        }
        Ok(())
    }

    #[test]
    fn doorbells_by_descriptor() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
        let mut rx = rx(&memory, &mut slots, true).ok_or(Fault::Stopped)?;
        // The device waits for the third descriptor, then for the first one of the next round.
        memory.store16(DEVICE, 2 | EVENT_WRAP);
        memory.store16(DEVICE + 1, DESC);
        fill(&mut rx, 0..2);
        assert_eq!(rx.kick(), None);
        fill(&mut rx, 2..3);
        assert_eq!(rx.kick(), Some(3 | EVENT_WRAP));
        memory.store16(DEVICE, 0);
        fill(&mut rx, 3..4);
        assert_eq!(rx.kick(), None);
        finish(&memory, 0, 3, 100, true);
        assert_eq!(rx.receive(&mut [Received::default()]), Ok(1));
        fill(&mut rx, 4..5);
        assert_eq!(rx.kick(), Some(1));
        Ok(())
    }
}
