//! Sources of packets: RTMP, SRT, the web and files. This module also saves the received stream.

pub(crate) mod connection;
pub(crate) mod feed;
pub(crate) mod file;
pub(crate) mod http;
pub(crate) mod live;
pub(crate) mod open_deadline;
pub(crate) mod rtmp;
pub(crate) mod save;
pub(crate) mod srt;
pub(crate) mod web;
