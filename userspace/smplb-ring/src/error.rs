// SPDX-License-Identifier: MIT OR Apache-2.0

use rustix::io::Errno;

/// Why something with a channel could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device node could not be opened.
    #[error("cannot open /dev/smplb: {0}; {hint}", hint = Self::node_hint(*.0))]
    Node(#[source] Errno),
    /// The module has refused to make a channel.
    #[error("cannot make a channel: {0}; {hint}", hint = Self::make_hint(*.0))]
    Make(#[source] Errno),
    /// What is shared could not be mapped.
    #[error("cannot map a channel: {0}")]
    Map(#[source] Errno),
    /// The module has refused to give traffic.
    #[error("cannot have that traffic: {0}; {hint}", hint = Self::want_hint(*.0))]
    Want(#[source] Errno),
    /// There is no such port.
    #[error("{name} is no port of smplb: {source}; see: smplbctl port list")]
    Port {
        /// The name that was asked for.
        name: String,
        /// What the kernel says.
        source: Errno,
    },
    /// The module has refused to give a queue pair.
    #[error("cannot have a queue pair of {name}: {source}; {hint}", hint = Self::pair_hint(*.source))]
    Pair {
        /// The port that was asked.
        name: String,
        /// What the kernel says.
        source: Errno,
    },
    /// A NIC has done something to the rings of a pair that it cannot do.
    #[error("the NIC broke a ring: {0}")]
    Nic(&'static str),
    /// The kernel has closed the channel: the network namespace has gone, or the rings were written
    /// to by something else than this crate.
    #[error("the channel is closed")]
    Closed,
    /// Something else failed.
    #[error(transparent)]
    Os(#[from] Errno),
}

impl Error {
    fn node_hint(errno: Errno) -> &'static str {
        match errno {
            Errno::NOENT | Errno::NXIO => "load the module with: modprobe smplb",
            Errno::ACCESS | Errno::PERM => "run as root, or have the node given to your group",
            _ => "see: dmesg",
        }
    }

    fn make_hint(errno: Errno) -> &'static str {
        match errno {
            Errno::NODEV => "add a port first with: smplbctl port add",
            Errno::PROTO => "the module is of another version",
            Errno::INVAL => "rings are a power of two, 32 to 32768, and no smaller than there are buffers; the CPU is online",
            Errno::PERM => "an isolated CPU takes CAP_NET_ADMIN",
            Errno::NOSPC => "there are too many channels",
            Errno::ACCESS => "buffers of the switch are for root and the group of /dev/smplb",
            Errno::NXIO => "no port has buffers of the switch; add one with: smplbctl port add ADDRESS --driver",
            Errno::NOBUFS => "the switch has not as many buffers; load smplb with more of them: buffers=N",
            _ => "see: dmesg",
        }
    }

    fn pair_hint(errno: Errno) -> &'static str {
        match errno {
            Errno::PERM => "it takes CAP_SYS_RAWIO, and smplb loaded with: raw_pairs=1",
            Errno::ACCESS => "it takes a trusted channel",
            Errno::OPNOTSUPP => "only ports with driver virtio_net can",
            Errno::INVAL => "the port has no pair of that number",
            Errno::BUSY => "another application has one of that NIC",
            Errno::ALREADY => "a channel has one only once",
            Errno::AGAIN => "the NIC does not work now; see: smplbctl port list",
            _ => "see: dmesg",
        }
    }

    fn want_hint(errno: Errno) -> &'static str {
        match errno {
            Errno::EXIST => "another channel has it",
            Errno::NODEV => "no port has that interface",
            Errno::NOENT => "it was not asked for",
            _ => "see: dmesg",
        }
    }
}
