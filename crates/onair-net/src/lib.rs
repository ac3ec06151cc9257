//! Sockets (`net`), and the outputs that send and record the program (`broadcast`).

use onair_base::{base, media, text};
use onair_media::{decode, encode, files, problems};
use onair_platform as platform;
use onair_wire as wire;

pub mod broadcast;
pub mod net;
