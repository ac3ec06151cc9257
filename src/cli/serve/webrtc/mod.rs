//! What helps the peers of WebRTC to reach each other: ICE servers, and the meeting of studios and guests.

pub(super) mod ice_servers;
pub(super) mod meeting;
