//! Sources of packets: RTMP, the web and files. This module also saves the received stream.

pub(in crate::player) mod connection;
pub(in crate::player) mod feed;
pub(in crate::player) mod file;
pub(in crate::player) mod http;
pub(in crate::player) mod live;
pub(in crate::player) mod open_deadline;
pub(in crate::player) mod rtmp;
pub(in crate::player) mod save;
pub(in crate::player) mod web;
