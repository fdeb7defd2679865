// SPDX-License-Identifier: MIT OR Apache-2.0

//! Applications against the kernel's side of a channel, in user space.

use proptest::prelude::*;
use smplb_ring::mock::Kernel;
use smplb_ring::{Channel, Frame, Options, Want};

const FRAME: &[u8] = b"fourteen octets, and some more";

fn options(buffers: u32, receive: u32) -> Options {
    Options {
        trusted: false,
        ring_size: 64,
        buffers,
        receive,
        cpu: None,
    }
}

/// All frames that there are buffers for.
fn all(channel: &mut Channel) -> Vec<Frame> {
    std::iter::from_fn(|| channel.alloc(60)).collect()
}

#[test]
fn what_comes_can_be_sent_by_another_port() {
    let (kernel, mut channel) = Kernel::new(&options(64, 32));
    for port in 0..3 {
        assert!(kernel.deliver(FRAME, port));
    }
    let mut frames = Vec::new();
    assert_eq!(channel.rx_burst(&mut frames), 3);
    for (port, frame) in (0..3).zip(&mut frames) {
        assert_eq!((frame.as_ref(), frame.port()), (FRAME, port));
        frame.as_mut()[0] = b'F';
        frame.set_port(port + 1);
        assert!(frame.set_len(14));
    }
    assert_eq!(channel.tx_burst(&mut frames), 3);
    assert!(frames.is_empty());
    let sent = kernel.sent();
    let wanted = [1, 2, 3].map(|port| (port, b"Fourteen octet".to_vec()));
    assert_eq!(sent, wanted);
    assert!(kernel.sent().is_empty(), "nothing is sent twice");
}

#[test]
fn without_buffers_nothing_is_received_and_nothing_sent() {
    let (kernel, mut channel) = Kernel::new(&options(48, 32));
    let mut mine = all(&mut channel);
    assert_eq!(mine.len(), 16);
    let delivered = (0..64).filter(|_| kernel.deliver(FRAME, 0)).count();
    assert_eq!(delivered, 32);
    assert_eq!(channel.stats().unwrap().rx_dropped, 32);
    while channel.rx_burst(&mut mine) != 0 {}
    assert_eq!(mine.len(), 48);
    assert!(channel.alloc(60).is_none());
    assert_eq!(channel.tx_burst(&mut mine), 48);
    assert!(channel.alloc(60).is_none(), "they are the kernel's");
    assert_eq!(kernel.sent().len(), 48);
    assert!(channel.alloc(60).is_some());
    assert!(channel.alloc(channel.longest() + 1).is_none());
}

#[test]
fn a_frame_of_another_channel_is_copied() {
    let (_, mut other) = Kernel::new(&options(2, 0));
    let (kernel, mut channel) = Kernel::new(&options(2, 0));
    let foreign = |other: &mut Channel| {
        let mut frame = other.alloc(FRAME.len()).unwrap();
        frame.as_mut().copy_from_slice(FRAME);
        frame.set_port(7);
        frame
    };
    let mut frames = vec![foreign(&mut other), foreign(&mut other)];
    while channel.tx_burst(&mut frames) != 0 {}
    assert!(frames.is_empty());
    assert_eq!(kernel.sent(), vec![(7, FRAME.to_vec()); 2]);
    assert_eq!(all(&mut other).len(), 2, "its buffers are free");
    assert_eq!(all(&mut channel).len(), 2);
}

#[test]
fn what_cannot_be_sent_comes_back() {
    let (kernel, mut channel) = Kernel::new(&options(1, 0));
    let mut frame = channel.alloc(60).unwrap();
    frame.set_port(99);
    channel.tx_burst(&mut vec![frame]);
    assert!(kernel.sent().is_empty());
    let frame = channel.alloc(13).unwrap();
    assert_eq!(channel.refused(), 1);
    channel.tx_burst(&mut vec![frame]);
    assert!(kernel.sent().is_empty());
    assert!(channel.alloc(60).is_some());
    assert_eq!(channel.refused(), 2);
    assert_eq!(channel.stats().unwrap().bad, [0, 0, 0, 0, 1, 0, 1]);
    assert!(kernel.is_open());
}

#[test]
fn an_engine_that_sleeps_is_woken() {
    let (kernel, mut channel) = Kernel::new(&options(8, 0));
    let mut send = || {
        channel
            .alloc(60)
            .map(|frame| channel.tx_burst(&mut vec![frame]))
    };
    send();
    assert_eq!(kernel.kicks(), 0);
    kernel.set_asleep(true);
    send();
    assert_eq!(kernel.kicks(), 1);
    kernel.set_asleep(false);
    send();
    assert_eq!((kernel.kicks(), kernel.sent().len()), (1, 3));
}

#[test]
fn wants_are_asked_for_and_given_up() {
    let (_kernel, channel) = Kernel::new(&options(8, 0));
    let want = Want::udp("192.0.2.1:7".parse().unwrap());
    channel.want(want).unwrap();
    channel.unwant(want).unwrap();
    let again = channel.unwant(want).unwrap_err().to_string();
    assert!(again.contains("was not asked for"), "{again}");
}

#[test]
fn kernel_and_application_in_two_threads() {
    const FRAMES: u32 = 20_000;
    let (kernel, mut channel) = Kernel::new(&options(64, 32));
    let engine = std::thread::spawn(move || {
        let (mut delivered, mut answered) = (0u32, 0);
        while answered < FRAMES {
            let number = delivered.to_be_bytes();
            if delivered < FRAMES && kernel.deliver(&number.repeat(4), 5) {
                delivered += 1;
            }
            for (port, frame) in kernel.sent() {
                // In order, and written by the application.
                let wanted = (answered ^ u32::MAX).to_be_bytes();
                assert_eq!((port, frame), (6, wanted.repeat(4)));
                answered += 1;
            }
        }
        kernel.is_open()
    });
    let (mut frames, mut passed) = (Vec::new(), 0);
    while passed < FRAMES {
        let mut new = Vec::new();
        channel.rx_burst(&mut new);
        for frame in &mut new {
            frame.as_mut().iter_mut().for_each(|octet| *octet ^= 0xff);
            frame.set_port(6);
        }
        frames.append(&mut new);
        passed += channel.tx_burst(&mut frames) as u32;
    }
    assert!(engine.join().unwrap(), "the kernel has closed the channel");
}

#[derive(Clone, Debug)]
enum Step {
    Deliver,
    Receive,
    Send(usize),
    Drop(usize),
    Allocate,
    Serve,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Deliver),
        Just(Step::Receive),
        (0..8usize).prop_map(Step::Send),
        (0..8usize).prop_map(Step::Drop),
        Just(Step::Allocate),
        Just(Step::Serve),
    ]
}

proptest! {
    #[test]
    fn no_buffer_is_lost_or_had_twice(
        steps in prop::collection::vec(step(), 0..400),
        buffers in 1..=64u32,
        receive in 0..=64u32,
    ) {
        let (kernel, mut channel) = Kernel::new(&options(buffers, receive));
        let mut mine = Vec::new();
        for (nth, step) in steps.iter().enumerate() {
            match step {
                Step::Deliver => _ = kernel.deliver(FRAME, nth as u16 % 64),
                Step::Receive => _ = channel.rx_burst(&mut mine),
                Step::Send(count) => {
                    let at = mine.len().saturating_sub(*count);
                    let mut last = mine.split_off(at);
                    channel.tx_burst(&mut last);
                    mine.append(&mut last);
                }
                Step::Drop(count) => mine.truncate(mine.len().saturating_sub(*count)),
                Step::Allocate => mine.extend(channel.alloc(60)),
                Step::Serve => _ = kernel.sent(),
            }
            prop_assert!(mine.len() <= buffers as usize);
            // No two frames share memory.
            let mut starts: Vec<_> = mine.iter().map(|frame| frame.as_ref().as_ptr()).collect();
            starts.sort_unstable();
            starts.dedup();
            prop_assert_eq!(starts.len(), mine.len());
        }
        // Whatever happened, all of them come back.
        while !kernel.sent().is_empty() {}
        while kernel.deliver(FRAME, 0) {
            channel.rx_burst(&mut mine);
        }
        while channel.rx_burst(&mut mine) != 0 {}
        mine.extend(all(&mut channel));
        while kernel.deliver(FRAME, 0) {}
        while channel.rx_burst(&mut mine) != 0 {}
        prop_assert!(mine.len() <= buffers as usize);
        prop_assert_eq!(channel.stats().unwrap().bad, [0; 7]);
        prop_assert!(kernel.is_open());
        drop(mine);
        let had = all(&mut channel).len() as u32;
        prop_assert!(had + receive.min(buffers) >= buffers, "{had} of {buffers}, {receive} wait");
    }
}
