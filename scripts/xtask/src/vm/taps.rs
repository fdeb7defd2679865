// SPDX-License-Identifier: MIT OR Apache-2.0
//! NICs with several queues: the host's ends are tap devices, which QEMU's hubs
//! cannot be. They are in a network namespace of QEMU's own, without a name, so
//! that nothing is left of them however QEMU ends; who is not root makes it in a
//! user namespace.

use std::process::{Command, Stdio};

use crate::run::command;

/// Queues that a tap device of Linux can have.
pub const MOST: u32 = 256;

/// What makes the devices and becomes the program: COUNT QUEUES PROGRAM [ARG...].
/// Two by two they are ports of a bridge. `addrgenmode none` has the host say
/// nothing on them.
const SCRIPT: &str = r#"
set -e
count=$1 queues=$2
shift 2
mode=; [ "$queues" = 1 ] || mode=multi_queue
n=0
while [ $n -lt $count ]; do
	wire=wire$((n / 2))
	[ $((n % 2)) = 1 ] || ip link add $wire type bridge mcast_snooping 0
	ip link set $wire addrgenmode none txqueuelen 10000 up
	ip tuntap add dev tap$n mode tap $mode
	ip link set tap$n addrgenmode none txqueuelen 10000 master $wire up
	n=$((n + 1))
done
exec "$@"
"#;

/// The tap device of the NIC with this number.
pub fn netdev(number: usize, queues: u32) -> String {
    let queues = match queues {
        1 => String::new(),
        queues => format!(",queues={queues}"),
    };
    format!("tap,id=nic{number},ifname=tap{number},script=no,downscript=no{queues}")
}

/// The command, where there are that many devices with so many queues.
pub fn inside(count: usize, queues: u32, program: &Command) -> Command {
    let mut outer = command("unshare");
    outer.arg("--net");
    if !rustix::process::geteuid().is_root() {
        outer.arg("--map-root-user");
    }
    outer.args(["--", "sh", "-c", SCRIPT, "taps"]);
    outer.args([count.to_string(), queues.to_string()]);
    outer.arg(program.get_program()).args(program.get_args());
    outer
}

/// Why this host cannot have such devices, in a line; nothing if it can.
pub fn missing(queues: u32) -> Option<String> {
    let output = inside(2, queues, &command("true"))
        .stdin(Stdio::null())
        .output();
    let text = match output {
        Ok(output) if output.status.success() => return None,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    let line = text.lines().next().unwrap_or("unshare or ip fails");
    Some(format!("no tap devices here: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_the_queues_that_it_is_asked_for() {
        assert!(netdev(3, 1).ends_with("ifname=tap3,script=no,downscript=no"));
        assert!(netdev(0, 4).ends_with(",queues=4"));
    }

    #[test]
    fn the_program_is_what_the_script_becomes() {
        let mut program = command("qemu");
        program.args(["-name", "x y"]);
        let command = inside(4, 2, &program);
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        assert_eq!(words[words.len() - 5..], ["4", "2", "qemu", "-name", "x y"]);
    }
}
