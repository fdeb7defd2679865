// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a driver said about a device: it can tell user space no more than an error number.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Address;

/// The level of errors; what is worse has a lower one.
const ERROR: u32 = 3;

/// The kernel's log from some moment on, where it may be read.
pub struct Log(Option<File>);

impl Log {
    /// The log from now on.
    pub fn from_now() -> Self {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(flags).open("/dev/kmsg");
        Self(
            file.ok()
                .filter(|mut file| file.seek(SeekFrom::End(0)).is_ok()),
        )
    }

    /// The first error that a driver has told about a device since then.
    pub fn error_of(mut self, driver: &str, address: Address) -> Option<String> {
        let file = self.0.as_mut()?;
        // One read is one record; no record is longer.
        let mut record = [0; 8192];
        loop {
            match file.read(&mut record) {
                Ok(0) => return None,
                Ok(len) => {
                    let text = String::from_utf8_lossy(record.get(..len)?).into_owned();
                    if let Some(found) = error_in(&text, driver, address) {
                        return Some(found.to_owned());
                    }
                }
                // Old records were overwritten meanwhile.
                Err(error) if error.raw_os_error() == Some(Errno::PIPE.raw_os_error()) => {}
                Err(_) => return None,
            }
        }
    }
}

/// The text of a record, `3,1234,5678,-;driver 0000:00:02.0: text`, if it is such an error.
fn error_in<'a>(record: &'a str, driver: &str, address: Address) -> Option<&'a str> {
    let (head, text) = record.lines().next()?.split_once(';')?;
    let level: u32 = head.split(',').next()?.parse().ok()?;
    let text = text.strip_prefix(&format!("{driver} {address}: "))?;
    // The driver core's summary has nothing but the error number.
    let summary = text.starts_with("probe with driver");
    (level & 7 <= ERROR && !summary).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_driver() {
        let address = "00:02.0".parse().unwrap();
        let found = |record| error_in(record, "smplb_x", address);
        let record = "3,1,2,-;smplb_x 0000:00:02.0: no MAC\n SUBSYSTEM=pci\n";
        assert_eq!(found(record), Some("no MAC"));
        assert_eq!(
            found("27,1,2,-;smplb_x 0000:00:02.0: daemon"),
            Some("daemon")
        );
        for other in [
            "6,1,2,-;smplb_x 0000:00:02.0: enabling device\n",
            "3,1,2,-;smplb_x 0000:00:03.0: no MAC\n",
            "3,1,2,-;virtio-pci 0000:00:02.0: no MAC\n",
            "3,1,2,-;smplb_x 0000:00:02.0: probe with driver smplb_x failed with error -95\n",
            "",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
