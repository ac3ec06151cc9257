//! GStreamer's webrtcbin, a third-party implementation of WebRTC with ICE by libnice, run by a Python script.

use std::process::Command;

use crate::peers::Peer;

const SCRIPT: &str = include_str!("receive_gst.py");

/// Receives for some seconds over this transport (`udp` or `tcp`), ends the session, and prints a report as JSON.
pub fn start(endpoint: &str, transport: &str) -> Peer {
    let (key, signed) = {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let signed = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        (key.serialize_pem(), signed.pem())
    };
    let certificate = signed + &key;
    // Debian's Python has the bindings.
    let mut command = Command::new("/usr/bin/python3");
    Peer::start_command(command.args(["-c", SCRIPT, endpoint, transport, &certificate]))
}
