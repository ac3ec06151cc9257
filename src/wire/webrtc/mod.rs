//! What WebRTC viewers (WHEP) exchange with the server besides media cryptography: SDP, the session of a STUN message,
//! and RTP payloads.

pub mod rtp;
pub mod sdp;
pub mod stun;
