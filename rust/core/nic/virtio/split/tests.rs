// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Tests of split virtqueues.

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_split))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod cases {
    use super::super::super::super::fake::Memory;
    use super::super::super::super::queue::{Received, RxQueue};
    use super::super::super::Rx;
    use super::super::*;

    type Ring4<'a> = Split<&'a Memory<128>, &'a mut [Slot]>;

    /// 64 octets of descriptors, then 64 for the available ring and 60 of nothing.
    const AVAIL: usize = 32;
    const USED: usize = 94;

    /// The device: finishes descriptor `number`.
    fn finish(memory: &Memory<128>, number: u32, written: u32) {
        let idx = memory.load16(USED + 1);
        let at = usize::from(idx & 3).wrapping_mul(2);
        let at = at.wrapping_add((USED >> 1) + 1);
        memory.store32(at, number);
        memory.store32(at.wrapping_add(1), written);
        memory.store16(USED + 1, idx.wrapping_add(1));
    }

    fn fill(rx: &mut Rx<Ring4<'_>, 2048>, buffers: ::core::ops::Range<u32>) -> usize {
        let buffers = buffers.map(|i| (BufferId(i), u64::from(i) << 11));
        rx.refill(buffers)
    }

    #[test]
    fn areas_of_four() {
        let expected = Areas {
            desc: 0,
            driver: 64,
            device: 188,
            len: 256,
        };
        assert_eq!(Ring4::areas(4), expected);
        assert_eq!(Ring4::areas(256).device, 4096 + 576 + 60);
    }

    #[test]
    fn as_the_specification_lays_it_out() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
        let ring = Split::new(&memory, slots.as_mut_slice(), false).ok_or(Fault::Stopped)?;
        assert_eq!(memory.load16(AVAIL), NO_INTERRUPT);
        let mut rx = Rx::<_, 2048>::new(ring);
        assert_eq!(fill(&mut rx, 5..8), 3);
        assert_eq!(memory.load64(2), 6 << 11);
        assert_eq!(memory.load32(6), 2048);
        assert_eq!(memory.load16(14), 2);
        assert_eq!(memory.load16(15), 0);
        assert_eq!(memory.load16(AVAIL + 1), 3);
        assert_eq!(memory.load16(AVAIL + 4), 2);
        assert_eq!(rx.kick(), Some(3));
        assert_eq!(rx.kick(), None);

        finish(&memory, 2, 12 + 60);
        finish(&memory, 0, 12 + 1514);
        let mut out = [Received::default(); 4];
        assert_eq!(rx.receive(&mut out), Ok(2));
        assert_eq!((out[0].buffer, out[0].len), (BufferId(7), 60));
        assert_eq!((out[1].buffer, out[1].len), (BufferId(5), 1514));
        assert_eq!((rx.outstanding(), rx.room()), (1, 3));
        // A device that wants no doorbell.
        memory.store16(USED, NO_NOTIFY);
        assert_eq!(fill(&mut rx, 8..20), 3);
        assert_eq!(rx.kick(), None);
        assert_eq!(memory.load16(AVAIL + 1), 6);
        Ok(())
    }

    #[test]
    fn lies_have_names() -> Result<(), Fault> {
        let lie = |number, written, fault| {
            let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
            let mut rx = Split::new(&memory, slots.as_mut_slice(), false)
                .map(Rx::<_, 2048>::new)
                .ok_or(Fault::Stopped)?;
            fill(&mut rx, 0..3);
            finish(&memory, 1, 100);
            finish(&memory, number, written);
            let mut out = [Received::default(); 4];
            assert_eq!(rx.receive(&mut out), Ok(1));
            assert_eq!(rx.receive(&mut out), Err(fault));
            assert_eq!((rx.room(), rx.kick(), rx.arm()), (0, None, false));
            assert_eq!(fill(&mut rx, 9..10), 0);
            let mut back = 0;
            rx.stop(|_| back = u32::wrapping_add(back, 1));
            assert_eq!((back, rx.fault()), (2, Some(Fault::Stopped)));
            Ok(())
        };
        lie(4, 100, Fault::NoSuchDescriptor)?;
        lie(u32::MAX, 100, Fault::NoSuchDescriptor)?;
        lie(1, 100, Fault::NotOutstanding)?;
        lie(3, 100, Fault::NotOutstanding)?;
        lie(0, 2049, Fault::TooLong)?;
        lie(0, u32::MAX, Fault::TooLong)?;
        lie(0, 11, Fault::TooShort)
    }

    #[test]
    fn an_index_too_far() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
        let mut rx = Split::new(&memory, slots.as_mut_slice(), false)
            .map(Rx::<_, 2048>::new)
            .ok_or(Fault::Stopped)?;
        fill(&mut rx, 0..3);
        memory.store16(USED + 1, 4);
        assert_eq!(rx.receive(&mut []), Err(Fault::TooMany));
        assert_eq!(rx.outstanding(), 3);
        Ok(())
    }

    #[test]
    fn no_wake_up_is_lost() -> Result<(), Fault> {
        for event_idx in [false, true] {
            let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
            let mut rx = Split::new(&memory, slots.as_mut_slice(), event_idx)
                .map(Rx::<_, 2048>::new)
                .ok_or(Fault::Stopped)?;
            fill(&mut rx, 0..4);
            assert!(rx.arm());
            assert_eq!(memory.load16(AVAIL), 0);
            assert_eq!(memory.load16(AVAIL + 6), 0);
            finish(&memory, 0, 100);
            assert!(!rx.arm());
            if event_idx {
                assert_eq!(memory.load16(AVAIL + 6), u16::MAX);
            } else {
                assert_eq!(memory.load16(AVAIL), NO_INTERRUPT);
            }
        }
        Ok(())
    }

    #[test]
    fn doorbells_by_index() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 4]);
        let mut rx = Split::new(&memory, slots.as_mut_slice(), true)
            .map(Rx::<_, 2048>::new)
            .ok_or(Fault::Stopped)?;
        // The device waits for the third buffer.
        memory.store16(USED + 2 + 16, 2);
        fill(&mut rx, 0..2);
        assert_eq!(rx.kick(), None);
        fill(&mut rx, 2..3);
        assert_eq!(rx.kick(), Some(3));
        fill(&mut rx, 3..4);
        assert_eq!(rx.kick(), None);
        Ok(())
    }
}
