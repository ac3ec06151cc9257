//! The texts for the stages of a connection.

use crate::ui::input::actions::key;

/// Returns the text key for a stage of the connection.
pub fn stage_key(stage: &str) -> &'static str {
    match stage {
        "delay" => key!("stage-delay"),
        "dns" => key!("stage-dns"),
        "tcp" => key!("stage-tcp"),
        "tls" => key!("stage-tls"),
        "handshake" => key!("stage-handshake"),
        "connect" => key!("stage-connect"),
        "request" => key!("stage-request"),
        "ice" => key!("stage-ice"),
        "dtls" => key!("stage-dtls"),
        "publish" => key!("stage-publish"),
        _ => key!("stage-media"),
    }
}
