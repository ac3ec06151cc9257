//! The data that WebRTC viewers (WHEP) exchange with the server, without the cryptography: SDP,
//! STUN messages, and RTP payloads.

pub mod candidates;
pub mod public_address;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod stun;
