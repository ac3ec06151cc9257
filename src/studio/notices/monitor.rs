//! What the confidence monitor says in English, by the message's name.

use crate::studio::notices::Level;

/// How much it matters: a server that makes its own of the stream is said, not alarmed.
pub(in crate::studio) fn level(key: &str) -> Level {
    if key == "monitor-wrong-size" { Level::Info } else { Level::Warning }
}

/// What happened.
pub(in crate::studio) fn summary(key: &str, host: &str, cause: &str) -> String {
    match key {
        "monitor-unreachable" => format!("What viewers of {host} get cannot be seen: {cause}."),
        "monitor-no-stream" => format!("Viewers of {host} get nothing: {cause}."),
        "monitor-stalled" => format!("The stream of {host} does not flow for viewers: {cause}."),
        "monitor-black" => format!("Viewers of {host} see black: {cause}."),
        "monitor-frozen" => format!("Viewers of {host} see a picture that stands still: {cause}."),
        "monitor-silent" => format!("Viewers of {host} hear nothing: {cause}."),
        "monitor-late" => format!("Viewers of {host} see it late: {cause}."),
        _ => format!("{host} gives viewers another picture than it gets: {cause}."),
    }
}

/// What to do about it.
pub(in crate::studio) fn advice(key: &str) -> &'static str {
    match key {
        "monitor-unreachable" => {
            "The stream itself is on its way. Check the address at which it is watched, and whether \
             the server lets everybody watch."
        }
        "monitor-no-stream" => {
            "A server may take some seconds. If it stays so, check the stream's name, and on the \
             service's page whether the stream is shown."
        }
        "monitor-stalled" => {
            "The server takes the stream and does not hand it on. If it stays so, end the broadcast \
             there and begin again."
        }
        "monitor-black" | "monitor-frozen" | "monitor-silent" => {
            "What is sent is not so: it happens at the server. If it stays so, switch the target off \
             and on again."
        }
        "monitor-late" => {
            "The server or the way to it holds much back. Switching off and on helps."
        }
        _ => {
            "It is the server's choice, if it makes smaller versions; else check what it is set to."
        }
    }
}
