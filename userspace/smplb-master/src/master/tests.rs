// SPDX-License-Identifier: MIT OR Apache-2.0
mod faults;
mod follow;
mod operation;
mod site;
mod words;
