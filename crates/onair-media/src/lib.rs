//! Devices, files, codecs, the compositor and the mixer of onair. Each room is a module, and no room uses
//! another.

use onair_base::{base, media, text};
use onair_platform as platform;
use onair_wire as wire;

pub mod audio;
pub mod capture;
pub mod compose;
pub mod decode;
pub mod encode;
pub mod files;
pub mod mix;
pub mod problems;
